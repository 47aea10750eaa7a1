package flow

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

// Another router must not take a long composite for one that has broken off
// while it runs, but soon after its process has gone.
func TestLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		cfg := testConfig()
		cfg.Alone = false
		l, other := start(w, cfg, 10), start(w, cfg, 10)
		defer other.stop()
		w.define("hour", gives(3_600_000, `{}`)).Action.Limits.Timeout = 4_000_000
		w.define("min", gives(55_000, `{}`))
		parts := []string{"hour", "min", "min", "hour"}
		for range 40 {
			parts = append(parts, "min")
		}
		s := w.sequence("s", parts...)
		n := &counter{}
		pending, queued, lost := callOf(s, ``), callOf(s, ``), callOf(s, ``)
		if _, err := l.Invoke(t.Context(), pending, time.Minute, n.end); err != whisk.ErrPending {
			t.Fatal(err)
		}
		l.submit(t, queued, n)
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		for _, c := range []*whisk.Call{pending, queued} {
			w.wantRecord(t, c.ID, whisk.Success, "")
		}
		if got := w.count("start"); got > 15 {
			t.Errorf("%d renewals", got)
		}
		n.want(t, 2)

		l.submit(t, lost, n)
		time.Sleep(2*time.Hour + 10*time.Minute)
		if w.record(lost.ID) != nil {
			t.Errorf("it ended early: %s", w.record(lost.ID).Response.Result)
		}
		l.p.dead.Store(true)
		l.cancel()
		<-l.done
		time.Sleep(leaseTime + cfg.Grace + 3*time.Minute)
		w.wantRecord(t, lost.ID, whisk.WhiskError, msgLost)
		other.wantClean(t)
	})
}

// A row that somebody else has ended stops its composite.
func TestLeaseLost(t *testing.T) {
	cfg := testConfig()
	cfg.Alone = false
	bubble(t, cfg, 1, func(t *testing.T, w *world, l *life) {
		runs := 0
		w.define("min", func(json.RawMessage) (int, whisk.Response) { runs++; return 55_000, response(`{}`) })
		parts := make([]string, 40)
		for i := range parts {
			parts[i] = "min"
		}
		c, n := callOf(w.sequence("s", parts...), ``), &counter{}
		l.submit(t, c, n)
		time.Sleep(time.Minute)
		w.finish(c.Failure("gone", time.Now()))
		time.Sleep(time.Hour)
		w.wantRecord(t, c.ID, whisk.WhiskError, "gone")
		if runs > 20 {
			t.Errorf("%d components ran", runs)
		}
		n.want(t, 1)
		l.wantClean(t)
	})
}
