package flow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

// kill ends a life as SIGKILL does, with its invoker, and begins another.
func (l *life) kill(cfg Config, room int) *life {
	l.p.dead.Store(true)
	l.cancel()
	<-l.done
	return start(l.p.world, cfg, room)
}

func TestSubmitComposite(t *testing.T) {
	bubble(t, testConfig(), 1, func(t *testing.T, w *world, l *life) {
		w.define("a", gives(1000, `{"a":1}`))
		c, n := callOf(w.sequence("s", "a", "a"), `{"in":1}`), &counter{}
		l.submit(t, c, n)
		time.Sleep(500 * time.Millisecond)
		synctest.Wait()
		if row := w.row(c.ID); row == nil || row.State != whisk.RowStarted || !l.own(row.Token) {
			t.Errorf("row = %+v", row)
		}
		l.mu.Lock()
		if l.active != 0 || l.composing != 1 {
			t.Errorf("%d workers, %d composites", l.active, l.composing)
		}
		l.mu.Unlock()
		n.want(t, 0)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		w.wantRecord(t, c.ID, whisk.Success, "")
		n.want(t, 1)
		rec := w.record(c.ID)
		if names(w.inside(t, rec)) != "a a" || rec.Duration != 2000 {
			t.Errorf("record = %+v", rec)
		}
		l.wantClean(t)
	})
}

// A queued composite without room is queued again, and rests.
func TestSubmitCompositeWithoutRoom(t *testing.T) {
	bubble(t, testConfig(), 0, func(t *testing.T, w *world, l *life) {
		w.define("a", gives(10, `{}`))
		c, n := callOf(w.sequence("s", "a", "a"), ``), &counter{}
		l.submit(t, c, n)
		time.Sleep(time.Minute)
		if starts := w.count("start"); starts < 2 || starts > 60 {
			t.Errorf("%d starts in a minute", starts)
		}
		l.mu.Lock()
		if l.window.limit != firstWindow {
			t.Errorf("the window of plain rows is %d", l.window.limit)
		}
		l.mu.Unlock()
		l.v.set(func() { l.v.room = 1 })
		time.Sleep(5 * time.Second)
		w.wantRecord(t, c.ID, whisk.Success, "")
		n.want(t, 1)
		l.wantClean(t)
	})
}

func TestCompositeWaitEnds(t *testing.T) {
	bubble(t, testConfig(), 1, func(t *testing.T, w *world, l *life) {
		w.define("a", gives(1000, `{}`))
		c, n := callOf(w.sequence("s", "a", "a", "a"), ``), &counter{}
		if rec, err := l.Invoke(t.Context(), c, 1500*time.Millisecond, n.end); rec != nil || err != whisk.ErrPending {
			t.Fatalf("Invoke = %v, %v, want ErrPending", rec, err)
		}
		row := w.row(c.ID)
		if row == nil || row.State != whisk.RowStarted || row.Token == 0 {
			t.Fatalf("row = %+v when ErrPending is returned", row)
		}
		if least := time.Now().Add(leaseTime).UnixMilli(); row.Until < least {
			t.Errorf("until = %d, want at least %d", row.Until, least)
		}
		n.want(t, 0)
		time.Sleep(3 * time.Second)
		w.wantRecord(t, c.ID, whisk.Success, "")
		n.want(t, 1)

		// Promised, and then no room: the queue's workers run it.
		l.v.set(func() { l.v.room = 0 })
		c, n = callOf(w.actions["ns/s"], ``), &counter{}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := l.Invoke(ctx, c, time.Minute, n.end); err != whisk.ErrPending {
			t.Fatalf("err = %v", err)
		}
		time.Sleep(time.Minute)
		n.want(t, 0)
		l.v.set(func() { l.v.room = 1 })
		time.Sleep(time.Minute)
		w.wantRecord(t, c.ID, whisk.Success, "")
		n.want(t, 1)
		l.wantClean(t)
	})
}

// The record of a composite is committed before its answer.
func TestCompositeWithStoreAway(t *testing.T) {
	bubble(t, testConfig(), 1, func(t *testing.T, w *world, l *life) {
		w.define("a", gives(1000, `{}`))
		w.sequence("inner", "a")
		c, n := callOf(w.sequence("s", "a", "inner"), ``), &counter{}
		time.AfterFunc(1500*time.Millisecond, func() { w.set(func() { w.away = true }) })
		_, err := l.Invoke(t.Context(), c, time.Minute, n.end)
		if whisk.KindOf(err) != whisk.Unavailable || errors.Is(err, whisk.ErrPending) {
			t.Errorf("err = %v", err)
		}
		n.want(t, 0)
		w.back()
		time.Sleep(time.Minute)
		w.wantRecord(t, c.ID, whisk.Success, "")
		n.want(t, 1)
		if inside := w.inside(t, w.record(c.ID)); names(inside) != "a inner" {
			t.Errorf("ran %s", names(inside))
		}
		l.wantClean(t)
	})
}

// Whoever was told of a composite finds one record of it after a crash in its
// midst; nothing that ran runs again.
func TestCompositeCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		l := start(w, testConfig(), 10)
		w.define("a", gives(1000, `{}`))
		w.sequence("inner", "a", "a")
		s := w.sequence("s", "a", "inner", "a")
		conductor := w.conductor("c", gives(700, `{"action":"s"}`))
		n := &counter{}
		var ids []whisk.ActivationID
		for _, r := range []*whisk.Resolved{s, conductor} {
			queued, pending, answered := callOf(r, ``), callOf(r, ``), callOf(r, ``)
			l.submit(t, queued, n)
			go func() { _, _ = l.Invoke(context.Background(), answered, time.Hour, n.end) }()
			if _, err := l.Invoke(t.Context(), pending, 1400*time.Millisecond, n.end); err != whisk.ErrPending {
				t.Fatal(err)
			}
			ids = append(ids, queued.ID, pending.ID)
		}
		again := l.kill(testConfig(), 10)
		defer again.stop()
		runs := len(w.runs)
		time.Sleep(time.Hour)
		for _, id := range ids {
			w.wantRecord(t, id, whisk.WhiskError, msgRestarted)
			if rec := w.record(id); rec.Facts.Kind != whisk.Sequence || rec.Facts.Conductor != (rec.Name == "c") {
				t.Errorf("facts = %+v", rec.Facts)
			}
		}
		if len(w.runs) != runs {
			t.Errorf("%d activations were begun after the crash", len(w.runs)-runs)
		}
		again.wantClean(t)
	})
}

// Composites wait for their components: they must not hold up the rows of plain
// calls, nor each other.
func TestCompositesLeaveWorkers(t *testing.T) {
	cfg := testConfig()
	cfg.Workers, cfg.Composites = 1, 3
	bubble(t, cfg, 2, func(t *testing.T, w *world, l *life) {
		w.define("a", gives(100, `{}`))
		w.sequence("inner", "a")
		s := w.sequence("s", "a", "inner", "a")
		n := &counter{}
		var ids []whisk.ActivationID
		for i := range 40 {
			c := callOf(s, ``)
			if i%2 == 0 {
				c = newCall("ns", 50)
			}
			ids = append(ids, c.ID)
			l.submit(t, c, n)
		}
		for range 300 {
			time.Sleep(100 * time.Millisecond)
			l.mu.Lock()
			if l.composing > cfg.Composites || l.active > cfg.Workers {
				t.Errorf("%d composites, %d workers", l.composing, l.active)
			}
			l.mu.Unlock()
		}
		for _, id := range ids {
			w.wantRecord(t, id, whisk.Success, "")
		}
		n.want(t, 40)
		l.wantClean(t)
	})
}

func TestCompositesBound(t *testing.T) {
	cfg := testConfig()
	cfg.Composites = 2
	bubble(t, cfg, 10, func(t *testing.T, w *world, l *life) {
		w.define("a", gives(1000, `{}`))
		s := w.sequence("s", "a")
		n := &counter{}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { l.invoke(t, callOf(s, ``)) })
		}
		time.Sleep(time.Millisecond)
		if _, err := l.Invoke(t.Context(), callOf(s, ``), time.Minute, n.end); err != whisk.ErrOverloaded {
			t.Errorf("err = %v", err)
		}
		n.want(t, 1)
		queued := callOf(s, ``) // these have a bound of their own
		l.submit(t, queued, n)
		wg.Wait()
		time.Sleep(time.Second)
		w.wantRecord(t, queued.ID, whisk.Success, "")
		l.wantClean(t)
	})
}

// Rows of an earlier life turn out to be composites only when they are opened.
func TestCompositeAdopted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.define("a", gives(10, `{"a":1}`))
		s := w.sequence("s", "a", "a")
		c := w.conductor("c", gives(10, `{"end":1}`), "p=1")
		var ids []whisk.ActivationID
		for i := range 30 {
			call := []*whisk.Call{callOf(s, `{}`), callOf(c, `{"in":1}`), newCall("ns", 10)}[i%3]
			w.leave(t, call, whisk.RowQueued, 0)
			ids = append(ids, call.ID)
		}
		l := start(w, testConfig(), 2)
		defer l.stop()
		time.Sleep(time.Minute)
		for i, id := range ids {
			w.wantRecord(t, id, whisk.Success, "")
			if got, want := len(w.record(id).Logs), []int{2, 1, 0}[i%3]; got != want {
				t.Errorf("%d components, want %d", got, want)
			}
		}
		if got := string(l.v.last.Args); l.v.last.Target.Name.Name == "c" && got != `{"p":1,"in":1}` {
			t.Errorf("the conductor got %s", got)
		}
		l.wantClean(t)
	})
}

// The process stops in the midst of composites.
func TestDrainComposites(t *testing.T) {
	cfg := testConfig()
	cfg.DrainBudget = 10 * time.Second
	bubble(t, cfg, 10, func(t *testing.T, w *world, l *life) {
		w.define("short", gives(2000, `{}`))
		w.define("long", gives(20_000, `{}`))
		short, long := w.sequence("s", "short", "short", "short"), w.sequence("l", "short", "long", "long")
		conductor := w.conductor("c", gives(500, `{"action":"long"}`))
		n := &counter{}
		var wg sync.WaitGroup
		var answer *whisk.Activation
		blocking := callOf(long, ``)
		wg.Go(func() { answer, _ = l.Invoke(context.Background(), blocking, time.Hour, n.end) })
		ends, queued, composed := callOf(short, ``), callOf(long, ``), callOf(conductor, ``)
		for _, c := range []*whisk.Call{ends, queued, composed} {
			l.submit(t, c, n)
		}
		time.Sleep(time.Second)
		began := time.Now()
		l.cancel()
		<-l.done
		if took := time.Since(began); took < cfg.DrainBudget || took > cfg.DrainBudget+time.Second {
			t.Errorf("Run took %v to end, want the budget %v", took, cfg.DrainBudget)
		}
		wg.Wait()
		w.wantRecord(t, ends.ID, whisk.Success, "")
		for _, c := range []*whisk.Call{blocking, queued, composed} {
			w.wantRecord(t, c.ID, whisk.WhiskError, msgStopped)
			if inside := w.inside(t, w.record(c.ID)); len(inside) < 2 || inside[1].Response.Status != whisk.WhiskError {
				t.Errorf("ran %s", names(inside))
			}
		}
		if answer == nil || answer.ID != blocking.ID {
			t.Errorf("the waiting client got %+v", answer)
		}
		n.want(t, 4)
	})
}

// Another router must not take a long composite for one that has broken off
// while it runs, but soon after its process has gone.
func TestLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		cfg := testConfig()
		cfg.Alone = false
		l, other := start(w, cfg, 10), start(w, cfg, 10)
		defer other.stop()
		w.define("hour", gives(3_600_000, `{}`)).Action.Limits.Timeout = 4_000_000
		w.define("min", gives(55_000, `{}`))
		parts := []string{"hour", "min", "min", "hour"}
		for range 40 {
			parts = append(parts, "min")
		}
		s := w.sequence("s", parts...)
		n := &counter{}
		pending, queued, lost := callOf(s, ``), callOf(s, ``), callOf(s, ``)
		if _, err := l.Invoke(t.Context(), pending, time.Minute, n.end); err != whisk.ErrPending {
			t.Fatal(err)
		}
		l.submit(t, queued, n)
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		for _, c := range []*whisk.Call{pending, queued} {
			w.wantRecord(t, c.ID, whisk.Success, "")
		}
		if got := w.count("start"); got > 15 {
			t.Errorf("%d renewals", got)
		}
		n.want(t, 2)

		l.submit(t, lost, n)
		time.Sleep(2*time.Hour + 10*time.Minute)
		if w.record(lost.ID) != nil {
			t.Errorf("it ended early: %s", w.record(lost.ID).Response.Result)
		}
		l.p.dead.Store(true)
		l.cancel()
		<-l.done
		time.Sleep(leaseTime + cfg.Grace + 3*time.Minute)
		w.wantRecord(t, lost.ID, whisk.WhiskError, msgLost)
		other.wantClean(t)
	})
}

// A row that somebody else has ended stops its composite.
func TestLeaseLost(t *testing.T) {
	cfg := testConfig()
	cfg.Alone = false
	bubble(t, cfg, 1, func(t *testing.T, w *world, l *life) {
		runs := 0
		w.define("min", func(json.RawMessage) (int, whisk.Response) { runs++; return 55_000, response(`{}`) })
		parts := make([]string, 40)
		for i := range parts {
			parts[i] = "min"
		}
		c, n := callOf(w.sequence("s", parts...), ``), &counter{}
		l.submit(t, c, n)
		time.Sleep(time.Minute)
		w.finish(c.Failure("gone", time.Now()))
		time.Sleep(time.Hour)
		w.wantRecord(t, c.ID, whisk.WhiskError, "gone")
		if runs > 20 {
			t.Errorf("%d components ran", runs)
		}
		n.want(t, 1)
		l.wantClean(t)
	})
}

// An unstored composite leaves neither row nor record.
func TestUnstoredComposite(t *testing.T) {
	bubble(t, testConfig(), 4, func(t *testing.T, w *world, l *life) {
		w.define("a", gives(600, `{}`))
		s := w.sequence("s", "a")
		for i := range 30 {
			c := callOf(s, ``)
			c.Unstored = true
			w.set(func() { w.delay = time.Duration(i*10) * time.Millisecond })
			rec, err := l.Invoke(t.Context(), c, time.Duration(560+i*3)*time.Millisecond, nil)
			if rec == nil && err != whisk.ErrPending {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			if w.row(c.ID) != nil || w.record(c.ID) != nil {
				t.Fatalf("%d: a row or a record is left", i)
			}
		}
		l.wantClean(t)
	})
}

func BenchmarkSequence(b *testing.B) {
	w := newWorld()
	w.delay = 0
	r := w.define("a", nil)
	for _, n := range []int{1, 10} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			f := New(testConfig(), Deps{
				Invoker: instant{}, Queue: noQueue{}, Recorder: w, Actions: w, Identities: w, Runtimes: func() whisk.Runtimes { return nil },
			})
			s := w.sequence("s")
			for range n {
				s.Action.Exec.Components = append(s.Action.Exec.Components, r.Action.Name)
			}
			ctx := b.Context()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := f.Invoke(ctx, callOf(s, `{"a":1}`), time.Minute, func() {}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// noQueue commits at once.
type noQueue struct{ queue }

func (noQueue) Commit(context.Context, []*whisk.Activation, []whisk.QueueRow) error { return nil }
