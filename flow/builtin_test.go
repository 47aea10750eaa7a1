package flow

import (
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

// builtins says its arguments back, after a while.
func (w *world) builtins() map[string]Builtin {
	return map[string]Builtin{"echo": func(ctx context.Context, c *whisk.Call) whisk.Response {
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
		}
		return whisk.Response{Result: c.Args, Size: len(c.Args)}
	}}
}

func builtinCall(main string) *whisk.Call {
	c := newCall("ns", 0)
	c.Target.Exec, c.Target.WantsKey = whisk.Exec{Kind: whisk.Builtin, Main: main}, true
	c.Args = json.RawMessage(`{"a":1}`)
	return c
}

func TestBuiltin(t *testing.T) {
	bubble(t, testConfig(), 0, func(t *testing.T, w *world, l *life) { // no invoker has room
		c, n := builtinCall("echo"), &counter{}
		rec, err := l.Invoke(t.Context(), c, time.Second, n.end)
		if err != nil || string(rec.Response.Result) != `{"a":1}` || rec.Duration != 50 || rec.Facts.Kind != whisk.Builtin {
			t.Errorf("Invoke = %+v, %v", rec, err)
		}
		n.want(t, 1)
		if w.record(c.ID) == nil {
			t.Error("the record is not there with the answer")
		}
		queued, m := builtinCall("echo"), &counter{}
		l.submit(t, queued, m)
		time.Sleep(time.Second)
		synctest.Wait()
		w.wantRecord(t, queued.ID, whisk.Success, "")
		m.want(t, 1)
		rec, err = l.Invoke(t.Context(), builtinCall("absent"), time.Second, func() {})
		if err != nil || rec.Response.Status != whisk.WhiskError {
			t.Errorf("an unknown one: %+v, %v", rec, err)
		}
		l.wantClean(t)
	})
}

// A step of an alarm happens with the fire, or nothing does.
func TestFireStep(t *testing.T) {
	bubble(t, testConfig(), 1, func(t *testing.T, w *world, l *life) {
		w.define("a", gives(10, `{}`))
		fire := func(tick int64, rules ...string) (bool, error) {
			e := fireOf("", `{}`, rules...)
			e.Step = &whisk.AlarmStep{Trigger: e.Trigger.Name, Revision: 1, Tick: tick, Token: tick}
			id, err := l.Fire(t.Context(), e)
			return !id.IsZero(), err
		}
		if fired, err := fire(1, "r>a", "r2>a"); !fired || err != nil {
			t.Errorf("a tick: %v, %v", fired, err)
		}
		if fired, err := fire(1, "r>a"); fired || err != whisk.ErrChanged {
			t.Errorf("the same tick: %v, %v", fired, err)
		}
		if fired, err := fire(2, "r-a"); fired || err != nil || w.ticked != 2 {
			t.Errorf("a tick without an active rule: %v, %v", fired, err)
		}
		w.set(func() { w.away = true })
		if _, err := fire(3, "r>a"); whisk.KindOf(err) != whisk.Unavailable {
			t.Errorf("with the store away: %v", err)
		}
		w.set(func() { w.away = false })
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(w.records) != 3 || len(w.rows) != 0 || w.inFlight != 0 {
			t.Errorf("%d records, %d rows, %d in flight", len(w.records), len(w.rows), w.inFlight)
		}
		l.wantClean(t)
	})
}
