package router

import "github.com/VictoriaMetrics/metrics"

// meters are the router's metric handles.
type meters struct {
	done       *metrics.Counter
	failed     *metrics.Counter
	overloaded *metrics.Counter

	busy      *metrics.Counter
	queued    *metrics.Counter
	needCode  *metrics.Counter
	lost      *metrics.Counter
	duplicate *metrics.Counter
	dropped   *metrics.Counter
	collected *metrics.Counter
	malformed *metrics.Counter

	impossible *metrics.Counter // calls that no invoker offers to run
}

func newMeters(set *metrics.Set, waiting func() float64, invokers func() float64) *meters {
	set.NewGauge("router_waiting_calls", waiting)
	set.NewGauge("router_invokers", invokers)
	return &meters{
		done:       set.NewCounter(`router_activations_total{end="done"}`),
		failed:     set.NewCounter(`router_activations_total{end="failed"}`),
		overloaded: set.NewCounter(`router_activations_total{end="overloaded"}`),
		busy:       set.NewCounter(`router_replies_total{reply="busy"}`),
		queued:     set.NewCounter(`router_replies_total{reply="queued"}`),
		needCode:   set.NewCounter(`router_replies_total{reply="need_code"}`),
		lost:       set.NewCounter(`router_replies_total{reply="lost"}`),
		malformed:  set.NewCounter(`router_replies_total{reply="malformed"}`),
		duplicate:  set.NewCounter(`router_failure_records_beaten_total`),
		dropped:    set.NewCounter(`router_records_left_to_journal_total`),
		collected:  set.NewCounter(`router_records_collected_total`),
		impossible: set.NewCounter(`router_impossible_calls_total`),
	}
}
