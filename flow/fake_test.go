package flow

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

var errAway = errors.New("store away")

// world is what outlives a process: the store. Ops take effect when they are
// handed over and are answered after a while.
type world struct {
	mu      sync.Mutex // guards all below
	rows    map[whisk.ActivationID]*whisk.QueueRow
	seq     int64
	records map[whisk.ActivationID]*whisk.Activation
	ops     []string
	delay   time.Duration
	away    bool
	mute    bool // ops happen, but are never answered
	reads   int
	runs    map[whisk.ActivationID]int
	journal []*whisk.Activation
}

func newWorld() *world {
	return &world{
		rows: map[whisk.ActivationID]*whisk.QueueRow{}, records: map[whisk.ActivationID]*whisk.Activation{},
		runs: map[whisk.ActivationID]int{}, delay: time.Millisecond,
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

func (w *world) Enqueue(ctx context.Context, row whisk.QueueRow) error {
	var exists bool
	err := w.do(ctx, "enqueue", func() {
		if exists = w.rows[row.ID] != nil; !exists {
			w.insert(row)
		}
	})
	if err == nil && exists {
		err = whisk.ErrExists
	}
	return err
}

func (w *world) insert(row whisk.QueueRow) {
	w.seq++
	row.Seq = w.seq
	w.rows[row.ID] = &row
}

func (w *world) Start(ctx context.Context, id whisk.ActivationID, token, until int64) (ok bool, err error) {
	err = w.do(ctx, "start", func() {
		if r := w.rows[id]; r != nil && r.State == whisk.RowQueued {
			r.State, r.Token, r.Until, ok = whisk.RowStarted, token, until, true
		}
	})
	return ok && err == nil, err
}

func (w *world) StartNew(ctx context.Context, row whisk.QueueRow) error {
	return w.do(ctx, "startnew", func() {
		if w.records[row.ID] == nil && w.rows[row.ID] == nil {
			w.insert(row)
		}
	})
}

func (w *world) Requeue(ctx context.Context, id whisk.ActivationID, token int64) error {
	ok := false
	err := w.do(ctx, "requeue", func() {
		if r := w.rows[id]; r != nil && r.State == whisk.RowStarted && r.Token == token {
			r.State, r.Token, r.Until, ok = whisk.RowQueued, 0, 0, true
		}
	})
	if err == nil && !ok {
		err = whisk.ErrChanged
	}
	return err
}

func (w *world) QueueRows(ctx context.Context, after int64, limit int) (out []whisk.QueueRow, err error) {
	err = w.do(ctx, "read", func() {
		w.reads++
		for _, r := range w.rows {
			if r.Seq > after {
				out = append(out, *r)
			}
		}
		slices.SortFunc(out, func(a, b whisk.QueueRow) int { return cmp.Compare(a.Seq, b.Seq) })
		out = out[:min(limit, len(out))]
	})
	return out, err
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
	if w.records[rec.ID] == nil && !rec.Unstored {
		w.records[rec.ID] = rec
	}
	delete(w.rows, rec.ID)
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

// process is a world as one process sees it. Once dead it does nothing there,
// and gets no answers.
type process struct {
	*world
	dead atomic.Bool
}

func (p *process) try(f func() error) error {
	if p.dead.Load() {
		return errAway
	}
	err := f()
	if p.dead.Load() {
		return errAway
	}
	return err
}

func (p *process) Enqueue(ctx context.Context, row whisk.QueueRow) error {
	return p.try(func() error { return p.world.Enqueue(ctx, row) })
}

func (p *process) Start(ctx context.Context, id whisk.ActivationID, token, until int64) (ok bool, err error) {
	err = p.try(func() (err error) { ok, err = p.world.Start(ctx, id, token, until); return err })
	return ok && err == nil, err
}

func (p *process) StartNew(ctx context.Context, row whisk.QueueRow) error {
	return p.try(func() error { return p.world.StartNew(ctx, row) })
}

func (p *process) Requeue(ctx context.Context, id whisk.ActivationID, token int64) error {
	return p.try(func() error { return p.world.Requeue(ctx, id, token) })
}

func (p *process) QueueRows(ctx context.Context, after int64, limit int) (rows []whisk.QueueRow, err error) {
	err = p.try(func() (err error) { rows, err = p.world.QueueRows(ctx, after, limit); return err })
	return rows, err
}

func (p *process) Record(rec *whisk.Activation, done func(error)) {
	if p.dead.Load() {
		done(&whisk.Error{Kind: whisk.Unavailable, Message: "dead"})
		return
	}
	p.world.Record(rec, done)
}

// fakeInvoker has room for so many calls; each runs for as many milliseconds as
// its arguments say.
type fakeInvoker struct {
	w       *world
	dead    *atomic.Bool
	mu      sync.Mutex // guards all below
	room    int
	running int
	most    int
	fail    error // instead of running
	order   []whisk.Namespace
	last    whisk.Call
}

func (v *fakeInvoker) Invoke(ctx context.Context, c *whisk.Call, patience time.Duration) (*whisk.Activation, error) {
	deadline := time.Now().Add(patience)
	for !v.begin(c) {
		v.mu.Lock()
		fail := v.fail
		v.mu.Unlock()
		if fail != nil {
			return nil, fail
		}
		if c.NoQueue || !time.Now().Before(deadline) || ctx.Err() != nil {
			return nil, whisk.ErrOverloaded
		}
		time.Sleep(time.Millisecond)
	}
	defer func() {
		v.mu.Lock()
		v.running--
		v.mu.Unlock()
	}()
	var ms int
	if err := json.Unmarshal(c.Args, &ms); err != nil {
		panic(err)
	}
	select {
	case <-time.After(time.Duration(ms) * time.Millisecond):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if v.dead.Load() {
		return nil, errAway
	}
	rec := c.Record()
	rec.End = time.Now().UnixMilli()
	v.w.finish(rec)
	return rec, nil
}

func (v *fakeInvoker) begin(c *whisk.Call) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.fail != nil || v.running >= v.room {
		return false
	}
	v.running++
	v.most = max(v.most, v.running)
	v.order = append(v.order, c.Namespace)
	v.last = *c
	v.w.set(func() { v.w.runs[c.ID]++ })
	return true
}

func (v *fakeInvoker) set(change func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	change()
}

// fakeSealer binds and marks, but does not hide.
type fakeSealer struct{}

func (fakeSealer) Seal(plain, aad []byte) ([]byte, error) {
	return slices.Concat([]byte("sealed"), aad, plain), nil
}

func (fakeSealer) Open(sealed, aad []byte) ([]byte, error) {
	plain, ok := bytes.CutPrefix(sealed, slices.Concat([]byte("sealed"), aad))
	if !ok {
		return nil, errors.New("cannot be opened")
	}
	return plain, nil
}

type fakeKeys struct{ err error }

func (k fakeKeys) APIKey(_ context.Context, uuid string) (string, error) {
	return uuid + ":secret", k.err
}

// life is one process over a world.
type life struct {
	*Flow
	v      *fakeInvoker
	p      *process
	cancel context.CancelFunc
	done   chan struct{}
}

func testConfig() Config {
	cfg := DefaultConfig()
	cfg.Alone = true
	cfg.MaxRows, cfg.MaxBytes = 64, 1<<20
	return cfg
}

// start runs a Flow; stop must follow.
func start(w *world, cfg Config, room int) *life {
	p := &process{world: w}
	l := &life{v: &fakeInvoker{w: w, room: room, dead: &p.dead}, p: p, done: make(chan struct{})}
	l.Flow = New(cfg, l.v, p, p, p, fakeSealer{}, fakeKeys{})
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	go func() {
		defer close(l.done)
		_ = l.Run(ctx)
	}()
	return l
}

func (l *life) stop() {
	l.cancel()
	<-l.done
	time.Sleep(time.Minute) // for the world's own goroutines
}

// bubble runs f in virtual time over a new world and one life.
func bubble(t *testing.T, cfg Config, room int, f func(t *testing.T, w *world, l *life)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		l := start(w, cfg, room)
		defer l.stop()
		synctest.Wait()
		f(t, w, l)
	})
}

func newCall(ns whisk.Namespace, ms int) *whisk.Call {
	return &whisk.Call{
		ID: whisk.NewActivationID(), Namespace: ns, Subject: "someone", UUID: "uuid",
		Target: &whisk.Target{
			Name:    whisk.ActionName{Namespace: ns, Name: "act"},
			Version: whisk.FirstVersion,
			Limits:  whisk.Limits{Timeout: 60_000, Memory: 256},
			Exec:    whisk.Exec{Kind: "nodejs:20", Code: whisk.Digest{7}},
		},
		Args: json.RawMessage(fmt.Sprint(ms)),
	}
}

// counter counts calls of ended.
type counter struct{ n atomic.Int32 }

func (c *counter) end() { c.n.Add(1) }

func (c *counter) want(t *testing.T, n int32) {
	t.Helper()
	if got := c.n.Load(); got != n {
		t.Errorf("ended was called %d times, want %d", got, n)
	}
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

func (l *life) wantClean(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.known) != 0 || len(l.owed) != 0 || l.backlog.rows != 0 || l.backlog.bytes != 0 || l.active != 0 {
		t.Errorf("left: %d known, %d owed, %d rows, %d bytes, %d active", len(l.known), len(l.owed), l.backlog.rows, l.backlog.bytes, l.active)
	}
}
