package api

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metrics"
)

func TestOps(t *testing.T) {
	one, two := metrics.NewSet(), metrics.NewSet()
	one.NewCounter(`one_total{a="b"}`).Add(3)
	two.NewCounter(`two_total`).Inc()
	var sick error
	h := NewOps(OpsConfig{Metrics: []*metrics.Set{one, two}, Health: func() error { return sick }})
	for _, tt := range []struct {
		method, path string
		sick         error
		status       int
		want         []string
	}{
		{"GET", "/metrics", nil, 200, []string{"one_total{a=\"b\"} 3\n", "two_total 1\n", "process_resident_memory_bytes", "go_goroutines"}},
		{"GET", "/healthz", nil, 200, []string{"ok"}},
		{"HEAD", "/healthz", nil, 200, nil},
		{"GET", "/healthz", errors.New("the store is away"), 503, []string{"the store is away\n"}},
		{"GET", "/debug/pprof/", nil, 200, []string{"goroutine"}},
		{"GET", "/debug/pprof/goroutine?debug=1", nil, 200, []string{"goroutine profile"}},
		{"GET", "/debug/pprof/cmdline", nil, 404, nil},
		{"POST", "/metrics", nil, 405, nil},
		{"GET", "/", nil, 404, nil},
	} {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			sick = tt.sick
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, httptest.NewRequest(tt.method, tt.path, nil))
			if rec.Code != tt.status {
				t.Errorf("status = %d, want %d", rec.Code, tt.status)
			}
			for _, want := range tt.want {
				if !strings.Contains(rec.Body.String(), want) {
					t.Errorf("no %q in %q", want, rec.Body)
				}
			}
		})
	}
}

func TestOpsDefaults(t *testing.T) {
	rec := httptest.NewRecorder()
	NewOps(OpsConfig{}).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/healthz", nil))
	if rec.Code != http.StatusOK || rec.Body.String() != "ok" {
		t.Errorf("got %d %q, want 200 ok", rec.Code, rec.Body)
	}
}
