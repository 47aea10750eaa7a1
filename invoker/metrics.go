package invoker

import (
	"fmt"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"hearth/whisk"
)

// instruments are the invoker's metric handles.
type instruments struct {
	starts [4]*metrics.Counter // by whisk.Start
	wait   *metrics.Histogram
	create *metrics.Histogram
	init   *metrics.Histogram
	run    *metrics.Histogram
	errors [4]*metrics.Counter // by whisk.Status
	late   *metrics.Counter    // ran into the time limit
	busy   *metrics.Counter
	broken *metrics.Counter
}

func newInstruments(set *metrics.Set, v *Invoker) *instruments {
	m := &instruments{
		wait:   set.NewHistogram(`invoker_phase_seconds{phase="wait"}`),
		create: set.NewHistogram(`invoker_phase_seconds{phase="create"}`),
		init:   set.NewHistogram(`invoker_phase_seconds{phase="init"}`),
		run:    set.NewHistogram(`invoker_phase_seconds{phase="run"}`),
		late:   set.NewCounter(`invoker_timeouts_total`),
		busy:   set.NewCounter(`invoker_busy_total`),
		broken: set.NewCounter(`invoker_sandboxes_broken_total`),
	}
	for _, s := range []whisk.Start{whisk.Warm, whisk.Prewarm, whisk.Cold} {
		m.starts[s] = set.NewCounter(fmt.Sprintf(`invoker_starts_total{start=%q}`, s))
	}
	for s, class := range map[whisk.Status]string{
		whisk.ApplicationError: "application", whisk.DeveloperError: "developer", whisk.WhiskError: "whisk",
	} {
		m.errors[s] = set.NewCounter(fmt.Sprintf(`invoker_errors_total{class=%q}`, class))
	}
	for s := range state(states) {
		set.NewGauge(fmt.Sprintf(`invoker_sandboxes{state=%q}`, s), v.gauge(func() float64 { return float64(v.pool.counts[s]) }))
	}
	const mb = 1 << 20
	set.NewGauge(`invoker_memory_bytes{of="capacity"}`, v.gauge(func() float64 { return float64(v.pool.capacity) * mb }))
	set.NewGauge(`invoker_memory_bytes{of="used"}`, v.gauge(func() float64 { return float64(v.pool.used) * mb }))
	set.NewGauge(`invoker_memory_bytes{of="busy"}`, v.gauge(func() float64 { return float64(v.pool.busy) * mb }))
	set.NewGauge(`invoker_queue_calls`, v.gauge(func() float64 { return float64(v.pool.queued) }))
	set.NewGauge(`invoker_running_calls`, v.gauge(func() float64 { return float64(v.running) }))
	set.NewGauge(`invoker_journal_bytes`, func() float64 { return float64(v.journal.Size()) })
	set.NewGauge(`invoker_journal_records`, func() float64 { return float64(v.journal.Len()) })
	set.NewGauge(`invoker_journal_damaged`, func() float64 { return float64(v.journal.Damaged()) })
	return m
}

// gauge returns f called under v.mu.
func (v *Invoker) gauge(f func() float64) func() float64 {
	return func() float64 {
		v.mu.Lock()
		defer v.mu.Unlock()
		return f()
	}
}

// ended counts a finished call.
func (m *instruments) ended(r *result, wait time.Duration) {
	if r.sandbox != whisk.NoStart {
		m.starts[r.sandbox].Inc()
		m.wait.Update(wait.Seconds())
		if r.sandbox != whisk.Warm {
			m.create.Update(r.created.Seconds())
			m.init.Update(r.init.Seconds())
		}
		m.run.Update(r.run.Seconds())
	}
	if r.response.Status != whisk.Success {
		m.errors[r.response.Status].Inc()
	}
	if r.timedOut {
		m.late.Inc()
	}
}
