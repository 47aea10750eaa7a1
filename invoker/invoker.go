package invoker

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"hearth/invoker/journal"
	"hearth/invoker/sandbox"
	"hearth/whisk"
)

// sweepInterval is how often Run looks for what has waited too long. Timeouts
// of waiting calls and idle sandboxes are late by up to this.
const sweepInterval = 500 * time.Millisecond

// Errors of Call.
var (
	ErrClosed    = errors.New("the invoker is closed")
	ErrDuplicate = errors.New("the invoker has a call with this id already")
)

// Invoker runs calls in sandboxes. All methods may be called at the same time;
// none waits for user code but Drain and Close.
type Invoker struct {
	cfg     Config
	log     *slog.Logger
	m       *instruments
	drivers []sandbox.Driver
	kinds   map[string]sandbox.Driver // by kind; images by name below
	images  map[string]sandbox.Driver
	hello   whisk.Hello // but for the load
	journal *journal.Journal
	code    *codeCache
	unkept  atomic.Int64 // finished calls whose record does not get into the journal

	// ctx ends when runs are to be stopped; stop ends it.
	ctx     context.Context
	stop    context.CancelFunc
	workers sync.WaitGroup // every goroutine that Call, Go, Code start
	close   func() error   // shutdown, once
	awake   chan struct{}  // capacity 1: pace has become shorter
	share   func() float64 // of the processors' time that was used since it was last asked

	mu       sync.Mutex // guards all below
	pool     *pool
	calls    map[whisk.ActivationID]*call
	fetches  map[whisk.Digest]*fetch
	fetching int           // calls that wait for code
	noCode   time.Time     // until then calls whose code is not here are turned away
	held     int64         // bytes of fetching and queued calls
	running  int           // calls
	pace     time.Duration // of watch; 0: it sleeps
	draining bool
	closed   bool
	empty    chan struct{} // made by Drain, closed when there are no calls
	outbox   []*call       // whose mailboxes unlock delivers
	due      []*worker     // whose runs unlock begins
}

// New returns an invoker that runs actions by the drivers. Unless it fails it
// owns them from then on: Close closes them. It opens the journal in cfg.Dir and reads what
// earlier lives left there. Nothing runs before Run or the first Call.
func New(cfg Config, drivers []sandbox.Driver) (*Invoker, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Metrics == nil {
		cfg.Metrics = metrics.NewSet()
	}
	v := &Invoker{
		cfg: cfg, log: cfg.Logger, drivers: drivers,
		kinds: make(map[string]sandbox.Driver), images: make(map[string]sandbox.Driver),
		pool:  newPool(cfg.MemoryMB, runtime.GOMAXPROCS(0)),
		awake: make(chan struct{}, 1), share: machineShare(),
		calls: make(map[whisk.ActivationID]*call), fetches: make(map[whisk.Digest]*fetch),
	}
	v.ctx, v.stop = context.WithCancel(context.Background())
	v.close = sync.OnceValue(v.shutdown)
	v.introduce()

	var err error
	if v.code, err = newCodeCache(filepath.Join(cfg.Dir, "code"), cfg.CodeCacheBytes); err != nil {
		return nil, err
	}
	jcfg := cfg.Journal
	jcfg.Dir, jcfg.Logger = filepath.Join(cfg.Dir, "journal"), cfg.Logger
	if v.journal, err = journal.Open(jcfg); err != nil {
		return nil, err
	}
	v.m = newInstruments(cfg.Metrics, v)
	return v, nil
}

// introduce fills hello and the tables of drivers; of two drivers for a kind
// the first has it.
func (v *Invoker) introduce() {
	var nonce [4]byte
	rand.Read(nonce[:])
	v.hello = whisk.Hello{
		ID:          v.cfg.ID,
		Incarnation: fmt.Sprintf("%x-%s", time.Now().UnixMilli(), hex.EncodeToString(nonce[:])),
	}
	var missing []string
	for _, d := range v.drivers {
		for _, r := range d.Runtimes() {
			if v.kinds[r.Kind] == nil {
				v.kinds[r.Kind] = d
				v.hello.Runtimes = append(v.hello.Runtimes, r)
			}
		}
		for _, i := range d.Images() {
			if v.images[i] == nil {
				v.images[i] = d
				v.hello.Images = append(v.hello.Images, i)
			}
		}
		if s := d.Isolation(); s != "full" && !slices.Contains(missing, s) {
			missing = append(missing, s)
		}
	}
	v.hello.Isolation = "full"
	if len(missing) > 0 {
		v.hello.Isolation = strings.Join(missing, "; ")
	}
}

// Hello returns how the invoker introduces itself, with its present load.
func (v *Invoker) Hello() whisk.Hello {
	h := v.hello
	h.Load = v.Load()
	return h
}

// Load returns how full the invoker is.
func (v *Invoker) Load() whisk.Load {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.load()
}

// load is Load under mu.
func (v *Invoker) load() whisk.Load {
	return whisk.Load{
		UsedMB: v.pool.busy, CapacityMB: v.pool.capacity, Running: v.running,
		Queued: v.pool.queued, QueueLimit: v.cfg.QueueLimit, Draining: v.draining,
	}
}

// say puts a reply to in with the present load; unlock delivers it. The caller
// holds mu.
func (v *Invoker) say(in *call, k whisk.ReplyKind, rec *whisk.Activation) {
	in.box.put(whisk.Reply{Kind: k, Load: v.load(), Record: rec})
	v.outbox = append(v.outbox, in)
	if k == whisk.Busy {
		v.m.busy.Inc()
	}
}

// unlock releases mu, begins the runs that were decided on under it and
// delivers what was said.
func (v *Invoker) unlock() {
	var runs [2]*worker
	var said [4]*call
	due, out := append(runs[:0], v.due...), append(said[:0], v.outbox...)
	clear(v.due)
	clear(v.outbox)
	v.due, v.outbox = v.due[:0], v.outbox[:0]
	v.mu.Unlock()
	for _, w := range due {
		v.runWarm(w)
	}
	for _, in := range out {
		in.box.deliver()
	}
}

// Run looks after journal, cache and timeouts until ctx ends, and then closes
// the invoker as Close does.
func (v *Invoker) Run(ctx context.Context) error {
	var g sync.WaitGroup
	g.Go(func() { _ = v.journal.Run(ctx) })
	g.Go(func() { v.code.adopt(ctx) })
	g.Go(func() { v.sweep(ctx) })
	g.Go(func() { v.watch(ctx) })
	<-ctx.Done()
	g.Wait()
	return v.Close()
}

// sweep ends what has waited too long: calls for their code or the router's
// go, sandboxes for a call.
func (v *Invoker) sweep(ctx context.Context) {
	t := time.NewTicker(sweepInterval)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			v.mu.Lock()
			for _, in := range v.calls {
				if !in.until.IsZero() && now.After(in.until) {
					v.turnAway(in)
				}
			}
			for _, s := range v.pool.expired(now.Add(-v.cfg.IdleTimeout)) {
				v.retire(s)
			}
			v.pool.forgetGroups(now.Add(-v.cfg.IdleTimeout))
			v.pump()
			v.unlock()
		}
	}
}

// Drain takes no more calls, turns waiting ones away by Busy, and waits for
// those that run. When ctx ends, it stops what still runs, records that as the
// platform's error, and returns an error. The journal stays open for Ack,
// Lookup and Unacked.
func (v *Invoker) Drain(ctx context.Context) error {
	v.mu.Lock()
	empty := v.beginDrain()
	v.unlock()
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
	}
	v.mu.Lock()
	n := v.running
	v.mu.Unlock()
	v.stop()
	<-empty
	return fmt.Errorf("drain: %d calls had to be stopped: %w", n, ctx.Err())
}

// beginDrain stops taking calls and returns what is closed when there are
// none. The caller holds mu.
func (v *Invoker) beginDrain() <-chan struct{} {
	v.draining = true
	for _, in := range v.calls {
		if in.stage != stageRunning {
			v.turnAway(in)
		}
	}
	if v.empty == nil {
		v.empty = make(chan struct{})
		v.checkEmpty()
	}
	return v.empty
}

// checkEmpty tells Drain when the last call is gone. The caller holds mu and
// calls it when calls or empty have changed.
func (v *Invoker) checkEmpty() {
	if v.empty == nil || len(v.calls) > 0 {
		return
	}
	select {
	case <-v.empty:
	default:
		close(v.empty)
	}
}

// Close stops what runs, as Drain does at the end of its time, destroys all
// sandboxes, and closes journal and drivers. It may be called again, and waits
// then too.
func (v *Invoker) Close() error { return v.close() }

func (v *Invoker) shutdown() error {
	v.mu.Lock()
	v.closed = true
	v.beginDrain()
	for _, s := range v.pool.slots {
		if s.state == warm && s.ticket == nil {
			v.retire(s)
		}
	}
	v.unlock()
	v.stop()
	v.workers.Wait()
	errs := []error{v.journal.Close()}
	for _, d := range v.drivers {
		errs = append(errs, d.Close())
	}
	return errors.Join(errs...)
}
