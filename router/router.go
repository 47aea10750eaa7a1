package router

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"golang.org/x/sync/singleflight"

	"hearth/whisk"
)

// Invoker is a process that runs actions, reached in process or over a
// connection. Call, Go, Cancel, Code and Ack return soon and wait for no run.
type Invoker interface {
	// Call hands the call over. An error means that it was not handed over and
	// that no reply will come. reply is called serially per call, from the
	// invoker's goroutines, maybe before Call returns; it does not block.
	Call(c *whisk.Call, reply func(whisk.Reply)) error

	// Go starts a Ready call. Cancel drops a Queued, Ready or NeedCode one; no
	// reply is owed after it. Both ignore ids that they do not know.
	Go(id whisk.ActivationID)
	Cancel(id whisk.ActivationID)

	// Code answers NeedCode with the stored text as sent.
	Code(id whisk.ActivationID, code []byte)

	// Ack says that the store has these records.
	Ack(ids ...whisk.ActivationID)

	// Lookup returns what the invoker knows of an id, and the record if it is
	// FinishedCall.
	Lookup(ctx context.Context, id whisk.ActivationID) (whisk.CallState, *whisk.Activation, error)

	// Unacked returns up to limit finished records that nobody acknowledged,
	// oldest first. Fewer do not mean that there are no more.
	Unacked(ctx context.Context, limit int) ([]*whisk.Activation, error)
}

// codes is where the code of actions is kept.
type codes interface {
	Code(ctx context.Context, d whisk.Digest) ([]byte, error)
}

// recorder is where records go.
type recorder interface {
	// Record inserts the record if its id has none and calls done once, on
	// commit or with the reason why it was not taken. It never blocks.
	Record(rec *whisk.Activation, done func(error))

	// Activation returns the record that stands.
	Activation(ctx context.Context, ns whisk.Namespace, id whisk.ActivationID) (*whisk.Activation, error)
}

// Router chooses invokers and answers for their records. All methods may be
// called at once from many goroutines.
type Router struct {
	cfg      Config
	log      *slog.Logger
	m        *meters
	codes    codes
	fetches  singleflight.Group // of code, by digest
	recorder recorder
	waiting  *waiting
	timers   sync.Pool     // of *time.Timer, stopped
	joined   chan struct{} // capacity 1: somebody joined, collect soon
	born     time.Time

	mu   sync.Mutex // guards changes of view
	view atomic.Pointer[view]
}

// New returns a router without invokers. cfg must be valid.
func New(cfg Config, c codes, rec recorder) *Router {
	r := &Router{
		cfg: cfg, log: cfg.Logger, codes: c, recorder: rec,
		waiting: newWaiting(cfg.WaitingCalls, cfg.WaitingBytes),
		joined:  make(chan struct{}, 1),
		born:    time.Now(),
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	set := cfg.Metrics
	if set == nil {
		set = metrics.NewSet()
	}
	r.view.Store(newView(nil, nil))
	r.m = newMeters(set,
		func() float64 { return float64(r.waiting.count.Load()) },
		func() float64 { return float64(len(r.view.Load().members)) })
	return r
}

// Join adds an invoker, or its next life: one of the same id is replaced.
func (r *Router) Join(h whisk.Hello, v Invoker) {
	r.change(func(ms map[string]*member) {
		ms[h.ID] = &member{hello: h, invoker: v, load: h.Load, heard: time.Now()}
	})
	select {
	case r.joined <- struct{}{}:
	default:
	}
	r.waiting.wakeAll()
	r.log.Info("invoker joined", "invoker", h.ID, "incarnation", h.Incarnation)
}

// Leave takes an invoker out: it gets no new calls. Those that are there go on.
func (r *Router) Leave(id string) {
	if r.member(id) == nil {
		return
	}
	r.change(func(ms map[string]*member) { delete(ms, id) })
	r.log.Info("invoker left", "invoker", id)
}

func (r *Router) change(f func(map[string]*member)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.view.Load()
	ms := maps.Clone(before.members)
	if ms == nil {
		ms = map[string]*member{}
	}
	f(ms)
	r.view.Store(newView(ms, r.departures(before, ms, time.Now())))
}

func (r *Router) member(id string) *member { return r.view.Load().members[id] }

// Runtimes returns what the invokers offer together. It is shared: nobody
// changes it.
func (r *Router) Runtimes() whisk.Runtimes { return r.view.Load().runtimes }

// Images returns the blackbox images that some invoker can run, sorted.
func (r *Router) Images() []string { return slices.Clone(r.view.Load().images) }

// Hellos returns how the invokers introduced themselves, by id.
func (r *Router) Hellos() []whisk.Hello { return slices.Clone(r.view.Load().hellos) }

// Run collects unacknowledged records now and then until ctx ends.
func (r *Router) Run(ctx context.Context) error {
	tick := time.NewTicker(r.cfg.CollectEvery)
	defer tick.Stop()
	for {
		if err := r.Collect(ctx); err != nil && ctx.Err() == nil {
			r.log.Warn("collecting records", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-r.joined:
		}
	}
}

// code returns an action's code. Calls that ask for the same digest at once
// share one fetch, which outlives the one that began it.
func (r *Router) code(ctx context.Context, d whisk.Digest) ([]byte, error) {
	got := r.fetches.DoChan(string(d[:]), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.cfg.CodeWait)
		defer cancel()
		return r.codes.Code(ctx, d)
	})
	select {
	case res := <-got:
		if res.Err != nil {
			return nil, fmt.Errorf("code %v: %w", d, res.Err)
		}
		return res.Val.([]byte), nil
	case <-ctx.Done():
		return nil, fmt.Errorf("code %v: %w", d, context.Cause(ctx))
	}
}

// notThere reports whether err says for good that something does not exist.
func notThere(err error) bool {
	return errors.Is(err, whisk.ErrNotFound) || whisk.KindOf(err) == whisk.NotFound
}
