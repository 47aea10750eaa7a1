package flow

import (
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

func (l *life) wantCancelled(t *testing.T, w *world, id whisk.ActivationID) {
	t.Helper()
	rec, err := l.Cancel(t.Context(), "ns", id)
	if err != nil {
		t.Error(err)
		return
	}
	if rec.ID != id || rec.Response.Status != whisk.ApplicationError || rec.Name != "act" {
		t.Errorf("record = %+v", rec)
	}
	w.wantRecord(t, id, whisk.ApplicationError, msgCancelled)
	if w.ran(id) != 0 {
		t.Error("it ran")
	}
}

func TestCancel(t *testing.T) {
	cfg := testConfig()
	cfg.MaxRows = 8
	bubble(t, cfg, 1, func(t *testing.T, w *world, l *life) {
		n := &counter{}
		running := newCall("ns", 5000)
		l.submit(t, running, n)
		time.Sleep(time.Second)
		ids := l.submitAll(t, "ns", 20, 10, n) // more than fit into memory
		time.Sleep(100 * time.Millisecond)
		for _, i := range []int{1, 5, 15, 19} {
			l.wantCancelled(t, w, ids[i])
		}
		n.want(t, 4)
		if _, err := l.Cancel(t.Context(), "ns", ids[19]); err != whisk.ErrNotFound {
			t.Errorf("cancelled already: %v", err)
		}
		if _, err := l.Cancel(t.Context(), "other", ids[2]); err != whisk.ErrNotFound {
			t.Errorf("of another namespace: %v", err)
		}
		if _, err := l.Cancel(t.Context(), "ns", running.ID); err != errStarted {
			t.Errorf("of a running one: %v", err)
		}
		w.set(func() { w.away = true })
		if _, err := l.Cancel(t.Context(), "ns", ids[3]); whisk.KindOf(err) != whisk.Unavailable {
			t.Errorf("with the store away: %v", err)
		}
		w.back()
		time.Sleep(time.Minute)
		w.wantRecord(t, ids[3], whisk.Success, "")
		w.wantRecord(t, running.ID, whisk.Success, "")
		n.want(t, 21)
		l.wantClean(t)
	})
}

// The next attempt of a call that has failed can be cancelled.
func TestCancelRetried(t *testing.T) {
	bubble(t, testConfig(), 1, func(t *testing.T, w *world, l *life) {
		c, n := w.retriedCall(3), &counter{}
		l.submit(t, c, n)
		time.Sleep(time.Second)
		if _, err := l.Cancel(t.Context(), "ns", c.ID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		w.wantRecord(t, c.ID, whisk.ApplicationError, msgCancelled)
		w.wantAttempts(t, c, 2, 1, false)
		n.want(t, 1)
		l.wantClean(t)
	})
}

// Who could not cancel the next attempt of a call leaves it to its time.
func TestCancelRetriedInVain(t *testing.T) {
	bubble(t, testConfig(), 1, func(t *testing.T, w *world, l *life) {
		c, n := w.retriedCall(1), &counter{}
		l.submit(t, c, n)
		time.Sleep(time.Second)
		w.set(func() { w.away = true })
		if _, err := l.Cancel(t.Context(), "ns", c.ID); whisk.KindOf(err) != whisk.Unavailable {
			t.Errorf("with the store away: %v", err)
		}
		w.back()
		time.Sleep(5 * time.Second)
		if n := w.ran(c.ID); n != 1 {
			t.Errorf("%d attempts before the pause was over", n)
		}
		time.Sleep(time.Minute)
		w.wantAttempts(t, c, 2, 2, false)
		n.want(t, 1)
		l.wantClean(t)
	})
}

// A row that another router holds is cancelled; that one finds out.
func TestCancelElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		a, b := start(w, sharedConfig(), 0), start(w, sharedConfig(), 0)
		defer a.stop()
		defer b.stop()
		n := &counter{}
		ids := a.submitAll(t, "ns", 5, 10, n)
		time.Sleep(20 * time.Minute)
		for _, id := range ids {
			for w.row(id).State != whisk.RowQueued { // it is being offered
				time.Sleep(time.Millisecond)
			}
			b.wantCancelled(t, w, id)
		}
		time.Sleep(10 * time.Second)
		n.want(t, 5)
		a.wantClean(t)
	})
}

func TestRedrive(t *testing.T) {
	bubble(t, testConfig(), 2, func(t *testing.T, w *world, l *life) {
		n := &counter{}
		c := w.retriedCall(3)
		c.Cause, c.Bounds = whisk.NewActivationID(), &whisk.Bounds{}
		l.submit(t, c, n)
		time.Sleep(time.Minute)
		w.wantAttempts(t, c, 3, 3, true)
		who, _ := w.Identity(t.Context(), "uuid")

		w.set(func() { w.away = true })
		if _, err := l.Redrive(t.Context(), who, "tid", c.ID, n.end); err == nil {
			t.Error("with the store away: no error")
		}
		w.back()
		n.want(t, 2)
		id, err := l.Redrive(t.Context(), who, "tid", c.ID, n.end)
		if err != nil || id == c.ID {
			t.Fatalf("%v, %v", id, err)
		}
		if _, err := l.Redrive(t.Context(), who, "tid", c.ID, n.end); whisk.KindOf(err) != whisk.NotFound {
			t.Errorf("again: %v", err)
		}
		time.Sleep(time.Minute)
		n.want(t, 4)
		w.wantRecord(t, id, whisk.Success, "")
		w.wantRecord(t, c.ID, whisk.ApplicationError, "not yet")
		if got := l.v.last; got.ID != id || got.TransactionID != "tid" || got.Attempt != 1 || got.Waited > time.Second || string(got.Args) != string(c.Args) {
			t.Errorf("the call = %+v", got)
		}
		l.wantClean(t)
	})
}
