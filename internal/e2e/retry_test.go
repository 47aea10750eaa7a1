package e2e

import (
	"bytes"
	"os"
	"testing"
	"time"
)

// failing leaves a mark each time and succeeds from the attempt p.from on.
const failing = `
const fs = require('fs');
function main(p) {
  fs.appendFileSync(p.marks, process.env.__OW_ACTIVATION_ID + '\n');
  const runs = fs.readFileSync(p.marks, 'utf8').split('\n').filter(l => l === process.env.__OW_ACTIVATION_ID).length;
  if (runs < p.from) throw new Error('out of luck ' + runs);
  return { runs };
}`

// TestRetries: a queued call is run again under its id as its action asks; when
// its last attempt fails it becomes a dead letter, which can be run again.
func TestRetries(t *testing.T) {
	marks := marksFile(t)
	p := start(t, "--no-throttle")
	put := func(retry map[string]any) answer {
		return p.do("PUT", "actions/work?overwrite=true", map[string]any{
			"exec":        map[string]any{"kind": "nodejs:default", "code": failing},
			"annotations": []any{map[string]any{"key": "retry", "value": retry}},
		})
	}
	if a := put(map[string]any{"attempts": 11}); a.status != 400 || !bytes.Contains(a.body, []byte("attempts must be 1 to 10")) {
		t.Errorf("eleven attempts: status %d: %s", a.status, a.body)
	}
	if a := put(map[string]any{"attempts": 3, "backoff": "20ms"}); a.status != 200 {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	runs := func(id string) int {
		b, err := os.ReadFile(marks)
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Count(b, []byte(id))
	}
	submit := func(from int) string {
		t.Helper()
		a := p.do("POST", "actions/work", map[string]any{"marks": marks, "from": from})
		if a.status != 202 {
			t.Fatalf("status %d: %s", a.status, a.body)
		}
		return a.id()
	}

	lucky := submit(3)
	rec := p.record(lucky, time.Minute)
	if status, result := response(t, rec); status != "success" || result.(map[string]any)["runs"] != 3.0 || runs(lucky) != 3 || annotation(rec, "attempt") != 3.0 {
		t.Errorf("succeeds at the third attempt: %v, ran %d times", rec, runs(lucky))
	}
	waited := p.invoke("work", map[string]any{"marks": marks, "from": 2})
	if waited.status != 502 || runs(waited.id()) != 1 {
		t.Errorf("a call that is waited for: status %d, ran %d times", waited.status, runs(waited.id()))
	}

	unlucky := submit(9)
	rec = p.record(unlucky, time.Minute)
	if status, _ := response(t, rec); status != "application error" && status != "action developer error" || runs(unlucky) != 3 || annotation(rec, "attempt") != 3.0 {
		t.Errorf("never succeeds: %v, ran %d times", rec, runs(unlucky))
	}
	letters := func() (out []map[string]any) {
		t.Helper()
		decode(t, p.do("GET", "deadletters", nil), &out)
		return out
	}
	dead := letters()
	if len(dead) != 1 || dead[0]["activationId"] != unlucky || dead[0]["attempts"] != 3.0 || dead[0]["name"] != "work" {
		t.Fatalf("dead letters: %v", dead)
	}
	again := p.do("POST", "deadletters/"+unlucky, nil)
	if again.status != 202 || again.id() == unlucky {
		t.Fatalf("redrive: status %d: %s", again.status, again.body)
	}
	p.record(again.id(), time.Minute)
	if runs(again.id()) != 3 || runs(unlucky) != 3 {
		t.Errorf("redriven: %d runs, and %d before", runs(again.id()), runs(unlucky))
	}
	if dead = letters(); len(dead) != 1 || dead[0]["activationId"] != again.id() {
		t.Errorf("dead letters after a redrive: %v", dead)
	}
	if a := p.do("DELETE", "deadletters", nil); a.status != 200 || len(letters()) != 0 {
		t.Errorf("delete all: status %d: %s, left %v", a.status, a.body, letters())
	}
}

// TestCancel: what is queued can be cancelled, and never runs; what has started
// goes on.
func TestCancel(t *testing.T) {
	marks := marksFile(t)
	p := start(t, "--no-throttle", "--memory", "256")
	const slow = `
const fs = require('fs');
function main(p) {
  fs.appendFileSync(p.marks, process.env.__OW_ACTIVATION_ID + '\n');
  return new Promise(done => setTimeout(() => done({ ok: true }), 2000));
}`
	p.create("slow", "nodejs:default", slow, map[string]any{"memory": 256})
	var ids []string
	for range 4 {
		a := p.do("POST", "actions/slow", map[string]any{"marks": marks})
		if a.status != 202 {
			t.Fatalf("status %d: %s", a.status, a.body)
		}
		ids = append(ids, a.id())
	}
	last := ids[3]
	a := p.do("DELETE", "queue/"+last, nil)
	if status, result := response(t, a.decode(t)); a.status != 200 || status != "application error" {
		t.Fatalf("cancel: status %d: %s %v", a.status, status, result)
	}
	if a := p.do("DELETE", "queue/"+last, nil); a.status != 409 {
		t.Errorf("cancel again: status %d: %s", a.status, a.body)
	}
	for _, id := range ids[:3] {
		if status, _ := response(t, p.record(id, time.Minute)); status != "success" {
			t.Errorf("%s: %s", id, status)
		}
	}
	if status, _ := response(t, p.record(last, time.Second)); status != "application error" {
		t.Errorf("the cancelled one: %s", status)
	}
	if b, err := os.ReadFile(marks); err != nil || bytes.Contains(b, []byte(last)) {
		t.Errorf("the cancelled one ran, or: %v", err)
	}
	if a := p.do("DELETE", "queue/"+ids[0], nil); a.status != 409 {
		t.Errorf("cancel what has ended: status %d: %s", a.status, a.body)
	}
	if a := p.do("DELETE", "queue/0123456789abcdef0123456789abcdef", nil); a.status != 404 {
		t.Errorf("cancel what never was: status %d: %s", a.status, a.body)
	}
}

// annotation returns the value of a record's annotation, nil if it has none.
func annotation(record map[string]any, key string) any {
	list, _ := record["annotations"].([]any)
	for _, a := range list {
		if m, ok := a.(map[string]any); ok && m["key"] == key {
			return m["value"]
		}
	}
	return nil
}
