package sqlite

import (
	"testing"

	"pgregory.net/rapid"

	"hearth/store"
	"hearth/whisk"
)

// model is what a database holds, carried out op by op.
type model struct {
	records map[whisk.ActivationID]int64 // the start of each
	rows    map[whisk.ActivationID]int64 // the token of each, 0 if it is queued
}

func (m *model) do(o store.Op) bool {
	switch o.Kind {
	case store.OpRecord:
		a := o.Record
		delete(m.rows, a.ID)
		if _, ok := m.records[a.ID]; ok && !a.Unstored {
			return false
		}
		if !a.Unstored {
			m.records[a.ID] = a.Start
		}
		return true
	case store.OpEnqueue, store.OpStartNew:
		_, row := m.rows[o.Row.ID]
		if _, done := m.records[o.Row.ID]; row || done && o.Kind == store.OpStartNew {
			return false
		}
		m.rows[o.Row.ID] = o.Row.Token
		return true
	case store.OpStart:
		token, ok := m.rows[o.ID]
		if ok = ok && (token == 0 || token == o.Token); ok {
			m.rows[o.ID] = o.Token
		}
		return ok
	case store.OpRequeue:
		ok := m.rows[o.ID] == o.Token
		if ok {
			m.rows[o.ID] = 0
		}
		return ok
	}
	panic("unknown kind")
}

// drawOp draws an op of one of few ids, or a record of an id of its own.
func drawOp(t *rapid.T, start int64) store.Op {
	id := whisk.ActivationID{15: byte(rapid.IntRange(1, 6).Draw(t, "id"))}
	token := int64(rapid.IntRange(1, 3).Draw(t, "token"))
	kind := rapid.SampledFrom([]store.OpKind{0, 0, store.OpRecord, store.OpRecord, store.OpEnqueue, store.OpStart, store.OpStartNew, store.OpRequeue}).Draw(t, "kind")
	switch kind {
	case 0:
		return store.Op{Kind: store.OpRecord, Record: &whisk.Activation{ID: whisk.NewActivationID(), Namespace: "ns", Name: "own", Start: start}}
	case store.OpRecord:
		return store.Op{Kind: kind, Record: &whisk.Activation{ID: id, Namespace: "ns", Name: "a", Start: start, Unstored: rapid.IntRange(0, 4).Draw(t, "unstored") == 0}}
	case store.OpEnqueue:
		return store.Op{Kind: kind, Row: &store.QueueRow{ID: id, Namespace: "ns"}}
	case store.OpStartNew:
		return store.Op{Kind: kind, Row: &store.QueueRow{ID: id, Namespace: "ns", Token: token}}
	}
	return store.Op{Kind: kind, ID: id, Token: token}
}

// TestCommitModel holds commits, given through two openings of one database in
// turn, against the model: those of one statement for many records against
// those of one op after the other.
func TestCommitModel(t *testing.T) {
	dir := t.TempDir()
	dbs := []*DB{open(t, dir), open(t, dir)}
	for _, d := range dbs {
		defer closeDB(t, d)
	}
	rapid.Check(t, func(t *rapid.T) {
		for _, table := range []string{"activations", "queue"} {
			if _, err := dbs[0].writer.Exec("DELETE FROM " + table); err != nil {
				t.Fatal(err)
			}
		}
		m := model{records: map[whisk.ActivationID]int64{}, rows: map[whisk.ActivationID]int64{}}
		for range rapid.IntRange(1, 4).Draw(t, "commits") {
			var ops []store.Op
			for i := range rapid.IntRange(1, 90).Draw(t, "ops") {
				ops = append(ops, drawOp(t, int64(i)))
			}
			d := rapid.SampledFrom(dbs).Draw(t, "opening")
			results, err := d.Commit(t.Context(), ops)
			if err != nil {
				t.Fatal(err)
			}
			for i, o := range ops {
				if want := m.do(o); results[i].OK != want || results[i].Err != nil {
					t.Fatalf("op %d of %d, %+v: %+v, want OK %v", i, len(ops), o, results[i], want)
				}
			}
			checkModel(t, dbs[0], m)
		}
	})
}

func checkModel(t *rapid.T, d *DB, m model) {
	t.Helper()
	rows, err := d.QueueRows(t.Context(), 0, 1000)
	if err != nil || len(rows) != len(m.rows) {
		t.Fatalf("%d rows, %v, want %d", len(rows), err, len(m.rows))
	}
	for _, r := range rows {
		if token, ok := m.rows[r.ID]; !ok || token != r.Token {
			t.Fatalf("row %+v, want token %d, %v", r, token, ok)
		}
	}
	for id, start := range m.records {
		if a, err := d.Activation(t.Context(), "ns", id); err != nil || a.Start != start {
			t.Fatalf("record %s: %+v, %v, want start %d", id, a, err, start)
		}
	}
	if n, err := d.CountActivations(t.Context(), store.ActivationQuery{Namespace: "ns"}); err != nil || n != len(m.records) {
		t.Fatalf("%d records, %v, want %d", n, err, len(m.records))
	}
}
