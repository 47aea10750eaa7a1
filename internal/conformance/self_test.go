package conformance

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// verdict is what a check says outside of go test.
type verdict struct {
	ctx             context.Context
	mu              sync.Mutex
	failed, skipped bool // guarded by mu
}

func (v *verdict) Context() context.Context { return v.ctx }
func (v *verdict) Helper()                  {}

func (v *verdict) Errorf(string, ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.failed = true
}

func (v *verdict) FailNow() { v.Errorf(""); runtime.Goexit() }

func (v *verdict) Skip(...any) {
	v.mu.Lock()
	v.skipped = true
	v.mu.Unlock()
	runtime.Goexit()
}

// TestYesSayer runs the suite against a server that answers everything with
// 200 and an empty object: a check that it passes proves nothing.
func TestYesSayer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Date", "Mon, 02 Jan 2006 15:04:00 GMT") // a minute that has just begun
		_, _ = io.WriteString(w, "{}")
	}))
	defer server.Close()
	h := newHost(Config{URL: server.URL, Key: "a:b", Patience: 20 * time.Millisecond})
	h.own.Namespace, h.second, h.system, h.vanity = "one", &Account{"c:d", "two"}, &Account{"e:f", "whisk.system"}, "localhost"
	h.hearth, h.strict, h.node, h.python, h.limits = true, true, "nodejs:20", "python:3.11", map[string]float64{"actions_per_minute": 60, "sequence_length": 50}
	h.admin = func(context.Context, ...string) (string, error) {
		return "00000000-0000-4000-8000-000000000000:" + strings.Repeat("k", 64), nil
	}

	total, passed := 0, []string{}
	for _, s := range Sections() {
		for _, check := range s.Checks {
			v := &verdict{ctx: t.Context()}
			done := make(chan struct{})
			go func() {
				defer close(done)
				h.Do(v, check)
			}()
			<-done
			if total++; !v.failed {
				passed = append(passed, fmt.Sprintf("%s/%s (skipped: %t)", s.Name, check.Name, v.skipped))
			}
		}
	}
	if len(passed)*20 > total {
		t.Errorf("%d of %d checks cannot tell it from a platform: %q", len(passed), total, passed)
	}
	t.Logf("%d checks, %d pass: %q", total, len(passed), passed)
}
