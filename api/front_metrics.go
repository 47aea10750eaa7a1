package api

import "github.com/VictoriaMetrics/metrics"

// frontMetrics are the front's series.
type frontMetrics struct {
	states         [frontGone]*metrics.Gauge
	accepted       *metrics.Counter
	refusedTotal   *metrics.Counter
	refusedAddress *metrics.Counter
	shedHeader     *metrics.Counter
	shedIdle       *metrics.Counter
	shedMemory     *metrics.Counter
	slowBody       *metrics.Counter
	slowReader     *metrics.Counter
	longURI        *metrics.Counter
	panics         *metrics.Counter
}

func newFrontMetrics(s *metrics.Set) *frontMetrics {
	m := &frontMetrics{
		accepted:       s.NewCounter(`front_connections_accepted_total`),
		refusedTotal:   s.NewCounter(`front_connections_refused_total{bound="total"}`),
		refusedAddress: s.NewCounter(`front_connections_refused_total{bound="address"}`),
		shedHeader:     s.NewCounter(`front_connections_shed_total{reason="header"}`),
		shedIdle:       s.NewCounter(`front_connections_shed_total{reason="idle"}`),
		shedMemory:     s.NewCounter(`front_connections_shed_total{reason="header_memory"}`),
		slowBody:       s.NewCounter(`front_slow_clients_total{part="body"}`),
		slowReader:     s.NewCounter(`front_slow_clients_total{part="answer"}`),
		longURI:        s.NewCounter(`front_long_uris_total`),
		panics:         s.NewCounter(`front_panics_total`),
	}
	for st := range frontGone {
		m.states[st] = s.NewGauge(`front_connections{state="`+st.String()+`"}`, nil)
	}
	return m
}
