package auth

import "github.com/VictoriaMetrics/metrics"

type authMetrics struct {
	accepted, refused, failed *metrics.Counter
	lookups                   *metrics.Counter
}

func newAuthMetrics(set *metrics.Set, c *cache) authMetrics {
	set.NewGauge(`auth_cached_identities{tier="proven"}`, func() float64 { n, _ := c.sizes(); return float64(n) })
	set.NewGauge(`auth_cached_identities{tier="unproven"}`, func() float64 { _, n := c.sizes(); return float64(n) })
	return authMetrics{
		accepted: set.NewCounter(`auth_requests_total{result="accepted"}`),
		refused:  set.NewCounter(`auth_requests_total{result="refused"}`),
		failed:   set.NewCounter(`auth_requests_total{result="failed"}`),
		lookups:  set.NewCounter(`auth_lookups_total`),
	}
}

type throttleMetrics struct{ invocations, fires, concurrent *metrics.Counter }

func newThrottleMetrics(set *metrics.Set) throttleMetrics {
	return throttleMetrics{
		invocations: set.NewCounter(`auth_throttled_total{limit="invocations"}`),
		fires:       set.NewCounter(`auth_throttled_total{limit="fires"}`),
		concurrent:  set.NewCounter(`auth_throttled_total{limit="concurrent"}`),
	}
}
