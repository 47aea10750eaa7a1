package api

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"hearth/whisk"
)

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// json returns the body's value at the path of keys.
func (a answer) json(t testing.TB, path ...string) any {
	t.Helper()
	var v any
	d := json.NewDecoder(strings.NewReader(a.body))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("body %q: %v", a.body, err)
	}
	for _, k := range path {
		m, ok := v.(map[string]any)
		if !ok {
			t.Fatalf("body %s has no object at %q", a.body, path)
		}
		v = m[k]
	}
	return v
}

// text returns the error's text.
func (a answer) text(t testing.TB) string {
	t.Helper()
	s, _ := a.json(t, "error").(string)
	return s
}

type option func(*http.Request)

func header(k, v string) option { return func(r *http.Request) { r.Header.Set(k, v) } }
func as(k whisk.AuthKey) option { return func(r *http.Request) { r.SetBasicAuth(k.UUID, k.Key) } }
func anonymous(r *http.Request) { r.Header.Del("Authorization") }
func chunked(r *http.Request)   { r.ContentLength = -1 }

// do sends a request as alice, with a JSON body unless it is "".
func (w *world) do(method, target, body string, opts ...option) answer {
	w.t.Helper()
	if !strings.HasPrefix(target, "/") {
		target = "/api/v1/namespaces/" + target
	}
	var rd io.Reader = http.NoBody
	if body != "" {
		rd = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, target, rd)
	r.SetBasicAuth(aliceKey.UUID, aliceKey.Key)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, o := range opts {
		o(r)
	}
	rec := httptest.NewRecorder()
	w.server.Handler().ServeHTTP(rec, r)
	if got, shares := w.server.budget.used.Load(), len(w.server.budget.shares); got != 0 || shares != 0 {
		w.t.Errorf("%s %s: %d bytes of the budget are not released, and %d shares", method, target, got, shares)
	}
	return answer{rec.Code, rec.Header(), rec.Body.String()}
}

// mustPut creates an action of alice's.
func (w *world) mustPut(name, body string) {
	w.t.Helper()
	if a := w.do("PUT", "_/actions/"+name+"?overwrite=true", body); a.status != 200 {
		w.t.Fatalf("PUT %s = %d %s", name, a.status, a.body)
	}
}

const plainBody = `{"exec":{"kind":"nodejs:20","code":"function main(p){return p}"}}`

func mustEqual(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, x := canonical(t, got), canonical(t, want); g != x {
		t.Errorf("%s = %s, want %s", what, g, x)
	}
}

// canonical returns v's JSON with sorted keys.
func canonical(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return sorted(t, string(b))
}

// doRaw is do without a look at the budget.
func (w *world) doRaw(method, target, body string) answer {
	r := httptest.NewRequest(method, "/api/v1/namespaces/"+target, strings.NewReader(body))
	r.SetBasicAuth(aliceKey.UUID, aliceKey.Key)
	r.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	w.server.Handler().ServeHTTP(rec, r)
	return answer{rec.Code, rec.Header(), rec.Body.String()}
}

func panicking(context.Context, *whisk.Call, time.Duration, func()) (*whisk.Activation, error) {
	panic("broken")
}

type timeoutError struct{}

func (timeoutError) Error() string   { return "i/o timeout" }
func (timeoutError) Is(e error) bool { return e == os.ErrDeadlineExceeded }

// slowly makes the body take that long.
func slowly(d time.Duration) option {
	return func(r *http.Request) {
		r.Body = io.NopCloser(io.MultiReader(readFunc(func([]byte) (int, error) { time.Sleep(d); return 0, io.EOF }), r.Body))
	}
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(b []byte) (int, error) { return f(b) }

func within(ctx context.Context) option {
	return func(r *http.Request) { *r = *r.WithContext(ctx) }
}
