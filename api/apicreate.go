package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"hearth/whisk"
)

// Bounds of a namespace's APIs together: a request looks through all of them.
const (
	maxAPIs     = 200
	maxRoutes   = 1000
	maxAPIBytes = 4 << 20 // of their documents
)

// apiRequest is what createApi is asked for: an operation of an API, or all of
// one.
type apiRequest struct {
	name     string // base path, or the name of an API that is there
	title    string
	endpoint endpoint
	document swagger // nil for an operation
}

// createAPI adds an operation to an API, which is made if it is not there, or
// puts a whole one in place of what is there.
func (s *Server) createAPI(q *request, args json.RawMessage) (json.RawMessage, error) {
	r, err := q.apiRequest(args)
	if err != nil {
		return nil, err
	}
	var made whisk.API
	err = s.changeAPIs(q, func(all *whisk.APIs) error {
		var err error
		made, err = s.place(q, all, r)
		return err
	})
	var p pathProblem
	switch {
	case errors.As(err, &p):
		return nil, problem("API creation failure: %s", p)
	case err != nil:
		return nil, err
	}
	return q.appendAPI(nil, q.identity.Namespace, &made), nil
}

// place puts what r asks for among the APIs and returns it.
func (s *Server) place(q *request, all *whisk.APIs, r *apiRequest) (whisk.API, error) {
	if all.Namespace == reservedTenant {
		return whisk.API{}, problem("The namespace '%s' cannot have APIs: their URLs would be the platform's own.", all.Namespace)
	}
	at := slices.IndexFunc(all.List, func(a whisk.API) bool { return isCalled(&a, r.name) })
	doc := r.document
	if doc == nil {
		var err error
		switch {
		case at >= 0:
			if doc, err = parseSwagger(all.List[at].Document); err != nil {
				return whisk.API{}, fmt.Errorf("read the document of an API: %w: %w", whisk.ErrCorrupted, err)
			}
		case !strings.HasPrefix(r.name, "/"):
			return whisk.API{}, problem("API '%s' does not exist.", r.name)
		default:
			doc = newSwagger(r.name, r.title)
		}
		doc.add(r.endpoint)
	}
	made, err := doc.compile()
	if err != nil {
		return made, err
	}
	if r.document != nil {
		if err := checkHosts(q, doc); err != nil {
			return made, err
		}
	}
	for i := range made.Routes {
		n := &made.Routes[i]
		if r.document != nil || n.Path == r.endpoint.path && strings.EqualFold(n.Method, r.endpoint.verb) {
			if err := s.checkRoute(q, n); err != nil {
				return made, err
			}
		}
	}
	if at >= 0 {
		all.List[at] = made
	} else {
		all.List = append(all.List, made)
		slices.SortFunc(all.List, func(a, b whisk.API) int { return strings.Compare(a.BasePath, b.BasePath) })
	}
	return made, checkBounds(all)
}

// checkRoute holds that the caller may use what a route runs, and that this is
// a web action.
func (s *Server) checkRoute(q *request, r *whisk.Route) error {
	a, err := s.deps.Rights.Action(q.Context(), q.identity, whisk.Activate, r.Action)
	switch whisk.KindOf(err) {
	case whisk.NotFound, whisk.Forbidden, whisk.Conflict, whisk.BadRequest:
		return problem("Action '%s': %s", r.Action, whisk.MessageOf(err))
	}
	if err != nil {
		return err
	}
	if !isSet(a.Action.Annotations, annotationWebExport) {
		return problem("Action '%s' is not a web action.", r.Action)
	}
	return nil
}

// checkHosts holds that all targets of a document are on this host.
func checkHosts(q *request, doc swagger) error {
	backends, err := doc.backends()
	if err != nil {
		return err
	}
	for _, b := range backends {
		u, _ := strings.CutSuffix(b.target, wholePathSuffix)
		if _, err := target(u, q.here); b.target != "" && err != nil {
			return err
		}
	}
	for _, item := range object(doc, "paths") {
		m, _ := item.(map[string]any)
		for _, verb := range verbs {
			if u := text(object(object(m, verb), "x-openwhisk"), "url"); u != "" {
				if _, err := target(u, q.here); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func checkBounds(all *whisk.APIs) error {
	routes, size := 0, 0
	for i := range all.List {
		routes += len(all.List[i].Routes)
		size += len(all.List[i].Document)
	}
	if len(all.List) > maxAPIs || routes > maxRoutes || size > maxAPIBytes {
		return problem("A namespace can have at most %d APIs with %d operations and documents of %d bytes.", maxAPIs, maxRoutes, maxAPIBytes)
	}
	return nil
}

// apiRequest reads the arguments of createApi.
func (q *request) apiRequest(args json.RawMessage) (*apiRequest, error) {
	doc, err := q.jsonArgument(args, "apidoc")
	if err != nil {
		return nil, err
	}
	if argument(doc, "namespace") == "" {
		return nil, problem("apidoc is missing the namespace field")
	}
	if v, ok := whisk.Field(doc, "swagger"); ok && !isNull(v) && string(v) != `""` {
		return q.swaggerRequest(doc)
	}
	r := &apiRequest{name: argument(doc, "gatewayBasePath"), title: argument(doc, "apiName")}
	action, _ := whisk.Field(doc, "action")
	for _, f := range []struct {
		of         string
		in         json.RawMessage
		name, stop string
	}{
		{"apidoc", doc, "gatewayBasePath", ""}, {"apidoc", doc, "gatewayPath", ""}, {"apidoc", doc, "gatewayMethod", ""},
		{"action", action, "backendMethod", "."}, {"action", action, "backendUrl", "."}, {"action", action, "namespace", "."},
		{"action", action, "name", "."}, {"action", action, "authkey", "."},
	} {
		if f.of == "action" && !whisk.IsObject(action) {
			return nil, problem("apidoc is missing the action field.")
		}
		if argument(f.in, f.name) == "" {
			return nil, problem("%s is missing the %s field%s", f.of, f.name, f.stop)
		}
	}
	r.endpoint, err = q.endpoint(doc, action, argument(args, "responsetype"))
	return r, err
}

// jsonArgument returns an argument that is an object, or the text of one.
func (q *request) jsonArgument(args json.RawMessage, name string) (json.RawMessage, error) {
	v, ok := whisk.Field(args, name)
	if !ok || isNull(v) {
		return nil, problem("%s is required.", name)
	}
	if text, isText := bytesOf(v); isText {
		if whisk.CheckJSON(text, q.limits.JSONDepth) != nil {
			return nil, problem("%s field cannot be parsed. Ensure it is valid JSON.", name)
		}
		v = text
	}
	if !whisk.IsObject(v) {
		return nil, problem("%s field should be a JSON object or a JSON string.", name)
	}
	return v, nil
}

// swaggerRequest reads an apidoc that holds a document.
func (q *request) swaggerRequest(doc json.RawMessage) (*apiRequest, error) {
	if argument(doc, "gatewayBasePath") != "" {
		return nil, problem("swagger and gatewayBasePath are mutually exclusive and cannot be specified together.")
	}
	raw, err := q.jsonArgument(doc, "swagger")
	if err != nil {
		return nil, err
	}
	s, err := parseSwagger(raw)
	if err != nil {
		return nil, problem("swagger field cannot be parsed. Ensure it is valid JSON.")
	}
	for _, field := range []string{"basePath", "paths", "info"} {
		if object(s, field) == nil && (field != "basePath" || text(s, field) == "") {
			return nil, problem("swagger is missing the %s field.", field)
		}
	}
	base, err := basePath(text(s, "basePath"))
	if err != nil {
		return nil, problem("API creation failure: %s", err)
	}
	return &apiRequest{name: base, document: s}, nil
}

// endpoint reads an operation. "_" stands for the caller's namespace.
func (q *request) endpoint(doc, action json.RawMessage, responseType string) (endpoint, error) {
	e := endpoint{path: argument(doc, "gatewayPath"), verb: strings.ToLower(argument(doc, "gatewayMethod"))}
	if !slices.Contains(verbs, e.verb) {
		return e, problem("API creation failure: '%s' is not a verb of an API.", argument(doc, "gatewayMethod"))
	}
	if responseType == "" {
		responseType = "json"
	}
	e.extension = "." + responseType
	if !slices.Contains(extensionNames[:], e.extension) {
		return e, problem("API creation failure: '%s' is not a type of responses.", responseType)
	}
	name, err := whisk.ParseActionName(argument(action, "namespace")+"/"+strings.TrimPrefix(argument(action, "name"), "/"), q.identity.Namespace)
	if full := argument(action, "name"); strings.HasPrefix(full, "/") && strings.Count(full, "/") > 1 {
		name, err = whisk.ParseActionName(full, q.identity.Namespace)
	}
	if err != nil {
		return e, problem("API creation failure: %s", whisk.MessageOf(err))
	}
	if name.Package == defaultPackage {
		name.Package = ""
	}
	e.action = name
	backend, err := parseTarget(argument(action, "backendUrl"))
	if err != nil || backend.Scheme != "http" && backend.Scheme != "https" || !q.here(backend.Hostname()) {
		return e, problem("API creation failure: The target '%s' is not on this host.", argument(action, "backendUrl"))
	}
	pkg := name.Package
	if pkg == "" {
		pkg = defaultPackage
	}
	own := url.URL{Scheme: backend.Scheme, Host: backend.Host, Path: root + "/web/" + string(name.Namespace) + "/" + pkg + "/" + name.Name}
	e.url = own.String()
	if v, ok := whisk.Field(action, "secureKey"); ok && !isNull(v) {
		e.secret = decoded(v)
	}
	if v, ok := whisk.Field(doc, "pathParameters"); ok && whisk.IsArray(v) {
		e.parameters = decoded(v)
	}
	return e, nil
}

// decoded returns valid JSON as a document has it.
func decoded(raw json.RawMessage) any {
	s, _ := parseSwagger(append(append([]byte(`{"v":`), raw...), '}'))
	return s["v"]
}
