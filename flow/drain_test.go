package flow

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

func TestDrain(t *testing.T) {
	cfg := testConfig()
	cfg.DrainBudget = 10 * time.Second
	bubble(t, cfg, 4, func(t *testing.T, w *world, l *life) {
		n := &counter{}
		var wg sync.WaitGroup
		invoke := func(c *whisk.Call, wait time.Duration) (rec *whisk.Activation, err error) {
			wg.Go(func() { rec, err = l.Invoke(context.Background(), c, wait, n.end) })
			return
		}
		short, long, pending, row := newCall("ns", 5_000), newCall("ns", 60_000), newCall("ns", 60_000), newCall("ns", 5_000)
		var answer *whisk.Activation
		wg.Go(func() { answer, _ = l.Invoke(context.Background(), long, time.Minute, n.end) })
		_, _ = invoke(short, time.Minute)
		_, _ = invoke(pending, time.Second)
		l.submit(t, row, n)
		time.Sleep(2 * time.Second)
		queued := newCall("ns", 1) // no room
		l.submit(t, queued, n)
		time.Sleep(50 * time.Millisecond)

		began := time.Now()
		l.cancel()
		<-l.done
		if took := time.Since(began); took < cfg.DrainBudget || took > cfg.DrainBudget+time.Second {
			t.Errorf("Run took %v to end, want the budget %v", took, cfg.DrainBudget)
		}
		wg.Wait()
		w.wantRecord(t, short.ID, whisk.Success, "")
		w.wantRecord(t, row.ID, whisk.Success, "")
		w.wantRecord(t, long.ID, whisk.WhiskError, msgStopped)
		w.wantRecord(t, pending.ID, whisk.WhiskError, msgStopped)
		if answer == nil || answer.Response.Status != whisk.WhiskError {
			t.Errorf("the waiting client got %+v", answer)
		}
		if r := w.row(queued.ID); r == nil || r.State != whisk.RowQueued {
			t.Errorf("the row that did not start = %+v", r)
		}
		n.want(t, 4)
	})
}

// The budget begins before the end, while requests that are there already are
// still answered.
func TestBeginDrain(t *testing.T) {
	cfg := testConfig()
	cfg.DrainBudget = 10 * time.Second
	bubble(t, cfg, 4, func(t *testing.T, w *world, l *life) {
		n := &counter{}
		began := time.Now()
		l.BeginDrain()
		l.BeginDrain()
		row, short, long := newCall("ns", 1), newCall("ns", 1_000), newCall("ns", 60_000)
		l.submit(t, row, n)
		if rec, err := l.Invoke(t.Context(), short, time.Minute, n.end); err != nil || rec.Response.Status != whisk.Success {
			t.Errorf("a short call: %v, %v", rec, err)
		}
		time.Sleep(3 * time.Second)
		rec, err := l.Invoke(t.Context(), long, time.Minute, n.end)
		if err != nil || rec.Response.Status != whisk.WhiskError {
			t.Errorf("a long call: %v, %v", rec, err)
		}
		if took := time.Since(began); took < cfg.DrainBudget || took > cfg.DrainBudget+time.Second {
			t.Errorf("it ended after %v, want the budget %v", took, cfg.DrainBudget)
		}
		l.cancel()
		<-l.done
		if r := w.row(row.ID); r == nil || r.State != whisk.RowQueued || w.runs[row.ID] != 0 {
			t.Errorf("a row that came late = %+v", r)
		}
		n.want(t, 2)
	})
}

func TestDrainOfNothing(t *testing.T) {
	bubble(t, testConfig(), 4, func(t *testing.T, _ *world, l *life) {
		began := time.Now()
		l.cancel()
		<-l.done
		if took := time.Since(began); took > time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// What was promised or started but did not run is queued when the process ends.
func TestDrainTakesBack(t *testing.T) {
	bubble(t, testConfig(), 0, func(t *testing.T, w *world, l *life) {
		w.set(func() { w.delay = 200 * time.Millisecond })
		n := &counter{}
		var ids []whisk.ActivationID
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		for i := range 10 {
			c := newCall("ns", 10)
			ids = append(ids, c.ID)
			if i < 5 {
				l.submit(t, c, n)
				continue
			}
			if _, err := l.Invoke(ctx, c, time.Minute, n.end); err != whisk.ErrPending {
				t.Fatal(err)
			}
		}
		time.Sleep(l.cfg.Patience - 300*time.Millisecond) // promised ones are refused about now
		l.cancel()
		<-l.done
		for _, id := range ids {
			if r := w.row(id); r == nil || r.State != whisk.RowQueued {
				t.Errorf("row = %+v, want a queued one", r)
			}
		}
		n.want(t, 0)
		again := start(w, testConfig(), 2)
		defer again.stop()
		time.Sleep(time.Minute)
		synctest.Wait()
		for _, id := range ids {
			w.wantRecord(t, id, whisk.Success, "")
			if w.runs[id] != 1 {
				t.Errorf("ran %d times", w.runs[id])
			}
		}
	})
}
