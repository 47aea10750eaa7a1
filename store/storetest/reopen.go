package storetest

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"hearth/store"
	"hearth/whisk"
)

// reopen looks at everything again through a second opening.
func reopen(t *testing.T, open Open) {
	ctx, dir := t.Context(), t.TempDir()
	e := open(t, dir, store.ClaimLease)
	d := must(e.PutDoc(ctx, doc(store.Actions, "ns", "p", "a", 5), 0))(t)
	gone := must(e.PutDoc(ctx, doc(store.Actions, "ns", "", "gone", 5), 0))(t)
	wantErr(t, "delete", e.DeleteDoc(ctx, gone.Key, 0), nil)
	code := putCode(t, e, "code")
	putCredentials(t, e, store.Credential{UUID: "u", Subject: "ann", Namespace: "ns"})
	n := int64(3)
	wantErr(t, "set limits", e.ChangeLimits(ctx, "ns", func(whisk.NamespaceLimits) (whisk.NamespaceLimits, error) {
		return whisk.NamespaceLimits{FiresPerMinute: &n}, nil
	}), nil)
	wantErr(t, "put note", e.PutNote(ctx, "n", []byte("v")), nil)
	a, r := fullRecord(), newRow("ns", "call")
	commit(t, e, recordOp(a), store.Op{Kind: store.OpEnqueue, Row: r}, store.Op{Kind: store.OpStart, ID: r.ID, Token: 4, For: time.Minute})
	retried, dead := newRow("ns", "retried"), newRow("ns", "dead")
	retried.Attempt = 1
	commit(t, e, enqueueOp(retried), attemptOp(retried, 1, 60_000), enqueueOp(dead), recordOp(deadRecord(dead)))
	rows, letter := queued(t, e), must(e.DeadLetter(ctx, "ns", dead.ID))(t)
	must(e.Lead(ctx, "x", 1, time.Hour))(t)
	wantErr(t, "resign", e.Resign(ctx, "x", 1), nil)
	wantErr(t, "close", e.Close(), nil)

	e = open(t, dir, store.ClaimLease)
	defer func() { wantErr(t, "close", e.Close(), nil) }()
	if got := must(e.Doc(ctx, d.Key))(t); !reflect.DeepEqual(got, d) {
		t.Errorf("document %+v, want %+v", got, d)
	}
	if got := must(e.PutDoc(ctx, doc(store.Actions, "ns", "", "gone", 5), 0))(t); got.Revision <= gone.Revision+1 {
		t.Errorf("revision %d after %d and its deletion", got.Revision, gone.Revision)
	}
	if got := must(e.Code(ctx, code))(t); string(got) != "code" {
		t.Errorf("code = %q", got)
	}
	must(e.Credential(ctx, "u"))(t)
	if got := must(e.NamespaceLimits(ctx, "ns"))(t); got.FiresPerMinute == nil {
		t.Errorf("limits are gone")
	}
	if got := must(e.Note(ctx, "n"))(t); string(got) != "v" {
		t.Errorf("note = %q", got)
	}
	if got := must(e.Activation(ctx, "ns", a.ID))(t); !reflect.DeepEqual(got, a) {
		t.Errorf("record %+v, want %+v", got, a)
	}
	if got := queued(t, e); fmt.Sprint(got) != fmt.Sprint(rows) {
		t.Errorf("rows %v, want %v", got, rows)
	}
	if got := must(e.DeadLetter(ctx, "ns", dead.ID))(t); !reflect.DeepEqual(got, letter) {
		t.Errorf("dead letter %+v, want %+v", got, letter)
	}
	if term := must(e.Lead(ctx, "x", 2, time.Hour))(t); term != 2 {
		t.Errorf("the next leader has term %d, want 2", term)
	}
	second := *a
	if ok := commit(t, e, recordOp(&second)); ok[0] {
		t.Errorf("a record of before is not seen")
	}
	if ok := commit(t, e, recordOp(record("ns", "", "a name of later", 1))); !ok[0] {
		t.Errorf("no record can be added")
	}
}
