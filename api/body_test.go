package api

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"hearth/whisk"
)

// noReading is a body that must not be read.
type noReading struct{ t *testing.T }

func (n noReading) Read([]byte) (int, error) {
	n.t.Error("the body was read")
	return 0, io.EOF
}
func (noReading) Close() error { return nil }

// TestUnreadBodies: what is refused before its body counts is not read.
func TestUnreadBodies(t *testing.T) {
	body := func(n int64) option {
		return func(r *http.Request) {
			r.Body, r.ContentLength = noReading{t}, n
			r.Header.Set("Content-Type", "application/json")
		}
	}
	entity := whisk.DefaultSystemLimits().EntitySize
	for _, c := range []struct {
		name, method, target string
		opts                 []option
		throttled            bool
		status               int
		text                 string
		closes               bool
	}{
		{"no key", "PUT", "_/actions/a", []option{body(100), anonymous}, false, 401, "", true},
		{"wrong key", "POST", "_/actions/a", []option{body(-1), header("Authorization", "Basic eDp5")}, false, 401, "", true},
		{"throttled", "POST", "_/actions/a", []option{body(100)}, true, 429, "Too many requests in the last minute (count: 61, allowed: 60).", false},
		{"throttled, long", "POST", "_/actions/a", []option{body(1 << 20)}, true, 429, "", true},
		{"foreign", "PUT", "bob/actions/a", []option{body(-1)}, false, 403, "", true},
		{"throttle before rights", "POST", "bob/actions/a", []option{body(10)}, true, 429, "", false},
		{"missing action", "POST", "_/actions/b", []option{body(10)}, false, 404, "", false},
		{"entity too large", "PUT", "_/actions/a", []option{body(entity + 1)}, false, 413, "Request larger than allowed: 52428801 > 52428800 bytes.", true},
		{"payload too large", "POST", "_/actions/a", []option{body(1<<20 + 1)}, false, 413, "Request larger than allowed: 1048577 > 1048576 bytes.", true},
		{"compressed", "POST", "_/actions/a", []option{body(10), header("Content-Encoding", "br")}, false, 415, "", false},
		{"no JSON", "POST", "_/actions/a", []option{body(10), header("Content-Type", "a/b")}, false, 415, "", false},
		{"406", "PUT", "_/actions/a", []option{body(10), header("Accept", "a/b")}, false, 406, "", false},
		{"unknown path", "PUT", "/api/v1/x", []option{body(10)}, false, 404, "", false},
		{"method", "PATCH", "_/actions/a", []option{body(10)}, false, 405, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.mustPut("a", plainBody)
			if c.throttled {
				w.refuse = whisk.Errorf(whisk.Throttled, "Too many requests in the last minute (count: 61, allowed: 60).")
			}
			a := w.do(c.method, c.target, "", c.opts...)
			if a.status != c.status {
				t.Fatalf("status = %d %s, want %d", a.status, a.body, c.status)
			}
			if c.text != "" && a.text(t) != c.text {
				t.Errorf("text = %q, want %q", a.text(t), c.text)
			}
			if got := a.header.Get("Connection") == "close"; got != c.closes {
				t.Errorf("connection closes: %v, want %v", got, c.closes)
			}
			if w.inFlight != 0 {
				t.Errorf("%d invocations are still in flight", w.inFlight)
			}
		})
	}
}

func TestBodyBounds(t *testing.T) {
	small := func(c *Config) { c.Limits.PayloadSize, c.Limits.EntitySize = 100_000, 100_000 }
	payload := func(n int) string { return `{"a":"` + strings.Repeat("x", n-8) + `"}` }
	t.Run("counted while reading", func(t *testing.T) {
		w := newWorld(t, small)
		w.mustPut("a", plainBody)
		if a := w.do("POST", "_/actions/a?blocking=true", payload(100_000), chunked); a.status != 200 {
			t.Errorf("at the limit: %d %.200s", a.status, a.body)
		}
		a := w.do("POST", "_/actions/a", payload(100_001), chunked)
		if a.status != 413 || a.text(t) != "Request larger than allowed: 100001 > 100000 bytes." {
			t.Errorf("beyond the limit: %d %s", a.status, a.body)
		}
	})
	t.Run("budget", func(t *testing.T) {
		w := newWorld(t, small, func(c *Config) { c.BodyBudget = 200_000 })
		w.mustPut("a", plainBody)
		w.server.budget.used.Store(150_000) // others
		w.invoke = nil
		r := func(n int) answer {
			defer w.server.budget.used.Store(150_000)
			rec := w.doRaw("POST", "_/actions/a", payload(n))
			if got := w.server.budget.used.Load(); got != 150_000 {
				t.Errorf("budget holds %d after the request", got)
			}
			return rec
		}
		if a := r(10_000); a.status != 202 {
			t.Errorf("within the budget: %d %s", a.status, a.body)
		}
		a := r(90_000)
		if a.status != 503 || a.text(t) != "System is overloaded, try again later." || a.header.Get("Retry-After") != "1" {
			t.Errorf("beyond the budget: %d %s %v", a.status, a.body, a.header)
		}
	})
	t.Run("broken off", func(t *testing.T) {
		w := newWorld(t)
		w.mustPut("a", plainBody)
		a := w.do("POST", "_/actions/a", "", func(r *http.Request) {
			r.Body = io.NopCloser(io.MultiReader(strings.NewReader("{"), errReader{errors.New("secret detail")}))
			r.ContentLength = 10
			r.Header.Set("Content-Type", "application/json")
		})
		if a.status != 400 || strings.Contains(a.body, "secret") {
			t.Errorf("got %d %s", a.status, a.body)
		}
	})
	t.Run("too slow", func(t *testing.T) {
		w := newWorld(t)
		w.mustPut("a", plainBody)
		a := w.do("POST", "_/actions/a", "", func(r *http.Request) {
			r.Body = io.NopCloser(errReader{timeoutError{}})
			r.ContentLength = 10
			r.Header.Set("Content-Type", "application/json")
		})
		if a.status != 408 {
			t.Errorf("got %d %s, want 408", a.status, a.body)
		}
	})
}

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }
