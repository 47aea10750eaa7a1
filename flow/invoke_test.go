package flow

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

func TestInvoke(t *testing.T) {
	bubble(t, testConfig(), 1, func(t *testing.T, w *world, l *life) {
		c, n := newCall("ns", 100), &counter{}
		rec, err := l.Invoke(t.Context(), c, time.Second, n.end)
		if err != nil || rec.ID != c.ID {
			t.Fatalf("Invoke = %v, %v", rec, err)
		}
		n.want(t, 1) // by the time the answer is there
		if got := w.count("startnew"); got != 0 {
			t.Errorf("%d started rows for a run that ended in time", got)
		}
		l.wantClean(t)
	})
}

func TestWaitEnds(t *testing.T) {
	bubble(t, testConfig(), 1, func(t *testing.T, w *world, l *life) {
		c, n := newCall("ns", 3000), &counter{}
		began := time.Now()
		rec, err := l.Invoke(t.Context(), c, 500*time.Millisecond, n.end)
		if rec != nil || err != whisk.ErrPending {
			t.Fatalf("Invoke = %v, %v, want ErrPending", rec, err)
		}
		if took := time.Since(began); took != 501*time.Millisecond {
			t.Errorf("took %v", took)
		}
		row := w.row(c.ID)
		if row == nil || row.State != whisk.RowStarted || row.Token == 0 || row.Code != c.Target.Exec.Code {
			t.Fatalf("row = %+v when ErrPending is returned", row)
		}
		if least := time.Now().Add(2 * time.Minute).UnixMilli(); row.Until < least {
			t.Errorf("until = %d, want at least %d", row.Until, least)
		}
		n.want(t, 0)
		time.Sleep(3 * time.Second)
		w.wantRecord(t, c.ID, whisk.Success, "")
		n.want(t, 1)
		l.wantClean(t)
	})
}

func TestClientLeaves(t *testing.T) {
	bubble(t, testConfig(), 1, func(t *testing.T, w *world, l *life) {
		c, n := newCall("ns", 3000), &counter{}
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if _, err := l.Invoke(ctx, c, time.Minute, n.end); err != whisk.ErrPending {
			t.Fatalf("err = %v", err)
		}
		n.want(t, 0)
		time.Sleep(3 * time.Second)
		w.wantRecord(t, c.ID, whisk.Success, "")
		if got := w.runs[c.ID]; got != 1 {
			t.Errorf("ran %d times", got)
		}
		n.want(t, 1)
		l.wantClean(t)
	})
}

func TestNeverStarted(t *testing.T) {
	for _, tc := range []struct {
		name string
		fail error
	}{{"no room", nil}, {"refused", errors.New("no such code")}} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, testConfig(), 0, func(t *testing.T, w *world, l *life) {
				l.v.set(func() { l.v.fail = tc.fail })
				c, n := newCall("ns", 1), &counter{}
				began := time.Now()
				_, err := l.Invoke(t.Context(), c, time.Minute, n.end)
				if want := tc.fail; want != nil && err != want || want == nil && err != whisk.ErrOverloaded {
					t.Errorf("err = %v", err)
				}
				if took := time.Since(began); tc.fail == nil && took != l.cfg.Patience {
					t.Errorf("took %v, want %v", took, l.cfg.Patience)
				}
				n.want(t, 1)
				if w.record(c.ID) != nil || w.row(c.ID) != nil {
					t.Error("a call that never started has left something")
				}
				l.wantClean(t)
			})
		})
	}
}

// A call that was promised and then found no room is run by the workers.
func TestPromisedThenRefused(t *testing.T) {
	for _, tc := range []struct {
		name  string
		delay time.Duration // of the store: the refusal comes while the promise is made, or after
	}{{"after", time.Millisecond}, {"meanwhile", 10 * time.Second}} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, testConfig(), 0, func(t *testing.T, w *world, l *life) {
				w.set(func() { w.delay = tc.delay })
				c, n := newCall("ns", 10), &counter{}
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				defer cancel()
				_, err := l.Invoke(ctx, c, time.Minute, n.end)
				// Cut short, the commit of the row is uncertain, so nothing is promised.
				if want := map[bool]error{true: whisk.ErrOverloaded, false: whisk.ErrPending}[tc.delay > time.Second]; err != want {
					t.Fatalf("err = %v, want %v", err, want)
				}
				w.set(func() { w.delay = time.Millisecond })
				time.Sleep(time.Minute)
				n.want(t, 0)
				l.v.set(func() { l.v.room = 1 })
				time.Sleep(time.Minute)
				w.wantRecord(t, c.ID, whisk.Success, "")
				if got := w.runs[c.ID]; got != 1 {
					t.Errorf("ran %d times", got)
				}
				n.want(t, 1)
				l.wantClean(t)
			})
		})
	}
}

// The run ends while its started row is being committed.
func TestEndMeetsPromise(t *testing.T) {
	for _, unstored := range []bool{false, true} {
		bubble(t, testConfig(), 1, func(t *testing.T, w *world, l *life) {
			w.set(func() { w.delay = time.Second })
			c, n := newCall("ns", 600), &counter{}
			c.Unstored = unstored
			rec, err := l.Invoke(t.Context(), c, 500*time.Millisecond, n.end)
			if err != nil || rec == nil || rec.ID != c.ID {
				t.Fatalf("Invoke = %v, %v", rec, err)
			}
			time.Sleep(time.Minute)
			if w.row(c.ID) != nil {
				t.Errorf("unstored %v: the row is left", unstored)
			}
			n.want(t, 1)
			l.wantClean(t)
		})
	}
}

// StartNew takes effect after the record of an unstored run did.
func TestUnstoredRowAfterRecord(t *testing.T) {
	bubble(t, testConfig(), 1, func(t *testing.T, w *world, l *life) {
		c := newCall("ns", 600)
		c.Unstored = true
		l.queue = lateStartNew{w, 200 * time.Millisecond}
		rec, err := l.Invoke(t.Context(), c, 500*time.Millisecond, nil)
		if err != nil || rec == nil {
			t.Fatalf("Invoke = %v, %v", rec, err)
		}
		time.Sleep(time.Minute)
		if w.row(c.ID) != nil {
			t.Error("the row is left")
		}
	})
}

// lateStartNew heeds no context and takes effect late.
type lateStartNew struct {
	*world
	late time.Duration
}

func (q lateStartNew) StartNew(_ context.Context, row whisk.QueueRow, lasts time.Duration) error {
	time.Sleep(q.late)
	return q.world.StartNew(context.Background(), row, lasts)
}

func TestPromiseWithStoreAway(t *testing.T) {
	bubble(t, testConfig(), 1, func(t *testing.T, w *world, l *life) {
		w.set(func() { w.away = true })
		c, n := newCall("ns", 2000), &counter{}
		_, err := l.Invoke(t.Context(), c, time.Second, n.end)
		if whisk.KindOf(err) != whisk.Unavailable || errors.Is(err, whisk.ErrPending) || !errors.Is(err, errAway) {
			t.Errorf("err = %v", err)
		}
		if strings.Contains(whisk.MessageOf(err), errAway.Error()) {
			t.Errorf("the user sees the cause: %q", whisk.MessageOf(err))
		}
		n.want(t, 0)
		time.Sleep(2 * time.Second)
		n.want(t, 1)
		l.wantClean(t)
	})
}

func TestAPIKey(t *testing.T) {
	bubble(t, testConfig(), 1, func(t *testing.T, w *world, l *life) {
		invoke := func(c *whisk.Call) {
			t.Helper()
			if _, err := l.Invoke(t.Context(), c, time.Second, nil); err != whisk.ErrPending {
				t.Fatal(err)
			}
			if got := l.v.last.APIKey; (got == "uuid:secret") != c.Target.WantsKey {
				t.Errorf("wants key %v, got %q", c.Target.WantsKey, got)
			}
			if row := w.row(c.ID); strings.Contains(string(row.Payload), "secret") {
				t.Error("the row holds the key")
			}
			if c.APIKey != "" {
				t.Error("the caller's call was changed")
			}
			time.Sleep(time.Minute)
		}
		c := newCall("ns", 2000)
		invoke(c)
		c = newCall("ns", 2000)
		c.Target.WantsKey = true
		invoke(c)

		c = newCall("ns", 2000)
		c.Target.WantsKey = true
		if err := l.Submit(t.Context(), c, nil); err != nil {
			t.Fatal(err)
		}
		if row := w.row(c.ID); strings.Contains(string(row.Payload), "secret") {
			t.Error("the queued row holds the key")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if got := l.v.last.APIKey; got != "uuid:secret" {
			t.Errorf("key of a queued call = %q", got)
		}

		l.keys = fakeKeys{err: &whisk.Error{Kind: whisk.Unauthenticated}}
		c, n := newCall("ns", 1), &counter{}
		c.Target.WantsKey = true
		if _, err := l.Invoke(t.Context(), c, time.Second, n.end); whisk.KindOf(err) != whisk.Unauthenticated {
			t.Errorf("err = %v", err)
		}
		n.want(t, 1)
	})
}

func TestAfterStop(t *testing.T) {
	bubble(t, testConfig(), 1, func(t *testing.T, w *world, l *life) {
		l.stop()
		n := &counter{}
		if _, err := l.Invoke(t.Context(), newCall("ns", 1), time.Second, n.end); whisk.KindOf(err) != whisk.Unavailable {
			t.Errorf("Invoke: %v", err)
		}
		if err := l.Submit(t.Context(), newCall("ns", 1), n.end); whisk.KindOf(err) != whisk.Unavailable {
			t.Errorf("Submit: %v", err)
		}
		n.want(t, 2)
		if w.count("enqueue") != 0 {
			t.Error("a row after the stop")
		}
	})
}
