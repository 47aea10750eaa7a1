package storetest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"hearth/store"
	"hearth/whisk"
)

func queued(t *testing.T, e store.Engine) []store.QueueRow {
	t.Helper()
	return must(e.QueueRows(t.Context(), 0, 1000))(t)
}

func queueStates(t *testing.T, e store.Engine) {
	r := newRow("ns", "sealed\x00call")
	r.Code, r.Token, r.Until = whisk.Digest{1, 2}, 99, 98
	start := func(token int64) store.Op {
		return store.Op{Kind: store.OpStart, ID: r.ID, Token: token, For: time.Minute}
	}
	longer := start(1)
	longer.For = time.Hour
	requeue := func(token int64) store.Op { return store.Op{Kind: store.OpRequeue, ID: r.ID, Token: token} }
	for _, step := range []struct {
		name  string
		op    store.Op
		ok    bool
		state store.RowState
		token int64
		lasts time.Duration
		gone  bool
	}{
		{"start what is not there", start(1), false, 0, 0, 0, true},
		{"requeue what is not there", requeue(1), false, 0, 0, 0, true},
		{"enqueue", store.Op{Kind: store.OpEnqueue, Row: r}, true, store.RowQueued, 0, 0, false},
		{"enqueue again", store.Op{Kind: store.OpEnqueue, Row: r}, false, store.RowQueued, 0, 0, false},
		{"start new what is queued", store.Op{Kind: store.OpStartNew, Row: r}, false, store.RowQueued, 0, 0, false},
		{"requeue what is queued", requeue(0), false, store.RowQueued, 0, 0, false},
		{"start", start(1), true, store.RowStarted, 1, time.Minute, false},
		{"start by another", start(2), false, store.RowStarted, 1, time.Minute, false},
		{"start with the same token, for longer", longer, true, store.RowStarted, 1, time.Hour, false},
		{"requeue by another", requeue(2), false, store.RowStarted, 1, time.Hour, false},
		{"requeue", requeue(1), true, store.RowQueued, 0, 0, false},
		{"start by another now", start(2), true, store.RowStarted, 2, time.Minute, false},
		{"record", recordOp(&whisk.Activation{ID: r.ID, Namespace: "ns", Name: "a"}), true, 0, 0, 0, true},
		{"start what has ended", start(3), false, 0, 0, 0, true},
		{"start new", store.Op{Kind: store.OpStartNew, Row: newRow("ns", "")}, true, 0, 0, 0, true},
	} {
		before := time.Now()
		if ok := commit(t, e, step.op)[0]; ok != step.ok {
			t.Errorf("%s: OK = %v, want %v", step.name, ok, step.ok)
		}
		rows := slices.DeleteFunc(queued(t, e), func(x store.QueueRow) bool { return x.ID != r.ID })
		if step.gone {
			if len(rows) != 0 {
				t.Errorf("%s: there is a row", step.name)
			}
			continue
		}
		want := *r
		want.State, want.Token = step.state, step.token
		if len(rows) != 1 {
			t.Fatalf("%s: %d rows, want 1", step.name, len(rows))
		}
		want.Seq, want.Until = rows[0].Seq, rows[0].Until
		if !lastsFor(want.Until, before, step.lasts) {
			t.Errorf("%s: until %d, want it to last %v", step.name, want.Until, step.lasts)
		}
		if fmt.Sprint(rows[0]) != fmt.Sprint(want) {
			t.Errorf("%s: row %+v, want %+v", step.name, rows[0], want)
		}
	}
}

// lastsFor reports whether a time is so long after before, which is now or a
// moment ago; 0 is none.
func lastsFor(until int64, before time.Time, lasts time.Duration) bool {
	const apart = 20 * time.Second // what clocks may differ by, or a slow machine take
	if lasts == 0 {
		return until == 0
	}
	return time.UnixMilli(until).Sub(before.Add(lasts)).Abs() < apart
}

func queueOrder(t *testing.T, e store.Engine) {
	var ids []whisk.ActivationID
	var ops []store.Op
	for i := range 20 {
		r := newRow("ns", fmt.Sprint(i))
		ids = append(ids, r.ID)
		ops = append(ops, store.Op{Kind: store.OpEnqueue, Row: r})
	}
	commit(t, e, ops[:10]...)
	commit(t, e, ops[10:]...)
	// A reader goes on behind the last it saw, in steps.
	var got []whisk.ActivationID
	last := int64(0)
	for {
		rows := must(e.QueueRows(t.Context(), last, 7))(t)
		if len(rows) == 0 {
			break
		}
		for _, r := range rows {
			if r.Seq <= last {
				t.Errorf("row %d behind row %d", r.Seq, last)
			}
			last = r.Seq
			got = append(got, r.ID)
		}
	}
	if !slices.Equal(got, ids) {
		t.Errorf("rows come in another order than they went in")
	}
	// The numbers of rows that have ended do not return.
	for _, id := range ids {
		commit(t, e, recordOp(&whisk.Activation{ID: id, Namespace: "ns", Name: "a"}))
	}
	commit(t, e, store.Op{Kind: store.OpEnqueue, Row: newRow("ns", "next")})
	if rows := must(e.QueueRows(t.Context(), last, 7))(t); len(rows) != 1 {
		t.Errorf("%d rows behind the last, want 1", len(rows))
	}
}

// queueLargeRows reads rows that are too many bytes for one page.
func queueLargeRows(t *testing.T, e store.Engine) {
	big := string(bytes.Repeat([]byte("x"), 3<<20))
	const n = 9
	for range n {
		commit(t, e, store.Op{Kind: store.OpEnqueue, Row: newRow("ns", big)})
	}
	seen := 0
	for last := int64(0); ; {
		rows := must(e.QueueRows(t.Context(), last, 100))(t)
		if len(rows) == 0 {
			break
		}
		for _, r := range rows {
			if len(r.Payload) != len(big) {
				t.Errorf("row %d has %d bytes", r.Seq, len(r.Payload))
			}
		}
		seen, last = seen+len(rows), rows[len(rows)-1].Seq
	}
	if seen != n {
		t.Errorf("%d rows were read, want %d", seen, n)
	}
}

func queueRecordEndsRow(t *testing.T, e store.Engine) {
	r := newRow("ns", "call")
	rec := record("ns", "", "a", 1)
	rec.ID = r.ID
	ok := commit(t, e, store.Op{Kind: store.OpEnqueue, Row: r}, store.Op{Kind: store.OpStart, ID: r.ID, Token: 1}, recordOp(rec),
		store.Op{Kind: store.OpStart, ID: r.ID, Token: 2})
	if want := []bool{true, true, true, false}; !slices.Equal(ok, want) {
		t.Errorf("in one commit: OK = %v, want %v", ok, want)
	}
	if rows := queued(t, e); len(rows) != 0 {
		t.Errorf("%d rows are left", len(rows))
	}
	r = newRow("ns", "call")
	rec = record("ns", "", "a", 1)
	rec.ID, rec.Unstored = r.ID, true
	commit(t, e, store.Op{Kind: store.OpEnqueue, Row: r})
	commit(t, e, recordOp(rec))
	if rows := queued(t, e); len(rows) != 0 {
		t.Errorf("%d rows are left behind an unstored record", len(rows))
	}
}

// queueRepetition gives ops again, as after a commit of unknown outcome.
func queueRepetition(t *testing.T, e store.Engine) {
	r, n := newRow("ns", "call"), newRow("ns", "new")
	n.Token = 5
	ops := []store.Op{
		{Kind: store.OpEnqueue, Row: r}, {Kind: store.OpStart, ID: r.ID, Token: 7}, {Kind: store.OpStartNew, Row: n},
	}
	if ok := commit(t, e, ops...); !slices.Equal(ok, []bool{true, true, true}) {
		t.Errorf("first: OK = %v", ok)
	}
	state := func() string {
		var out []string
		for _, r := range queued(t, e) {
			r.Until = 0 // a start renews it
			out = append(out, fmt.Sprint(r))
		}
		return strings.Join(out, "; ")
	}
	before := state()
	if ok := commit(t, e, ops...); !slices.Equal(ok, []bool{false, true, false}) {
		t.Errorf("again: OK = %v, want the start alone", ok)
	}
	if after := state(); after != before {
		t.Errorf("rows were %v and are %v", before, after)
	}
}

func queueRecordBeforeRow(t *testing.T, e store.Engine) {
	rec := record("ns", "", "a", 1)
	r := newRow("ns", "call")
	r.ID = rec.ID
	ok := commit(t, e, recordOp(rec), store.Op{Kind: store.OpStartNew, Row: r})
	if !slices.Equal(ok, []bool{true, false}) || len(queued(t, e)) != 0 {
		t.Errorf("a row was made for an id with a record: OK = %v", ok)
	}
}
