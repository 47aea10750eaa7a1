package flow

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

func (l *life) submit(t *testing.T, c *whisk.Call, n *counter) {
	t.Helper()
	if err := l.Submit(t.Context(), c, n.end); err != nil {
		t.Fatal(err)
	}
}

func TestSubmit(t *testing.T) {
	bubble(t, testConfig(), 1, func(t *testing.T, w *world, l *life) {
		w.set(func() { w.delay = 100 * time.Millisecond })
		c, n := newCall("ns", 1000), &counter{}
		c.Waited = 5 * time.Millisecond
		l.submit(t, c, n)
		if w.row(c.ID) == nil {
			t.Fatal("no row when Submit returns")
		}
		time.Sleep(500 * time.Millisecond)
		synctest.Wait()
		if row := w.row(c.ID); row.State != whisk.RowStarted || !l.own(row.Token) {
			t.Errorf("row of a running call = %+v", row)
		}
		if got := l.v.last; !got.NoQueue || got.Waited != 205*time.Millisecond || got.Subject != "someone" {
			t.Errorf("the call as it was handed over: %+v", got)
		}
		if c.NoQueue {
			t.Error("the caller's call was changed")
		}
		n.want(t, 0)
		time.Sleep(time.Second)
		w.wantRecord(t, c.ID, whisk.Success, "")
		n.want(t, 1)
		if got := w.count("read"); got != 1 {
			t.Errorf("the store was read %d times, want 1", got)
		}
		l.wantClean(t)
	})
}

func TestBusy(t *testing.T) {
	const calls = 60
	bubble(t, testConfig(), 3, func(t *testing.T, w *world, l *life) {
		n := &counter{}
		var ids []whisk.ActivationID
		for range calls {
			c := newCall("ns", 100)
			ids = append(ids, c.ID)
			l.submit(t, c, n)
		}
		began := time.Now()
		time.Sleep(10 * time.Second)
		for _, id := range ids {
			w.wantRecord(t, id, whisk.Success, "")
			if w.runs[id] != 1 {
				t.Errorf("ran %d times", w.runs[id])
			}
		}
		n.want(t, calls)
		if l.v.most != 3 {
			t.Errorf("%d at once, want 3", l.v.most)
		}
		starts, requeues := w.count("start"), w.count("requeue")
		if requeues == 0 || starts != calls+requeues {
			t.Errorf("%d starts, %d requeues for %d calls", starts, requeues, calls)
		}
		if requeues > 2*calls {
			t.Errorf("%d requeues: it hammers on a busy invoker", requeues)
		}
		var last int64
		for _, id := range ids {
			last = max(last, w.record(id).End)
		}
		// Two seconds would be perfect.
		if took := time.UnixMilli(last).Sub(began); took > 4*time.Second {
			t.Errorf("took %v", took)
		}
		l.wantClean(t)
	})
}

func TestFairness(t *testing.T) {
	bubble(t, testConfig(), 1, func(t *testing.T, w *world, l *life) {
		for range 30 {
			l.submit(t, newCall("greedy", 10), &counter{})
		}
		for _, ns := range []whisk.Namespace{"a", "b", "c"} {
			l.submit(t, newCall(ns, 10), &counter{})
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		place := map[whisk.Namespace]int{}
		for i, ns := range l.v.order {
			place[ns] = i
		}
		for _, ns := range []whisk.Namespace{"a", "b", "c"} {
			if place[ns] > 20 {
				t.Errorf("%s came at place %d of %d", ns, place[ns], len(l.v.order))
			}
		}
	})
}

func TestOverflow(t *testing.T) {
	for _, tc := range []struct {
		name string
		args int // bytes
		cfg  func(*Config)
	}{
		{"rows", 0, func(c *Config) { c.MaxRows = 16 }},
		{"bytes", 10_000, func(c *Config) { c.MaxBytes = 200_000 }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg := testConfig()
			cfg.Workers = 4
			tc.cfg(&cfg)
			bubble(t, cfg, 0, func(t *testing.T, w *world, l *life) {
				const calls = 300
				n := &counter{}
				var ids []whisk.ActivationID
				check := func() {
					t.Helper()
					l.mu.Lock()
					defer l.mu.Unlock()
					// What workers had in hand comes back when it is refused.
					if b := l.backlog.all; b.rows > cfg.MaxRows+cfg.Workers || b.bytes > cfg.MaxBytes+int64(cfg.Workers*(tc.args+itemOverhead)) {
						t.Fatalf("%d rows, %d bytes in memory", b.rows, b.bytes)
					}
				}
				for i := range calls {
					c := newCall(whisk.Namespace(fmt.Sprint("ns", i%3)), 10)
					c.Args = append(make([]byte, 0, tc.args+2), c.Args...)
					for len(c.Args) < tc.args {
						c.Args = append(c.Args, ' ')
					}
					ids = append(ids, c.ID)
					l.submit(t, c, n)
					check()
				}
				l.v.set(func() { l.v.room = 4 })
				for range 100 {
					time.Sleep(500 * time.Millisecond)
					check()
				}
				for _, id := range ids {
					w.wantRecord(t, id, whisk.Success, "")
				}
				n.want(t, calls)
				l.wantClean(t)
				if len(l.unread) != 0 {
					t.Errorf("unread %v", l.unread)
				}
			})
		})
	}
}

func TestMaxBacklog(t *testing.T) {
	cfg := testConfig()
	cfg.MaxBacklog, cfg.MaxRows = 20, 8
	bubble(t, cfg, 0, func(t *testing.T, w *world, l *life) {
		n := &counter{}
		for range cfg.MaxBacklog {
			l.submit(t, newCall("ns", 1), n)
		}
		if err := l.Submit(t.Context(), newCall("ns", 1), n.end); err != whisk.ErrOverloaded {
			t.Errorf("err = %v", err)
		}
		n.want(t, 1)
		if got := w.count("enqueue"); got != cfg.MaxBacklog {
			t.Errorf("%d rows", got)
		}
	})
}

func TestMaxAge(t *testing.T) {
	cfg := testConfig()
	cfg.MaxRows = 8
	cfg.MaxAge = time.Minute
	bubble(t, cfg, 0, func(t *testing.T, w *world, l *life) {
		n := &counter{}
		var ids []whisk.ActivationID
		for range 20 { // more than fit into memory
			c := newCall("ns", 1)
			ids = append(ids, c.ID)
			l.submit(t, c, n)
		}
		time.Sleep(50 * time.Second)
		n.want(t, 0)
		time.Sleep(20 * time.Second)
		for _, id := range ids {
			w.wantRecord(t, id, whisk.WhiskError, msgAged)
		}
		n.want(t, 20)
		l.wantClean(t)
	})
}

func TestSubmitWithStoreAway(t *testing.T) {
	bubble(t, testConfig(), 1, func(t *testing.T, w *world, l *life) {
		w.set(func() { w.away = true })
		n := &counter{}
		err := l.Submit(t.Context(), newCall("ns", 1), n.end)
		if whisk.KindOf(err) != whisk.Unavailable || !errors.Is(err, errAway) {
			t.Errorf("err = %v", err)
		}
		n.want(t, 1)

		// A row that was committed, but nobody said so, is run all the same.
		w.set(func() { w.away, w.mute = false, true })
		c, n := newCall("ns", 1), &counter{}
		if err := l.Submit(t.Context(), c, n.end); whisk.KindOf(err) != whisk.Unavailable {
			t.Errorf("err = %v", err)
		}
		n.want(t, 1)
		w.set(func() { w.mute = false })
		time.Sleep(time.Minute)
		w.wantRecord(t, c.ID, whisk.Success, "")
		n.want(t, 1)
		l.wantClean(t)
	})
}

// A client that leaves while its row is committed leaves a row that is run.
func TestClientLeavesSubmit(t *testing.T) {
	bubble(t, testConfig(), 1, func(t *testing.T, w *world, l *life) {
		w.set(func() { w.delay = time.Second })
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		c, n := newCall("ns", 1), &counter{}
		if err := l.Submit(ctx, c, n.end); err != nil {
			t.Errorf("err = %v", err)
		}
		time.Sleep(time.Minute)
		w.wantRecord(t, c.ID, whisk.Success, "")
		n.want(t, 1)
	})
}

// The store goes away at every stage of a row, and whether its ops took effect
// is then unknown.
func TestStoreComesAndGoes(t *testing.T) {
	for _, mute := range []bool{false, true} {
		bubble(t, testConfig(), 4, func(t *testing.T, w *world, l *life) {
			n := &counter{}
			var ids []whisk.ActivationID
			for i := range 40 {
				c := newCall("ns", 300)
				ids = append(ids, c.ID)
				l.submit(t, c, n)
				w.set(func() { w.away, w.mute = !mute, mute })
				time.Sleep(time.Duration(i*7) * time.Millisecond)
				w.back()
			}
			time.Sleep(10 * time.Minute)
			synctest.Wait()
			for _, id := range ids {
				if w.runs[id] != 1 {
					t.Errorf("mute %v: ran %d times", mute, w.runs[id])
				}
				w.wantRecord(t, id, whisk.Success, "")
			}
			n.want(t, int32(len(ids)))
			l.wantClean(t)
		})
	}
}
