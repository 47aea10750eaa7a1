package api

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/semaphore"

	"hearth/whisk"
)

// TestRecordsCountInBudget: records on their way out take of the same budget
// as bodies on their way in.
func TestRecordsCountInBudget(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.Limits.PayloadSize, c.Limits.EntitySize, c.BodyBudget = 100_000, 100_000, 200_000
	})
	w.records = []*whisk.Activation{
		{ID: id(1), Namespace: "alice", Name: "a", Logs: []string{strings.Repeat("x", 50_000)}},
		{ID: id(2), Namespace: "alice", Name: "a", Logs: []string{strings.Repeat("x", 150_000)}},
	}
	for target, want := range map[string]int{
		id(1).String(): 200, id(2).String(): 503, id(2).String() + "/logs": 503, id(2).String() + "/result": 503,
		"?docs=true&limit=1": 200, "?docs=true": 503,
	} {
		target = "_/activations/" + strings.TrimPrefix(target, "/")
		if a := w.do("GET", target, ""); a.status != want {
			t.Errorf("GET %s: %d %.100s, want %d", target, a.status, a.body, want)
		}
		if got := w.server.budget.used.Load(); got != 0 {
			t.Errorf("GET %s: %d bytes are still taken", target, got)
		}
	}
}

// TestInTurn: what may be large is fetched by few at a time, and nobody waits
// for longer than the request may take.
func TestInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := semaphore.NewWeighted(3)
		var running, most, refused atomic.Int64
		for range 10 {
			go func() {
				ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
				defer cancel()
				q := &request{ctx: ctx, turns: turns}
				err := q.inTurn(1, func() error {
					now := running.Add(1)
					for seen := most.Load(); now > seen && !most.CompareAndSwap(seen, now); seen = most.Load() {
					}
					time.Sleep(time.Second)
					running.Add(-1)
					return nil
				})
				if errors.Is(err, context.DeadlineExceeded) {
					refused.Add(1)
				}
			}()
		}
		time.Sleep(500 * time.Millisecond)
		q := &request{ctx: t.Context(), turns: turns}
		if err := q.inTurn(0, func() error { return nil }); err != nil || time.Now().Nanosecond() != 5e8 {
			t.Errorf("what is small waited: %v", err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if most.Load() != 3 || refused.Load() != 1 {
			t.Errorf("%d ran at once and %d were refused, want 3 and 1", most.Load(), refused.Load())
		}
	})
}
