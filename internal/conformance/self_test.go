package conformance

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
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
		_, _ = io.WriteString(w, "{}")
	}))
	defer server.Close()
	h := newHost(Config{URL: server.URL, Key: "a:b", Patience: 20 * time.Millisecond})
	h.own.Namespace, h.second, h.system = "one", &Account{"c:d", "two"}, &Account{"e:f", "whisk.system"}
	h.hearth, h.node, h.python = true, "nodejs:20", "python:3.11"

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
