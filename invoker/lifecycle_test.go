package invoker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

func TestDrain(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		out := r.call(newTestCall("a", `{"ms":1000}`))
		for i := range 3 {
			r.call(newTestCall(fmt.Sprint(i), `{"ms":2000}`))
		}
		queued := r.call(newTestCall("b", `{}`))
		r.expect(queued, whisk.Queued)
		if err := r.v.Drain(r.t.Context()); err != nil {
			t.Errorf("Drain = %v", err)
		}
		r.expect(queued, whisk.Busy)
		rec := r.done(out)
		if rec.Response.Status != whisk.Success {
			t.Errorf("response = %+v", rec.Response)
		}
		if l := r.expect(r.call(newTestCall("a", `{}`)), whisk.Busy).Load; !l.Draining {
			t.Errorf("load = %+v", l)
		}
		if st, _, _ := r.v.Lookup(r.t.Context(), rec.ID); st != whisk.FinishedCall {
			t.Errorf("state = %v, want finished", st)
		}
	})
}

func TestDrainStopsWhatOutlivesIt(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		out := r.call(newTestCall("a", `{"ms":50000}`))
		ctx, cancel := context.WithTimeout(r.t.Context(), time.Second)
		defer cancel()
		if err := r.v.Drain(ctx); err == nil {
			t.Error("Drain = nil, want an error")
		}
		rec := r.done(out)
		if rec.Response.Status != whisk.WhiskError || !strings.Contains(string(rec.Response.Result), textStopped) {
			t.Errorf("response = %v %s", rec.Response.Status, rec.Response.Result)
		}
	})
}

func TestCloseRecordsWhatRuns(t *testing.T) {
	code := "some code"
	running, finished := withCode(newTestCall("a", `{"ms":50000}`), code), withCode(newTestCall("a", `{"ms":20}`), code)
	var cfg Config
	inBubble(t, nil, func(r *rig) {
		cfg = r.v.cfg
		r.expect(r.call(running), whisk.NeedCode)
		finished.NoQueue = true
		r.call(finished)
		r.v.Code(running.ID, []byte(code))
		time.Sleep(time.Second)
	})
	cfg.Metrics = nil
	inBubble(t, func(c *Config, _ *fakeDriver) { c.Dir = cfg.Dir }, func(r *rig) {
		recs, err := r.v.Unacked(r.t.Context(), 10)
		if err != nil || len(recs) != 2 {
			t.Fatalf("Unacked = %d records, %v; want 2", len(recs), err)
		}
		if recs[0].ID != finished.ID || recs[0].Response.Status != whisk.Success {
			t.Errorf("first = %+v", recs[0])
		}
		if recs[1].ID != running.ID || recs[1].Response.Status != whisk.WhiskError || recs[1].Facts.Sandbox != whisk.Cold {
			t.Errorf("second = %+v", recs[1])
		}
		if err := r.v.Call(running, nil); !errors.Is(err, ErrDuplicate) {
			t.Errorf("Call with an id of an earlier life = %v", err)
		}
		r.v.Ack(recs[0].ID, recs[1].ID)
		synctest.Wait() // for the code to be adopted
		r.done(r.call(withCode(newTestCall("a", `{}`), code)))
		r.v.Close()
		if err := r.v.Call(newTestCall("a", `{}`), nil); !errors.Is(err, ErrClosed) {
			t.Errorf("Call after Close = %v", err)
		}
	})
}
