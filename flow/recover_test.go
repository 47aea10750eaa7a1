package flow

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

// leave puts a row of an earlier process into the store.
func (w *world) leave(t *testing.T, c *whisk.Call, state whisk.RowState, until time.Duration) {
	t.Helper()
	plain, err := encodeCall(c)
	if err != nil {
		t.Fatal(err)
	}
	sealed, _ := fakeSealer{}.Seal(plain, c.ID[:])
	row := whisk.QueueRow{ID: c.ID, Namespace: c.Namespace, State: state, Payload: sealed, Created: time.Now().UnixMilli()}
	if state == whisk.RowStarted {
		row.Token, row.Until = 12345, time.Now().Add(until).UnixMilli()
	}
	w.set(func() { w.insert(row) })
}

func TestRecoverAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		cfg := testConfig()
		cfg.MaxRows = 16
		var queued, started []whisk.ActivationID
		for range 3 * pageRows { // several pages, and more than fit into memory
			a, b := newCall("ns", 10), newCall("ns", 10)
			w.leave(t, a, whisk.RowQueued, 0)
			w.leave(t, b, whisk.RowStarted, time.Hour)
			queued, started = append(queued, a.ID), append(started, b.ID)
		}
		unreadable := newCall("ns", 1)
		w.leave(t, unreadable, whisk.RowQueued, 0)
		w.set(func() { w.rows[unreadable.ID].Payload[3]++ })
		unstored := newCall("ns", 1)
		unstored.Unstored = true
		w.leave(t, unstored, whisk.RowStarted, time.Hour)

		l := start(w, cfg, 4)
		defer l.stop()
		time.Sleep(time.Minute)
		for _, id := range started {
			w.wantRecord(t, id, whisk.WhiskError, msgRestarted)
			if w.runs[id] != 0 {
				t.Error("a started row was run again")
			}
		}
		for _, id := range queued {
			w.wantRecord(t, id, whisk.Success, "")
		}
		w.wantRecord(t, unreadable.ID, whisk.WhiskError, msgUnreadable)
		if w.row(unstored.ID) != nil || w.record(unstored.ID) != nil {
			t.Error("an unstored row was not just dropped")
		}
		l.wantClean(t)
	})
}

func TestRecoverWaitsForStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		c := newCall("ns", 10)
		w.leave(t, c, whisk.RowStarted, time.Hour)
		w.away = true
		l := start(w, testConfig(), 4)
		defer l.stop()
		time.Sleep(time.Minute)
		w.back()
		time.Sleep(time.Minute)
		w.wantRecord(t, c.ID, whisk.WhiskError, msgRestarted)
	})
}

// Rows that this process has started or is about to are left alone, even if
// they are found before Run has looked through the store.
func TestRecoverLeavesOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		for range 200 {
			w.leave(t, newCall("other", 10), whisk.RowStarted, time.Hour)
		}
		w.delay = 300 * time.Millisecond
		l := start(w, testConfig(), 4)
		defer l.stop()
		c, n := newCall("ns", 5000), &counter{}
		if _, err := l.Invoke(t.Context(), c, 100*time.Millisecond, n.end); err != whisk.ErrPending {
			t.Fatal(err)
		}
		q := newCall("ns", 5000)
		l.submit(t, q, n)
		time.Sleep(time.Minute)
		w.wantRecord(t, c.ID, whisk.Success, "")
		w.wantRecord(t, q.ID, whisk.Success, "")
		n.want(t, 2)
	})
}

func TestNotAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		cfg := testConfig()
		cfg.Alone = false
		past, soon, queued := newCall("ns", 10), newCall("ns", 10), newCall("ns", 10)
		w.leave(t, past, whisk.RowStarted, -time.Second)
		w.leave(t, soon, whisk.RowStarted, 10*time.Minute)
		w.leave(t, queued, whisk.RowQueued, 0)
		l := start(w, cfg, 4)
		defer l.stop()
		time.Sleep(9 * time.Minute)
		w.wantRecord(t, past.ID, whisk.WhiskError, msgLost)
		w.wantRecord(t, queued.ID, whisk.Success, "")
		if w.record(soon.ID) != nil {
			t.Error("a started row failed before its time")
		}
		late := newCall("ns", 10) // of a router that dies while we live
		w.leave(t, late, whisk.RowQueued, 0)
		time.Sleep(3 * time.Minute)
		w.wantRecord(t, soon.ID, whisk.WhiskError, msgLost)
		w.wantRecord(t, late.ID, whisk.Success, "")
	})
}

// A started row whose run is nowhere ends before its time; one that an invoker
// still knows does not.
func TestGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		gone, going := newCall("ns", 10), newCall("ns", 10)
		cfg := testConfig()
		cfg.Alone = false
		cfg.Gone = func(_ context.Context, id whisk.ActivationID) bool { return id == gone.ID }
		w.leave(t, gone, whisk.RowStarted, 10*time.Minute)
		w.leave(t, going, whisk.RowStarted, 10*time.Minute)
		l := start(w, cfg, 4)
		defer l.stop()
		time.Sleep(time.Second)
		w.wantRecord(t, gone.ID, whisk.WhiskError, msgLost)
		if w.record(going.ID) != nil {
			t.Error("a row whose run goes on has failed")
		}
	})
}

// Two routers find the same rows; each row is run once.
func TestTwoRouters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		cfg := testConfig()
		cfg.Alone, cfg.MaxRows = false, 8
		var ids []whisk.ActivationID
		for range 100 {
			c := newCall("ns", 20)
			ids = append(ids, c.ID)
			w.leave(t, c, whisk.RowQueued, 0)
		}
		a, b := start(w, cfg, 4), start(w, cfg, 4)
		defer a.stop()
		defer b.stop()
		n := &counter{}
		for range 50 {
			c := newCall("ns", 20)
			ids = append(ids, c.ID)
			a.submit(t, c, n)
		}
		time.Sleep(10 * time.Minute)
		for _, id := range ids {
			w.wantRecord(t, id, whisk.Success, "")
			if w.runs[id] != 1 {
				t.Errorf("ran %d times", w.runs[id])
			}
		}
		n.want(t, 50) // also for those that the other router ran
		a.wantClean(t)
		b.wantClean(t)
	})
}

// A row is found although the store gives out one at a time, and runs although
// the clock has been set back since.
func TestRecoverBehindTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.short = true
		w.leave(t, newCall("ns", 10), whisk.RowStarted, time.Hour)
		c := newCall("ns", 10)
		w.leave(t, c, whisk.RowQueued, 0)
		w.set(func() { w.rows[c.ID].Created += time.Hour.Milliseconds() })
		l := start(w, testConfig(), 4)
		defer l.stop()
		time.Sleep(time.Minute)
		w.wantRecord(t, c.ID, whisk.Success, "")
		if l.v.last.Waited < 0 {
			t.Errorf("the call had waited %v", l.v.last.Waited)
		}
		l.wantClean(t)
	})
}
