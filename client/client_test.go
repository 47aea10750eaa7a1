package client

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"hearth/whisk"
)

var testKey = whisk.AuthKey{UUID: "user", Key: "secret-key"}

// serve starts a server and returns a client of it, changed by change.
func serve(t *testing.T, h http.HandlerFunc, change func(*Config)) *Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	cfg := DefaultConfig()
	cfg.Host, cfg.Key = s.URL, testKey
	if change != nil {
		change(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func reply(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestBaseURL(t *testing.T) {
	for _, tt := range []struct{ host, want string }{
		{"example.org", "https://example.org/api"},
		{"example.org/", "https://example.org/api"},
		{"localhost:3233", "https://localhost:3233/api"},
		{"httpbin.example", "https://httpbin.example/api"},
		{"http://127.0.0.1:3233", "http://127.0.0.1:3233/api"},
		{"https://[::1]:8443", "https://[::1]:8443/api"},
		{"https://example.org/front", "https://example.org/front/api"},
		{"", ""},
		{"///", ""},
		{"ftp://example.org", ""},
		{"http://", ""},
		{"http://user:key@example.org", ""},
		{"http://example.org?x=1", ""},
		{"http://exa mple.org", ""},
		{"http://[::1", ""},
	} {
		u, err := BaseURL(tt.host)
		got := ""
		if err == nil {
			got = u.String()
		}
		if got != tt.want {
			t.Errorf("BaseURL(%q) = %q, %v, want %q", tt.host, got, err, tt.want)
		}
	}
}

func TestValidate(t *testing.T) {
	good := DefaultConfig()
	good.Host = "example.org"
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Config){
		"host":        func(c *Config) { c.Host = "" },
		"version":     func(c *Config) { c.Version = "v1/x" },
		"connections": func(c *Config) { c.Connections = 0 },
		"answer":      func(c *Config) { c.MaxAnswer = 0 },
	} {
		c := good
		spoil(&c)
		if _, err := New(c); err == nil {
			t.Errorf("a config with a bad %s was accepted", name)
		}
	}
}

func TestRequests(t *testing.T) {
	n := whisk.ActionName{Namespace: "_", Package: "a b", Name: "c?d&e"}
	ctx := t.Context()
	for _, tt := range []struct {
		want string
		call func(*Client) error
	}{
		{"GET /api/v1/namespaces/_/actions/a%20b/c%3Fd&e?code=true", func(c *Client) error { _, err := c.Action(ctx, n, true); return err }},
		{"PUT /api/v1/namespaces/_/actions/x?overwrite=false", func(c *Client) error {
			_, err := c.PutAction(ctx, whisk.ActionName{Name: "x"}, &Action{}, false)
			return err
		}},
		{"DELETE /api/v1/namespaces/ns/actions/x", func(c *Client) error { return c.DeleteAction(ctx, whisk.ActionName{Namespace: "ns", Name: "x"}) }},
		{"GET /api/v1/namespaces/_/actions?limit=30&skip=2", func(c *Client) error { _, err := c.Actions(ctx, "", "", 2, 30); return err }},
		{"GET /api/v1/namespaces/_/actions/pkg/?limit=0&skip=0", func(c *Client) error { _, err := c.Actions(ctx, "_", "pkg", 0, 0); return err }},
		{"POST /api/v1/namespaces/_/actions/x?blocking=true&result=false&timeout=5", func(c *Client) error {
			_, err := c.Invoke(ctx, whisk.ActionName{Name: "x"}, nil, InvokeOptions{Blocking: true, Wait: 5})
			return err
		}},
		{"GET /api/v1/namespaces/_/activations?docs=true&limit=1&name=p%2Fx&since=3&skip=2&upto=4", func(c *Client) error {
			_, err := c.Activations(ctx, ActivationQuery{Name: "p/x", Since: 3, Upto: 4, Skip: 2, Limit: 1, Full: true})
			return err
		}},
		{"GET /api/v1/namespaces/_/activations/a%2Fb", func(c *Client) error { _, err := c.Activation(ctx, "a/b"); return err }},
		{"GET /api/v1/namespaces/_/activations/i/logs", func(c *Client) error { _, err := c.Logs(ctx, "i"); return err }},
		{"GET /api/v1/namespaces/_/activations/i/result", func(c *Client) error { _, err := c.Result(ctx, "i"); return err }},
		{"GET /api/v1/namespaces", func(c *Client) error { _, err := c.Namespaces(ctx); return err }},
		{"GET /api/v1", func(c *Client) error { _, err := c.Info(ctx); return err }},
	} {
		got, body, auth := "", "", false
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			got = r.Method + " " + r.URL.EscapedPath()
			if r.URL.RawQuery != "" {
				got += "?" + r.URL.RawQuery
			}
			b, _ := io.ReadAll(r.Body)
			body = string(b)
			u, k, _ := r.BasicAuth()
			auth = u == testKey.UUID && k == testKey.Key
			reply(200, "null")(w, r)
		}, nil)
		if err := tt.call(c); err != nil {
			t.Errorf("%s: %v", tt.want, err)
		}
		if got != tt.want {
			t.Errorf("got request %s, want %s", got, tt.want)
		}
		if open := strings.HasSuffix(tt.want, "/v1"); auth == open {
			t.Errorf("%s: key sent: %v", tt.want, auth)
		}
		if strings.HasPrefix(got, "POST") && body != "{}" {
			t.Errorf("%s: body %q", tt.want, body)
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		status int
		body   string
		want   string
	}{
		{404, `{"error":"gone","code":"t1"}`, "gone (code t1)"},
		{404, `{"error":"gone","code":42}`, "gone (code 42)"},
		{400, `{"error":{"a":1},"code":"t"}`, `{"a":1} (code t)`},
		{500, `{"error":"x"}`, "The connection failed, or timed out. (HTTP status code 500)"},
		{503, `{"error":"x","code":null}`, "The connection failed, or timed out. (HTTP status code 503)"},
		{502, "<html>bad gateway</html>", "The connection failed, or timed out. (HTTP status code 502)"},
		{500, "", "The connection failed, or timed out. (HTTP status code 500)"},
		{418, `[1]`, "The connection failed, or timed out. (HTTP status code 418)"},
	} {
		c := serve(t, reply(tt.status, tt.body), nil)
		_, err := c.Activation(t.Context(), "x")
		if err == nil || err.Error() != tt.want || StatusOf(err) != tt.status {
			t.Errorf("%d %s: got %v (%d), want %s", tt.status, tt.body, err, StatusOf(err), tt.want)
		}
		if err := c.DeleteAction(t.Context(), whisk.ActionName{Name: "x"}); StatusOf(err) != tt.status {
			t.Errorf("%d %s: delete got %v", tt.status, tt.body, err)
		}
	}
}

func TestInvokeOutcomes(t *testing.T) {
	const record = `{"activationId":"i1","response":{"status":"application error","success":false,"result":{"error":"e","code":"c"}}}`
	for _, tt := range []struct {
		name   string
		status int
		header string
		body   string
		want   Outcome
		id     string
		err    int // status of the refusal, -1 for ErrUnreadable
	}{
		{"accepted", 202, "", `{"activationId":"i1"}`, Accepted, "i1", 0},
		{"record", 200, "i1", `{"activationId":"i1","response":{"success":true}}`, Succeeded, "i1", 0},
		{"result", 200, "i1", `{"activationId":"liar"}`, Succeeded, "i1", 0},
		{"array", 200, "", `[1]`, Succeeded, "", 0},
		{"failed record", 502, "", record, Failed, "i1", 0},
		{"failed result", 502, "", `{"error":"e"}`, Failed, "", 0},
		{"failed result with a code of its own", 502, "i1", `{"error":"e","code":7}`, Failed, "i1", 0},
		{"refusal", 502, "", `{"error":"e","code":"t"}`, 0, "", 502},
		{"proxy", 502, "", `<html>`, 0, "", 502},
		{"whisk error", 500, "i1", record, 0, "", 500},
		{"throttled", 429, "", `{"error":"e","code":"t"}`, 0, "", 429},
		{"no JSON", 200, "", `hello`, 0, "", -1},
		{"failed without JSON", 502, "i1", `hello`, 0, "", -1},
	} {
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if tt.header != "" {
				w.Header().Set("x-openwhisk-activation-id", tt.header)
			}
			reply(tt.status, tt.body)(w, r)
		}, nil)
		inv, err := c.Invoke(t.Context(), whisk.ActionName{Name: "x"}, json.RawMessage(`{"a":1}`), InvokeOptions{})
		switch {
		case tt.err == -1:
			if !errors.Is(err, ErrUnreadable) {
				t.Errorf("%s: got %v, want ErrUnreadable", tt.name, err)
			}
		case tt.err != 0:
			if StatusOf(err) != tt.err {
				t.Errorf("%s: got %v, want status %d", tt.name, err, tt.err)
			}
		case err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case inv.Outcome != tt.want || inv.ID != tt.id || string(inv.Body) != tt.body:
			t.Errorf("%s: got %+v", tt.name, inv)
		}
	}
}

func TestNumbersAndTextSurvive(t *testing.T) {
	const value = `{"n":123456789012345678901234567890,"f":1.50,"h":"<&>"}`
	var sent string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		sent = string(b)
		_, _ = w.Write(b)
	}, nil)
	code := "a < b && c > d"
	a := &Action{Exec: &Exec{Kind: "k", Code: &code}, Parameters: []whisk.Parameter{{Key: "<p>", Value: json.RawMessage(value)}}}
	got, err := c.PutAction(t.Context(), whisk.ActionName{Name: "x"}, a, true)
	if err != nil {
		t.Fatal(err)
	}
	if string(got.Parameters[0].Value) != value || *got.Exec.Code != code {
		t.Errorf("got back %s", got.Parameters[0].Value)
	}
	if strings.Contains(sent, `\u003c`) || !strings.Contains(sent, value) {
		t.Errorf("sent %s", sent)
	}
}

func TestBoundsAndDeadlines(t *testing.T) {
	small := func(c *Config) { c.MaxAnswer = 10 }
	c := serve(t, reply(200, `"12345678"`), small)
	if _, err := c.Namespaces(t.Context()); errors.Is(err, ErrUnreadable) && strings.Contains(err.Error(), "bytes") {
		t.Errorf("an answer of just the bound was refused: %v", err)
	}
	c = serve(t, reply(200, `"123456789"`), small)
	if _, err := c.Namespaces(t.Context()); !errors.Is(err, ErrUnreadable) || !strings.Contains(err.Error(), "more than 10 bytes") {
		t.Errorf("a larger answer gave %v", err)
	}
	held := make(chan struct{})
	c = serve(t, func(http.ResponseWriter, *http.Request) { <-held }, nil)
	t.Cleanup(func() { close(held) })
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err := c.Namespaces(ctx)
	if _, ok := errors.AsType[*NetworkError](err); !ok || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a call past its deadline gave %v", err)
	}
	c = serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "[")
	}, nil)
	_, err = c.Namespaces(t.Context())
	if _, ok := errors.AsType[*NetworkError](err); !ok {
		t.Errorf("a cut answer gave %v", err)
	}
}

func TestLargeBodiesWaitForTheServer(t *testing.T) {
	code := strings.Repeat("x", 2<<20)
	var got int
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("overwrite") == "false" {
			reply(401, `{"error":"e","code":"t"}`)(w, r) // without reading
			return
		}
		b, _ := io.ReadAll(r.Body)
		got = len(b)
		reply(200, "{}")(w, r)
	}, nil)
	put := func(overwrite bool) error {
		_, err := c.PutAction(t.Context(), whisk.ActionName{Name: "x"}, &Action{Exec: &Exec{Code: &code}}, overwrite)
		return err
	}
	if err := put(false); StatusOf(err) != 401 {
		t.Errorf("refused: %v", err)
	}
	if err := put(true); err != nil || got < len(code) {
		t.Errorf("accepted: %d bytes, %v", got, err)
	}
}

func TestNoKeyIsSentNowhere(t *testing.T) {
	called := false
	c := serve(t, func(http.ResponseWriter, *http.Request) { called = true }, func(c *Config) { c.Key = whisk.AuthKey{} })
	if _, err := c.Namespaces(t.Context()); !errors.Is(err, ErrNoKey) || called {
		t.Errorf("got %v, called %v", err, called)
	}
}

func TestTraceHidesTheKey(t *testing.T) {
	var b bytes.Buffer
	c := serve(t, reply(200, `["`+strings.Repeat("x", 100)+`"]`), func(c *Config) { c.Trace, c.TraceBody = &b, 10 })
	if _, err := c.Namespaces(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := b.String()
	for _, want := range []string{"[GET]", "/api/v1/namespaces", "Authorization: (hidden)", "code 200", "xxxxxx..."} {
		if !strings.Contains(got, want) {
			t.Errorf("the trace lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, testKey.Key) || strings.Contains(got, "Basic ") || strings.Contains(got, strings.Repeat("x", 20)) {
		t.Errorf("the trace says too much:\n%s", got)
	}
}

func TestTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(reply(200, `["guest"]`))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // it tells of the refused handshake
	s.StartTLS()
	t.Cleanup(s.Close)
	call := func(change func(*Config)) error {
		cfg := DefaultConfig()
		cfg.Host, cfg.Key = strings.TrimPrefix(s.URL, "https://"), testKey
		change(&cfg)
		c, err := New(cfg)
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.Namespaces(t.Context())
		return err
	}
	if err := call(func(*Config) {}); err == nil {
		t.Error("an unknown certificate was accepted")
	}
	if err := call(func(c *Config) { c.Insecure = true }); err != nil {
		t.Errorf("insecure: %v", err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	if err := call(func(c *Config) { c.Roots = roots }); err != nil {
		t.Errorf("known root: %v", err)
	}
}

func TestRedirects(t *testing.T) {
	plain := httptest.NewServer(reply(200, `["guest"]`))
	t.Cleanup(plain.Close)
	secure := httptest.NewTLSServer(http.RedirectHandler(plain.URL, http.StatusPermanentRedirect))
	t.Cleanup(secure.Close)
	c := serve(t, nil, func(c *Config) { c.Host, c.Insecure = secure.URL, true })
	if _, err := c.Namespaces(t.Context()); err == nil || !strings.Contains(err.Error(), "refused a redirect") {
		t.Errorf("https to http gave %v", err)
	}
	var loop *httptest.Server
	loop = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, loop.URL, http.StatusTemporaryRedirect)
	}))
	t.Cleanup(loop.Close)
	c = serve(t, nil, func(c *Config) { c.Host = loop.URL })
	if _, err := c.Namespaces(t.Context()); err == nil || !strings.Contains(err.Error(), "too many redirects") {
		t.Errorf("a loop gave %v", err)
	}
}

func TestStatusInWordsGetsItsNumber(t *testing.T) {
	for _, tt := range []struct {
		word string
		want whisk.Status
	}{
		{"success", whisk.Success},
		{"application error", whisk.ApplicationError},
		{"action developer error", whisk.DeveloperError},
		{"whisk internal error", whisk.WhiskError},
	} {
		c := serve(t, reply(200, `{"response":{"status":"`+tt.word+`"},"status":"`+tt.word+`"}`), nil)
		a, err := c.Activation(t.Context(), "x")
		if err != nil || a.StatusCode != tt.want || a.Response.StatusCode != tt.want {
			t.Errorf("%s: got %+v, %v", tt.word, a, err)
		}
		r, err := c.Result(t.Context(), "x")
		if err != nil || r.StatusCode != tt.want {
			t.Errorf("%s: got %+v, %v", tt.word, r, err)
		}
	}
	c := serve(t, reply(200, `[{"statusCode":2}]`), nil)
	list, err := c.Activations(t.Context(), ActivationQuery{})
	if err != nil || len(list) != 1 || list[0].StatusCode != whisk.DeveloperError {
		t.Errorf("row: got %+v, %v", list, err)
	}
}

func FuzzRefusal(f *testing.F) {
	f.Add([]byte(`{"error":"e","code":"c"}`))
	f.Add([]byte(`{"error":null,"code":1}`))
	f.Add([]byte(`["error"]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if e := refusal(500, body); e.Error() == "" || e.Status != 500 {
			t.Errorf("refusal(%q) = %+v", body, e)
		}
		isOutcome(body)
	})
}
