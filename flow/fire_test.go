package flow

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

// fireOf makes a fire of a trigger with rules "rule>action", or "rule-action"
// for those that are inactive.
func fireOf(payload, args string, rules ...string) whisk.Fire {
	e := whisk.Fire{
		Identity:      &whisk.Identity{Subject: "someone", Namespace: "ns", UUID: "uuid"},
		TransactionID: "tid",
		Trigger:       &whisk.Trigger{Name: whisk.EntityName{Namespace: "ns", Name: "t"}, Version: whisk.Version{Minor: 3}},
		Args:          json.RawMessage(args),
	}
	if payload != "" {
		e.Payload = json.RawMessage(payload)
	}
	for _, r := range rules {
		rule, action, active := strings.Cut(r, ">")
		if !active {
			rule, action, _ = strings.Cut(r, "-")
		}
		if !strings.Contains(action, "/") {
			action = "ns/" + action
		}
		name, err := whisk.ParseActionName(action, "")
		if err != nil {
			panic(err)
		}
		e.Trigger.Rules = append(e.Trigger.Rules, whisk.RuleLink{
			Rule: whisk.EntityName{Namespace: "ns", Name: rule}, Action: name, Active: active,
		})
	}
	return e
}

func TestFire(t *testing.T) {
	bubble(t, testConfig(), 4, func(t *testing.T, w *world, l *life) {
		w.set(func() { w.delay = 100 * time.Millisecond })
		w.define("a", echo(10), "k=1", "p=0")
		w.define("ns/pkg/b", gives(10, `{"b":1}`))
		w.sequence("s", "a", "a")
		began := time.Now()
		id, err := l.Fire(t.Context(), fireOf(`{"p":"<&>"}`, `{"h":1,"p":"<&>"}`, "r1>a", "r2>pkg/b", "r2>ns/pkg/b", "r3-a", "r4>s"))
		if err != nil || id.IsZero() {
			t.Fatalf("Fire = %s, %v", id, err)
		}
		if took := time.Since(began); took != 100*time.Millisecond || w.count("commit") != 1 || w.count("enqueue") != 0 {
			t.Errorf("took %v and %d commits, want one", took, w.count("commit"))
		}
		rec := w.record(id)
		if rec == nil {
			t.Fatal("the record is not there when Fire returns")
		}
		if rec.Name != "t" || rec.Namespace != "ns" || rec.Subject != "someone" || rec.End != 0 || rec.Version.Minor != 3 || rec.Start != began.UnixMilli() ||
			rec.Facts != (whisk.Facts{}) || string(rec.Response.Result) != `{"p":"<&>"}` || rec.Response.Status != whisk.Success {
			t.Errorf("record = %+v", rec)
		}
		ids := []whisk.ActivationID{}
		for _, line := range rec.Logs {
			var v struct{ ActivationID whisk.ActivationID }
			if err := json.Unmarshal([]byte(line), &v); err == nil && !v.ActivationID.IsZero() {
				ids = append(ids, v.ActivationID)
			}
		}
		if len(ids) != 3 {
			t.Fatalf("logs = %q", rec.Logs)
		}
		want := []string{
			`{"rule":"ns/r1","action":"ns/a","statusCode":0,"success":true,"activationId":"` + ids[0].String() + `"}`,
			`{"rule":"ns/r2","action":"pkg/b","statusCode":1,"success":false,"error":"The requested resource does not exist."}`,
			`{"rule":"ns/r2","action":"ns/pkg/b","statusCode":0,"success":true,"activationId":"` + ids[1].String() + `"}`,
			`{"rule":"ns/r3","action":"ns/a","statusCode":1,"success":false,"error":"Rule 'ns/r3' is inactive, action 'ns/a' was not activated."}`,
			`{"rule":"ns/r4","action":"ns/s","statusCode":0,"success":true,"activationId":"` + ids[2].String() + `"}`,
		}
		for i, line := range rec.Logs {
			if line != want[i] {
				t.Errorf("line %d\n%s, want\n%s", i, line, want[i])
			}
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		for _, id := range ids {
			w.wantRecord(t, id, whisk.Success, "")
		}
		if got := string(w.record(ids[0]).Response.Result); got != `{"k":1,"h":1,"p":"<&>"}` {
			t.Errorf("the action got %s", got)
		}
		if w.charged != 4 || w.inFlight != 0 {
			t.Errorf("%d charged, %d in flight", w.charged, w.inFlight)
		}
		l.wantClean(t)
	})
}

func TestFireNothing(t *testing.T) {
	bubble(t, testConfig(), 1, func(t *testing.T, w *world, l *life) {
		for _, rules := range [][]string{nil, {"r-a", "r2-a"}} {
			id, err := l.Fire(t.Context(), fireOf("", `{}`, rules...))
			if !id.IsZero() || err != nil {
				t.Errorf("Fire = %s, %v", id, err)
			}
		}
		if len(w.records) != 0 || w.charged != 0 {
			t.Errorf("%d records, %d charged", len(w.records), w.charged)
		}
	})
}

// What keeps a rule from its action stands in the record.
func TestFireResults(t *testing.T) {
	for _, tc := range []struct {
		name, rule string
		refuse     error
		code       int
		message    string
	}{
		{"missing", "r>absent", nil, 1, "The requested resource does not exist."},
		{"not entitled", "r>secret/a", nil, 1, "The supplied authentication is not authorized to access 'secret/a'."},
		{"broken", "r>broken/a", nil, 3, "There was an internal server error."},
		{"throttled", "r>a", whisk.Errorf(whisk.Throttled, "Too many."), 1, "Too many."},
		{"overloaded", "r>a", whisk.ErrOverloaded, 3, whisk.ErrOverloaded.Message},
		{"final", "r>final", nil, 1, "Request defines parameters that are not allowed (e.g., reserved properties)."},
		{"old", "r>old", nil, 1, "The 'old:1' runtime is no longer supported. You may read and delete but not update or invoke this action."},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, testConfig(), 1, func(t *testing.T, w *world, l *life) {
				w.define("a", echo(1))
				w.define("old", echo(1)).Action.Exec.Kind = "old:1"
				r := w.define("final", echo(1), "x=1")
				r.Action.Annotations = r.Action.Annotations.Set("final", json.RawMessage("true"))
				w.set(func() { w.refuse = tc.refuse })
				id, err := l.Fire(t.Context(), fireOf("", `{"x":2}`, tc.rule))
				if err != nil {
					t.Fatal(err)
				}
				rec := w.record(id)
				_, action, _ := strings.Cut(tc.rule, ">")
				if !strings.Contains(action, "/") {
					action = "ns/" + action
				}
				want := fmt.Sprintf(`{"rule":"ns/r","action":"%s","statusCode":%d,"success":false,"error":"%s"}`, action, tc.code, tc.message)
				if len(rec.Logs) != 1 || rec.Logs[0] != want {
					t.Errorf("logs = %q, want %s", rec.Logs, want)
				}
				if string(rec.Response.Result) != `{}` || w.inFlight != 0 || len(w.rows) != 0 {
					t.Errorf("result %s, %d in flight, %d rows", rec.Response.Result, w.inFlight, len(w.rows))
				}
				l.wantClean(t)
			})
		})
	}
}

func TestFireWithStoreAway(t *testing.T) {
	for _, mute := range []bool{false, true} { // mute: it is committed, but nobody says so
		bubble(t, testConfig(), 1, func(t *testing.T, w *world, l *life) {
			w.define("a", gives(1, `{}`))
			w.set(func() { w.away, w.mute = !mute, mute })
			id, err := l.Fire(t.Context(), fireOf("", `{}`, "r>a", "r2>a"))
			if whisk.KindOf(err) != whisk.Unavailable || !id.IsZero() {
				t.Errorf("Fire = %s, %v", id, err)
			}
			if w.inFlight != 0 {
				t.Errorf("%d in flight", w.inFlight)
			}
			w.set(func() { w.away, w.mute = false, false })
			time.Sleep(time.Minute)
			synctest.Wait()
			want := 0
			if mute {
				want = 3 // the rows are run all the same
			}
			if len(w.records) != want || len(w.rows) != 0 {
				t.Errorf("mute %v: %d records, %d rows", mute, len(w.records), len(w.rows))
			}
			l.wantClean(t)
		})
	}
}

// Rows of a fire survive the process.
func TestFireCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		l := start(w, testConfig(), 0)
		w.define("a", gives(10, `{}`))
		id, err := l.Fire(t.Context(), fireOf("", `{}`, "r>a", "r2>a"))
		if err != nil {
			t.Fatal(err)
		}
		again := l.kill(testConfig(), 1)
		defer again.stop()
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(w.records) != 3 || len(w.rows) != 0 || w.record(id) == nil {
			t.Errorf("%d records, %d rows", len(w.records), len(w.rows))
		}
	})
}

// One fire does not fill the memory.
func TestFireBounds(t *testing.T) {
	cfg := testConfig()
	cfg.MaxBytes, cfg.MaxBacklog = 10_000, 4
	bubble(t, cfg, 0, func(t *testing.T, w *world, l *life) {
		w.define("a", gives(10, `{}`))
		for _, tc := range []struct {
			args string
			ok   int
		}{{`{"x":"` + strings.Repeat("x", 4000) + `"}`, 1}, {`{}`, 3}} {
			id, err := l.Fire(t.Context(), fireOf("", tc.args, "r1>a", "r2>a", "r3>a", "r4>a"))
			if err != nil {
				t.Fatal(err)
			}
			ok := 0
			for _, line := range w.record(id).Logs {
				if strings.Contains(line, `"success":true`) {
					ok++
				} else if !strings.Contains(line, `"statusCode":3,"success":false,"error":"`+whisk.ErrOverloaded.Message) {
					t.Errorf("line %s", line)
				}
			}
			if ok != tc.ok {
				t.Errorf("%d rules' actions were invoked, want %d", ok, tc.ok)
			}
		}
		if w.inFlight != 4 {
			t.Errorf("%d in flight, want 4", w.inFlight)
		}
	})
}

func TestFireAfterStop(t *testing.T) {
	bubble(t, testConfig(), 1, func(t *testing.T, w *world, l *life) {
		l.stop()
		if _, err := l.Fire(t.Context(), fireOf("", `{}`, "r>a")); whisk.KindOf(err) != whisk.Unavailable {
			t.Errorf("err = %v", err)
		}
	})
}
