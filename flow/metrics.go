package flow

import "github.com/VictoriaMetrics/metrics"

type flowMetrics struct {
	blocking, pending           *metrics.Counter
	submitted, refused          *metrics.Counter
	ran, busy, retried, gone    *metrics.Counter
	spilled, claimed, late      *metrics.Counter
	parked                      *metrics.Counter
	failed, cancelled, redriven *metrics.Counter
	restarted, aged, lost       *metrics.Counter
	unreadable, stopped, notRun *metrics.Counter
	unstorable, storeErrors     *metrics.Counter
	composites, fires           *metrics.Counter
}

func newFlowMetrics(set *metrics.Set, f *Flow) flowMetrics {
	gauge := func(name string, value func() float64) {
		set.NewGauge(name, func() float64 {
			f.mu.Lock()
			defer f.mu.Unlock()
			return value()
		})
	}
	gauge("flow_backlog_rows", func() float64 { return float64(f.backlog.all.rows) })
	gauge("flow_backlog_parked_rows", func() float64 { return float64(f.backlog.all.parked) })
	gauge("flow_backlog_bytes", func() float64 { return float64(f.backlog.all.bytes) })
	gauge("flow_backlog_spilled_rows", func() float64 { return float64(len(f.owed)) })
	gauge("flow_workers", func() float64 { return float64(f.active) })
	gauge("flow_workers_patient", func() float64 { return float64(f.patient) })
	gauge("flow_workers_limit", func() float64 { return float64(f.window.limit) })
	gauge("flow_composites", func() float64 { return float64(len(f.composites)) })
	return flowMetrics{
		composites:  set.NewCounter(`flow_composites_total`),
		fires:       set.NewCounter(`flow_fires_total`),
		blocking:    set.NewCounter(`flow_blocking_total`),
		pending:     set.NewCounter(`flow_pending_total`),
		submitted:   set.NewCounter(`flow_submitted_total`),
		refused:     set.NewCounter(`flow_refused_total`),
		ran:         set.NewCounter(`flow_rows_total{outcome="ended"}`),
		busy:        set.NewCounter(`flow_rows_total{outcome="busy"}`),
		retried:     set.NewCounter(`flow_rows_total{outcome="retried"}`),
		gone:        set.NewCounter(`flow_rows_total{outcome="gone"}`),
		spilled:     set.NewCounter(`flow_spilled_total`),
		claimed:     set.NewCounter(`flow_claimed_total`),
		parked:      set.NewCounter(`flow_parked_total`),
		late:        set.NewCounter(`flow_late_starts_total`),
		cancelled:   set.NewCounter(`flow_cancelled_total`),
		redriven:    set.NewCounter(`flow_redriven_total`),
		failed:      set.NewCounter(`flow_rows_total{outcome="failed"}`),
		restarted:   set.NewCounter(`flow_failures_total{reason="restart"}`),
		aged:        set.NewCounter(`flow_failures_total{reason="age"}`),
		lost:        set.NewCounter(`flow_failures_total{reason="lost"}`),
		unreadable:  set.NewCounter(`flow_failures_total{reason="unreadable"}`),
		stopped:     set.NewCounter(`flow_failures_total{reason="stopped"}`),
		notRun:      set.NewCounter(`flow_failures_total{reason="refused"}`),
		unstorable:  set.NewCounter(`flow_unstorable_total`),
		storeErrors: set.NewCounter(`flow_store_errors_total`),
	}
}
