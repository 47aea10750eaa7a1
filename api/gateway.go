package api

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"hearth/whisk"
)

// gatewayRoot is where the APIs of all namespaces are: each below its
// namespace's name, so that none can take another's paths.
const gatewayRoot = "/api/"

// reservedTenant is the namespace whose APIs would be below the REST API.
const reservedTenant whisk.Namespace = "v1"

// gateway answers a request for an API, by its path below gatewayRoot as sent:
// "ns/base/path". It runs the web action here; nothing is ever dialled.
func (s *Server) gateway(q *request, path string) (reply, error) {
	q.class, q.web = classRoute, true
	tenant, rest, _ := strings.Cut(path, "/")
	ns, err := url.PathUnescape(tenant)
	if err != nil || !whisk.ValidName(ns) {
		return reply{}, errNoRoute
	}
	all, err := s.deps.APIs.APIs(q.Request.Context(), whisk.Namespace(ns))
	if errors.Is(err, whisk.ErrNotFound) {
		return reply{}, errNoRoute
	}
	if err != nil {
		return reply{}, err
	}
	m, ok := matchRoute(all, rest)
	if !ok {
		return reply{}, errNoRoute
	}
	if m.api.CORS == whisk.CORSOpen {
		q.setCORS()
		if q.Method == http.MethodOptions {
			return reply{status: http.StatusOK}, nil
		}
	}
	r := m.route(q.Method)
	if r == nil {
		return reply{}, q.only(m.methods())
	}
	rep, err := s.webAction(q.through(r), m.target(r))
	q.settleCORS(m.api.CORS, &rep)
	return rep, err
}

// through changes the request as the route asks for, and notes the URL that was
// asked for.
func (q *request) through(r *whisk.Route) *request {
	h := *q.Request // the server's own is not ours to change
	if r.As != "" {
		h.Method = r.As
	}
	h.Header = h.Header.Clone()
	h.Header["X-Forwarded-Url"] = []string{q.scheme() + "://" + q.Host + q.URL.RequestURI()}
	for _, line := range r.Header {
		h.Header[line.Name] = []string{line.Value}
	}
	q.Request = &h
	return q
}

// settleCORS gives the answer the headers that the API wants, whatever the
// action's annotations say.
func (q *request) settleCORS(c whisk.CORS, rep *reply) {
	switch c {
	case whisk.CORSOpen:
		q.setCORS()
	case whisk.CORSClosed:
		q.cors = nil
		for name := range rep.header {
			if strings.HasPrefix(name, "Access-Control-") {
				delete(rep.header, name)
			}
		}
	}
}

// routeMatch is the path of an API that a request is for.
type routeMatch struct {
	api   *whisk.API
	path  string // of the routes
	sent  string // the request's, below the namespace
	depth int    // how many of its segments the route names

	literal uint64 // which of the first 64 of them are no parameters: the highest bit is the first
}

// matchRoute finds the path that fits best: the longest that the request's path
// begins with, and of these the one whose first parameter stands last. So
// "/books/new" goes before "/books/{id}", and both before "/books". path is
// still escaped, and has no slash at its head.
func matchRoute(all *whisk.APIs, path string) (routeMatch, bool) {
	best := routeMatch{depth: -1}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if name, err := url.PathUnescape(s); err == nil {
			segments[i] = name
		}
	}
	for i := range all.List {
		a := &all.List[i]
		base, named, ok := fits(a.BasePath, segments, 0)
		if !ok {
			continue
		}
		for k := range a.Routes {
			r := &a.Routes[k]
			if k > 0 && r.Path == a.Routes[k-1].Path {
				continue // routes are sorted
			}
			depth, literal, ok := fits(r.Path, segments, base)
			literal |= named
			if ok && (depth > best.depth || depth == best.depth && literal > best.literal) {
				best = routeMatch{api: a, path: r.Path, sent: path, depth: depth, literal: literal}
			}
		}
	}
	return best, best.api != nil
}

// fits reports whether the segments of a request's path go on, from the first
// on, as a part of a route does; up to which, and which of them are literal.
func fits(part string, segments []string, first int) (depth int, literal uint64, ok bool) {
	depth = first
	if part = strings.Trim(part, "/"); part == "" {
		return depth, 0, true
	}
	for segment := range strings.SplitSeq(part, "/") {
		if depth == len(segments) {
			return 0, 0, false
		}
		got := segments[depth]
		if _, parameter := parameterOf(segment); parameter {
			if got == "" {
				return 0, 0, false
			}
		} else if got != segment {
			return 0, 0, false
		} else if depth < 64 {
			literal |= 1 << (63 - depth)
		}
		depth++
	}
	return depth, literal, true
}

// route returns the route of a method, nil if there is none.
func (m *routeMatch) route(method string) *whisk.Route {
	for i := range m.api.Routes {
		if r := &m.api.Routes[i]; r.Path == m.path && r.Method == method {
			return r
		}
	}
	return nil
}

// methods returns the methods of the path.
func (m *routeMatch) methods() string {
	var out []string
	for _, r := range m.api.Routes {
		if r.Path == m.path {
			out = append(out, r.Method)
		}
	}
	return strings.Join(out, ", ")
}

// target returns the web action of a route, and the path that it is to see.
func (m *routeMatch) target(r *whisk.Route) webTarget {
	t := webTarget{action: r.Action, extension: extension(max(0, slices.Index(extensionNames[:], r.Extension)))}
	if r.WholePath {
		t.path = "/" + m.sent
		return t
	}
	rest := "/" + m.sent
	for range m.depth {
		if next := strings.IndexByte(rest[1:], '/'); next >= 0 {
			rest = rest[1+next:]
		} else {
			rest = ""
			break
		}
	}
	if m.depth == 0 && m.sent == "" {
		rest = ""
	}
	t.path = rest
	return t
}
