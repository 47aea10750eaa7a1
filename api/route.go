package api

import (
	"net/http"
	"net/url"
	"strings"

	"hearth/whisk"
)

const root = "/api/v1"

// route finds the handler of a request and leads it there through the gates.
func (s *Server) route(q *request) (reply, error) {
	path := q.URL.RawPath // set where the path has escapes that matter, such as %2F
	if path == "" {
		path = q.URL.Path
	}
	rest, inside := strings.CutPrefix(path, root)
	inside = inside && (rest == "" || rest[0] == '/')
	if ns, ok := vanityNamespace(q.Host, s.cfg.VanityDomain); ok && !inside {
		return s.web(q, vanityPath(ns, q.URL.EscapedPath()))
	}
	if !inside {
		if api, ok := strings.CutPrefix(q.URL.EscapedPath(), gatewayRoot); ok {
			return s.gateway(q, api)
		}
		return s.open(q, path)
	}
	if web, ok := strings.CutPrefix(rest, "/web"); ok && (web == "" || web[0] == '/') {
		return s.web(q, strings.TrimPrefix(q.URL.EscapedPath(), root+"/web"))
	}
	if q.Method == http.MethodOptions {
		q.class = classOptions
		return reply{status: http.StatusOK}, nil
	}
	if rest == "" || rest == "/" {
		q.class = classInfo
		return s.version(q)
	}
	if rest == "/api-docs" {
		return docs(q, apiDocs)
	}
	if err := s.authenticate(q); err != nil {
		return reply{}, err
	}
	p, err := parsePath(rest[1:], q.URL.RawPath != "")
	if err != nil {
		return reply{}, err
	}
	return s.resource(q, p)
}

// open answers what needs no key.
func (s *Server) open(q *request, path string) (reply, error) {
	switch path {
	case "/ping":
		q.class = classInfo
		if err := q.only(http.MethodGet); err != nil {
			return reply{}, err
		}
		if err := checkAccept(q.Header, "text/plain"); err != nil {
			return reply{}, err
		}
		return reply{status: http.StatusOK, mediaType: "text/plain; charset=UTF-8", body: []byte("pong")}, nil
	case "", "/":
		q.class = classInfo
		return s.info(q)
	case "/api-docs":
		return docs(q, infoDocs)
	}
	return reply{}, errNoRoute
}

// authenticate is the first gate. No byte of a body is read before it.
func (s *Server) authenticate(q *request) error {
	if scheme, _, _ := strings.Cut(q.Header.Get("Authorization"), " "); !strings.EqualFold(scheme, "Basic") {
		return &whisk.Error{Kind: whisk.Unauthenticated, Message: noCredentials}
	}
	user, password, ok := q.BasicAuth()
	if !ok {
		return &whisk.Error{Kind: whisk.Unauthenticated, Message: badCredentials}
	}
	id, err := s.deps.Auth.Authenticate(q.Request.Context(), whisk.AuthKey{UUID: user, Key: password})
	if err != nil {
		return err
	}
	q.identity, q.limits = id, &id.Limits
	return nil
}

// path is a request's path below /api/v1, decoded: up to six segments, and
// whether a slash ends it.
type path struct {
	segments [6]string
	n        int
	slash    bool
}

// parsePath splits s; escaped says that its segments are still encoded. A segment
// ".." takes back the one before it, up to the first: there are clients that
// write "_/actions/../../whisk.system/actions", for a proxy to clean.
func parsePath(s string, escaped bool) (path, error) {
	var p path
	for s != "" {
		segment, rest, more := strings.Cut(s, "/")
		if segment == ".." && p.n > 1 {
			p.n--
			p.slash = more && rest == ""
			s = rest
			continue
		}
		if segment == "" || p.n == len(p.segments) {
			return p, errNoRoute
		}
		if escaped {
			var err error
			if segment, err = url.PathUnescape(segment); err != nil {
				return p, errNoRoute
			}
		}
		p.segments[p.n] = segment
		p.n++
		p.slash = more && rest == ""
		s = rest
	}
	return p, nil
}

// unpacked moves the package out of "ns%2Fpkg/actions/name" to where it stands in
// paths. In a list's rows the namespace of an action is "ns/pkg", and clients
// give it back as it is.
func (p path) unpacked() path {
	ns, pkg, ok := strings.Cut(p.segments[1], "/")
	if !ok || p.segments[2] != "actions" || p.n > 4 {
		return p
	}
	p.slash = p.slash || p.n == 3 // all that the package holds
	p.segments[1], p.segments[3], p.segments[4] = ns, pkg, p.segments[3]
	p.n++
	return p
}

// resource answers everything below /namespaces.
func (s *Server) resource(q *request, p path) (reply, error) {
	if p.segments[0] != "namespaces" || p.n == 2 {
		return reply{}, errNoRoute
	}
	if err := checkAccept(q.Header, jsonType); err != nil {
		return reply{}, err
	}
	if p.n == 1 {
		q.class = classNamespaces
		return s.namespaces(q)
	}
	p = p.unpacked()
	ns := whisk.Namespace(p.segments[1])
	if ns == "_" {
		ns = q.identity.Namespace
	} else if err := whisk.CheckNamespace(string(ns)); err != nil {
		return reply{}, err
	}
	switch name := p.segments[2]; name {
	case "actions":
		return s.actions(q, ns, p)
	case "activations":
		return s.activations(q, ns, p)
	case "queue":
		return s.queue(q, ns, p)
	case "deadletters":
		return s.dead(q, ns, p)
	case "limits":
		if p.n == 3 && !p.slash {
			q.class = classNamespaces
			return s.namespaceLimits(q, ns)
		}
	case "packages", "triggers", "rules":
		return s.entity(q, s.collections[name], ns, p)
	}
	return reply{}, errNoRoute
}

// actions leads to the handlers of actions: a list of all or of a package's,
// or one action in the default package or in another.
func (s *Server) actions(q *request, ns whisk.Namespace, p path) (reply, error) {
	q.class = classActionList
	switch {
	case p.n == 3:
		if err := q.only(http.MethodGet); err != nil {
			return reply{}, err
		}
		return s.listActions(q, ns)
	case p.n == 4 && p.slash && q.Method == http.MethodGet:
		if err := whisk.CheckName(p.segments[3]); err != nil {
			return reply{}, err
		}
		q.class = classActionList
		return s.listPackage(q, whisk.EntityName{Namespace: ns, Name: p.segments[3]})
	case p.n > 5 || p.slash:
		return reply{}, errNoRoute
	}
	name := whisk.ActionName{Namespace: ns, Name: p.segments[p.n-1]}
	if p.n == 5 {
		name.Package = p.segments[3]
		if err := whisk.CheckName(name.Package); err != nil {
			return reply{}, err
		}
	}
	if err := whisk.CheckName(name.Name); err != nil {
		return reply{}, err
	}
	return s.action(q, name)
}

// action leads to the handler of one action.
func (s *Server) action(q *request, name whisk.ActionName) (reply, error) {
	handle, c := s.invokeAction, classInvoke
	switch q.Method {
	case http.MethodPost: // checks rights itself: throttling comes first
		q.class = c
		return handle(q, name)
	case http.MethodGet:
		handle, c = s.fetchAction, classActionGet
	case http.MethodPut:
		handle, c = s.putAction, classActionPut
	case http.MethodDelete:
		handle, c = s.deleteAction, classActionDelete
	}
	q.class = c
	if err := q.only("GET, PUT, POST, DELETE"); err != nil {
		q.class = classOther
		return reply{}, err
	}
	return handle(q, name)
}

// activations leads to the handlers of activations.
func (s *Server) activations(q *request, ns whisk.Namespace, p path) (reply, error) {
	q.class = classActivationGet
	if p.n == 3 {
		q.class = classActivationList
	}
	if p.n > 5 || p.n > 3 && p.slash {
		return reply{}, errNoRoute
	}
	if err := q.only(http.MethodGet); err != nil {
		return reply{}, err
	}
	if p.n == 3 {
		if !q.owns(ns) {
			return reply{}, whisk.NotAuthorized(string(ns))
		}
		return s.listActivations(q)
	}
	part := ""
	if p.n == 5 {
		if part = p.segments[4]; part != "result" && part != "logs" {
			return reply{}, errNoRoute
		}
	}
	if !q.owns(ns) {
		return reply{}, whisk.NotAuthorized(string(ns) + "/" + p.segments[3])
	}
	return s.fetchActivation(q, p.segments[3], part)
}
