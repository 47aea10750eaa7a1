package flow

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

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
