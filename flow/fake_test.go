package flow

import (
	"bytes"
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

// fakeInvoker has room for so many calls; each runs for as many milliseconds as
// its arguments say. Those that may wait are served in the order of their coming,
// and before those that may not.
type fakeInvoker struct {
	w       *world
	p       *process
	mu      sync.Mutex // guards all below
	room    int
	running int
	most    int
	line    []*whisk.Call
	fail    error  // instead of running
	full    string // an action for which there is no room
	order   []whisk.Namespace
	last    whisk.Call
}

func (v *fakeInvoker) Invoke(ctx context.Context, c *whisk.Call, patience time.Duration) (*whisk.Activation, error) {
	v.p.await()
	deadline := time.Now().Add(patience)
	v.set(func() {
		if !c.NoQueue {
			v.line = append(v.line, c)
		}
	})
	defer v.leave(c)
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
	v.leave(c)
	defer v.set(func() { v.running-- })
	ms, response := v.w.exec(c)
	select {
	case <-time.After(time.Duration(ms) * time.Millisecond):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if v.p.dead.Load() {
		return nil, errAway
	}
	rec := c.Record()
	rec.End, rec.Duration, rec.Response = time.Now().UnixMilli(), int64(ms), response
	c.Settle(rec)
	v.w.finish(rec)
	return rec, nil
}

// Follow is Invoke that can be left.
func (v *fakeInvoker) Follow(ctx context.Context, c *whisk.Call, patience time.Duration, l whisk.Leave) (*whisk.Activation, error) {
	type outcome struct {
		rec *whisk.Activation
		err error
	}
	got := make(chan outcome, 1)
	go func() {
		rec, err := v.Invoke(ctx, c, patience)
		got <- outcome{rec, err}
	}()
	at := time.NewTimer(time.Until(l.At))
	defer at.Stop()
	select {
	case o := <-got:
		return o.rec, o.err
	case <-at.C:
	case <-l.Done:
	}
	go func() {
		o := <-got
		l.Then(o.rec, o.err)
	}()
	return nil, whisk.ErrLeft
}

// leave ends the wait of a call.
func (v *fakeInvoker) leave(c *whisk.Call) {
	v.set(func() { v.line = slices.DeleteFunc(v.line, func(o *whisk.Call) bool { return o == c }) })
}

// closed reports whether there is no room for a call's action.
func (v *fakeInvoker) closed(c *whisk.Call) bool { return v.full != "" && c.Target.Name.Name == v.full }

func (v *fakeInvoker) begin(c *whisk.Call) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.fail != nil || v.running >= v.room || v.closed(c) {
		return false
	}
	first := slices.IndexFunc(v.line, func(o *whisk.Call) bool { return !v.closed(o) })
	if first >= 0 && v.line[first] != c {
		return false
	}
	v.running++
	v.most = max(v.most, v.running)
	v.order = append(v.order, c.Namespace)
	v.last = *c
	v.w.set(func() {
		if c.Attempt > 0 {
			if v.w.tries[c.ID] == nil {
				v.w.tries[c.ID] = map[int]int{}
			}
			v.w.tries[c.ID][c.Attempt]++
		}
		if v.w.runs[c.ID]++; v.w.within[c.Cause] == nil {
			v.w.within[c.Cause] = map[string]int{}
		}
		v.w.within[c.Cause][c.Target.Name.Name]++
	})
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
	l := &life{v: &fakeInvoker{w: w, room: room, p: p}, p: p, done: make(chan struct{})}
	l.Flow = New(cfg, p.deps(l.v))
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	go func() {
		defer close(l.done)
		_ = l.Run(ctx)
	}()
	return l
}

func (p *process) deps(v *fakeInvoker) Deps {
	return Deps{
		Invoker: v, Queue: p, Rows: p, Recorder: p, Sealer: fakeSealer{}, Keys: fakeKeys{},
		Actions: p.world, Throttle: p.world, Identities: p.world, Runtimes: func() whisk.Runtimes { return oldRuntimes }, Builtins: p.world.builtins(),
	}
}

// oldRuntimes has a kind that is not supported any more.
var oldRuntimes = whisk.Runtimes{{Kind: "old:1", Deprecated: true}}

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
	uuid := "uuid"
	if ns != "ns" {
		uuid += "-" + string(ns)
	}
	return &whisk.Call{
		ID: whisk.NewActivationID(), Namespace: ns, Subject: "someone", UUID: uuid,
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

func (l *life) wantClean(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.known) != 0 || len(l.owed) != 0 || l.backlog.all != (share{}) || l.active != 0 {
		t.Errorf("left: %d known, %d owed, %d rows, %d bytes, %d active", len(l.known), len(l.owed), l.backlog.all.rows, l.backlog.all.bytes, l.active)
	}
	if len(l.backlog.spaces)+len(l.backlog.spots)+len(l.backlog.plain.lanes)+len(l.backlog.composites.lanes) != 0 || l.patient != 0 {
		t.Errorf("left: %d shares, %d lanes, %d lanes of composites, %d patient", len(l.backlog.spaces)+len(l.backlog.spots), len(l.backlog.plain.lanes), len(l.backlog.composites.lanes), l.patient)
	}
	if len(l.composites) != 0 || l.composing != 0 || l.following != 0 {
		t.Errorf("left: %d composites, %d composing, %d following", len(l.composites), l.composing, l.following)
	}
}
