package postgres

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hearth/internal/pgtest"
	"hearth/store"
	"hearth/store/sqlite"
	"hearth/whisk"
)

// TestRefusedStatement has PostgreSQL refuse one op of a commit.
func TestRefusedStatement(t *testing.T) {
	d := open(t, pgtest.Shared(t).Schema(t))
	defer closeDB(t, d)
	run(t, d, `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$`)
	run(t, d, `CREATE TRIGGER refuse BEFORE INSERT ON activations FOR EACH ROW WHEN (new.start = 666) EXECUTE FUNCTION refuse()`)
	bad := benchRecord(0)
	bad.Start = 666
	row := &store.QueueRow{ID: whisk.NewActivationID(), Namespace: "guest", Holder: 3}
	results, err := d.Commit(t.Context(), []store.Op{
		{Kind: store.OpRecord, Record: benchRecord(1)}, {Kind: store.OpRecord, Record: bad}, {Kind: store.OpEnqueue, Row: row},
		{Kind: 99}, {Kind: store.OpRecord, Record: benchRecord(2)}, {Kind: store.OpStart, ID: row.ID, Token: 1, Holder: 3},
	})
	if err != nil || !results[0].OK || results[1].Err == nil || !results[2].OK || results[3].Err == nil || !results[4].OK || !results[5].OK {
		t.Errorf("results %+v, %v; want the second and the fourth alone to fail", results, err)
	}
	if n, err := d.CountActivations(t.Context(), store.ActivationQuery{Namespace: "guest"}); err != nil || n != 2 {
		t.Errorf("%d records, %v, want 2", n, err)
	}
}

// drawOp draws an op of one of few ids, or a record of an id of its own.
func drawOp(t *rapid.T, start int64) store.Op {
	id := func() whisk.ActivationID { return whisk.ActivationID{15: byte(rapid.IntRange(1, 6).Draw(t, "id"))} }
	record := func(id whisk.ActivationID) *whisk.Activation {
		return &whisk.Activation{ID: id, Namespace: "ns", Name: "a", Start: start, Unstored: rapid.IntRange(0, 4).Draw(t, "unstored") == 0}
	}
	number := func(what string) int64 { return int64(rapid.IntRange(0, 2).Draw(t, what)) }
	row := func() *store.QueueRow {
		return &store.QueueRow{ID: id(), Namespace: "ns", Token: 1 + number("token"), Holder: number("holder"), Attempt: int(number("attempt")), Payload: []byte("call")}
	}
	o := store.Op{Kind: store.OpKind(rapid.IntRange(0, int(store.OpStep)).Draw(t, "kind"))}
	switch o.Kind {
	case 0:
		return store.Op{Kind: store.OpRecord, Record: record(whisk.NewActivationID())}
	case store.OpRecord:
		o.Record = record(id())
		o.Record.Attempt = int(number("attempt"))
		switch number("end") {
		case 1:
			o.Record.Again = 3_600_000
		case 2:
			o.Record.Dead = true
		}
	case store.OpEnqueue, store.OpStartNew:
		o.Row, o.For = row(), time.Hour
	case store.OpRedrive:
		o.ID, o.Row = id(), row()
	case store.OpStep:
		tick := 1 + number("tick")
		o.Step = &whisk.AlarmStep{Trigger: whisk.EntityName{Namespace: "ns", Name: "t"}, Revision: 1, Tick: tick, Token: start + 1, Next: whisk.AlarmState{Tick: 1 + number("next"), Due: 5}}
		if r := row(); tick > 1 { // a step's rows are new ones
			r.ID = whisk.NewActivationID()
			o.Rows, o.Record = []store.QueueRow{*r}, record(id())
		}
	default:
		o.ID, o.Token, o.Holder, o.For = id(), 1+number("token"), number("holder"), time.Hour
		o.Record = record(o.ID)
	}
	return o
}

// contents are what an engine holds, without times.
func contents(t *rapid.T, e store.Engine) string {
	var b bytes.Buffer
	rows, err := e.QueueRows(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(rows, func(a, b store.QueueRow) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	for _, r := range rows {
		fmt.Fprintln(&b, "row", r.ID, r.State, r.Token, r.Holder, r.Attempt, r.Due != 0, r.Until != 0, string(r.Payload))
	}
	records, err := e.Activations(t.Context(), store.ActivationQuery{Namespace: "ns"})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(records, func(a, b *whisk.Activation) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	for _, a := range records {
		fmt.Fprintln(&b, "record", a.ID, a.Start)
	}
	letters, err := e.DeadLetters(t.Context(), "ns", store.DeadQuery{})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(letters, func(a, b store.DeadLetter) int { return cmp.Compare(a.ID.String(), b.ID.String()) })
	for _, l := range letters {
		fmt.Fprintln(&b, "dead", l)
	}
	alarm, err := e.Alarm(t.Context(), whisk.EntityName{Namespace: "ns", Name: "t"})
	fmt.Fprintln(&b, "alarm", alarm, err)
	return b.String()
}

// empty empties an engine, but for an alarm at its first tick.
func empty(t *rapid.T, e store.Engine) {
	ctx := t.Context()
	rows, err := e.QueueRows(ctx, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var ops []store.Op
	for _, r := range rows {
		ops = append(ops, store.Op{Kind: store.OpRecord, Record: &whisk.Activation{ID: r.ID, Namespace: "ns", Name: "a", Unstored: true}})
	}
	if _, err := e.Commit(ctx, ops); err != nil {
		t.Fatal(err)
	}
	if _, err := e.ExpireActivations(ctx, "ns", time.Now(), 1000); err != nil {
		t.Fatal(err)
	}
	if _, err := e.DeleteDeadLetters(ctx, "ns", nil); err != nil {
		t.Fatal(err)
	}
	alarm := whisk.Alarm{Trigger: whisk.EntityName{Namespace: "ns", Name: "t"}, Revision: 1, AlarmState: whisk.AlarmState{Tick: 1, Due: 1}}
	if err := e.DeleteAlarm(ctx, alarm.Trigger, 0); err != nil && !errors.Is(err, whisk.ErrNotFound) {
		t.Fatal(err)
	}
	if err := e.PutAlarm(ctx, alarm, 0); err != nil {
		t.Fatal(err)
	}
}

// TestCommitModel holds commits against those of SQLite, which carries out one
// op after the other. Two openings of one database take turns.
func TestCommitModel(t *testing.T) {
	dsn := pgtest.Shared(t).Schema(t)
	dbs := []*DB{open(t, dsn), open(t, dsn)}
	for _, d := range dbs {
		defer closeDB(t, d)
	}
	model, err := sqlite.Open(t.Context(), sqlite.DefaultConfig(filepath.Join(t.TempDir(), "model.db")))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = model.Close() }()
	rapid.Check(t, func(rt *rapid.T) {
		empty(rt, model)
		empty(rt, dbs[0])
		for range rapid.IntRange(1, 3).Draw(rt, "commits") {
			var ops []store.Op
			for range rapid.IntRange(1, 60).Draw(rt, "ops") {
				ops = append(ops, drawOp(rt, int64(len(ops))))
			}
			want, err := model.Commit(rt.Context(), ops)
			if err != nil {
				rt.Fatal(err)
			}
			got, err := dbs[rapid.IntRange(0, 1).Draw(rt, "opening")].Commit(rt.Context(), ops)
			if err != nil {
				rt.Fatal(err)
			}
			for i, o := range ops {
				if got[i].OK != want[i].OK || (got[i].Err == nil) != (want[i].Err == nil) {
					rt.Fatalf("op %d of %d, %+v: %+v, want %+v", i, len(ops), o, got[i], want[i])
				}
			}
			if got, want := contents(rt, dbs[1]), contents(rt, model); got != want {
				rt.Fatalf("holds\n%swant\n%s", got, want)
			}
		}
	})
}
