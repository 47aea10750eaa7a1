package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

const (
	increment = `function main(p) { return { n: (p.n || 0) + 1 } }`

	// counting is a conductor that calls increment until n is 3.
	counting = `
function main(p) {
  const n = p.n || 0;
  if (p.error) return { params: { n, failed: p.error } };
  return n < 3 ? { action: 'increment', params: { n }, state: { by: 'counting' } } : { params: { n, by: p.by } };
}`
)

// put makes or replaces an entity.
func (p *platform) put(path string, body any) {
	p.t.Helper()
	if a := p.do("PUT", path+"?overwrite=true", body); a.status != 200 {
		p.t.Fatalf("PUT %s: status %d: %s", path, a.status, a.body)
	}
}

// flows makes a sequence, a conductor, and a trigger with a rule for each.
func (p *platform) flows() {
	p.t.Helper()
	small := map[string]any{"memory": 128}
	p.create("increment", "nodejs:default", increment, small)
	p.put("actions/seq", map[string]any{"exec": map[string]any{"kind": "sequence", "components": []string{"/_/increment", "/_/increment"}}})
	p.create("counting", "nodejs:default", counting, small)
	p.put("actions/counting", map[string]any{"annotations": []any{map[string]any{"key": "conductor", "value": true}}})
	p.put("triggers/event", map[string]any{"parameters": []any{map[string]any{"key": "n", "value": 1}}})
	for _, name := range []string{"seq", "counting"} {
		p.put("rules/on-"+name, map[string]any{"trigger": "/_/event", "action": "/_/" + name})
	}
}

// inside returns the records that a record's logs name, and checks that they are
// its own.
func (p *platform) inside(record map[string]any) (names []string) {
	p.t.Helper()
	rows, _ := record["logs"].([]any)
	for _, id := range rows {
		r := p.record(id.(string), 10*time.Second)
		if r["cause"] != record["activationId"] {
			p.t.Errorf("%v has the cause %v, want %v", r["name"], r["cause"], record["activationId"])
		}
		names = append(names, r["name"].(string))
	}
	return names
}

func TestFlows(t *testing.T) {
	p := start(t, "--no-throttle")
	p.flows()
	for _, tc := range []struct{ action, result, inside string }{
		{"seq", `{"n":2}`, "[increment increment]"},
		{"counting", `{"by":"counting","n":3}`, "[counting increment counting increment counting increment counting]"},
	} {
		a := p.invoke(tc.action, nil)
		if a.status != 200 {
			t.Fatalf("%s: status %d: %s", tc.action, a.status, a.body)
		}
		// The record is stored before the answer.
		record := p.do("GET", "activations/"+a.id(), nil).decode(t)
		_, result := response(t, record)
		if got, _ := json.Marshal(result); string(got) != tc.result {
			t.Errorf("%s: result %s, want %s", tc.action, got, tc.result)
		}
		if got := fmt.Sprint(p.inside(record)); got != tc.inside {
			t.Errorf("%s: ran %s, want %s", tc.action, got, tc.inside)
		}
	}

	a := p.do("POST", "triggers/event", map[string]any{"m": 1})
	if a.status != 202 || a.id() == "" {
		t.Fatalf("fire: status %d: %s", a.status, a.body)
	}
	for _, line := range ruleLines(t, p.do("GET", "activations/"+a.id(), nil).decode(t), 2) {
		status, result := response(t, p.record(line.ActivationID, 20*time.Second))
		if got, _ := json.Marshal(result); status != "success" || !strings.Contains(string(got), `"n":3`) {
			t.Errorf("%s: %s %s, want n = 3", line.Rule, status, got)
		}
	}
}

type ruleLine struct {
	Rule, Action, ActivationID string
	Success                    bool
}

// ruleLines are the lines of a trigger's record, all of them successes.
func ruleLines(t *testing.T, record map[string]any, want int) (lines []ruleLine) {
	t.Helper()
	rows, _ := record["logs"].([]any)
	for _, r := range rows {
		var l ruleLine
		if err := json.Unmarshal([]byte(r.(string)), &l); err != nil || !l.Success {
			t.Errorf("line %v: %v", r, err)
		}
		lines = append(lines, l)
	}
	if len(lines) != want {
		t.Errorf("%d rules, want %d", len(lines), want)
	}
	return lines
}

// TestFlowsCrash kills the platform in the midst of sequences: all that a client
// was told of ends in one record, and nothing runs twice.
func TestFlowsCrash(t *testing.T) {
	p := start(t, "--no-throttle")
	marks := marksFile(t)
	p.create("mark", "nodejs:default", `
const fs = require('fs');
function main(p) {
  fs.appendFileSync(p.marks, process.env.__OW_ACTIVATION_ID + '\n');
  return new Promise(done => setTimeout(() => done(p), 400));
}`, map[string]any{"memory": 128})
	p.put("actions/seq", map[string]any{"exec": map[string]any{"kind": "sequence", "components": strings.Fields(strings.Repeat("/_/mark ", 20))}})
	p.put("triggers/event", map[string]any{})
	p.put("rules/r", map[string]any{"trigger": "/_/event", "action": "/_/seq"})
	params := map[string]any{"marks": marks}
	var told []string
	for _, path := range []string{"actions/seq", "actions/seq?blocking=true&timeout=1000", "triggers/event"} {
		a := p.do("POST", path, params)
		if a.status != 202 || a.id() == "" {
			t.Fatalf("POST %s: status %d: %s", path, a.status, a.body)
		}
		told = append(told, a.id())
	}
	for deadline := time.Now().Add(20 * time.Second); ; {
		if b, err := os.ReadFile(marks); err == nil && strings.Count(string(b), "\n") > 9 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("no components ran")
		}
		<-time.After(10 * time.Millisecond)
	}
	p.kill()
	p.launch()
	var sequences []string
	for _, id := range told {
		if r := p.record(id, 20*time.Second); r["name"] == "seq" {
			sequences = append(sequences, id)
		} else {
			sequences = append(sequences, ruleLines(t, r, 1)[0].ActivationID)
		}
	}
	broken := 0
	for _, id := range sequences {
		status, result := response(t, p.record(id, time.Minute))
		switch {
		case status == "success": // it had not started
		case status == "whisk internal error" && strings.Contains(fmt.Sprint(result), "restarted"):
			broken++
		default:
			t.Errorf("a sequence ended in %s %v", status, result)
		}
	}
	if broken == 0 {
		t.Error("no sequence broke off")
	}
	seen := map[string]bool{}
	for _, id := range p.ids() {
		if seen[id] {
			t.Errorf("two records of %s", id)
		}
		seen[id] = true
	}
	b, err := os.ReadFile(marks)
	if err != nil {
		t.Fatal(err)
	}
	ran := map[string]bool{}
	for id := range strings.Lines(string(b)) {
		if ran[id] {
			t.Errorf("%s ran twice", id)
		}
		ran[id] = true
	}
}
