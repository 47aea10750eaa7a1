package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
)

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 20

// Request is a call that a check is about to make.
type Request struct {
	c      *C
	method string
	path   string
	key    string // "" is none
	base   string // scheme and host
	host   string // "" is that of the URL
	header http.Header
	body   io.Reader
}

// req begins a call with the suite's key. A path that begins with a slash is
// the whole one, any other is below the caller's namespace.
func (c *C) req(method, path string) *Request {
	if !strings.HasPrefix(path, "/") {
		path = "/api/v1/namespaces/_/" + path
	}
	return &Request{c: c, method: method, base: c.h.url, path: path, key: c.h.own.Key, header: http.Header{}}
}

// in is the path of something in a namespace that is named.
func in(namespace, path string) string { return "/api/v1/namespaces/" + namespace + "/" + path }

func (r *Request) as(a Account) *Request     { r.key = a.Key; return r }
func (r *Request) withKey(k string) *Request { r.key = k; return r }
func (r *Request) anonymous() *Request       { r.key = ""; return r }

// to sets the Host header.
func (r *Request) to(host string) *Request { r.host = host; return r }

// set sets a header; an empty value removes it.
func (r *Request) set(name, value string) *Request {
	r.header.Set(name, value)
	return r
}

// json sets a JSON body.
func (r *Request) json(v any) *Request {
	b, err := json.Marshal(v)
	if err != nil {
		r.c.fatal("%s %s: body: %v", r.method, r.path, err)
	}
	return r.raw("application/json", string(b))
}

// raw sets a body of another media type, "" for none.
func (r *Request) raw(mediaType, body string) *Request {
	r.body = strings.NewReader(body)
	if mediaType != "" {
		r.header.Set("Content-Type", mediaType)
	}
	return r
}

func (c *C) get(path string) *Answer    { c.Helper(); return c.req(http.MethodGet, path).do() }
func (c *C) delete(path string) *Answer { c.Helper(); return c.req(http.MethodDelete, path).do() }

// put and post send body as JSON; nil sends none.
func (c *C) put(path string, body any) *Answer { c.Helper(); return c.send(http.MethodPut, path, body) }
func (c *C) post(path string, body any) *Answer {
	c.Helper()
	return c.send(http.MethodPost, path, body)
}

func (c *C) send(method, path string, body any) *Answer {
	c.Helper()
	r := c.req(method, path)
	if object, ok := body.(J); body != nil && (!ok || object != nil) {
		r.json(body)
	}
	return r.do()
}

// entityPath matches the path of an entity: what a PUT there makes is removed
// at the check's end.
var entityPath = regexp.MustCompile(`^/api/v1/namespaces/[^/]+/(actions|packages|triggers|rules)/[^/?]+(/[^/?]+)?`)

// do makes the call.
func (r *Request) do() *Answer {
	r.c.Helper()
	a := r.try(r.c.Context())
	if path := entityPath.FindString(r.path); r.method == http.MethodPut && path != "" && a.Status == http.StatusOK {
		key := r.key
		if strings.Contains(path, "/packages/") {
			path += "?force=true"
		}
		r.c.atEnd(func() { _, _, _ = r.c.h.plain(r.c.end(), http.MethodDelete, key, path, nil) })
	}
	return a
}

func (r *Request) try(ctx context.Context) *Answer {
	r.c.Helper()
	req, err := http.NewRequestWithContext(ctx, r.method, r.base+r.path, r.body)
	if err != nil {
		r.c.fatal("%s %s: %v", r.method, r.path, err)
	}
	for k, v := range r.header {
		req.Header[k] = v
	}
	if user, password, ok := strings.Cut(r.key, ":"); ok {
		req.SetBasicAuth(user, password)
	}
	req.Host = r.host
	resp, err := r.c.h.http.Do(req)
	if err != nil {
		r.c.fatal("%s %s: %v", r.method, r.path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		r.c.fatal("%s %s: status %d, then %v", r.method, r.path, resp.StatusCode, err)
	}
	a := &Answer{Status: resp.StatusCode, Header: resp.Header, Body: b}
	a.Value = Value{c: r.c, what: r.method + " " + r.path, shown: a}
	if json.Valid(b) {
		d := json.NewDecoder(bytes.NewReader(b))
		_ = d.Decode(&a.v)
	}
	return a
}
