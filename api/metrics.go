package api

import (
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// class sorts requests for metrics; never by anything that users choose.
type class uint8

const (
	classOther class = iota
	classOptions
	classInfo
	classNamespaces
	classActionList
	classActionGet
	classActionPut
	classActionDelete
	classInvoke
	classActivationList
	classActivationGet
	classQueue
	classDeadLetters
	classEntities // packages, triggers and rules
	classFire
	classWeb
	classRoute // API routes
	classes    // how many there are
)

var classNames = [classes]string{
	"other", "options", "info", "namespaces", "action_list", "action_get", "action_put", "action_delete",
	"invoke", "activation_list", "activation_get", "queue", "dead_letters", "entities", "fire", "web", "route",
}

// apiMetrics counts requests by class and status. A counter is made when its
// first request ends, so that only pairs that occur make a series.
type apiMetrics struct {
	set      *metrics.Set
	requests [classes][len(statuses)]atomic.Pointer[metrics.Counter]
	seconds  [classes]*metrics.Histogram // from the head of the request to the end of the answer
	panics   *metrics.Counter
}

// statuses are those that the API answers with; the last entry collects others.
var statuses = [...]int{
	200, 202, 204, 400, 401, 403, 404, 405, 406, 408, 409, 413, 414, 415, 429, http.StatusInternalServerError, 502, 503, 0,
}

func newMetrics(set *metrics.Set, b *budget) *apiMetrics {
	m := &apiMetrics{set: set, panics: set.NewCounter("api_panics_total")}
	for c, name := range classNames {
		m.seconds[c] = set.NewHistogram(`api_request_seconds{route="` + name + `"}`)
	}
	set.NewGauge("api_body_bytes", func() float64 { return float64(b.used.Load()) })
	return m
}

func (m *apiMetrics) observe(c class, status int, began time.Time) {
	m.seconds[c].UpdateDuration(began)
	i := 0
	for i < len(statuses)-1 && statuses[i] != status {
		i++
	}
	n := m.requests[c][i].Load()
	if n == nil {
		n = m.set.GetOrCreateCounter(`api_requests_total{route="` + classNames[c] + `",status="` + strconv.Itoa(statuses[i]) + `"}`)
		m.requests[c][i].Store(n)
	}
	n.Inc()
}
