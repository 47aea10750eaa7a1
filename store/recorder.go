package store

import (
	"errors"
	"log/slog"
	"sync"
	"time"

	"hearth/whisk"
)

// Errors of a [Recorder].
var (
	// ErrFull means that too much is pending already and nothing was taken.
	ErrFull = &whisk.Error{Kind: whisk.Unavailable, Message: "Storage cannot keep up, try again later."}
	// ErrStopped means that the recorder has ended, or ended before it could
	// commit.
	ErrStopped = &whisk.Error{Kind: whisk.Unavailable, Message: "Storage is shutting down, try again later."}
)

// Recorder writes records and queue rows to an engine in group commits.
//
// Everything that is handed to it waits in one queue. [Recorder.Run] takes
// what is there into one transaction, answers for it, and looks again; what
// arrives meanwhile shares the next. A commit that fails is tried again until
// it succeeds, since the ops bear repetition; what is pending stays within its
// bounds. Ops take effect in the order in which they were handed over.
type Recorder struct {
	engine Engine
	cfg    RecorderConfig
	log    *slog.Logger
	m      recorderMetrics

	wake  chan struct{} // capacity 1: the queue is not empty
	hurry chan struct{} // capacity 1: a batch should not linger

	mu       sync.Mutex // guards what follows
	queue    []*entry   // not taken yet
	pending  int        // ops that wait for an answer, taken ones too
	bytes    int64      // of those
	records  map[whisk.ActivationID]*entry
	pushed   uint64        // entries ever, in order
	finished uint64        // entries ever, in the same order
	progress chan struct{} // closed, and made anew, when finished grows
	stopped  bool
}

// entry is one op on its way.
type entry struct {
	op      Op
	size    int64
	since   time.Time
	done    []func(error) // a record's
	repeats int           // of the record, while it was pending
	answer  chan outcome  // capacity 1; nil for records
	leaving bool          // nobody waits any more: not to be tried (again)
}

type outcome struct {
	Result
	retried bool // it may have happened in an earlier attempt
}

// NewRecorder returns a recorder over the engine, which the caller closes
// after Run has returned.
func NewRecorder(engine Engine, cfg RecorderConfig) *Recorder {
	cfg = cfg.withDefaults()
	r := &Recorder{
		engine: engine, cfg: cfg, log: cfg.Logger, m: newRecorderMetrics(cfg.Metrics),
		wake: make(chan struct{}, 1), hurry: make(chan struct{}, 1),
		records: map[whisk.ActivationID]*entry{}, progress: make(chan struct{}),
	}
	cfg.Metrics.NewGauge("store_pending_ops", func() float64 { n, _ := r.load(); return float64(n) })
	cfg.Metrics.NewGauge("store_pending_bytes", func() float64 { _, b := r.load(); return float64(b) })
	return r
}

// Record hands over a finished record. It never blocks. done, if not nil, is
// called once: with nil when the store has the id's record, this one or an
// earlier one, or has noted the attempt that the record is of; with [ErrFull], before Record returns, if too much is pending;
// with another error if it will not be stored. Else it is called from Run and
// must not block.
func (r *Recorder) Record(rec *whisk.Activation, done func(error)) {
	size := recordSize(rec)
	r.mu.Lock()
	if err := r.admit(size); err != nil {
		r.mu.Unlock()
		if errors.Is(err, ErrFull) {
			r.m.dropped.Inc()
		}
		if done != nil {
			done(err)
		}
		return
	}
	defer r.mu.Unlock()
	if e := r.records[rec.ID]; e != nil && rec.Attempt == 0 { // offered again: it shares the first one's commit
		r.m.duplicates.Inc()
		r.pending++
		e.repeats++
		if done != nil {
			e.done = append(e.done, done)
		}
		return
	}
	e := &entry{op: Op{Kind: OpRecord, Record: rec}, size: size}
	if done != nil {
		e.done = append(e.done, done)
	}
	if readable(rec) {
		r.records[rec.ID] = e
	}
	r.push(e)
}

// readable says whether a pending record is the one of its id, if there is none
// before it. One of several attempts may be of no effect.
func readable(rec *whisk.Activation) bool { return !rec.Unstored && rec.Attempt == 0 }

// Duplicates returns how many records were not stored because their id had
// one already.
func (r *Recorder) Duplicates() uint64 { return r.m.duplicates.Get() }

// load returns the number of pending ops and their bytes.
func (r *Recorder) load() (int, int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.pending, r.bytes
}

// admit says whether there is room. It is called with mu held, as is push.
func (r *Recorder) admit(size int64) error {
	if r.stopped {
		return ErrStopped
	}
	if r.pending >= r.cfg.MaxPending || r.bytes+size > r.cfg.MaxPendingBytes && r.pending > 0 {
		return ErrFull
	}
	return nil
}

func (r *Recorder) push(e *entry) {
	e.since = time.Now()
	r.queue = append(r.queue, e)
	r.pushed++
	r.pending++
	r.bytes += e.size
	poke(r.wake)
	if e.answer != nil || len(r.queue) >= r.cfg.MaxBatch || r.bytes >= r.cfg.MaxBatchBytes {
		poke(r.hurry)
	}
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// recordSize estimates the memory that a record takes.
func recordSize(a *whisk.Activation) int64 {
	n := 768 + len(a.Response.Result) + 16*len(a.Logs)
	for _, l := range a.Logs {
		n += len(l)
	}
	return int64(n)
}

// take returns the next batch, nil if there is none.
func (r *Recorder) take() []*entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	n, bytes := 0, int64(0)
	for n < len(r.queue) && n < r.cfg.MaxBatch && (n == 0 || bytes+r.queue[n].size <= r.cfg.MaxBatchBytes) {
		bytes += r.queue[n].size
		n++
	}
	batch := r.queue[:n:n]
	select {
	case <-r.hurry: // whoever asked for it finds its entry in this batch
	default:
	}
	if r.queue = r.queue[n:]; len(r.queue) == 0 {
		r.queue = nil
	} else {
		poke(r.wake)
		poke(r.hurry)
	}
	return batch
}

// finish forgets entries, under mu, and then answers for them.
func (r *Recorder) finish(batch []*entry, outcomeOf func(i int) outcome) {
	r.mu.Lock()
	for _, e := range batch {
		r.pending -= 1 + e.repeats
		r.bytes -= e.size
		if e.op.Kind == OpRecord && r.records[e.op.Record.ID] == e {
			delete(r.records, e.op.Record.ID)
		}
	}
	r.finished += uint64(len(batch))
	close(r.progress)
	r.progress = make(chan struct{})
	r.mu.Unlock() // from here nobody else reads or changes the entries
	for i, e := range batch {
		o := outcomeOf(i)
		for _, done := range e.done {
			done(o.Err)
		}
		if e.answer != nil {
			e.answer <- o
		}
	}
}

// stop refuses what comes and fails what is left. It returns how many records
// that were.
func (r *Recorder) stop(batch []*entry) int {
	r.mu.Lock()
	r.stopped = true
	batch = append(batch[:len(batch):len(batch)], r.queue...)
	r.queue = nil
	r.mu.Unlock()
	lost := 0
	for _, e := range batch {
		if e.op.Kind == OpRecord {
			lost++
		}
	}
	r.finish(batch, func(int) outcome { return outcome{Result: Result{Err: ErrStopped}} })
	return lost
}
