package flow

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

// named returns a call of another action.
func named(c *whisk.Call, action string) *whisk.Call {
	target := *c.Target
	target.Name.Name = action
	c.Target = &target
	return c
}

// One namespace never has all workers, so another need not wait for its runs.
func TestPortionKept(t *testing.T) {
	bubble(t, testConfig(), 100, func(t *testing.T, w *world, l *life) {
		n := &counter{}
		l.submitAll(t, "greedy", 30, 60_000, n)
		time.Sleep(time.Second)
		l.v.set(func() {
			if want := portion(firstWindow); l.v.running != want {
				t.Errorf("%d rows of one namespace run, want %d", l.v.running, want)
			}
		})
		ids := l.submitAll(t, "other", 5, 10, n)
		time.Sleep(time.Second)
		w.wantRuns(t, ids)
		time.Sleep(time.Hour)
		n.want(t, 35)
		l.wantClean(t)
	})
}

// One namespace alone gets nearly all the room there is.
func TestOneNamespaceFillsRoom(t *testing.T) {
	bubble(t, testConfig(), 40, func(t *testing.T, w *world, l *life) {
		ids := l.submitAll(t, "ns", 600, 200, &counter{})
		time.Sleep(12 * time.Second) // three would be perfect
		w.wantRuns(t, ids)
		if l.v.most < 40 {
			t.Errorf("%d at once, want 40", l.v.most)
		}
		l.wantClean(t)
	})
}

// An action for which there is no room keeps none of its namespace's others from
// running, however many of its rows stand before them, nor does it slow them.
func TestBusyActionBlocksNobody(t *testing.T) {
	bubble(t, testConfig(), 4, func(t *testing.T, w *world, l *life) {
		l.v.set(func() { l.v.full = "x" })
		n := &counter{}
		for range 20 {
			l.submit(t, named(newCall("ns", 100), "x"), n)
		}
		time.Sleep(10 * time.Second)
		began, offers := time.Now(), w.count("start")
		var ids []whisk.ActivationID
		for range 40 {
			c := named(newCall("ns", 100), "y")
			ids = append(ids, c.ID)
			if len(ids) <= 30 {
				l.submit(t, c, n)
			} else {
				w.leave(t, c, whisk.RowQueued, 0)
			}
		}
		time.Sleep(2 * time.Second) // one would be perfect
		w.wantRuns(t, ids[:30])
		time.Sleep(time.Minute)
		w.wantRuns(t, ids)
		if got := w.count("start") - offers - 40; got > 100 {
			t.Errorf("%d offers of what found no room in %v", got, time.Since(began))
		}
		l.v.set(func() { l.v.full = "" })
		time.Sleep(10 * time.Second)
		n.want(t, 50)
		l.wantClean(t)
	})
}

// Rows are run although calls that somebody waits for take all the room, which
// is never free for a row that does not queue for it.
func TestRowsUnderBlockingLoad(t *testing.T) {
	bubble(t, testConfig(), 3, func(t *testing.T, w *world, l *life) {
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 12 {
			wg.Go(func() {
				for ctx.Err() == nil {
					_, _ = l.Invoke(context.Background(), named(newCall("ns", 50), "blocking"), time.Minute, nil)
				}
			})
		}
		time.Sleep(time.Second)
		n := &counter{}
		ids := l.submitAll(t, "ns", 30, 50, n)
		s := w.sequence("s", "part", "part")
		w.define("part", gives(50, `{}`))
		c := callOf(s, ``)
		l.submit(t, c, n)
		time.Sleep(30 * time.Second)
		synctest.Wait()
		w.wantRuns(t, ids)
		w.wantRecord(t, c.ID, whisk.Success, "")
		cancel()
		wg.Wait()
		l.wantClean(t)
	})
}

// A row of a caller who was blocked or deleted meanwhile does not run.
func TestBlockedCaller(t *testing.T) {
	bubble(t, testConfig(), 0, func(t *testing.T, w *world, l *life) {
		n := &counter{}
		ids := l.submitAll(t, "ns", 5, 10, n)
		others := l.submitAll(t, "other", 5, 10, n)
		time.Sleep(30 * time.Millisecond)
		w.set(func() { w.blocked["uuid"] = true })
		time.Sleep(30 * time.Second)
		l.v.set(func() { l.v.room = 5 })
		time.Sleep(10 * time.Second)
		for _, id := range ids {
			w.wantRecord(t, id, whisk.WhiskError, msgNoCaller)
			if w.ran(id) != 0 {
				t.Error("it ran")
			}
		}
		w.wantRuns(t, others)
		n.want(t, 10)
		l.wantClean(t)
	})
}

// Hundreds of rows for which there is no room, in memory and in the store, keep
// nobody else's out, nor those of other actions of their namespace.
func TestStuckFlood(t *testing.T) {
	for _, cfg := range []Config{testConfig(), sharedConfig()} {
		bubble(t, cfg, 4, func(t *testing.T, w *world, l *life) {
			l.v.set(func() { l.v.full = "x" })
			n := &counter{}
			for i := range 300 {
				l.submit(t, named(newCall([]whisk.Namespace{"a", "b", "c"}[i%3], 10), "x"), n)
			}
			time.Sleep(time.Minute)
			var ids []whisk.ActivationID
			for i := range 60 {
				c := named(newCall([]whisk.Namespace{"a", "b", "c", "d"}[i%4], 10), "y")
				ids = append(ids, c.ID)
				if c.Namespace == "d" {
					w.leave(t, c, whisk.RowQueued, 0)
				} else {
					l.submit(t, c, n)
				}
			}
			if !cfg.Alone {
				time.Sleep(5 * time.Second)
				w.wantRuns(t, ids)
			}
			time.Sleep(cfg.SweepEvery)
			w.wantRuns(t, ids)
			l.mu.Lock()
			if rows := l.backlog.all.rows; rows > cfg.MaxRows {
				t.Errorf("%d rows in memory", rows)
			}
			l.mu.Unlock()
			l.v.set(func() { l.v.full = "" })
			time.Sleep(2 * time.Minute)
			n.want(t, 345)
			l.wantClean(t)
		})
	}
}
