package flow

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"hearth/whisk"
)

// invoke runs a blocking call to its record.
func (l *life) invoke(t *testing.T, c *whisk.Call) *whisk.Activation {
	t.Helper()
	n := &counter{}
	rec, err := l.Invoke(t.Context(), c, time.Hour, n.end)
	if err != nil {
		t.Fatalf("Invoke: %v", err)
	}
	n.want(t, 1)
	return rec
}

// inside returns the records that a record's logs name.
func (w *world) inside(t *testing.T, rec *whisk.Activation) []*whisk.Activation {
	t.Helper()
	var out []*whisk.Activation
	for _, text := range rec.Logs {
		id, err := whisk.ParseActivationID(text)
		if err != nil {
			t.Fatal(err)
		}
		r := w.record(id)
		switch {
		case r == nil:
			t.Fatalf("no record of %s, which the logs name", id)
		case r.Cause != rec.ID || !r.Facts.InFlow:
			t.Errorf("%s: cause %s, in flow %v", r.Name, r.Cause, r.Facts.InFlow)
		case r.Namespace != rec.Namespace || r.Subject != rec.Subject:
			t.Errorf("%s: of %s, %s", r.Name, r.Namespace, r.Subject)
		}
		out = append(out, r)
	}
	return out
}

// names are those of the activations, in order.
func names(recs []*whisk.Activation) string {
	var out []string
	for _, r := range recs {
		out = append(out, r.Name)
	}
	return strings.Join(out, " ")
}

func TestSequence(t *testing.T) {
	bubble(t, testConfig(), 1, func(t *testing.T, w *world, l *life) {
		w.define("a", gives(100, `{"x":1}`)).Action.Limits.Memory = 512
		w.define("ns/p/b", gives(200, `{"y":2}`))
		w.define("c", echo(300), `k=3`, `y=0`)
		s := w.sequence("s", "a", "ns/p/b", "c")
		c := callOf(s, `{"in":1}`)
		c.Waited = 7 * time.Millisecond
		began := time.Now()
		rec := l.invoke(t, c)
		if got := string(rec.Response.Result); got != `{"k":3,"y":2}` || rec.Response.Status != whisk.Success || rec.Response.Size != len(got) {
			t.Errorf("response = %+v %s", rec.Response, got)
		}
		inside := w.inside(t, rec)
		if got := names(inside); got != "a b c" {
			t.Errorf("ran %s", got)
		}
		if rec.Duration != 600 || rec.Start != began.UnixMilli() || rec.End != began.UnixMilli()+600 {
			t.Errorf("duration %d, %d to %d", rec.Duration, rec.Start-began.UnixMilli(), rec.End-began.UnixMilli())
		}
		f := rec.Facts
		if f.Kind != whisk.Sequence || f.InFlow || f.Conductor || f.Path != "ns/s" || f.Wait != 7 || f.Limits.Memory != 512 || f.Limits.Timeout != 60_000 {
			t.Errorf("facts = %+v", f)
		}
		if w.record(rec.ID) != rec || !rec.Cause.IsZero() || rec.Name != "s" {
			t.Errorf("record = %+v", rec)
		}
		if inside[1].Package != "p" || l.v.last.TransactionID != "tid" || l.v.last.UUID != "uuid" || l.v.last.NoQueue {
			t.Errorf("last call = %+v", l.v.last)
		}
		if got := w.count("startnew"); got != 0 {
			t.Errorf("%d rows for what ended in time", got)
		}
		l.wantClean(t)
	})
}

func TestSequenceEnds(t *testing.T) {
	for _, tc := range []struct {
		name       string
		components []string
		payload    string
		ran        string
		status     whisk.Status
		result     string
		memory     int64 // 0: no limits
	}{
		{"nothing given", []string{"echo"}, ``, "echo", whisk.Success, `{}`, 256},
		{"an error in what is given", []string{"echo", "one"}, `{"error":1}`, "echo", whisk.ApplicationError, `{"error":1}`, 256},
		{"an error in what is given, passed over", []string{"one", "echo"}, `{"error":1}`, "one echo", whisk.Success, `{"one":1}`, 256},
		{"application error", []string{"one", "fail", "one"}, ``, "one fail", whisk.ApplicationError, `{"error":"no"}`, 256},
		{"developer error", []string{"crash", "one"}, ``, "crash", whisk.DeveloperError, `{"error":"crashed"}`, 256},
		{"array", []string{"array", "echo"}, ``, "array echo", whisk.Success, `[1,{"error":2}]`, 256},
		{"array into parameters", []string{"array", "params"}, ``, "array params", whisk.Success, `[1,{"error":2}]`, 256},
		{"no object", []string{"text", "params"}, ``, "text params", whisk.Success, `{"p":1}`, 256},
		{"missing", []string{"one", "absent", "one"}, ``, "one", whisk.ApplicationError, `{"error":"Sequence component does not exist."}`, 256},
		{"missing at first", []string{"absent"}, ``, "", whisk.ApplicationError, `{"error":"Sequence component does not exist."}`, 0},
		{"not allowed", []string{"one", "secret/a"}, ``, "one", whisk.ApplicationError, `{"error":"Sequence component does not exist."}`, 256},
		{"not to be looked up", []string{"one", "broken/a"}, ``, "one", whisk.WhiskError, `{"error":"Sequence failed."}`, 256},
		{"not supported any more", []string{"one", "old"}, ``, "one", whisk.WhiskError, `{"error":"Sequence failed."}`, 256},
		{"nested", []string{"inner", "one"}, `{"a":1}`, "inner one", whisk.Success, `{"one":1}`, 256},
		{"nested error", []string{"innerfail", "one"}, ``, "innerfail", whisk.ApplicationError, `{"error":"no"}`, 256},
		{"at the limit", []string{"inner", "one", "one"}, ``, "inner one one", whisk.Success, `{"one":1}`, 256},
		{"over the limit", []string{"inner", "inner", "one"}, ``, "inner inner", whisk.ApplicationError, `{"error":"Too many actions in the sequence."}`, 256},
		{"over the limit inside", []string{"inner", "one", "inner", "one"}, ``, "inner one inner", whisk.ApplicationError, `{"error":"Too many actions in the sequence."}`, 256},
		{"endless", []string{"loop"}, ``, "loop", whisk.ApplicationError, `{"error":"Too many actions in the sequence."}`, 0},
		{"empty", nil, `{"a":1}`, "", whisk.Success, `{}`, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg := testConfig()
			cfg.SequenceLength = 4
			bubble(t, cfg, 1, func(t *testing.T, w *world, l *life) {
				w.define("echo", echo(1))
				w.define("one", gives(1, `{"one":1}`))
				w.define("fail", gives(1, `{"error":"no"}`))
				w.define("crash", func(json.RawMessage) (int, whisk.Response) {
					return 1, whisk.ErrorResponse(whisk.DeveloperError, "crashed")
				})
				w.define("array", gives(1, `[1,{"error":2}]`))
				w.define("text", gives(1, `"text"`))
				w.define("params", echo(1), "p=1")
				w.define("old", echo(1)).Action.Exec.Kind = "old:1"
				w.sequence("inner", "echo", "one")
				w.sequence("innerfail", "one", "fail", "one")
				w.sequence("loop", "loop")
				rec := l.invoke(t, callOf(w.sequence("s", tc.components...), tc.payload))
				if got := names(w.inside(t, rec)); got != tc.ran {
					t.Errorf("ran %q, want %q", got, tc.ran)
				}
				if got := string(rec.Response.Result); got != tc.result || rec.Response.Status != tc.status {
					t.Errorf("got %v %s, want %v %s", rec.Response.Status, got, tc.status, tc.result)
				}
				if l := rec.Facts.Limits; (l == nil) != (tc.memory == 0) || l != nil && l.Memory != tc.memory {
					t.Errorf("limits = %+v", l)
				}
				l.wantClean(t)
			})
		})
	}
}

// What is nested has records of its own, and is not flattened.
func TestNestedSequence(t *testing.T) {
	bubble(t, testConfig(), 1, func(t *testing.T, w *world, l *life) {
		w.define("a", gives(10, `{"a":1}`))
		w.define("b", gives(20, `{"b":1}`)).Action.Limits.Memory = 512
		w.sequence("inner", "b", "b")
		w.bounds = &whisk.Bounds{}
		rec := l.invoke(t, callOf(w.sequence("s", "a", "inner", "a"), ``))
		inside := w.inside(t, rec)
		if names(inside) != "a inner a" || rec.Duration != 60 || rec.Facts.Limits.Memory != 512 {
			t.Errorf("ran %s for %d ms, %+v", names(inside), rec.Duration, rec.Facts.Limits)
		}
		if l.v.last.Bounds != w.bounds {
			t.Error("a component's call lacks the caller's bounds")
		}
		inner := inside[1]
		if names(w.inside(t, inner)) != "b b" || inner.Duration != 40 || inner.Facts.Kind != whisk.Sequence || !inner.Facts.InFlow {
			t.Errorf("inner = %+v", inner)
		}
		if order := w.order(rec.ID, inner.ID); order[0] != inner.ID {
			t.Error("the inner record was stored after that of the whole")
		}
	})
}

// order sorts ids by when their records were stored.
func (w *world) order(ids ...whisk.ActivationID) []whisk.ActivationID {
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.SortFunc(ids, func(a, b whisk.ActivationID) int {
		return slices.Index(w.stored, a) - slices.Index(w.stored, b)
	})
	return ids
}

// A component that takes too long ends the sequence, and has its own record.
func TestSequenceLate(t *testing.T) {
	bubble(t, testConfig(), 1, func(t *testing.T, w *world, l *life) {
		w.define("slow", gives(200_000, `{}`))
		c := callOf(w.sequence("s", "slow", "slow"), ``)
		began := time.Now()
		rec := l.invoke(t, c)
		if took := time.Since(began).Truncate(time.Second); took != 2*time.Minute {
			t.Errorf("took %v", took)
		}
		if len(rec.Logs) != 1 {
			t.Fatalf("logs = %v", rec.Logs)
		}
		want := `{"error":"Timeout reached when retrieving activation ` + rec.Logs[0] + ` for sequence component."}`
		if got := string(rec.Response.Result); got != want || rec.Response.Status != whisk.WhiskError {
			t.Errorf("got %v %s", rec.Response.Status, got)
		}
		id, _ := whisk.ParseActivationID(rec.Logs[0])
		if r := w.row(id); r == nil || r.State != whisk.RowStarted {
			t.Errorf("the component that is named is not promised: %+v", r)
		}
		time.Sleep(2 * time.Minute)
		w.wantRecord(t, id, whisk.Success, "")
		l.wantClean(t)
	})
}

func TestSequenceKeyAndUnstored(t *testing.T) {
	bubble(t, testConfig(), 1, func(t *testing.T, w *world, l *life) {
		w.define("keyed", echo(1)).Action.Annotations = nil // wants the key
		s := w.sequence("s", "keyed")
		s.Action.Annotations = nil
		c := callOf(s, ``)
		c.Unstored = true
		rec := l.invoke(t, c)
		if l.v.last.APIKey != "uuid:secret" || !l.v.last.Unstored {
			t.Errorf("call = %+v", l.v.last)
		}
		if !rec.Unstored || len(w.records) != 0 {
			t.Errorf("%d records", len(w.records))
		}
		l.keys = fakeKeys{err: &whisk.Error{Kind: whisk.Unauthenticated}}
		rec = l.invoke(t, callOf(s, ``))
		w.wantRecord(t, rec.ID, whisk.WhiskError, msgSequenceFailed)
		l.wantClean(t)
	})
}

// Nothing has started: refused. Something has: it waits for room.
func TestSequenceWithoutRoom(t *testing.T) {
	bubble(t, testConfig(), 0, func(t *testing.T, w *world, l *life) {
		w.define("a", gives(10, `{}`))
		w.sequence("inner", "a")
		c, n := callOf(w.sequence("s", "inner", "a"), ``), &counter{}
		began := time.Now()
		if _, err := l.Invoke(t.Context(), c, time.Minute, n.end); !errors.Is(err, whisk.ErrOverloaded) {
			t.Errorf("err = %v", err)
		}
		if took := time.Since(began); took != l.cfg.Patience {
			t.Errorf("took %v, want %v", took, l.cfg.Patience)
		}
		n.want(t, 1)
		if len(w.records) != 0 || len(w.rows) != 0 {
			t.Error("a sequence that never started has left something")
		}
		l.v.set(func() { l.v.room = 1 })
		w.define("a", func(json.RawMessage) (int, whisk.Response) {
			l.v.set(func() { l.v.room = 0 })
			return 10, response(`{}`)
		})
		time.AfterFunc(30*time.Second, func() { l.v.set(func() { l.v.room = 1 }) })
		rec := l.invoke(t, callOf(w.actions["ns/s"], ``))
		w.wantRecord(t, rec.ID, whisk.Success, "")
		if wait := w.inside(t, rec)[1]; wait == nil || time.Since(began) < 30*time.Second {
			t.Error("it did not wait")
		}
		// For good, now.
		l.v.set(func() { l.v.room = 1 })
		rec = l.invoke(t, callOf(w.sequence("s", "a", "a"), ``))
		w.wantRecord(t, rec.ID, whisk.WhiskError, msgSequenceFailed)
		if len(rec.Logs) != 1 {
			t.Errorf("logs = %v", rec.Logs)
		}
		l.wantClean(t)
	})
}
