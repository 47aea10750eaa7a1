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

	life   int64        // in the upper bits of this process's tokens, and names as a holder
	starts atomic.Int64 // in the lower

	gate     gate            // who works; closed when Run's context ends
	runs     context.Context // of all runs: ends with the drain budget
	stopRuns context.CancelFunc
	draining sync.Once
	budget   *time.Timer   // ends runs; set by draining
	wake     chan struct{} // capacity 1: the dispatcher has something to look at
	hunger   chan struct{} // capacity 1: there is room for rows that wait in the store
	resting  atomic.Int32  // lines in backlog.resting

	mu      sync.Mutex // guards all below
	backlog *backlog
	window  window
	active  int       // rows that workers have in hand
	places  places    // at the invokers
	patient int       // others, which invokers may queue
	halted  bool      // no more are run, and none is held
	holder  int64     // as whom this process holds rows
	renewed time.Time // when the claims were, last; zero before Run

	composites map[whisk.ActivationID]*tree // under way, by the id of the topmost
	composing  int                          // composites that workers have in hand
	following  int                          // blocking ones

	// known are the ids whose rows are not to be taken for another's: of those
	// that are held, of which there is an item, and of promised runs (nil).
	known map[whisk.ActivationID]*item
	// owed are rows that are in the store alone, by what is to be called when they
	// have ended.
	owed map[whisk.ActivationID]*debt
	// unread are the namespaces that have rows, or may have, which nobody holds.
	unread map[whisk.Namespace]*unread
	spills int // rows that were left to the store
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
		hunger:     make(chan struct{}, 1),
		window:     newWindow(cfg.Workers),
		composites: map[whisk.ActivationID]*tree{},
		known:      map[whisk.ActivationID]*item{},
		owed:       map[whisk.ActivationID]*debt{},
		unread:     map[whisk.Namespace]*unread{},
	}
	f.backlog, f.holder = newBacklog(f.restTime), f.token()
	f.halted = cfg.Hold
	f.runs, f.stopRuns = context.WithCancel(context.Background())
	f.m = newFlowMetrics(cfg.Metrics, f)
	return f
}

// Run deals with what the last process left in the queue, then runs queued rows
// until ctx ends. From then on nothing new is accepted; it waits for live runs,
// for the drain budget at the most (see [Flow.BeginDrain]), and returns when
// every goroutine is gone.
// Rows that were not started stay in the store for the next process, or for
// another. What earlier processes recorded must have been committed before.
func (f *Flow) Run(ctx context.Context) error {
	f.mu.Lock()
	f.renewed = time.Now()
	f.mu.Unlock()
	f.loop(ctx, f.renewals)
	left := f.recover(ctx)
	f.loop(ctx, f.claims)
	if !f.cfg.Alone {
		f.loop(ctx, func(ctx context.Context) { f.sweep(ctx, left) })
		f.loop(ctx, f.collect)
	}
	f.dispatch(ctx)
	f.drain()
	return nil
}

// loop runs a part of Run on a goroutine of its own.
func (f *Flow) loop(ctx context.Context, part func(context.Context)) {
	if !f.gate.enter() {
		return
	}
	go func() {
		defer f.gate.leave()
		part(ctx)
	}()
}

// BeginDrain begins the drain budget before Run's context ends: no more rows
// are run, other routers may have those that are held, and what runs is stopped
// at the end of the budget. Calls are taken still, for requests that came before;
// they have what is left of it.
func (f *Flow) BeginDrain() {
	f.draining.Do(func() {
		f.budget = time.AfterFunc(f.cfg.DrainBudget, func() {
			f.log.Warn("stopping the runs that outlive the drain budget", "budget", f.cfg.DrainBudget)
			f.stopRuns()
		})
		f.mu.Lock()
		f.halted = true
		held := f.backlog.clear()
		for _, it := range held {
			delete(f.known, it.id)
			if f.cfg.Alone {
				it.holder = 0 // nobody else is there to have it
			}
		}
		f.mu.Unlock()
		f.loop(context.Background(), func(context.Context) { f.letGo(held) })
	})
}

func (f *Flow) drain() {
	f.BeginDrain()
	f.gate.close()
	f.gate.wait()
	f.budget.Stop()
	f.stopRuns()
}

// token returns one that no other start uses, and no holder.
func (f *Flow) token() int64 {
	return f.life<<countedBits | f.starts.Add(1)&(1<<countedBits-1)
}

// own reports whether a token, or the name of a holder, is of this process.
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
	f.backlog.hurry()
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

// lasts is for how long at the most a call is under way that starts now, after
// waiting for so long at an invoker.
func (f *Flow) lasts(c *whisk.Call, wait time.Duration) time.Duration {
	if composite(c) {
		return f.compositeLasts(c.ID)
	}
	return wait + 2*c.Target.Limits.TimeoutDuration() + f.cfg.Grace
}

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
