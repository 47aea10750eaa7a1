package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"golang.org/x/sync/semaphore"

	"hearth/whisk"
)

// Server answers the REST API. It has no state but counters, and any number
// of requests may be in it at once.
type Server struct {
	cfg     Config
	deps    Deps
	log     *slog.Logger
	metrics *apiMetrics
	budget  budget
	turns   *semaphore.Weighted

	collections map[string]*collection
}

// New returns a server; it starts nothing.
func New(cfg Config, deps Deps) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("api config: %w", err)
	}
	if err := deps.validate(); err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Metrics == nil {
		cfg.Metrics = metrics.NewSet()
	}
	s := &Server{cfg: cfg, deps: deps, log: cfg.Logger, turns: semaphore.NewWeighted(turnsAtOnce)}
	s.budget.setMax(cfg.BodyBudget, max(cfg.Limits.EntitySize, cfg.Limits.PayloadSize))
	s.collections = s.newCollections()
	s.metrics = newMetrics(cfg.Metrics, &s.budget)
	return s, nil
}

// Handler returns the API as one handler. It bounds bodies; connections,
// headers and slow clients are the business of the server around it.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serve) }

// graceOfWait is what a request may take longer than the longest blocking
// wait.
const graceOfWait = 5 * time.Second

// extraLogging is the header by which a caller asks for a record although the
// namespace keeps none.
const extraLogging = "X-Ow-Extra-Logging"

// serve is the one wrap around every handler: it settles the id, runs the
// handler, writes what it returns, counts, and logs what the user is not told.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	q := &request{
		Request: r, id: requestID(r.Header), began: time.Now(), query: query(r.URL.RawQuery),
		limits: &s.cfg.Limits, budget: &s.budget, turns: s.turns, timeout: s.cfg.Limits.BlockingWait + graceOfWait,
	}
	if v, ok := r.Header[extraLogging]; ok {
		q.wantsRecord = len(v) > 0 && strings.EqualFold(v[0], "on")
		delete(r.Header, extraLogging) // nobody behind this sees it
	}
	q.startClock(q.began)
	status := http.StatusInternalServerError
	defer func() {
		q.stopClock()
		q.unreserveAll()
		s.metrics.observe(q.class, status, q.began)
	}()
	rep, err := s.handle(q)
	if err != nil {
		rep = s.failure(q, err)
	}
	status = rep.status
	if err := rep.writeTo(w, q); err != nil {
		level := slog.LevelWarn
		if r.Context().Err() != nil {
			level = slog.LevelDebug // the client left
		}
		s.log.Log(r.Context(), level, "answer not delivered", "request", q.id, "route", classNames[q.class], "error", err)
		if rep.started {
			panic(http.ErrAbortHandler) // a cut answer must not look whole
		}
	}
}

// handle runs the handler; a panic in it is an internal error of this request
// alone.
func (s *Server) handle(q *request) (rep reply, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.metrics.panics.Inc()
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return s.route(q)
}

// failure returns the answer to an error, and logs those that are ours.
func (s *Server) failure(q *request, err error) reply {
	status, text := statusAndText(err)
	switch {
	case errors.Is(err, context.Canceled) && q.Request.Context().Err() != nil:
		s.log.Debug("client left", "request", q.id, "route", classNames[q.class])
	case status == http.StatusInternalServerError:
		s.log.Error("request failed", "request", q.id, "route", classNames[q.class], "error", err)
	case status == http.StatusServiceUnavailable && !errors.Is(err, whisk.ErrOverloaded):
		s.log.Warn("request refused", "request", q.id, "route", classNames[q.class], "error", err)
	}
	return reply{status: status, body: q.errorBody(text)}
}

// errorBody returns the body of an answer that is an error.
func (q *request) errorBody(text string) []byte {
	b := make([]byte, 0, len(text)+64)
	b = append(b, '{')
	b = appendText(b, "error", text)
	b = appendText(b, "code", q.id)
	b = append(b, '}')
	if q.web {
		return appendPretty(nil, b, prettyLimit(len(b)))
	}
	return b
}
