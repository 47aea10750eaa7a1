package flow

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

func sharedConfig() Config {
	cfg := testConfig()
	cfg.Alone = false
	return cfg
}

// submitAll submits calls of a namespace and returns their ids.
func (l *life) submitAll(t *testing.T, ns whisk.Namespace, calls, ms int, n *counter) []whisk.ActivationID {
	t.Helper()
	ids := make([]whisk.ActivationID, calls)
	for i := range ids {
		c := newCall(ns, ms)
		ids[i] = c.ID
		l.submit(t, c, n)
	}
	return ids
}

// wantRuns fails unless all have a record of success and ran once.
func (w *world) wantRuns(t *testing.T, ids []whisk.ActivationID) {
	t.Helper()
	for _, id := range ids {
		w.wantRecord(t, id, whisk.Success, "")
		if n := w.ran(id); n != 1 {
			t.Errorf("ran %d times", n)
		}
	}
}

// What a router holds that died is claimed by another when the lease is over,
// not before.
func TestClaimOfTheDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		a, b := start(w, sharedConfig(), 0), start(w, sharedConfig(), 4)
		defer b.stop()
		ids := a.submitAll(t, "ns", 10, 20, &counter{})
		time.Sleep(time.Hour / 2) // as long as it lives it keeps them
		for _, id := range ids {
			if w.ran(id) != 0 || !a.own(w.row(id).Holder) && w.row(id).State == whisk.RowQueued {
				t.Fatalf("row = %+v", w.row(id))
			}
		}
		a.p.dead.Store(true)
		a.cancel()
		<-a.done
		time.Sleep(testLease - a.cfg.Lease/4 - time.Second)
		for _, id := range ids {
			if w.ran(id) != 0 {
				t.Error("claimed before the lease was over")
			}
		}
		time.Sleep(10 * time.Second)
		ran := 0
		for _, id := range ids {
			ran += w.ran(id)
		}
		if ran < len(ids)-tiredPerLane { // those that it had started are failed later
			t.Errorf("%d ran", ran)
		}
		time.Sleep(10 * time.Minute)
		for _, id := range ids {
			if w.record(id) == nil || w.ran(id) > 1 {
				t.Errorf("record %v, ran %d times", w.record(id), w.ran(id))
			}
		}
		b.wantClean(t)
	})
}

// A router that stops gives its claims back, so that another has them at once.
func TestDrainReleases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		a := start(w, sharedConfig(), 1)
		n := &counter{}
		long := newCall("ns", 25_000)
		a.submit(t, long, n)
		time.Sleep(time.Second)
		ids := a.submitAll(t, "ns", 40, 20, n)
		retried := newCall("ns", 1)
		retried.Retry = &whisk.Retry{Attempts: 2, Backoff: time.Minute}
		a.submit(t, retried, n)
		b := start(w, sharedConfig(), 4)
		defer b.stop()
		a.BeginDrain() // it has requests to answer still
		time.Sleep(6 * time.Second)
		w.wantRuns(t, ids)
		w.wantRuns(t, []whisk.ActivationID{retried.ID})
		late := a.submitAll(t, "ns", 3, 20, n)
		time.Sleep(3 * time.Second)
		w.wantRuns(t, late)
		a.stop()
		w.wantRuns(t, []whisk.ActivationID{long.ID})
		a.wantClean(t)
	})
}

// A router that is halted while it holds claims, and goes on when others have
// them, runs none twice; neither what it had asked to start.
func TestPausedHolder(t *testing.T) {
	for _, pause := range []time.Duration{5 * time.Second, 30 * time.Second, 10 * time.Minute} {
		t.Run(pause.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				a, b := start(w, sharedConfig(), 2), start(w, sharedConfig(), 2)
				defer a.stop()
				defer b.stop()
				n := &counter{}
				w.set(func() { w.delay = 30 * time.Millisecond })
				ids := a.submitAll(t, "ns", 50, 50, n)
				a.p.pause(pause)
				time.Sleep(time.Hour)
				for _, id := range ids {
					if rec := w.record(id); rec == nil || w.ran(id) > 1 || w.ran(id) == 0 && rec.Response.Status == whisk.Success {
						t.Errorf("ran %d times, record %+v", w.ran(id), rec)
					}
				}
				n.want(t, 50)
				a.wantClean(t)
				b.wantClean(t)
			})
		})
	}
}

// A start of which the answer comes late is taken back, not used.
func TestLateStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		a := start(w, sharedConfig(), 2)
		defer a.stop()
		w.set(func() { w.delay = 100 * time.Millisecond })
		c, n := newCall("ns", 50), &counter{}
		a.submit(t, c, n)
		time.Sleep(50 * time.Millisecond)
		a.p.pause(a.cfg.StoreTimeout + time.Second)
		time.Sleep(a.cfg.StoreTimeout + time.Second + 10*time.Millisecond)
		if w.ran(c.ID) != 0 {
			t.Error("it was sent with a start of long ago")
		}
		time.Sleep(time.Minute)
		w.wantRuns(t, []whisk.ActivationID{c.ID})
		if got := a.m.late.Get(); got != 1 {
			t.Errorf("%d late starts", got)
		}
		n.want(t, 1)
	})
}

// While claims cannot be renewed nothing is started that another may have.
func TestLapse(t *testing.T) {
	bubble(t, sharedConfig(), 0, func(t *testing.T, w *world, l *life) {
		ids := l.submitAll(t, "ns", 5, 20, &counter{})
		time.Sleep(time.Minute)
		w.set(func() { w.away = true })
		time.Sleep(2 * testLease)
		l.v.set(func() { l.v.room = 5 })
		l.mu.Lock()
		lapsed := l.lapsed(time.Now())
		l.mu.Unlock()
		if !lapsed {
			t.Error("the claims count as renewed")
		}
		w.back()
		time.Sleep(time.Minute)
		w.wantRuns(t, ids)
		l.wantClean(t)
	})
}

// A claim of which the answer was lost leaves no row behind.
func TestClaimUnanswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		var ids []whisk.ActivationID
		for range 20 {
			c := newCall("ns", 20)
			ids = append(ids, c.ID)
			w.leave(t, c, whisk.RowQueued, 0)
		}
		w.mute = true
		l := start(w, sharedConfig(), 4)
		defer l.stop()
		time.Sleep(15 * time.Second)
		w.back()
		time.Sleep(time.Minute)
		w.wantRuns(t, ids)
		l.wantClean(t)
	})
}

// A namespace that has left thousands of rows in the store keeps none of the
// others' from their turn, which another router left there.
func TestClaimIsFair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		cfg := sharedConfig()
		l := start(w, cfg, 4)
		defer l.stop()
		n := &counter{}
		for range 1000 {
			l.submit(t, newCall("greedy", 100), n)
		}
		var ids []whisk.ActivationID
		for i := range 60 {
			c := newCall(whisk.Namespace(fmt.Sprint("small", i%3)), 100)
			ids = append(ids, c.ID)
			w.leave(t, c, whisk.RowQueued, 0)
		}
		// 60 rows of 240 if all four have their share: six seconds.
		time.Sleep(10 * time.Second)
		w.wantRuns(t, ids)
		time.Sleep(time.Minute)
		n.want(t, 1000)
		l.wantClean(t)
	})
}

// The ids of rows that were left to the store, and that another router has run,
// are not owed for ever.
func TestOwed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		cfg := sharedConfig()
		cfg.MaxRows = 8
		a := start(w, cfg, 0)
		defer a.stop()
		n := &counter{}
		a.submitAll(t, "ns", 200, 10, n)
		b := start(w, cfg, 4)
		defer b.stop()
		time.Sleep(time.Minute)
		a.mu.Lock()
		owed := len(a.owed)
		a.mu.Unlock()
		if owed != 0 {
			t.Errorf("%d are owed", owed)
		}
		b.wantClean(t)
	})
}
