package flow

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"hearth/whisk"
)

var errAway = errors.New("store away")

// world is what outlives a process: the store. Ops take effect when they are
// handed over and are answered after a while.
type world struct {
	ticked  int64      // the last tick of an alarm; guarded by mu
	mu      sync.Mutex // guards all below
	rows    map[whisk.ActivationID]*whisk.QueueRow
	leases  map[whisk.ActivationID]time.Time
	dead    map[whisk.ActivationID]whisk.QueueRow
	seq     int64
	records map[whisk.ActivationID]*whisk.Activation
	stored  []whisk.ActivationID // in the order of the records
	ops     []string
	delay   time.Duration
	away    bool
	mute    bool // ops happen, but are never answered
	reads   int
	short   bool // reads return one row at a time
	runs    map[whisk.ActivationID]int
	tries   map[whisk.ActivationID]map[int]int    // how often each attempt ran, for those that are retried
	within  map[whisk.ActivationID]map[string]int // what ran in a composite, by name
	journal []*whisk.Activation

	actions  map[string]*whisk.Resolved // by path
	code     map[string]code            // by path; without any, it runs for as long as its arguments say
	inFlight int
	charged  int
	refuse   error                      // of the throttle
	blocked  map[string]bool            // credentials
	failing  map[whisk.ActivationID]int // how many attempts fail first
	bounds   *whisk.Bounds
}

// code is what an action does: for how many milliseconds, and the outcome.
type code func(args json.RawMessage) (ms int, r whisk.Response)

func newWorld() *world {
	return &world{
		rows: map[whisk.ActivationID]*whisk.QueueRow{}, records: map[whisk.ActivationID]*whisk.Activation{},
		leases: map[whisk.ActivationID]time.Time{}, dead: map[whisk.ActivationID]whisk.QueueRow{}, blocked: map[string]bool{},
		failing: map[whisk.ActivationID]int{},
		runs:    map[whisk.ActivationID]int{}, tries: map[whisk.ActivationID]map[int]int{}, delay: time.Millisecond,
		within:  map[whisk.ActivationID]map[string]int{},
		actions: map[string]*whisk.Resolved{}, code: map[string]code{},
	}
}

// do makes an op happen and answers for it.
func (w *world) do(ctx context.Context, op string, f func()) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w.mu.Lock()
	if w.away {
		w.mu.Unlock()
		return errAway
	}
	f()
	w.ops = append(w.ops, op)
	delay := w.delay
	if w.mute {
		delay = time.Hour
	}
	w.mu.Unlock()
	select {
	case <-time.After(delay):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *world) Commit(ctx context.Context, recs []*whisk.Activation, rows []whisk.QueueRow) error {
	err := w.do(ctx, "commit", func() {
		for _, row := range rows {
			w.insert(row)
		}
		for _, rec := range recs {
			w.commit(rec)
		}
	})
	if err == errAway {
		err = &whisk.Error{Kind: whisk.Unavailable, Err: err}
	}
	return err
}

// Step is Commit, for the first step from a tick.
func (w *world) Step(ctx context.Context, step whisk.AlarmStep, rec *whisk.Activation, rows []whisk.QueueRow) (bool, error) {
	w.mu.Lock()
	passed := step.Tick <= w.ticked
	if !passed && !w.away {
		w.ticked = step.Tick
	}
	w.mu.Unlock()
	if passed {
		return false, nil
	}
	var recs []*whisk.Activation
	if rec != nil {
		recs = append(recs, rec)
	}
	err := w.Commit(ctx, recs, rows)
	return err == nil, err
}

func (w *world) Record(rec *whisk.Activation, done func(error)) {
	w.mu.Lock()
	if w.away {
		w.mu.Unlock()
		done(&whisk.Error{Kind: whisk.Unavailable, Message: "full"})
		return
	}
	defer w.mu.Unlock()
	w.commit(rec)
	delay := w.delay
	go func() {
		time.Sleep(delay)
		done(nil)
	}()
}

// commit is called with mu held.
func (w *world) commit(rec *whisk.Activation) {
	w.ops = append(w.ops, "record")
	row := w.rows[rec.ID]
	if rec.Attempt > 0 && row != nil && row.Attempt != rec.Attempt {
		return // stale
	}
	if rec.Again > 0 {
		if row != nil && w.records[rec.ID] == nil {
			row.State, row.Token, row.Until = whisk.RowQueued, 0, 0
			row.Attempt++
			row.Due = time.Now().UnixMilli() + rec.Again
			w.hold(row, row.Holder)
		}
		return
	}
	if w.records[rec.ID] == nil && !rec.Unstored {
		w.records[rec.ID] = rec
		w.stored = append(w.stored, rec.ID)
	}
	if row != nil && rec.Dead {
		w.dead[rec.ID] = *row
	}
	delete(w.rows, rec.ID)
	delete(w.leases, rec.ID)
}

// finish is what an invoker and the router do with a record: it is journalled,
// and given to the store as soon as that is there.
func (w *world) finish(rec *whisk.Activation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.away {
		w.journal = append(w.journal, rec)
		return
	}
	w.commit(rec)
}

// back ends the store's absence.
func (w *world) back() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.away, w.mute = false, false
	for _, rec := range w.journal {
		w.commit(rec)
	}
	w.journal = nil
}

func (w *world) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

func (w *world) record(id whisk.ActivationID) *whisk.Activation {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.records[id]
}

// ran returns how often a call ran.
func (w *world) ran(id whisk.ActivationID) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.runs[id]
}

func (w *world) row(id whisk.ActivationID) *whisk.QueueRow {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r := w.rows[id]; r != nil {
		c := *r
		return &c
	}
	return nil
}

func (w *world) count(op string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, o := range w.ops {
		if o == op {
			n++
		}
	}
	return n
}

// wantRecord fails unless the id has a record of the status.
func (w *world) wantRecord(t *testing.T, id whisk.ActivationID, status whisk.Status, message string) {
	t.Helper()
	rec := w.record(id)
	switch {
	case rec == nil:
		t.Errorf("%s has no record", id)
	case rec.Response.Status != status:
		t.Errorf("status = %v (%s), want %v", rec.Response.Status, rec.Response.Result, status)
	case message != "" && string(rec.Response.Result) != `{"error":"`+message+`"}`:
		t.Errorf("result = %s, want the error %q", rec.Response.Result, message)
	}
	if w.row(id) != nil {
		t.Errorf("%s still has a row", id)
	}
}
