package storetest

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"hearth/store"
	"hearth/whisk"
)

func putCode(t *testing.T, e store.Engine, text string) whisk.Digest {
	t.Helper()
	d := whisk.Digest(sha256.Sum256([]byte(text)))
	if err := e.PutCode(t.Context(), d, []byte(text)); err != nil {
		t.Fatalf("put code: %v", err)
	}
	return d
}

func codeRoundTrip(t *testing.T, e store.Engine) {
	ctx := t.Context()
	_, err := e.Code(ctx, whisk.Digest{1})
	wantErr(t, "read before put", err, whisk.ErrNotFound)
	big := string(bytes.Repeat([]byte{0, 1, 0xfe, '\n'}, 1<<19))
	for _, text := range []string{"function main() {}", "", big} {
		d := putCode(t, e, text)
		putCode(t, e, text)
		if got := must(e.Code(ctx, d))(t); string(got) != text {
			t.Errorf("read %d bytes, want the %d that were put", len(got), len(text))
		}
	}
}

func codeSweep(t *testing.T, e store.Engine) {
	ctx := t.Context()
	past, future := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	byDoc, byRow, loose := putCode(t, e, "doc"), putCode(t, e, "row"), putCode(t, e, "loose")
	d := doc(store.Actions, "ns", "", "a", 1)
	d.Code = byDoc
	d = must(e.PutDoc(ctx, d, 0))(t)
	row := newRow("ns", "call")
	row.Code = byRow
	commit(t, e, store.Op{Kind: store.OpEnqueue, Row: row})

	sweep := func(when string, before time.Time, want int) {
		t.Helper()
		if got := must(e.SweepCode(ctx, before))(t); got != want {
			t.Errorf("%s: swept %d, want %d", when, got, want)
		}
	}
	sweep("all are young", past, 0)
	sweep("one is loose", future, 1)
	_, err := e.Code(ctx, loose)
	wantErr(t, "read what was swept", err, whisk.ErrNotFound)
	must(e.Code(ctx, byDoc))(t)
	must(e.Code(ctx, byRow))(t)

	d = must(e.PutDoc(ctx, d, d.Revision))(t) // names the same blob still
	sweep("updated with the same code", future, 0)
	commit(t, e, recordOp(&whisk.Activation{ID: row.ID, Namespace: "ns", Name: "a"}))
	sweep("the row has ended", future, 1)

	d.Code = putCode(t, e, "other")
	d = must(e.PutDoc(ctx, d, d.Revision))(t)
	sweep("the old code is young", past, 0)
	sweep("the old code is loose", future, 1)
	if err := e.DeleteDoc(ctx, d.Key, 0); err != nil {
		t.Fatal(err)
	}
	sweep("the deleted action's code is young", past, 0)
	sweep("the deleted action's code is loose", future, 1)
	for i := range 100 {
		putCode(t, e, fmt.Sprint("many ", i))
	}
	sweep("many are loose", future, 100)
}
