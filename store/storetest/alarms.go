package storetest

import (
	"fmt"
	"sync"
	"testing"

	"hearth/store"
	"hearth/whisk"
)

func newAlarm(name string, due int64) whisk.Alarm {
	return whisk.Alarm{
		Trigger: whisk.EntityName{Namespace: "ns", Name: name}, Revision: due + 7, Body: []byte("sealed " + name),
		AlarmState: whisk.AlarmState{Tick: due, Due: due, Changed: 5},
	}
}

// stepOp is a step of an alarm from its tick to the next, which fires one row.
func stepOp(a whisk.Alarm, token int64, next int64) store.Op {
	state := a.AlarmState
	state.Tick, state.Due = next, next
	state.Fired++
	return store.Op{
		Kind: store.OpStep, Record: record("ns", "", a.Trigger.Name, a.Tick), Rows: []store.QueueRow{*newRow("ns", "x"), *newRow("ns", "y")},
		Step: &whisk.AlarmStep{Trigger: a.Trigger, Revision: a.Revision, Tick: a.Tick, Token: token, Next: state},
	}
}

func alarms(t *testing.T, e store.Engine) {
	ctx := t.Context()
	a, b := newAlarm("a", 200), newAlarm("b", 100)
	for _, v := range []whisk.Alarm{a, b} {
		_, err := e.Alarm(ctx, v.Trigger)
		wantErr(t, "an alarm before it is there", err, whisk.ErrNotFound)
		wantErr(t, "a new one", e.PutAlarm(ctx, v, 0), nil)
		wantErr(t, "a new one over another", e.PutAlarm(ctx, v, 0), whisk.ErrExists)
	}
	if got := must(e.Alarm(ctx, a.Trigger))(t); fmt.Sprint(got) != fmt.Sprint(a) {
		t.Errorf("alarm = %+v, want %+v", got, a)
	}
	list := func(limit int) string {
		t.Helper()
		out := ""
		for _, v := range must(e.Alarms(ctx, limit))(t) {
			out += v.Trigger.Name
			if v.Body != nil {
				t.Errorf("a list has the body of %s", v.Trigger)
			}
		}
		return out
	}
	if got := list(10) + " " + list(1); got != "ba b" {
		t.Errorf("alarms %s", got)
	}
	ended := b
	ended.Revision, ended.Due, ended.Status, ended.Reason = 1, 0, 404, "why"
	wantErr(t, "over another revision", e.PutAlarm(ctx, ended, 99), whisk.ErrChanged)
	wantErr(t, "over its revision", e.PutAlarm(ctx, ended, b.Revision), nil)
	wantErr(t, "over the old revision", e.PutAlarm(ctx, ended, b.Revision), whisk.ErrChanged)
	if got := must(e.Alarm(ctx, b.Trigger))(t); fmt.Sprint(got) != fmt.Sprint(ended) || list(10) != "a" {
		t.Errorf("alarm = %+v, want %+v; listed: %s", got, ended, list(10))
	}
	wantErr(t, "delete another revision", e.DeleteAlarm(ctx, b.Trigger, b.Revision), whisk.ErrChanged)
	wantErr(t, "delete its revision", e.DeleteAlarm(ctx, b.Trigger, 1), nil)
	wantErr(t, "delete it again", e.DeleteAlarm(ctx, b.Trigger, 0), whisk.ErrNotFound)
	wantErr(t, "delete any revision", e.DeleteAlarm(ctx, a.Trigger, 0), nil)
}

// alarmSteps: of the steps from one tick one happens, with all that is in it.
func alarmSteps(t *testing.T, e store.Engine) {
	a := newAlarm("a", 100)
	wantErr(t, "put", e.PutAlarm(t.Context(), a, 0), nil)
	first, second := stepOp(a, 1, 200), stepOp(a, 2, 200)
	other, absent := stepOp(a, 3, 200), stepOp(newAlarm("absent", 100), 4, 200)
	other.Step.Revision++
	if got := fmt.Sprint(commit(t, e, other, absent, first, second, first)); got != "[false false true false true]" {
		t.Errorf("steps %s", got)
	}
	if got := fmt.Sprint(commit(t, e, first, second)); got != "[true false]" {
		t.Errorf("the same steps again %s", got)
	}
	got := must(e.Alarm(t.Context(), a.Trigger))(t)
	if got.Tick != 200 || got.Due != 200 || got.Fired != 1 || string(got.Body) != string(a.Body) {
		t.Errorf("alarm = %+v", got)
	}
	if rows := queued(t, e); len(rows) != 2 || rows[0].ID != first.Rows[0].ID || rows[1].ID != first.Rows[1].ID {
		t.Errorf("%d rows, want those of the first step", len(rows))
	}
	hold := store.Op{Kind: store.OpStep, Step: &whisk.AlarmStep{Trigger: a.Trigger, Revision: a.Revision, Tick: 200, Token: 5, Next: got.AlarmState}}
	hold.Step.Next.Due = 0
	if got := fmt.Sprint(commit(t, e, hold, hold)); got != "[true true]" {
		t.Errorf("a step that fires nothing %s", got)
	}
	if n := len(must(e.Alarms(t.Context(), 9))(t)); n != 0 {
		t.Errorf("%d alarms are due after the end", n)
	}
}

// alarmRecord: the record of a fire is there after it, and only then.
func alarmRecord(t *testing.T, e store.Engine) {
	a := newAlarm("a", 100)
	wantErr(t, "put", e.PutAlarm(t.Context(), a, 0), nil)
	first, second := stepOp(a, 1, 200), stepOp(a, 2, 200)
	commit(t, e, first, second)
	must(e.Activation(t.Context(), "ns", first.Record.ID))(t)
	_, err := e.Activation(t.Context(), "ns", second.Record.ID)
	wantErr(t, "the record of a step that did not happen", err, whisk.ErrNotFound)
}

func alarmRace(t *testing.T, e store.Engine) {
	const ticks, racers = 20, 4
	a := newAlarm("a", 1)
	wantErr(t, "put", e.PutAlarm(t.Context(), a, 0), nil)
	var wg sync.WaitGroup
	for r := range int64(racers) {
		wg.Go(func() {
			for at := int64(1); at <= ticks; {
				now, err := e.Alarm(t.Context(), a.Trigger)
				if err != nil {
					t.Error(err)
					return
				}
				if at = now.Tick; at > ticks {
					return
				}
				if _, err := e.Commit(t.Context(), []store.Op{stepOp(now, 1+at*racers+r, at+1)}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	got := must(e.Alarm(t.Context(), a.Trigger))(t)
	if rows := queued(t, e); got.Fired != ticks || len(rows) != 2*ticks {
		t.Errorf("fired %d times with %d rows, want %d ticks", got.Fired, len(rows), ticks)
	}
}
