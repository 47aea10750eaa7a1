package flow

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

// retriedCall returns a call that is run up to three times, after 10 and 20
// seconds, of which the first so many fail.
func (w *world) retriedCall(fails int) *whisk.Call {
	c := newCall("ns", 100)
	c.Retry = &whisk.Retry{Attempts: 3, Backoff: 10 * time.Second}
	w.set(func() { w.failing[c.ID] = fails })
	return c
}

func (w *world) wantAttempts(t *testing.T, c *whisk.Call, record, runs int, dead bool) {
	t.Helper()
	rec := w.record(c.ID)
	if rec == nil || rec.Attempt != record {
		t.Errorf("record = %+v, want one of attempt %d", rec, record)
	}
	for n, times := range w.tries[c.ID] {
		if times != 1 {
			t.Errorf("attempt %d ran %d times", n, times)
		}
	}
	if got := len(w.tries[c.ID]); got != runs {
		t.Errorf("%d attempts, want %d", got, runs)
	}
	if _, ok := w.dead[c.ID]; ok != dead {
		t.Errorf("dead letter: %v, want %v", ok, dead)
	}
}

func TestRetry(t *testing.T) {
	bubble(t, testConfig(), 2, func(t *testing.T, w *world, l *life) {
		n := &counter{}
		first, second, third, never := w.retriedCall(0), w.retriedCall(1), w.retriedCall(2), w.retriedCall(3)
		blocking := w.retriedCall(3)
		for _, c := range []*whisk.Call{first, second, third, never} {
			l.submit(t, c, n)
		}
		time.Sleep(5 * time.Second)
		n.want(t, 1)
		if r := w.row(second.ID); r == nil || r.State != whisk.RowQueued || r.Attempt != 2 || w.record(second.ID) != nil {
			t.Errorf("row between the attempts = %+v", r)
		}
		time.Sleep(10 * time.Second)
		n.want(t, 2)
		time.Sleep(20 * time.Second)
		n.want(t, 4)
		w.wantAttempts(t, first, 1, 1, false)
		w.wantAttempts(t, second, 2, 2, false)
		w.wantAttempts(t, third, 3, 3, false)
		w.wantAttempts(t, never, 3, 3, true)
		w.wantRecord(t, third.ID, whisk.Success, "")
		w.wantRecord(t, never.ID, whisk.ApplicationError, "not yet")
		if got := l.v.last.Waited; got > 5*time.Second {
			t.Errorf("the last attempt had waited for %v", got)
		}
		if _, err := l.Invoke(t.Context(), blocking, time.Minute, nil); err != nil {
			t.Error(err)
		}
		if rec := w.record(blocking.ID); rec == nil || rec.Attempt != 0 {
			t.Errorf("record of a blocking call = %+v", rec)
		}
		l.wantClean(t)
	})
}

// What the platform fails is retried as well; what is too old, or nobody's, is
// not.
func TestRetryOfFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		broken, old, last := w.retriedCall(0), w.retriedCall(0), w.retriedCall(0)
		w.leave(t, broken, whisk.RowStarted, time.Second)
		w.leave(t, old, whisk.RowQueued, 0)
		w.leave(t, last, whisk.RowStarted, time.Second)
		nobodys := w.retriedCall(0)
		nobodys.UUID = "gone"
		w.blocked["gone"] = true
		w.leave(t, nobodys, whisk.RowQueued, 0)
		w.set(func() {
			w.rows[broken.ID].Attempt, w.rows[old.ID].Attempt, w.rows[last.ID].Attempt, w.rows[nobodys.ID].Attempt = 1, 2, 3, 1
			w.rows[old.ID].Created -= 2 * time.Hour.Milliseconds()
		})
		l := start(w, sharedConfig(), 2)
		defer l.stop()
		time.Sleep(5 * time.Minute)
		w.wantAttempts(t, broken, 2, 1, false)
		w.wantRecord(t, broken.ID, whisk.Success, "")
		w.wantAttempts(t, old, 2, 0, true)
		w.wantRecord(t, old.ID, whisk.WhiskError, msgAged)
		w.wantAttempts(t, last, 3, 0, true)
		w.wantRecord(t, last.ID, whisk.WhiskError, msgLost)
		w.wantAttempts(t, nobodys, 1, 0, true)
		w.wantRecord(t, nobodys.ID, whisk.WhiskError, msgNoCaller)
		l.wantClean(t)
	})
}

// A composite is retried as a whole.
func TestRetryOfComposites(t *testing.T) {
	bubble(t, testConfig(), 2, func(t *testing.T, w *world, l *life) {
		runs := 0
		w.define("x", func(json.RawMessage) (int, whisk.Response) {
			if runs++; runs < 3 {
				return 10, response(`{"error":"not yet"}`)
			}
			return 10, response(`{"ok":1}`)
		})
		c, n := callOf(w.sequence("s", "x"), ``), &counter{}
		c.Retry = &whisk.Retry{Attempts: 3, Backoff: time.Second}
		l.submit(t, c, n)
		time.Sleep(time.Minute)
		w.wantRecord(t, c.ID, whisk.Success, "")
		if rec := w.record(c.ID); rec.Attempt != 3 || runs != 3 {
			t.Errorf("attempt %d, %d runs", rec.Attempt, runs)
		}
		n.want(t, 1)
		l.wantClean(t)
	})
}

// An action's own bound on its calls' age holds.
func TestRetryMaxAge(t *testing.T) {
	bubble(t, testConfig(), 0, func(t *testing.T, w *world, l *life) {
		n := &counter{}
		short, long := w.retriedCall(0), w.retriedCall(0)
		short.Retry = &whisk.Retry{Attempts: 2, MaxAge: time.Minute}
		long.Retry = &whisk.Retry{Attempts: 2, MaxAge: 2 * time.Hour}
		l.submitAll(t, "ns", 10, 1, n) // before them
		l.submit(t, long, n)
		l.submit(t, short, n)
		time.Sleep(time.Minute - time.Second)
		n.want(t, 0)
		time.Sleep(time.Minute)
		w.wantAttempts(t, short, 1, 0, true)
		time.Sleep(time.Hour)
		n.want(t, 11)
		if w.record(long.ID) != nil {
			t.Error("one of another action ended as well")
		}
		time.Sleep(time.Hour)
		w.wantAttempts(t, long, 1, 0, true)
		l.wantClean(t)
	})
}

// The next attempt waits until the store has noted the one before, which it was
// away for.
func TestRetryWithStoreAway(t *testing.T) {
	for _, cfg := range []Config{testConfig(), sharedConfig()} {
		bubble(t, cfg, 2, func(t *testing.T, w *world, l *life) {
			c, n := w.retriedCall(2), &counter{}
			c.Retry = &whisk.Retry{Attempts: 3, Backoff: 10 * time.Millisecond}
			l.submit(t, c, n)
			time.Sleep(50 * time.Millisecond)
			w.set(func() { w.away = true })
			time.Sleep(40 * time.Second)
			w.back()
			time.Sleep(5 * time.Minute)
			w.wantAttempts(t, c, 3, 3, false)
			n.want(t, 1)
			l.wantClean(t)
		})
	}
}

// A process that ends between two attempts leaves the next one to others.
func TestRetryAcrossProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		c := w.retriedCall(2)
		l := start(w, sharedConfig(), 2)
		l.submit(t, c, &counter{})
		for range 2 {
			time.Sleep(5 * time.Second)
			l.cancel()
			<-l.done
			l = start(w, sharedConfig(), 2)
			time.Sleep(9 * time.Second)
		}
		time.Sleep(20 * time.Second)
		w.wantAttempts(t, c, 3, 3, false)
		l.stop()
	})
}

// An attempt that was lost is followed by the next one, although the router that
// started it lives and has forgotten it.
func TestRetryOfForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		l := start(w, sharedConfig(), 2)
		defer l.stop()
		c := w.retriedCall(0)
		w.leave(t, c, whisk.RowStarted, time.Second)
		holder := l.holds()
		w.set(func() { w.rows[c.ID].Attempt, w.rows[c.ID].Holder = 1, holder })
		time.Sleep(2 * time.Minute)
		w.wantAttempts(t, c, 2, 1, false)
		w.wantRecord(t, c.ID, whisk.Success, "")
		l.wantClean(t)
	})
}

// What another router runs does not end because it is too old for the one that
// held it before and stood still.
func TestTooOldElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		a, b := start(w, sharedConfig(), 0), start(w, sharedConfig(), 2)
		defer a.stop()
		defer b.stop()
		c, n := newCall("ns", 60_000), &counter{}
		c.Retry = &whisk.Retry{Attempts: 2, Backoff: time.Second, MaxAge: 40 * time.Second}
		a.submit(t, c, n)
		time.Sleep(3 * time.Second)
		for w.row(c.ID).State != whisk.RowQueued { // it is being offered
			time.Sleep(time.Millisecond)
		}
		a.p.pause(50 * time.Second)
		time.Sleep(3 * time.Minute)
		w.wantRecord(t, c.ID, whisk.Success, "")
		w.wantAttempts(t, c, 1, 1, false)
		n.want(t, 1)
		a.wantClean(t)
		b.wantClean(t)
	})
}
