package storetest

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"hearth/store"
	"hearth/whisk"
)

// modelRow is a row of the queue as it must be.
type modelRow struct {
	started       bool
	token, holder int64
	attempt       int
}

// opModel is what an engine holds of some ids, carried out op by op.
type opModel struct {
	records map[whisk.ActivationID]bool
	rows    map[whisk.ActivationID]*modelRow
	dead    map[whisk.ActivationID]bool
}

func (m *opModel) do(o store.Op) bool {
	row := m.rows[o.Of()]
	switch o.Kind {
	case store.OpRecord:
		return m.record(o.Record, row)
	case store.OpEnqueue:
		return m.insert(o.Row, false)
	case store.OpStartNew:
		return !m.records[o.Row.ID] && m.insert(o.Row, true)
	case store.OpRedrive:
		if !m.dead[o.ID] || !m.insert(o.Row, false) {
			return false
		}
		delete(m.dead, o.ID)
		return true
	}
	switch {
	case row == nil:
		return false
	case o.Kind == store.OpStart && row.started:
		return row.token == o.Token
	case o.Kind == store.OpStart && row.holder == o.Holder:
		row.started, row.token = true, o.Token
		return true
	case o.Kind == store.OpRequeue && row.started && row.token == o.Token:
		row.started, row.token, row.holder = false, 0, o.Holder
		return true
	case o.Kind == store.OpRelease && !row.started && row.holder == o.Holder && o.Holder != 0:
		row.holder = 0
		return true
	case o.Kind == store.OpCancel && !row.started:
		m.records[o.ID] = true
		delete(m.rows, o.ID)
		return true
	}
	return false
}

func (m *opModel) insert(r *store.QueueRow, started bool) bool {
	if m.rows[r.ID] != nil {
		return false
	}
	row := &modelRow{started: started, holder: r.Holder, attempt: r.Attempt}
	if started {
		row.token = r.Token
	}
	m.rows[r.ID] = row
	return true
}

func (m *opModel) record(a *whisk.Activation, row *modelRow) bool {
	switch {
	case row != nil && a.Attempt > 0 && a.Attempt != row.attempt:
		return false
	case a.Again > 0:
		if row == nil || m.records[a.ID] {
			return false
		}
		*row = modelRow{holder: row.holder, attempt: row.attempt + 1}
		return true
	case row != nil && a.Dead:
		m.dead[a.ID] = true
	}
	delete(m.rows, a.ID)
	first := a.Unstored || !m.records[a.ID]
	m.records[a.ID] = m.records[a.ID] || !a.Unstored
	return first
}

// drawOp draws an op of one of the ids, or a record of an id of its own, as
// most are.
func drawOp(t *rapid.T, ids []whisk.ActivationID) store.Op {
	id := rapid.SampledFrom(ids).Draw(t, "id")
	token := int64(rapid.IntRange(1, 3).Draw(t, "token"))
	holder := rapid.SampledFrom([]int64{0, 0, 5, -6}).Draw(t, "holder")
	row := &store.QueueRow{ID: id, Namespace: "ns", Token: token, Holder: holder, Attempt: rapid.IntRange(0, 2).Draw(t, "attempt"), Payload: []byte("call")}
	kind := rapid.SampledFrom([]store.OpKind{
		0, 0, store.OpRecord, store.OpRecord, store.OpEnqueue, store.OpEnqueue, store.OpStart, store.OpStart, store.OpStartNew,
		store.OpRequeue, store.OpRelease, store.OpCancel, store.OpRedrive,
	}).Draw(t, "kind")
	rec := &whisk.Activation{ID: id, Namespace: "ns", Name: "a", Start: 1}
	switch kind {
	case 0:
		rec.ID = whisk.NewActivationID()
		return recordOp(rec)
	case store.OpRecord:
		rec.Unstored = rapid.IntRange(0, 4).Draw(t, "unstored") == 0
		rec.Attempt = rapid.IntRange(0, 3).Draw(t, "of attempt")
		switch rapid.IntRange(0, 3).Draw(t, "failed") {
		case 0:
			rec.Again = 1
		case 1:
			rec.Dead = true
		}
		return recordOp(rec)
	case store.OpRedrive:
		return store.Op{Kind: kind, ID: rapid.SampledFrom(ids).Draw(t, "letter"), Row: row}
	case store.OpEnqueue, store.OpStartNew:
		return store.Op{Kind: kind, Row: row}
	}
	return store.Op{Kind: kind, ID: id, Token: token, Holder: holder, Record: rec}
}

// commitModel holds commits of many ops of few ids against the model.
func commitModel(t *testing.T, e store.Engine) {
	rapid.Check(t, func(t *rapid.T) {
		ids := make([]whisk.ActivationID, 6) // those of earlier rounds stay as they are
		for i := range ids {
			ids[i] = whisk.NewActivationID()
		}
		m := opModel{records: map[whisk.ActivationID]bool{}, rows: map[whisk.ActivationID]*modelRow{}, dead: map[whisk.ActivationID]bool{}}
		for range rapid.IntRange(1, 3).Draw(t, "commits") {
			var ops []store.Op
			for range rapid.IntRange(1, 60).Draw(t, "ops") {
				ops = append(ops, drawOp(t, ids))
			}
			results, err := e.Commit(t.Context(), ops)
			if err != nil {
				t.Fatal(err)
			}
			for i, o := range ops {
				own := o.Kind == store.OpRecord && !slices.Contains(ids, o.Of())
				if want := own || m.do(o); results[i].OK != want || results[i].Err != nil {
					t.Fatalf("op %d of %d, %+v, record %+v, row %+v: %+v, want OK %v", i, len(ops), o, o.Record, o.Row, results[i], want)
				}
			}
			m.check(t, e, ids)
		}
	})
}

func (m *opModel) check(t *rapid.T, e store.Engine, ids []whisk.ActivationID) {
	t.Helper()
	for _, id := range ids {
		_, err := e.Activation(t.Context(), "ns", id)
		if (err == nil) != m.records[id] {
			t.Fatalf("%s: record: %v, want one: %v", id, err, m.records[id])
		}
		if l, err := e.DeadLetter(t.Context(), "ns", id); (err == nil) != m.dead[id] || err == nil && string(l.Payload) != "call" {
			t.Fatalf("%s: dead letter: %+v, %v, want one: %v", id, l, err, m.dead[id])
		}
		got, err := e.QueueRow(t.Context(), "ns", id)
		want := m.rows[id]
		if (err == nil) != (want != nil) {
			t.Fatalf("%s: row: %v, want %+v", id, err, want)
		}
		if want == nil {
			continue
		}
		if started := got.State == store.RowStarted; started != want.started || got.Token != want.token || got.Holder != want.holder || got.Attempt != want.attempt {
			t.Fatalf("%s: row %+v, want %+v", id, got, *want)
		}
	}
}
