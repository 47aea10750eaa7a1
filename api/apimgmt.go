package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"hearth/whisk"
)

// The three web actions by which clients manage APIs. They are answered here, so
// that they need neither a sandbox nor credentials of anybody's.
var apiManagement = whisk.ActionName{Namespace: "whisk.system", Package: "apimgmt"}

// apis are the APIs of namespaces.
type apis interface {
	// APIs fails with whisk.ErrNotFound where there are none.
	APIs(ctx context.Context, ns whisk.Namespace) (*whisk.APIs, error)
	// PutAPIs fails with whisk.ErrExists if ifRevision is 0 and there are some,
	// and with whisk.ErrChanged if it is not that of the stored ones.
	PutAPIs(ctx context.Context, a *whisk.APIs, ifRevision int64) (*whisk.APIs, error)
}

// manageAPIs answers a web action of that package. What a user did wrong is an
// answer 502 as from an action that failed.
func (s *Server) manageAPIs(q *request, t webTarget) (reply, error) {
	handle := map[string]func(*request, json.RawMessage) (json.RawMessage, error){
		"createApi": s.createAPI, "getApi": s.getAPI, "deleteApi": s.deleteAPI,
	}[t.action.Name]
	if handle == nil || t.extension != extHTTP {
		return reply{}, whisk.ErrNotFound
	}
	q.setCORS()
	if q.Method == http.MethodOptions {
		return reply{status: http.StatusOK}, nil
	}
	if err := s.identify(q); err != nil {
		return reply{}, err
	}
	if q.identity == nil {
		return failedAction("A valid auth key is required."), nil
	}
	q.limits = &q.identity.Limits
	if q.ContentLength > q.limits.PayloadSize {
		return reply{}, tooLarge("Request", q.ContentLength, q.limits.PayloadSize)
	}
	body, err := q.webBody(false, q.limits.PayloadSize)
	if err != nil {
		return reply{}, err
	}
	pairs, err := parsePairs(q.URL.RawQuery)
	if err != nil {
		return reply{}, badQuery("basepath", "invalid escape")
	}
	pairs = slices.DeleteFunc(pairs, func(p pair) bool { return p.value == "undefined" }) // how JavaScript clients say nothing
	out, err := handle(q, whisk.MergeObjects(appendPairs(nil, pairs), body.fields))
	var p pathProblem
	if errors.As(err, &p) {
		return failedAction(string(p)), nil
	}
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusOK, body: out}, q.reserve(int64(len(out)))
}

// failedAction is the answer of an action that says what went wrong.
func failedAction(why string) reply {
	b := append(appendText([]byte{'{'}, "error", why), '}')
	return reply{status: http.StatusBadGateway, body: b, own: true}
}

// argument returns an argument that is a text.
func argument(args json.RawMessage, name string) string {
	v, _ := whisk.Field(args, name)
	s, _ := textOf(v)
	return s
}

// getAPI returns the APIs of a base path or name, or all.
func (s *Server) getAPI(q *request, args json.RawMessage) (json.RawMessage, error) {
	all, err := s.apisOf(q)
	if err != nil {
		return nil, err
	}
	list := all.List
	if sought := argument(args, "basepath"); sought != "" {
		list = nil
		for i := range all.List {
			if isCalled(&all.List[i], sought) {
				list = append(list, all.List[i])
			}
		}
	}
	skip, limit := len(list), len(list)
	if n, err := strconv.Atoi(argument(args, "skip")); err != nil || n < skip {
		skip = max(n, 0)
	}
	if n, err := strconv.Atoi(argument(args, "limit")); err == nil && n > 0 {
		limit = n
	}
	list = list[skip:]
	b := append(appendKey([]byte{'{'}, "apis"), '[')
	for i := range list[:min(limit, len(list))] {
		if i > 0 {
			b = append(b, ',')
		}
		id := "API:" + string(all.Namespace) + ":" + list[i].BasePath
		b = append(b, '{')
		b = appendText(b, "id", id)
		b = appendText(b, "key", id)
		b = append(q.appendAPI(appendKey(b, "value"), all.Namespace, &list[i]), '}')
	}
	return append(b, ']', '}'), nil
}

// isCalled reports whether an API is meant by a base path or, without a slash at
// its head, a name.
func isCalled(a *whisk.API, name string) bool {
	if !strings.HasPrefix(name, "/") {
		return a.Title == name
	}
	base, err := basePath(name)
	return err == nil && a.BasePath == base
}

// apisOf returns the caller's APIs, none if there are none.
func (s *Server) apisOf(q *request) (*whisk.APIs, error) {
	ns := q.identity.Namespace
	all, err := s.deps.APIs.APIs(q.Context(), ns)
	if errors.Is(err, whisk.ErrNotFound) {
		return &whisk.APIs{Namespace: ns}, nil
	}
	return all, err
}

// changeTries is how often a change is tried that meets others, and changePause
// the longest wait before it is tried again. A namespace's APIs are one entity,
// and who changes two of them at once has no conflict to tell of.
const (
	changeTries = 50
	changePause = 40 * time.Millisecond
)

// changeAPIs stores what change makes of the caller's APIs. It may be called
// again, when they have changed meanwhile.
func (s *Server) changeAPIs(q *request, change func(all *whisk.APIs) error) error {
	for try := 1; ; try++ {
		stored, err := s.apisOf(q)
		if err != nil {
			return err
		}
		next := &whisk.APIs{Namespace: stored.Namespace, List: append([]whisk.API(nil), stored.List...), Updated: time.Now().UnixMilli()}
		if err := change(next); err != nil {
			return err
		}
		_, err = s.deps.APIs.PutAPIs(q.Context(), next, stored.Revision)
		if err == nil || whisk.KindOf(err) != whisk.Conflict && whisk.KindOf(err) != whisk.NotFound || try == changeTries {
			return err
		}
		select {
		case <-q.Context().Done():
			return err
		case <-time.After(rand.N(changePause)):
		}
	}
}

// deleteAPI deletes an API, or one of its paths, or one verb of a path.
func (s *Server) deleteAPI(q *request, args json.RawMessage) (json.RawMessage, error) {
	name, path, verb := argument(args, "basepath"), argument(args, "relpath"), strings.ToLower(argument(args, "operation"))
	switch {
	case name == "":
		return nil, problem("basepath is required.")
	case path == "" && verb != "":
		return nil, problem("When specifying an operation, the path is required.")
	}
	err := s.changeAPIs(q, func(all *whisk.APIs) error {
		for i := range all.List {
			if !isCalled(&all.List[i], name) {
				continue
			}
			if path != "" {
				changed, err := withoutPath(&all.List[i], path, verb)
				if err != nil || len(changed.Routes) > 0 {
					all.List[i] = changed
					return err
				}
			}
			all.List = append(all.List[:i], all.List[i+1:]...)
			return nil
		}
		return problem("API '%s' does not exist.", name)
	})
	var p pathProblem
	if errors.As(err, &p) {
		err = problem("API deletion failure: %s", p)
	}
	return json.RawMessage("{}"), err
}

// withoutPath returns an API without a path or one verb of it.
func withoutPath(a *whisk.API, path, verb string) (whisk.API, error) {
	doc, err := parseSwagger(a.Document)
	if err != nil {
		return *a, fmt.Errorf("read the document of an API: %w: %w", whisk.ErrCorrupted, err)
	}
	if why := doc.remove(path, verb); why != "" {
		return *a, pathProblem(why)
	}
	return doc.compile()
}

// appendAPI appends an API as clients are shown it.
func (q *request) appendAPI(b []byte, ns whisk.Namespace, a *whisk.API) []byte {
	b = append(b, '{')
	b = appendText(b, "namespace", string(ns))
	b = appendBool(b, "gwApiActivated", true)
	b = appendText(b, "tenantId", string(ns))
	b = appendText(b, "gwApiUrl", q.gatewayURL(ns, a.BasePath))
	return append(append(appendKey(b, "apidoc"), a.Document...), '}')
}

// gatewayURL returns where an API is reached, on the host by which this request
// came.
func (q *request) gatewayURL(ns whisk.Namespace, base string) string {
	u := url.URL{Scheme: q.scheme(), Host: q.Host, Path: gatewayRoot + string(ns) + strings.TrimSuffix(base, "/")}
	return u.String()
}

// scheme returns that of the URL which the client asked for.
func (q *request) scheme() string {
	if p := q.Header.Get("X-Forwarded-Proto"); p == "http" || p == "https" {
		return p
	}
	if q.TLS != nil {
		return "https"
	}
	return "http"
}

// here reports whether a host is the one by which this request came.
func (q *request) here(host string) bool {
	own := q.Host
	if h, _, err := net.SplitHostPort(own); err == nil {
		own = h
	}
	return strings.EqualFold(strings.Trim(own, "[]"), host)
}
