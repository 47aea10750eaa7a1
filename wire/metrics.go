package wire

import "github.com/VictoriaMetrics/metrics"

// clientMeters are the metric handles of all clients on one set.
type clientMeters struct {
	dials, up, calls, lost *metrics.Counter
}

func newClientMeters(set *metrics.Set) clientMeters {
	return clientMeters{
		dials: set.GetOrCreateCounter("wire_client_dials_total"),
		up:    set.GetOrCreateCounter("wire_client_connections"),
		calls: set.GetOrCreateCounter("wire_client_calls_total"),
		lost:  set.GetOrCreateCounter("wire_client_calls_lost_total"),
	}
}

// serverMeters are the metric handles of all servers on one set.
type serverMeters struct {
	connections, refused, broken, calls, busy *metrics.Counter
}

func newServerMeters(set *metrics.Set) serverMeters {
	return serverMeters{
		connections: set.GetOrCreateCounter("wire_server_connections"),
		refused:     set.GetOrCreateCounter("wire_server_connections_refused_total"),
		broken:      set.GetOrCreateCounter("wire_server_connections_broken_total"),
		calls:       set.GetOrCreateCounter("wire_server_calls_total"),
		busy:        set.GetOrCreateCounter("wire_server_calls_over_bounds_total"),
	}
}
