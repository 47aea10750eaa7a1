package flow

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"hearth/whisk"
)

// Flow runs activations. Its methods may be called by many, before Run too.
type Flow struct {
	cfg      Config
	invoker  invoker
	queue    queue
	rows     rows
	recorder recorder
	sealer   sealer
	keys     keys
	actions  actions
	throttle throttle
	runtimes func() whisk.Runtimes
	builtins map[string]Builtin
	ids      identities
	log      *slog.Logger
	m        flowMetrics

	life   int64        // in the upper bits of this process's tokens
	starts atomic.Int64 // in the lower

	gate     gate            // who works; closed when Run's context ends
	runs     context.Context // of all runs: ends with the drain budget
	stopRuns context.CancelFunc
	draining sync.Once
	budget   *time.Timer   // ends runs; set by draining
	wake     chan struct{} // capacity 1: the dispatcher has something to look at
	resting  atomic.Int32  // items in backlog.resting

	mu      sync.Mutex // guards all below
	backlog *backlog
	window  window
	active  int  // rows that workers have in hand
	halted  bool // no more are run

	composites map[whisk.ActivationID]*tree // under way, by the id of the topmost
	composing  int                          // composites that workers have in hand
	following  int                          // blocking ones

	// known are the ids that reading back must leave alone: being enqueued, in
	// the backlog, in a worker's hand, or promised by a blocking wait.
	known map[whisk.ActivationID]struct{}
	// owed are the ended functions of rows that are in the store alone.
	owed map[whisk.ActivationID]func()
	// unread says that the store has queued rows that are not in memory.
	unread   bool
	spills   int                          // grows when unread is set
	spilling map[whisk.Namespace]struct{} // namespaces with such rows: newer ones queue up behind
}

// Tokens: 40 random bits for the process, 23 counted.
const countedBits = 23

// New returns a Flow that does no work until Run is called. cfg must be valid.
func New(cfg Config, d Deps) *Flow {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Metrics == nil {
		cfg.Metrics = metrics.NewSet()
	}
	var b [8]byte
	rand.Read(b[:]) // never fails since Go 1.24
	f := &Flow{
		cfg: cfg, invoker: d.Invoker, queue: d.Queue, rows: d.Rows, recorder: d.Recorder, sealer: d.Sealer, keys: d.Keys,
		actions: d.Actions, throttle: d.Throttle, runtimes: d.Runtimes, builtins: d.Builtins, ids: d.Identities, log: cfg.Logger,
		life:       int64(binary.BigEndian.Uint64(b[:])>>(64-40)) | 1,
		wake:       make(chan struct{}, 1),
		backlog:    newBacklog(),
		window:     newWindow(cfg.Workers),
		composites: map[whisk.ActivationID]*tree{},
		known:      map[whisk.ActivationID]struct{}{},
		owed:       map[whisk.ActivationID]func(){},
		spilling:   map[whisk.Namespace]struct{}{},
	}
	f.runs, f.stopRuns = context.WithCancel(context.Background())
	f.m = newFlowMetrics(cfg.Metrics, f)
	return f
}

// Run looks at what the last process left in the queue, then runs queued rows
// until ctx ends. From then on nothing new is accepted; it waits for live runs,
// for the drain budget at the most (see [Flow.BeginDrain]), and returns when
// every goroutine is gone.
// Rows that were not started stay in the store for the next process. What
// earlier processes recorded must have been committed before.
func (f *Flow) Run(ctx context.Context) error {
	f.recover(ctx)
	if !f.cfg.Alone && f.gate.enter() {
		go func() {
			defer f.gate.leave()
			f.sweep(ctx)
		}()
	}
	f.dispatch(ctx)
	f.drain()
	return nil
}

// BeginDrain begins the drain budget before Run's context ends: no more rows
// are run, and what runs is stopped at the end of the budget. Calls are taken
// still, for requests that came before; they have what is left of it.
func (f *Flow) BeginDrain() {
	f.draining.Do(func() {
		f.mu.Lock()
		f.halted = true
		f.mu.Unlock()
		f.budget = time.AfterFunc(f.cfg.DrainBudget, func() {
			f.log.Warn("stopping the runs that outlive the drain budget", "budget", f.cfg.DrainBudget)
			f.stopRuns()
		})
	})
}

func (f *Flow) drain() {
	f.BeginDrain()
	f.gate.close()
	f.mu.Lock()
	held := f.backlog.held()
	f.mu.Unlock()
	for _, it := range held { // or the next process would take them for runs that broke off
		f.gate.follow()
		go func() {
			defer f.gate.leave()
			f.takeBack(it)
		}()
	}
	f.gate.wait()
	f.budget.Stop()
	f.stopRuns()
}

// token returns one that no other start uses.
func (f *Flow) token() int64 {
	return f.life<<countedBits | f.starts.Add(1)&(1<<countedBits-1)
}

// own reports whether the token is of this process.
func (f *Flow) own(token int64) bool { return token>>countedBits == f.life }

func (f *Flow) poke() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// forget lets go of an id whose activation has ended.
func (f *Flow) forget(id whisk.ActivationID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.known, id)
}

// roomFreed says that something has ended at an invoker, so that a row that
// rests may find room.
func (f *Flow) roomFreed() {
	if f.resting.Load() == 0 {
		return
	}
	f.mu.Lock()
	f.backlog.hurry(time.Now())
	f.mu.Unlock()
	f.poke()
}

// withKey returns c with the API key, if its target wants one, else c. What flow
// runs itself gets none; its components do.
func (f *Flow) withKey(ctx context.Context, c *whisk.Call) (*whisk.Call, error) {
	if !c.Target.WantsKey || c.APIKey != "" || composite(c) || builtin(c) {
		return c, nil
	}
	key, err := f.keys.APIKey(ctx, c.UUID)
	if err != nil {
		return nil, err
	}
	keyed := *c
	keyed.APIKey = key
	return &keyed, nil
}

// find returns an action that the holder of the credential may invoke.
func (f *Flow) find(ctx context.Context, uuid string, name whisk.ActionName) (*whisk.Resolved, error) {
	ctx, cancel := context.WithTimeout(ctx, f.cfg.StoreTimeout)
	defer cancel()
	r, err := f.actions.ActionFor(ctx, uuid, name)
	if err == nil {
		err = f.runtimes().CheckActive(r.Action.Exec.Kind)
	}
	return r, err
}

// row returns c's row, sealed, without state.
func (f *Flow) row(c *whisk.Call, created time.Time) (whisk.QueueRow, error) {
	plain, err := encodeCall(c)
	if err != nil {
		return whisk.QueueRow{}, err
	}
	sealed, err := f.sealer.Seal(plain, c.ID[:])
	if err != nil {
		return whisk.QueueRow{}, err
	}
	return whisk.QueueRow{
		ID: c.ID, Namespace: c.Namespace, Created: created.UnixMilli(),
		Code: c.Target.Exec.Code, Payload: sealed,
	}, nil
}

// waited is how long an item has waited. Rows of an earlier process go by the
// wall's clock, which may have been set back.
func (it *item) waited() time.Duration { return max(0, time.Since(it.created)) }

// until is when a call that starts now, after waiting at most so long, must
// have ended.
func (f *Flow) until(c *whisk.Call, wait time.Duration) int64 {
	if composite(c) {
		return f.untilComposite(c.ID)
	}
	return time.Now().Add(wait + 2*c.Target.Limits.TimeoutDuration() + f.cfg.Grace).UnixMilli()
}

// lasts is how long it is until then, in ms since the epoch.
func lasts(until int64) time.Duration { return time.Until(time.UnixMilli(until)) }

// stored returns a context for a call of the store that must be made also when
// the runs are being stopped.
func (f *Flow) stored() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), f.cfg.StoreTimeout)
}

func once(ended func()) func() {
	if ended == nil {
		return func() {}
	}
	var done atomic.Bool
	return func() {
		if done.CompareAndSwap(false, true) {
			ended()
		}
	}
}
