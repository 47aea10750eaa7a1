package flow

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"hearth/whisk"
)

// script gives the results in turn, and keeps the arguments.
type script struct {
	t       *testing.T
	ms      int
	results []string
	args    []string
}

func (s *script) run(args json.RawMessage) (int, whisk.Response) {
	s.args = append(s.args, string(args))
	if len(s.results) == 0 {
		s.t.Errorf("one run too many, with %s", args)
		return 1, response(`{}`)
	}
	r := s.results[0]
	s.results = s.results[1:]
	return s.ms, response(r)
}

func TestConductor(t *testing.T) {
	bubble(t, testConfig(), 1, func(t *testing.T, w *world, l *life) {
		w.define("inc", gives(100, `{"n":2}`), "k=1")
		w.define("big", gives(50, `{"b":1}`)).Action.Limits.Memory = 512
		s := &script{t: t, ms: 10, results: []string{
			`{"action":"inc","params":{"n":1},"state":{"at":1}}`,
			`{"action":"/ns/big","state":"x"}`,
			`{"params":{"done":true},"state":{"at":3}}`,
		}}
		c := callOf(w.conductor("c", s.run, "own=1", "n=0"), `{"in":1}`)
		c.Waited = 7 * time.Millisecond
		rec := l.invoke(t, c)
		want := `[{"own":1,"n":0,"in":1} {"own":1,"n":2,"at":1} {"own":1,"n":0,"b":1,"state":"x"}]`
		if got := fmt.Sprint(s.args); got != want {
			t.Errorf("the conductor got\n%s, want\n%s", got, want)
		}
		inside := w.inside(t, rec)
		if got := names(inside); got != "c inc c big c" {
			t.Errorf("ran %s", got)
		}
		if got := string(rec.Response.Result); got != `{"done":true}` || rec.Response.Status != whisk.Success || rec.Response.Size != len(got) {
			t.Errorf("response = %+v %s", rec.Response, got)
		}
		f := rec.Facts
		if f.Kind != whisk.Sequence || !f.Conductor || f.InFlow || f.Path != "ns/c" || f.Limits.Memory != 512 || f.Wait != 7 || rec.Duration != 180 {
			t.Errorf("record = %+v", rec)
		}
		if f := inside[0].Facts; f.Conductor || f.Kind != "nodejs:20" || !f.InFlow {
			t.Errorf("the conductor's own record = %+v", inside[0])
		}
		if w.record(rec.ID) != rec {
			t.Error("the record is not stored")
		}
		l.wantClean(t)
	})
}

func TestConductorEnds(t *testing.T) {
	for _, tc := range []struct {
		name    string
		payload string
		results []string // of the conductor
		args    string   // of its runs but the first
		ran     string
		status  whisk.Status
		result  string
	}{
		{"at once", `{"a":1}`, []string{`{"b":2}`}, `[]`, "c", whisk.Success, `{"b":2}`},
		{"nothing at all", ``, []string{`{}`}, `[]`, "c", whisk.Success, `{}`},
		{"with params", ``, []string{`{"b":2,"params":3}`}, `[]`, "c", whisk.Success, `{"value":3}`},
		{"array", ``, []string{`[1]`}, `[]`, "c", whisk.Success, `[1]`},
		{"error", ``, []string{`{"error":"no"}`}, `[]`, "c", whisk.ApplicationError, `{"error":"no"}`},
		{"component error goes on", ``, []string{`{"action":"fail","state":{"s":1}}`, `{"ok":1}`}, `[{"error":"no","s":1}]`, "c fail c", whisk.Success, `{"ok":1}`},
		{"component array", ``, []string{`{"action":"array"}`, `{"action":"array","state":{"s":1}}`, `{"ok":1}`},
			`[[1] {"value":[1],"s":1}]`, "c array c array c", whisk.Success, `{"ok":1}`},
		{"no name", ``, []string{`{"action":{"a": [1, "x"]},"state":{"s":1}}`, `{"ok":1}`},
			`[{"error":"Failed to parse action name from json value {\"a\":[1,\"x\"]} during composition.","s":1}]`, "c c", whisk.Success, `{"ok":1}`},
		{"bad name", ``, []string{`{"action":"/a"}`, `{"ok":1}`},
			`[{"error":"Failed to parse action name from json value \"/a\" during composition."}]`, "c c", whisk.Success, `{"ok":1}`},
		{"missing", ``, []string{`{"action":"absent"}`, `{"ok":1}`},
			`[{"error":"Failed to resolve action with name 'ns/absent' during composition."}]`, "c c", whisk.Success, `{"ok":1}`},
		{"missing in a package", ``, []string{`{"action":"p/absent"}`, `{"error":1}`},
			`[{"error":"Failed to resolve action with name 'ns/p/absent' during composition."}]`, "c c", whisk.ApplicationError, `{"error":1}`},
		{"not to be looked up", ``, []string{`{"action":"/broken/a"}`, `{"ok":1}`},
			`[{"error":"Failed to resolve action with name 'broken/a' during composition."}]`, "c c", whisk.Success, `{"ok":1}`},
		{"not entitled", ``, []string{`{"action":"/secret/a"}`, `{"ok":1}`},
			`[{"error":"Failed entitlement check for action with name 'secret/a' during composition."}]`, "c c", whisk.Success, `{"ok":1}`},
		{"sequence", ``, []string{`{"action":"seq","params":{"a":1}}`, `{"ok":1}`}, `[{"one":1}]`, "c seq c", whisk.Success, `{"ok":1}`},
		{"broken sequence", ``, []string{`{"action":"badseq"}`, `{"ok":1}`}, `[{"error":"Sequence component does not exist."}]`, "c badseq c", whisk.Success, `{"ok":1}`},
		{"too many components", ``, []string{`{"action":"one"}`, `{"action":"one"}`, `{"action":"one"}`, `{"action":"one","state":4}`, `{"gave":"up"}`},
			`[{"one":1} {"one":1} {"one":1} {"error":"Too many actions in the composition.","state":4}]`, "c one c one c one c c", whisk.Success, `{"gave":"up"}`},
		{"too many runs", ``, []string{`{"action":1}`, `{"action":2}`, `{"action":3}`, `{"action":4}`, `{"action":5}`, `{"action":6}`, `{"action":7}`},
			``, "c c c c c c c", whisk.ApplicationError, `{"error":"Too many actions in the composition."}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg := testConfig()
			cfg.SequenceLength = 3
			bubble(t, cfg, 1, func(t *testing.T, w *world, l *life) {
				w.define("one", gives(1, `{"one":1}`))
				w.define("fail", gives(1, `{"error":"no"}`))
				w.define("array", gives(1, `[1]`))
				w.sequence("seq", "one", "one", "one")
				w.sequence("badseq", "absent")
				s := &script{t: t, ms: 1, results: tc.results}
				rec := l.invoke(t, callOf(w.conductor("c", s.run), tc.payload))
				if got := names(w.inside(t, rec)); got != tc.ran {
					t.Errorf("ran %q, want %q", got, tc.ran)
				}
				if got := fmt.Sprint(s.args[1:]); tc.args != "" && got != tc.args {
					t.Errorf("the conductor got\n%s, want\n%s", got, tc.args)
				}
				if got := string(rec.Response.Result); got != tc.result || rec.Response.Status != tc.status {
					t.Errorf("got %v %s, want %v %s", rec.Response.Status, got, tc.status, tc.result)
				}
				if len(s.results) != 0 {
					t.Errorf("%d runs too few", len(s.results))
				}
				l.wantClean(t)
			})
		})
	}
}

// Compositions inside share the counts; those inside a sequence have their own.
func TestNestedConductors(t *testing.T) {
	cfg := testConfig()
	cfg.SequenceLength = 3
	bubble(t, cfg, 1, func(t *testing.T, w *world, l *life) {
		w.define("one", gives(10, `{"one":1}`))
		inner := &script{t: t, ms: 1, results: []string{`{"action":"one"}`, `{"action":"one"}`, `{"inner":1}`}}
		w.conductor("inner", inner.run)
		outer := &script{t: t, ms: 1, results: []string{`{"action":"inner","params":{"p":1}}`, `{"action":"one"}`, `{"action":"one"}`, `{"end":1}`}}
		rec := l.invoke(t, callOf(w.conductor("outer", outer.run), ``))
		inside := w.inside(t, rec)
		if got := names(inside); got != "outer inner outer one outer outer" {
			t.Errorf("ran %s", got)
		}
		if got := fmt.Sprint(outer.args); got != `[{} {"inner":1} {"one":1} {"error":"Too many actions in the composition."}]` {
			t.Errorf("the outer one got %s", got)
		}
		if r := inside[1]; !r.Facts.Conductor || !r.Facts.InFlow || r.Facts.Kind != whisk.Sequence || names(w.inside(t, r)) != "inner one inner one inner" || r.Duration != 23 {
			t.Errorf("inner = %+v", r)
		}
		if fmt.Sprint(inner.args) != `[{"p":1} {"one":1} {"one":1}]` {
			t.Errorf("the inner one got %s", inner.args)
		}

		// In a sequence each has its own counts, and counts as one action.
		w.conductor("cc", func(args json.RawMessage) (int, whisk.Response) {
			if n, ok := whisk.Field(args, "one"); ok && string(n) == "1" {
				return 1, response(`{"params":{"two":2}}`)
			}
			return 1, response(`{"action":"one"}`)
		})
		rec = l.invoke(t, callOf(w.sequence("s", "cc", "cc", "cc"), ``))
		w.wantRecord(t, rec.ID, whisk.Success, "")
		if names(w.inside(t, rec)) != "cc cc cc" || string(rec.Response.Result) != `{"two":2}` {
			t.Errorf("sequence = %+v %s", rec, rec.Response.Result)
		}
		rec = l.invoke(t, callOf(w.sequence("s4", "cc", "cc", "cc", "one"), ``))
		w.wantRecord(t, rec.ID, whisk.ApplicationError, msgSequenceTooLong)
		l.wantClean(t)
	})
}

// What calls itself comes to an end.
func TestEndless(t *testing.T) {
	cfg := testConfig()
	cfg.SequenceLength = 10
	bubble(t, cfg, 1, func(t *testing.T, w *world, l *life) {
		again := func(json.RawMessage) (int, whisk.Response) { return 1, response(`{"action":"s"}`) }
		w.sequence("s", "c", "c")
		rec := l.invoke(t, callOf(w.conductor("c", again), ``))
		w.wantRecord(t, rec.ID, whisk.ApplicationError, msgCompositionTooLong)
		if runs := len(w.records); runs > 1500 {
			t.Errorf("%d activations", runs)
		}
		w.conductor("self", func(json.RawMessage) (int, whisk.Response) { return 1, response(`{"action":"self"}`) })
		rec = l.invoke(t, callOf(w.actions["ns/self"], ``))
		w.wantRecord(t, rec.ID, whisk.ApplicationError, msgCompositionTooLong)
		l.wantClean(t)
	})
}

func TestConductorBreaksOff(t *testing.T) {
	bubble(t, testConfig(), 2, func(t *testing.T, w *world, l *life) {
		w.define("slow", gives(200_000, `{}`))
		w.define("slower", gives(1, `{}`)).Action.Limits.Timeout = 1
		s := &script{t: t, ms: 1, results: []string{`{"action":"slow"}`}}
		rec := l.invoke(t, callOf(w.conductor("c", s.run), ``))
		if len(rec.Logs) != 2 || rec.Duration != 1 {
			t.Fatalf("logs = %v, duration %d", rec.Logs, rec.Duration)
		}
		w.wantRecord(t, rec.ID, whisk.WhiskError, "Timeout reached when retrieving activation "+rec.Logs[1]+" during composition.")
		slow := &script{t: t, ms: 200_000, results: []string{`{}`}}
		rec = l.invoke(t, callOf(w.conductor("c", slow.run), ``))
		w.wantRecord(t, rec.ID, whisk.WhiskError, "Timeout reached when retrieving activation "+rec.Logs[0]+" during composition.")

		w.define("keyed", gives(1, `{}`)).Action.Annotations = nil
		l.keys = fakeKeys{err: &whisk.Error{Kind: whisk.Unauthenticated}}
		s = &script{t: t, ms: 1, results: []string{`{"action":"keyed"}`}}
		rec = l.invoke(t, callOf(w.conductor("c", s.run), ``))
		w.wantRecord(t, rec.ID, whisk.WhiskError, msgCompositionFailed)
		time.Sleep(10 * time.Minute)
		l.wantClean(t)
	})
}

// Init parameters go to the environment of each run.
func TestConductorEnvironment(t *testing.T) {
	bubble(t, testConfig(), 1, func(t *testing.T, w *world, l *life) {
		s := &script{t: t, ms: 1, results: []string{`{"end":1}`}}
		r := w.conductor("c", s.run, "e=1", "n=2")
		r.Parameters[0].Init = true
		l.invoke(t, callOf(r, `{"e":"x","a":1}`))
		if got := l.v.last; string(got.Env) != `{"e":"x"}` || string(got.Args) != `{"n":2,"a":1}` || got.Target.Conductor || got.Target.Parameters != nil {
			t.Errorf("env %s, args %s, target %+v", got.Env, got.Args, got.Target)
		}
	})
}
