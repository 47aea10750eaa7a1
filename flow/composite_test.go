package flow

import (
	"context"
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
