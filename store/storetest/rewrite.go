package storetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"hearth/store"
	"hearth/whisk"
)

// rewrite replaces everything, or nothing.
func rewrite(t *testing.T, e store.Engine) {
	ctx := t.Context()
	const many = 40 // more than an engine looks at at once
	names := map[string]bool{}
	for i := range many {
		d := doc(store.Actions, whisk.Namespace(fmt.Sprint("ns", i%3)), fmt.Sprint("p", i%2), fmt.Sprint("a", i), 1)
		must(e.PutDoc(ctx, d, 0))(t)
		uuid := fmt.Sprint("u-", i)
		putCredentials(t, e, store.Credential{UUID: uuid, Subject: "ann", Namespace: "ns", MAC: []byte{1}, Sealed: []byte("old"), Blocked: i%2 == 0})
		row := newRow("ns", "old")
		if i == 0 {
			row.Payload = nil
		}
		commit(t, e, store.Op{Kind: store.OpEnqueue, Row: row})
		alarm := newAlarm(fmt.Sprint("t", i), 1)
		wantErr(t, "put an alarm", e.PutAlarm(ctx, alarm, 0), nil)
		names["alarm "+alarm.Trigger.Path()] = true
		dead := newRow("ns", "old")
		commit(t, e, store.Op{Kind: store.OpEnqueue, Row: dead}, recordOp(deadRecord(dead)))
		names["dead letter "+dead.ID.String()] = true
		names["doc "+d.Key.String()], names["credential "+uuid] = true, true
		if i > 0 {
			names["row "+row.ID.String()] = true
		}
	}
	last := must(e.LastChange(ctx))(t)
	boom := errors.New("boom")
	try := func(next string, fail error) map[string]bool {
		t.Helper()
		seen := map[string]bool{}
		see := func(what string) {
			if seen[what] {
				t.Errorf("%s comes by twice", what)
			}
			seen[what] = true
		}
		err := e.Rewrite(ctx, store.Rewriter{
			Credential: func(c store.Credential) (store.Credential, error) {
				see("credential " + c.UUID)
				c.MAC, c.Sealed = []byte(next), []byte(next)
				return c, nil
			},
			Row: func(r store.QueueRow) ([]byte, error) {
				see("row " + r.ID.String())
				return []byte(next), nil
			},
			Dead: func(l store.DeadLetter) ([]byte, error) {
				see("dead letter " + l.ID.String())
				return []byte(next), nil
			},
			Doc: func(d store.Doc) ([]byte, error) {
				see("doc " + d.Key.String())
				if strings.HasSuffix(d.Name, "9") {
					return d.Body, nil
				}
				return []byte(next), fail
			},
			Alarm: func(a whisk.Alarm) ([]byte, error) {
				see("alarm " + a.Trigger.Path())
				if len(a.Body) == 0 {
					t.Errorf("alarm %s comes by without a body", a.Trigger)
				}
				return []byte(next), nil
			},
			Notes: map[string][]byte{"n": []byte(next)},
		})
		wantErr(t, next, err, fail)
		return seen
	}
	check := func(want string) {
		t.Helper()
		for _, c := range must(e.SubjectCredentials(ctx, "ann"))(t) {
			if string(c.Sealed) != want || c.Blocked != (c.UUID[len(c.UUID)-1]%2 == 0) || c.Namespace != "ns" {
				t.Errorf("credential %v, want %s", c, want)
			}
		}
		alarm := must(e.Alarm(ctx, whisk.EntityName{Namespace: "ns", Name: "t7"}))(t)
		if got := string(alarm.Body); got != want && want != "old" || want == "old" && got != "sealed t7" {
			t.Errorf("alarm has body %q, want %s", got, want)
		}
		for _, l := range must(e.DeadLetters(ctx, "ns", store.DeadQuery{}))(t) {
			if l = must(e.DeadLetter(ctx, "ns", l.ID))(t); string(l.Payload) != want {
				t.Errorf("dead letter %s = %q, want %s", l.ID, l.Payload, want)
			}
		}
		rows := queued(t, e)
		if len(rows) != many {
			t.Errorf("%d rows", len(rows))
		}
		for i, r := range rows {
			if (string(r.Payload) != want) != (i == 0) {
				t.Errorf("row %d = %q, want %s", i, r.Payload, want)
			}
		}
		for _, d := range must(e.Docs(ctx, store.DocQuery{Namespace: "ns1"}))(t) {
			if changed := string(d.Body) == want; changed != (want != "old" && !strings.HasSuffix(d.Name, "9")) {
				t.Errorf("%s = %s, want %s", d.Key, d.Body, want)
			}
		}
	}
	try("lost", boom)
	check("old")
	if got := must(e.Note(ctx, "n"))(t); got != nil {
		t.Errorf("note = %q after a failure", got)
	}
	if seen := try("new", nil); len(seen) != len(names) {
		t.Errorf("%d came by, want %d", len(seen), len(names))
	}
	check("new")
	if got := must(e.Note(ctx, "n"))(t); string(got) != "new" {
		t.Errorf("note = %q", got)
	}
	if got := must(e.LastChange(ctx))(t); got != last {
		t.Errorf("the change log grew from %d to %d", last, got)
	}
}
