package e2e

import (
	"strings"
	"testing"
	"time"
)

// TestMisbehaviour: code that goes wrong gets OpenWhisk's status, body and
// record, and does not spoil the next invoke.
func TestMisbehaviour(t *testing.T) {
	p := start(t, "--no-throttle", "--memory", "2048")
	p.create("good", "nodejs:default", `const main = p => ({ fine: true })`, nil)
	const (
		dev = "action developer error"
		app = "application error"
	)
	tests := []struct {
		name, kind, code string
		limits           map[string]any
		status           string
		result           string // part of the record's result as JSON text
		logs             string // part of the record's logs
	}{
		{"loops", "nodejs:default", `function main() { for (;;); }`, map[string]any{"timeout": 700}, dev,
			`{"error":"The action exceeded its time limits of 700 milliseconds."}`, ""},
		{"loops-at-init", "nodejs:default", `for (;;);`, map[string]any{"timeout": 700}, dev,
			`{"error":"The action exceeded its time limits of 700 milliseconds during initialization."}`, ""},
		{"loops-py", "python:default", "def main(args):\n    while True: pass", map[string]any{"timeout": 700}, dev,
			`{"error":"The action exceeded its time limits of 700 milliseconds."}`, ""},
		{"exits", "nodejs:default", `function main() { process.exit(3); }`, nil, dev,
			`{"error":"The action did not produce a valid response and exited unexpectedly."}`, ""},
		{"exits-py", "python:default", "import os\ndef main(args):\n    os._exit(3)", nil, dev,
			`{"error":"The action did not produce a valid response and exited unexpectedly."}`, ""},
		{"exits-at-init", "nodejs:default", `process.exit(3);`, nil, dev,
			`{"error":"The action did not initialize and exited unexpectedly."}`, ""},
		{"prints", "nodejs:default", `function main() { const l = 'x'.repeat(1023); for (let i = 0; i < 11 * 1024; i++) console.log(l); return { ok: 1 }; }`, nil,
			"success", `{"ok":1}`, "Logs were truncated because the total bytes size exceeds the limit of 10485760 bytes."},
		{"prints-py", "python:default", "def main(args):\n    for i in range(11 * 1024): print('x' * 1023)\n    return {'ok': 1}", nil,
			"success", `{"ok":1}`, "Logs were truncated because the total bytes size exceeds the limit of 10485760 bytes."},
		{"allocates", "nodejs:default", `function main() { const a = []; for (;;) a.push(Buffer.alloc(1 << 20, 1)); }`, map[string]any{"memory": 128}, dev,
			`{"error":"The action exhausted its memory and was aborted."}`, ""},
		{"allocates-py", "python:default", "def main(args):\n    a = []\n    while True: a.append(b'1' * (1 << 20))", map[string]any{"memory": 128}, dev,
			`{"error":"The action exhausted its memory and was aborted."}`, ""},
		{"no-object", "nodejs:default", `const main = () => 'just text'`, nil, dev,
			`{"error":"The action did not return a dictionary."}`, ""},
		{"no-object-py", "python:default", "def main(args):\n    return 'just text'", nil, dev,
			`The action did not return a dictionary or array.`, ""},
		{"syntax", "nodejs:default", `function main( {`, nil, dev,
			`Initialization has failed due to: `, ""},
		{"undefined-name", "nodejs:default", `nowhere.at.all; function main() {}`, nil, dev,
			`ReferenceError: nowhere is not defined`, ""},
		{"syntax-py", "python:default", "def main(args:", nil, dev, `{"error":`, ""},
		{"throws", "nodejs:default", `function main() { throw new Error('sorry'); }`, nil, dev, `An error has occurred: `, ""},
		{"rejects", "nodejs:default", `async function main() { throw { why: 'no' }; }`, nil, app, `{"error":{"why":"no"}}`, ""},
		{"raises-py", "python:default", "def main(args):\n    raise Exception('sorry')", nil, app, `{"error":"sorry"}`, "Traceback"},
		{"error-result", "nodejs:default", `const main = () => ({ error: 'mine', other: 1 })`, nil, app, `{"error":"mine"}`, ""},
		{"junk-on-fd-3", "nodejs:default", `function main() { for (let fd = 3; fd < 64; fd++) try { require('fs').writeSync(fd, 'junk\n{"x":1}\n'); } catch (e) {} return { ok: 1 }; }`, nil, "", "", ""},
		{"junk-on-fd-3-py", "python:default", "import os\ndef main(args):\n    for fd in range(3, 64):\n        try: os.write(fd, b'junk\\n{\"x\":1}\\n')\n        except OSError: pass\n    return {'ok': 1}", nil, "", "", ""},
		{"empty", "nodejs:default", ``, nil, dev, `Missing main/no code to execute.`, ""},
		{"native-no-json", "blackbox", "#!/bin/sh\necho hello; echo not json", nil, dev, `The action did not return a dictionary or array.`, "stdout: hello"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := &platform{t: t, base: p.base, http: p.http}
			p.create(tt.name, tt.kind, tt.code, tt.limits)
			a := p.invoke(tt.name, map[string]any{})
			want := 502
			if tt.status == "success" {
				want = 200
			}
			if tt.status != "" && a.status != want {
				t.Errorf("status %d, want %d: %.300s", a.status, want, a.body)
			}
			rec := p.record(a.id(), 10*time.Second)
			status, _ := response(t, rec)
			if tt.status != "" && status != tt.status {
				t.Errorf("record says %q, want %q", status, tt.status)
			}
			if res := string(p.do("GET", "activations/"+a.id()+"/result", nil).body); !strings.Contains(res, tt.result) {
				t.Errorf("result %.300s, want %s in it", res, tt.result)
			}
			if logs := logLines(rec); !strings.Contains(logs, tt.logs) {
				t.Errorf("logs end with %q, want %q in them", tail(logs, 300), tt.logs)
			}
			if g := p.invoke("good", map[string]any{}); g.status != 200 {
				t.Errorf("the next invoke of another action: status %d: %s", g.status, g.body)
			}
			if again := p.invoke(tt.name, map[string]any{}); tt.status != "" && again.status != want {
				t.Errorf("its own next invoke: status %d, want %d", again.status, want)
			}
		})
	}
}
