package api

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/pprof"

	"github.com/VictoriaMetrics/metrics"
)

// OpsConfig says what the operator's endpoints show.
type OpsConfig struct {
	Metrics []*metrics.Set // of the process's packages, each set once
	Health  func() error   // nil while the process does its work; nil: always
	Admin   http.Handler   // the admin API; nil: none
	Logger  *slog.Logger   // nil: none
}

// NewOps returns the operator's endpoints:
//
//	/metrics       the sets and the process's own metrics, in Prometheus's text format
//	/healthz       200 "ok", or 503 with the reason
//	/debug/pprof/  profiles
//	/admin/        the admin API, see [Admin]
//
// All but the last ask for no credentials and so belong on a loopback or otherwise guarded
// address, never on the public one. The command line is not among the
// profiles: it may hold a key.
func NewOps(cfg OpsConfig) http.Handler {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Health == nil {
		cfg.Health = func() error { return nil }
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", cfg.metrics)
	mux.HandleFunc("GET /healthz", cfg.healthz)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("POST /debug/pprof/symbol", pprof.Symbol)
	mux.Handle("GET /debug/pprof/cmdline", http.NotFoundHandler())
	if cfg.Admin != nil {
		mux.Handle("/admin/", cfg.Admin)
	}
	return mux
}

func (c *OpsConfig) metrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	for _, s := range c.Metrics {
		s.WritePrometheus(w)
	}
	metrics.WriteProcessMetrics(w)
}

func (c *OpsConfig) healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if err := c.Health(); err != nil {
		c.Logger.Warn("not healthy", "error", err)
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, err.Error()+"\n") // a prober that has left needs no answer
		return
	}
	_, _ = io.WriteString(w, "ok")
}
