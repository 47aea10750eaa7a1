package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"hearth/store"
	"hearth/whisk"
)

// Fill gives an engine something of everything that one can hold.
func Fill(t *testing.T, e store.Engine) {
	t.Helper()
	ctx := t.Context()
	for i := range 20 {
		d := doc(store.Actions, whisk.Namespace(fmt.Sprint("ns", i%3)), fmt.Sprint("p", i%2), fmt.Sprint("a", i), int64(i))
		if d.Public = i%5 == 0; i%4 == 0 {
			d.Code = putCode(t, e, fmt.Sprint("code ", i/8))
		}
		must(e.PutDoc(ctx, d, 0))(t)
	}
	wantErr(t, "delete", e.DeleteDoc(ctx, store.Key{Namespace: "ns1", Package: "p1", Name: "a1"}, 0), nil)
	putCode(t, e, "")
	putCode(t, e, strings.Repeat("large ", 1<<19))
	putCredentials(t, e,
		store.Credential{UUID: "u1", Subject: "ann", Namespace: "ns1", MAC: []byte{0, 1}, Sealed: []byte("sealed")},
		store.Credential{UUID: "u2", Subject: "ann", Namespace: "ns2", Blocked: true})
	n, kept := int64(7), whisk.Retention(time.Hour)
	wantErr(t, "set limits", e.ChangeLimits(ctx, "nobody's", func(whisk.NamespaceLimits) (whisk.NamespaceLimits, error) {
		return whisk.NamespaceLimits{FiresPerMinute: &n, Retention: &kept, AllowedKinds: []string{"nodejs:20"}}, nil
	}), nil)
	wantErr(t, "put a note", e.PutNote(ctx, "key", []byte{0, 0xff}), nil)
	wantErr(t, "put an alarm", e.PutAlarm(ctx, newAlarm("t1", 5), 0), nil)
	over := newAlarm("t2", 5)
	over.Due, over.Reason, over.Status = 0, "gone", 404
	wantErr(t, "put an alarm", e.PutAlarm(ctx, over, 0), nil)
	must(e.Lead(ctx, "x", 5, time.Hour))(t)

	queued, started, retried := newRow("ns1", "queued"), newRow("ns2", "started\x00"), newRow("ns1", "retried")
	queued.Holder, queued.Code, retried.Attempt = 3, putCode(t, e, "of a row"), 1
	commit(t, e, enqueueOp(queued), enqueueOp(started), startOp(started.ID, 44, 0), enqueueOp(retried), attemptOp(retried, 1, 60_000),
		enqueueOp(newRow("ns3", "")))
	bury(t, e, "ns1", 3)
	commit(t, e, recordOp(fullRecord()), recordOp(&whisk.Activation{ID: whisk.NewActivationID(), Namespace: "ns1", Name: "bare", Start: 1}))
	var ops []store.Op
	for i := range 200 {
		ops = append(ops, recordOp(record(whisk.Namespace(fmt.Sprint("ns", i%4)), "", fmt.Sprint("a", i%7), int64(i))))
	}
	commit(t, e, ops...)
}

// Contents lists what an engine holds, each as a text, in an order of its own.
// Equal contents have equal lists, whatever the engines are.
func Contents(t *testing.T, e store.Engine) []string {
	t.Helper()
	var out []string
	wantErr(t, "dump", e.(store.Dumper).Dump(t.Context(), store.Sink{Item: func(it store.Item) error {
		out = append(out, itemText(it))
		return nil
	}}), nil)
	slices.Sort(out)
	return out
}

func itemText(it store.Item) string {
	switch {
	case it.Row != nil:
		r := *it.Row
		r.Seq, r.Holder = 0, 0
		return fmt.Sprintf("row %+v", r)
	case it.Doc != nil:
		return fmt.Sprintf("doc %+v", *it.Doc)
	case it.Credential != nil:
		return fmt.Sprintf("credential %+v", *it.Credential)
	case it.Limits != nil:
		l := it.Limits
		return fmt.Sprintf("limits %s %d %v %v", l.Namespace, *l.Limits.FiresPerMinute, *l.Limits.Retention, l.Limits.AllowedKinds)
	case it.Note != nil:
		return fmt.Sprintf("note %+v", *it.Note)
	case it.Code != nil:
		return fmt.Sprintf("code %s of %d bytes", it.Code.Digest, len(it.Code.Text))
	case it.Record != nil:
		head, body := store.EncodeActivation(it.Record)
		return fmt.Sprintf("record %q %q", head, body)
	case it.Dead != nil:
		return fmt.Sprintf("dead %+v", *it.Dead)
	case it.Alarm != nil:
		return fmt.Sprintf("alarm %+v", *it.Alarm)
	case it.Term != nil:
		return fmt.Sprintf("term %+v", *it.Term)
	}
	return fmt.Sprint("changes ", it.Changes)
}

// SameContents fails where two lists differ.
func SameContents(t *testing.T, got, want []string) {
	t.Helper()
	for _, g := range got {
		if _, ok := slices.BinarySearch(want, g); !ok {
			t.Errorf("there is %.300s, and was not", g)
		}
	}
	for _, w := range want {
		if _, ok := slices.BinarySearch(got, w); !ok {
			t.Errorf("there is no %.300s any more", w)
		}
	}
}

// dump copies an engine into another of its kind.
func dump(t *testing.T, open Open) {
	ctx := t.Context()
	from, into := open(t, t.TempDir(), store.ClaimLease), open(t, t.TempDir(), store.ClaimLease)
	defer func() { wantErr(t, "close", errors.Join(from.Close(), into.Close()), nil) }()
	Fill(t, from)
	want := Contents(t, from)
	var file bytes.Buffer
	must(store.Export(ctx, &file, from.(store.Dumper), nil))(t)
	must(store.Import(ctx, bytes.NewReader(file.Bytes()), into.(store.Dumper)))(t)
	SameContents(t, Contents(t, into), want)

	// The copy goes on where the other was.
	if a, b := must(from.LastChange(ctx))(t), must(into.LastChange(ctx))(t); a != b {
		t.Errorf("last change %d, was %d", b, a)
	}
	_, err := into.Changes(ctx, 3, 10)
	wantErr(t, "changes from before", err, store.ErrChangesLost)
	last := must(into.LastChange(ctx))(t)
	if got := must(into.Changes(ctx, last, 10))(t); len(got) != 0 {
		t.Errorf("changes after the last: %v", got)
	}
	d := must(into.PutDoc(ctx, doc(store.Actions, "ns", "", "new", 1), 0))(t)
	if d.Revision <= last {
		t.Errorf("a revision of %d after the change %d", d.Revision, last)
	}
	must(into.PutDoc(ctx, must(into.Doc(ctx, d.Key))(t), d.Revision))(t)
	if term := must(into.Lead(ctx, "x", 6, time.Hour))(t); term != 2 {
		t.Errorf("the next leader has term %d, want 2", term)
	}
	var rows []string
	for _, r := range queued(t, into) {
		rows = append(rows, string(r.Payload))
	}
	if !slices.Equal(rows, []string{"queued", "started\x00", "retried", ""}) {
		t.Errorf("rows in the order %q", rows)
	}
	if got := claimed(t, into, everything(9)); len(got) != 2 {
		t.Errorf("%d rows can be claimed, want those two that are queued and due", len(got))
	}
	wantErr(t, "load what is in use", into.(store.Dumper).Load(ctx, func() (store.Item, error) { return store.Item{}, io.EOF }), store.ErrNotEmpty)
}

// loadFails breaks a load off: nothing of it is there, and another may follow.
func loadFails(t *testing.T, e store.Engine) {
	ctx, boom := t.Context(), errors.New("boom")
	items := []store.Item{
		{Changes: 7}, {Note: &store.NoteItem{Name: "n", Value: []byte("v")}},
		{Doc: &store.Doc{Key: store.Key{Namespace: "ns", Name: "a"}, Collection: store.Actions, Revision: 5, Body: []byte("body")}},
		{Record: record("ns", "", "a", 1)}, {Row: newRow("ns", "call")},
	}
	load := func(fail error) error {
		n := 0
		return e.(store.Dumper).Load(ctx, func() (store.Item, error) {
			if n++; n > len(items) {
				return store.Item{}, fail
			}
			return items[n-1], nil
		})
	}
	wantErr(t, "a load that breaks off", load(boom), boom)
	if got := Contents(t, e); len(got) != 0 {
		t.Errorf("a load that broke off has left %q", got)
	}
	wantErr(t, "load", load(io.EOF), nil)
	if got := Contents(t, e); len(got) != len(items) {
		t.Errorf("loaded %q, want %d items", got, len(items))
	}
	if got := must(e.Doc(ctx, items[2].Doc.Key))(t); got.Revision != 5 {
		t.Errorf("revision %d, want 5", got.Revision)
	}
}
