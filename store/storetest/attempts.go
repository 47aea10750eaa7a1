package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"hearth/store"
	"hearth/whisk"
)

// attemptOp returns the record of a failed attempt at a row's call, which is to
// be followed by another after so many ms.
func attemptOp(r *store.QueueRow, attempt int, again int64) store.Op {
	a := deadRecord(r)
	a.Attempt, a.Again, a.Dead = attempt, again, false
	return recordOp(a)
}

// wantRecord fails unless an id has a record, or none. An engine that keeps no
// records is let off.
func wantRecord(t *testing.T, e store.Engine, what string, id whisk.ActivationID, want bool) {
	t.Helper()
	if _, none := e.(*store.None); none {
		return
	}
	if _, err := e.Activation(t.Context(), "ns", id); err != nil && !errors.Is(err, whisk.ErrNotFound) || (err == nil) != want {
		t.Errorf("%s: reading the record: %v, want one: %v", what, err, want)
	}
}

// attempts takes a call through three of them, the last of which fails.
func attempts(t *testing.T, e store.Engine) {
	const ann, hour = 7, 3_600_000
	r := newRow("ns", "sealed call")
	r.Attempt, r.Holder, r.Code = 1, ann, whisk.Digest{3}
	dead := deadRecord(r)
	dead.Attempt = 3
	stale := deadRecord(r)
	stale.Attempt = 2
	success := record("ns", "pkg", "failing", 1)
	success.ID, success.Attempt = r.ID, 2
	before := time.Now()
	for _, step := range []struct {
		name    string
		op      store.Op
		ok      bool
		attempt int // of the row; 0: it is gone
		state   store.RowState
		lasts   time.Duration // until it is due
	}{
		{"again without a row", attemptOp(r, 1, hour), false, 0, 0, 0},
		{"enqueue", enqueueOp(r), true, 1, store.RowQueued, 0},
		{"start", startOp(r.ID, 1, ann), true, 1, store.RowStarted, 0},
		{"of another attempt", attemptOp(r, 2, hour), false, 1, store.RowStarted, 0},
		{"first fails", attemptOp(r, 1, hour), true, 2, store.RowQueued, time.Hour},
		{"and says so again", attemptOp(r, 1, hour), false, 2, store.RowQueued, time.Hour},
		{"start by the token of before", startOp(r.ID, 1, ann+1), false, 2, store.RowQueued, time.Hour},
		{"start before it is due, by the holder", startOp(r.ID, 2, ann), true, 2, store.RowStarted, time.Hour},
		{"second fails", attemptOp(r, 2, 2*hour), true, 3, store.RowQueued, 2 * time.Hour},
		{"second succeeds, too late", recordOp(success), false, 3, store.RowQueued, 2 * time.Hour},
		{"second is given up, too late", recordOp(stale), false, 3, store.RowQueued, 2 * time.Hour},
		{"start", startOp(r.ID, 3, ann), true, 3, store.RowStarted, 2 * time.Hour},
		{"third is the last", recordOp(dead), true, 0, 0, 0},
		{"again with a record", attemptOp(r, 3, hour), false, 0, 0, 0},
	} {
		if ok := commit(t, e, step.op)[0]; ok != step.ok {
			t.Errorf("%s: OK = %v, want %v", step.name, ok, step.ok)
		}
		wantRecord(t, e, step.name, r.ID, step.op.Record == dead || step.name == "again with a record")
		row, err := e.QueueRow(t.Context(), "ns", r.ID)
		if step.attempt == 0 {
			wantErr(t, step.name, err, whisk.ErrNotFound)
			continue
		}
		if err != nil || row.Attempt != step.attempt || row.State != step.state || row.Holder != ann || !lastsFor(row.Due, before, step.lasts) {
			t.Errorf("%s: row %+v, %v, want attempt %d, due after %v, held", step.name, row, err, step.attempt, step.lasts)
		}
		if row.State == store.RowQueued && (row.Token != 0 || row.Until != 0) {
			t.Errorf("%s: a queued row has token %d, until %d", step.name, row.Token, row.Until)
		}
	}
	got := must(e.DeadLetter(t.Context(), "ns", r.ID))(t)
	want := whisk.NewDeadLetter(*r, dead)
	if fmt.Sprint(got) != fmt.Sprint(want) || got.Attempts != 3 || got.Reason != "it broke" || got.Name != "pkg/failing" || string(got.Payload) != "sealed call" {
		t.Errorf("dead letter %+v, want %+v", got, want)
	}
}

// attemptsTogether has all of it happen in one commit.
func attemptsTogether(t *testing.T, e store.Engine) {
	r := newRow("ns", "call")
	r.Attempt = 1
	success := record("ns", "", "a", 1)
	success.ID, success.Attempt = r.ID, 2
	ok := commit(t, e, enqueueOp(r), startOp(r.ID, 1, 0), attemptOp(r, 1, 1), attemptOp(r, 1, 1), startOp(r.ID, 2, 0), recordOp(success), attemptOp(r, 2, 1))
	if want := []bool{true, true, true, false, true, true, false}; !slices.Equal(ok, want) {
		t.Errorf("OK = %v, want %v", ok, want)
	}
	wantRecord(t, e, "succeeded", r.ID, true)
	if rows := queued(t, e); len(rows) != 0 {
		t.Errorf("left: %+v", rows)
	}
	if n := must(e.CountDeadLetters(t.Context(), "ns"))(t); n != 0 {
		t.Errorf("%d dead letters, want none", n)
	}
}

// attemptsEndings ends rows of calls with several attempts in other ways.
func attemptsEndings(t *testing.T, e store.Engine) {
	plain := func(r *store.QueueRow) *whisk.Activation {
		a := deadRecord(r)
		a.Attempt, a.Dead = 0, false
		return a
	}
	for _, tt := range []struct {
		name   string
		change func(r *store.QueueRow) *whisk.Activation
		dead   bool
	}{
		{"a record of no attempt ends it all the same", plain, false},
		{"given up before the first attempt", func(r *store.QueueRow) *whisk.Activation {
			a := deadRecord(r)
			a.Attempt = 0
			return a
		}, true},
		{"a record that is not kept", func(r *store.QueueRow) *whisk.Activation {
			a := deadRecord(r)
			a.Unstored = true
			return a
		}, true},
	} {
		r := newRow("ns", "call")
		r.Attempt = 1
		rec := tt.change(r)
		if ok := commit(t, e, enqueueOp(r), recordOp(rec)); !ok[1] {
			t.Errorf("%s: not OK", tt.name)
		}
		_, err := e.QueueRow(t.Context(), "ns", r.ID)
		wantErr(t, tt.name, err, whisk.ErrNotFound)
		wantRecord(t, e, tt.name, r.ID, !rec.Unstored)
		if _, err := e.DeadLetter(t.Context(), "ns", r.ID); (err == nil) != tt.dead {
			t.Errorf("%s: dead letter: %v, want one: %v", tt.name, err, tt.dead)
		}
	}
	unstored := newRow("ns", "call")
	unstored.Attempt = 1
	again := attemptOp(unstored, 1, 5)
	again.Record.Unstored = true
	if ok := commit(t, e, enqueueOp(unstored), again); !ok[1] {
		t.Errorf("a failed attempt whose record is not kept: not OK")
	}
	if row := must(e.QueueRow(t.Context(), "ns", unstored.ID))(t); row.Attempt != 2 {
		t.Errorf("a failed attempt whose record is not kept: row %+v, want attempt 2", row)
	}
	orphan := deadRecord(newRow("ns", ""))
	if ok := commit(t, e, recordOp(orphan)); !ok[0] {
		t.Errorf("dead without a row: not OK")
	}
	wantRecord(t, e, "dead without a row", orphan.ID, true)
	_, err := e.DeadLetter(t.Context(), "ns", orphan.ID)
	wantErr(t, "dead without a row", err, whisk.ErrNotFound)
}

func cancelOp(r *store.QueueRow) store.Op {
	a := record(r.Namespace, "", "cancelled", 5)
	a.ID = r.ID
	return store.Op{Kind: store.OpCancel, ID: r.ID, Record: a}
}

func cancel(t *testing.T, e store.Engine) {
	free, held, started, none := newRow("ns", "x"), newRow("ns", "x"), newRow("ns", "x"), newRow("ns", "x")
	held.Holder = 4
	ok := commit(t, e, enqueueOp(free), enqueueOp(held), enqueueOp(started), startOp(started.ID, 1, 0), cancelOp(free))
	ok = append(ok, commit(t, e, cancelOp(held), cancelOp(started), cancelOp(none), cancelOp(free), startOp(free.ID, 1, 0), startOp(held.ID, 1, 4))...)
	if want := []bool{true, true, true, true, true, true, false, false, false, false, false}; !slices.Equal(ok, want) {
		t.Errorf("OK = %v, want %v", ok, want)
	}
	for r, cancelled := range map[*store.QueueRow]bool{free: true, held: true, started: false, none: false} {
		wantRecord(t, e, "cancelled", r.ID, cancelled)
	}
	if rows := queued(t, e); len(rows) != 1 || rows[0].ID != started.ID {
		t.Errorf("left: %+v, want the row that has started", rows)
	}
}

// cancelRace has rows cancelled and started at once: one of the two happens.
func cancelRace(t *testing.T, e store.Engine) {
	const n = 30
	rows := make([]*store.QueueRow, n)
	for i := range rows {
		rows[i] = newRow("ns", "call")
		commit(t, e, enqueueOp(rows[i]))
	}
	var started, cancelled [n]bool
	var wg sync.WaitGroup
	for _, race := range []struct {
		op   func(*store.QueueRow) store.Op
		done *[n]bool
	}{{cancelOp, &cancelled}, {func(r *store.QueueRow) store.Op { return startOp(r.ID, 1, 0) }, &started}} {
		wg.Go(func() {
			for i, r := range rows {
				results, err := e.Commit(t.Context(), []store.Op{race.op(r)})
				if err != nil || results[0].Err != nil {
					t.Errorf("commit: %v, %v", results, err)
					return
				}
				race.done[i] = results[0].OK
			}
		})
	}
	wg.Wait()
	for i, r := range rows {
		if started[i] == cancelled[i] {
			t.Errorf("started: %v, cancelled: %v", started[i], cancelled[i])
		}
		wantRecord(t, e, "raced", r.ID, cancelled[i])
	}
}

// bury makes dead letters of new rows, that end one ms after the other.
func bury(t *testing.T, e store.Engine, ns whisk.Namespace, n int) []*store.QueueRow {
	t.Helper()
	rows := make([]*store.QueueRow, n)
	for i := range rows {
		rows[i] = newRow(ns, fmt.Sprint("call ", i))
		rows[i].Attempt = 1
		rec := deadRecord(rows[i])
		rec.End = 1000 + int64(i)
		commit(t, e, enqueueOp(rows[i]), recordOp(rec))
	}
	return rows
}

func deadLetters(t *testing.T, e store.Engine) {
	ctx := t.Context()
	rows, others := bury(t, e, "ns", 6), bury(t, e, "other", 2)
	var want []whisk.ActivationID
	for _, r := range slices.Backward(rows) {
		want = append(want, r.ID)
	}
	for _, tt := range []struct {
		q    store.DeadQuery
		want []whisk.ActivationID
	}{{store.DeadQuery{}, want}, {store.DeadQuery{Skip: 1, Limit: 2}, want[1:3]}, {store.DeadQuery{Skip: 5, Limit: 5}, want[5:]}, {store.DeadQuery{Skip: 6}, nil}} {
		var got []whisk.ActivationID
		for _, l := range must(e.DeadLetters(ctx, "ns", tt.q))(t) {
			got = append(got, l.ID)
			if l.Payload != nil || l.Namespace != "ns" || l.Created == 0 || l.Ended < 1000 || l.Reason == "" {
				t.Errorf("listed %+v", l)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%+v: listed %v, want %v", tt.q, got, tt.want)
		}
	}
	_, err := e.DeadLetter(ctx, "other", rows[0].ID)
	wantErr(t, "read through another namespace", err, whisk.ErrNotFound)
	count := func(ns whisk.Namespace, want int) {
		t.Helper()
		if n := must(e.CountDeadLetters(ctx, ns))(t); n != want {
			t.Errorf("%d dead letters of %s, want %d", n, ns, want)
		}
	}
	count("ns", 6)
	gone := func(what string, n int, err error, want int) {
		t.Helper()
		if err != nil || n != want {
			t.Errorf("%s: %d, %v, want %d", what, n, err, want)
		}
	}
	n, err := e.DeleteDeadLetters(ctx, "ns", []whisk.ActivationID{rows[0].ID, rows[1].ID, others[0].ID, whisk.NewActivationID()})
	gone("delete some", n, err, 2)
	n, err = e.DeleteDeadLetters(ctx, "ns", []whisk.ActivationID{})
	gone("delete none", n, err, 0)
	count("ns", 4)
	n, err = e.ExpireDeadLetters(ctx, time.UnixMilli(1004), 2)
	gone("expire two, of any namespace", n, err, 2)
	n, err = e.ExpireDeadLetters(ctx, time.UnixMilli(1004), 100)
	gone("expire the rest", n, err, 2)
	count("other", 0)
	n, err = e.DeleteDeadLetters(ctx, "ns", nil)
	gone("delete all", n, err, 2)
	count("ns", 0)
}

func redrive(t *testing.T, e store.Engine) {
	dead := bury(t, e, "ns", 2)
	op := func(of *store.QueueRow, r *store.QueueRow) store.Op {
		return store.Op{Kind: store.OpRedrive, ID: of.ID, Row: r}
	}
	fresh, taken, foreign := newRow("ns", "anew"), newRow("ns", "taken"), newRow("other", "foreign")
	fresh.Holder, fresh.Attempt = 8, 1
	ok := commit(t, e, enqueueOp(taken), op(dead[0], taken), op(dead[0], foreign), op(dead[0], fresh), op(dead[0], newRow("ns", "twice")))
	if want := []bool{true, false, false, true, false}; !slices.Equal(ok, want) {
		t.Errorf("OK = %v, want %v", ok, want)
	}
	row := must(e.QueueRow(t.Context(), "ns", fresh.ID))(t)
	if row.State != store.RowQueued || row.Holder != 8 || row.Attempt != 1 || !bytes.Equal(row.Payload, fresh.Payload) {
		t.Errorf("row %+v", row)
	}
	if rows := queued(t, e); len(rows) != 2 {
		t.Errorf("%d rows, want the new one and the one that was there", len(rows))
	}
	left := must(e.DeadLetters(t.Context(), "ns", store.DeadQuery{}))(t)
	if len(left) != 1 || left[0].ID != dead[1].ID {
		t.Errorf("left: %v, want the other one", left)
	}
	// A letter may be driven again in the commit that made it.
	r, next := newRow("ns", "x"), newRow("ns", "y")
	if ok := commit(t, e, enqueueOp(r), recordOp(deadRecord(r)), op(r, next)); !ok[2] {
		t.Errorf("a dead letter of the same commit cannot be driven again")
	}
}
