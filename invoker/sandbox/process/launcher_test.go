package process_test

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"hearth/invoker/sandbox"
	"hearth/invoker/sandbox/process"
	"hearth/invoker/sandbox/sandboxtest"
	"hearth/whisk"
)

// specOf returns a Spec of the family, or skips the test.
func specOf(t *testing.T, d sandbox.Driver, family string) sandbox.Spec {
	t.Helper()
	if family == whisk.Blackbox {
		return sandbox.Spec{Kind: family, Image: whisk.SkeletonImage, MemoryMB: 256}
	}
	for _, r := range d.Runtimes() {
		if r.Family() == family {
			return sandbox.Spec{Kind: r.Kind, MemoryMB: 256}
		}
	}
	t.Skipf("%s is not installed here", family)
	return sandbox.Spec{}
}

// files makes the base64 of a zip from names and contents.
func files(t *testing.T, namesAndTexts ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(namesAndTexts); i += 2 {
		w, err := z.Create(namesAndTexts[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(namesAndTexts[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

// script is the base64 of a shell script.
func script(s string) string { return base64.StdEncoding.EncodeToString([]byte("#!/bin/sh\n" + s)) }

type launcherTest struct {
	name, code string
	main       string
	binary     bool
	initError  string // part of the reply to init; "": it succeeds
	ok         bool
	want       string // the reply, or with a * at its end how it begins
	logs       string // part of the logs
}

func testLaunchers(t *testing.T, family string, tests []launcherTest) {
	d := newDriver(t)
	defer d.Close()
	spec := specOf(t, d, family)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := sandboxtest.NewBox(t, d, spec)
			defer b.Destroy()
			o := b.Load(tt.code, sandboxtest.With{Main: tt.main, Binary: tt.binary})
			if tt.initError != "" {
				if o.Ending != sandbox.Replied || o.OK || !strings.Contains(string(o.Body), tt.initError) {
					t.Errorf("init: %s, want %q", sandboxtest.Show(o), tt.initError)
				}
				return
			}
			if o.Ending != sandbox.Replied || !o.OK {
				t.Fatalf("init: %s", sandboxtest.Show(o))
			}
			o = b.Call(`{"name":"you","n":12345}`, sandboxtest.With{})
			want, part := strings.CutSuffix(tt.want, "*")
			if o.Ending != sandbox.Replied || o.OK != tt.ok || string(o.Body) != want && (!part || !strings.HasPrefix(string(o.Body), want)) {
				t.Errorf("run: %s, want %s", sandboxtest.Show(o), tt.want)
			}
			if got := strings.Join(o.Logs, "\n"); !strings.Contains(got, tt.logs) {
				t.Errorf("logs %q, want %q in them", got, tt.logs)
			}
		})
	}
}

func TestNode(t *testing.T) {
	testLaunchers(t, "nodejs", []launcherTest{
		{name: "function", code: `function main({ name }) { return { hello: name }; }`, ok: true, want: `{"hello":"you"}`},
		{name: "const", code: `const main = ({ name }) => ({ hello: name }) // and a comment`, ok: true, want: `{"hello":"you"}`},
		{name: "strict", code: "'use strict';\nfunction main() { return { strict: this === undefined }; }", ok: true, want: `{"strict":true}`},
		{name: "exports", code: `exports.main = () => ({ by: 'exports' })`, ok: true, want: `{"by":"exports"}`},
		{name: "module.exports", code: `module.exports.go = () => ({ by: 'go' })`, main: "go", ok: true, want: `{"by":"go"}`},
		{name: "other main", code: `function other() { return { by: 'other' } }`, main: "other", ok: true, want: `{"by":"other"}`},
		{name: "member as main", code: `const o = { f() { return { by: 'o.f' } } }`, main: "o.f", ok: true, want: `{"by":"o.f"}`},
		{name: "require", code: `const os = require('os'); const { join } = require('node:path'); const main = () => ({ p: join('a', typeof os.cpus) })`, ok: true, want: `{"p":"a/function"}`},
		{name: "import", code: `const main = async () => ({ p: (await import('node:path')).join('a', 'b') })`, ok: true, want: `{"p":"a/b"}`},
		{name: "promise", code: `const main = () => new Promise(r => setTimeout(() => { console.log('soon'); r({ at: 'last' }) }, 20))`, ok: true, want: `{"at":"last"}`, logs: "stdout: soon"},
		{name: "own promise", code: `const main = () => ({ then(f) { f({ own: 1 }) } })`, ok: true, want: `{"own":1}`},
		{name: "undefined", code: `const main = () => {}`, ok: true, want: `{}`},
		{name: "null", code: `const main = () => null`, ok: true, want: `null`},
		{name: "array", code: `const main = () => [1, 'two']`, ok: true, want: `[1,"two"]`},
		{name: "unicode", code: `const main = () => ({ a: '\u2028ü😀\n' })`, ok: true, want: "{\"a\":\"\u2028ü😀\\n\"}"},
		{name: "text", code: `const main = async () => 'text'`, want: `{"error":"The action did not return a dictionary."}`},
		{name: "throws", code: `function main() { throw new Error('sorry') }`, want: `{"error":"An error has occurred: Error: sorry"}`, logs: "stderr: Error: sorry"},
		{name: "rejects an object", code: `const main = () => Promise.reject({ why: 'no', f() {} })`, ok: true, want: `{"error":{"why":"no"}}`},
		{name: "rejects an error", code: `async function main() { const e = new TypeError('sorry'); e.code = 'E1'; e.self = e; throw e }`, ok: true, want: `{"error":{"code":"E1","self":"[Circular]","name":"TypeError","message":"sorry","stack":"*`},
		{name: "rejects nothing", code: `const main = () => Promise.reject()`, ok: true, want: `{"error":{}}`},
		{name: "rejects text", code: `const main = () => Promise.reject('no')`, ok: true, want: `{"error":"no"}`},
		{name: "circular", code: `function main() { const a = {}; a.a = a; return a }`, want: `{"error":"An error has occurred: TypeError: Converting circular*`},
		{name: "big integer", code: `const main = () => ({ a: 1n })`, want: `{"error":"An error has occurred: TypeError*`},
		{name: "deadline", code: `const main = () => ({ left: +process.env.__OW_DEADLINE - Date.now() > 1000, k: process.env.__OW_API_KEY, a: process.env.__OW_ACTION_NAME, t: process.env.__OW_TRANSACTION_ID })`, ok: true, want: `{"left":true,"k":"key:run","a":"/guest/pkg/tested","t":"tid-run"}`},
		{name: "unhandled rejection", code: `const main = async () => { Promise.reject(new Error('lost')); await new Promise(r => setTimeout(r, 5)); return {} }`, ok: true, want: `{}`, logs: "lost"},
		{name: "stdout without end of line", code: `const main = () => { process.stdout.write('no end'); process.stderr.write('\n'); return {} }`, ok: true, want: `{}`, logs: "stdout: no end"},
		{name: "stdin", code: `const main = () => ({ n: require('fs').readFileSync(0).length })`, ok: true, want: `{"n":0}`},
		{name: "child process", code: `const main = () => ({ out: require('child_process').execSync('echo from sh; echo err >&2').toString() })`, ok: true, want: `{"out":"from sh\n"}`, logs: "stderr: err"},
		{name: "syntax error", code: `function main( {`, initError: `Initialization has failed due to: `},
		{name: "reference error", code: `nowhere.to.be; function main() {}`, initError: `ReferenceError: nowhere is not defined`},
		{name: "no main", code: `function other() {}`, initError: `ReferenceError: main is not defined`},
		{name: "main is no function", code: `const main = 1`, initError: `Action entrypoint 'main' is not a function.`},
		{name: "no code", code: ``, initError: `Missing main/no code to execute.`},
		{name: "no base64", code: `!!!!`, binary: true, initError: `not valid base64`},
		{name: "no archive", code: `aGVsbG8gd29ybGQ=`, binary: true, initError: `neither a zip nor a tar.gz`},
		{name: "zip with index.js", binary: true, ok: true, want: `{"by":"zip"}`,
			code: files(t, "index.js", `exports.main = () => ({ by: require('./lib/a').name })`, "lib/a.js", `exports.name = 'zip'`)},
		{name: "zip with package.json", binary: true, ok: true, want: `{"by":"src","data":"here"}`,
			code: files(t, "package.json", `{"main":"src/app.js"}`, "src/app.js", `exports.main = () => ({ by: 'src', data: require('fs').readFileSync('data.txt', 'utf8') })`, "data.txt", "here")},
		{name: "zip with main as module.func", binary: true, main: "lib/a.run", ok: true, want: `{"by":"run"}`, code: files(t, "lib/a.js", `exports.run = () => ({ by: 'run' })`)},
		{name: "zip with ES module", binary: true, ok: true, want: `{"by":"esm b"}`,
			code: files(t, "package.json", `{"type":"module","main":"a.js"}`, "a.js", `import { b } from './b.js'; export const main = async () => ({ by: 'esm ' + b })`, "b.js", `export const b = 'b'`)},
		{name: "zip with .mjs", binary: true, ok: true, want: `{"by":"mjs"}`, code: files(t, "package.json", `{"main":"a.mjs"}`, "a.mjs", `export function main() { return { by: 'mjs' } }`)},
		{name: "zip with node_modules", binary: true, ok: true, want: `{"by":"dep"}`,
			code: files(t, "package.json", `{"dependencies":{"dep":"1"}}`, "index.js", `exports.main = () => ({ by: require('dep') })`, "node_modules/dep/index.js", `module.exports = 'dep'`)},
		{name: "zip with neither", binary: true, code: files(t, "a.js", ``), initError: `Zipped actions must contain either package.json or index.js at the root.`},
		{name: "zip without main", binary: true, code: files(t, "index.js", ``), initError: `Action entrypoint 'main' is not a function.`},
	})
}

func TestPython(t *testing.T) {
	testLaunchers(t, "python", []launcherTest{
		{name: "function", code: "def main(args):\n    return {'hello': args['name']}", ok: true, want: `{"hello":"you"}`},
		{name: "other main", code: "def other(args):\n    return {}", main: "other", ok: true, want: `{}`},
		{name: "array", code: "main = lambda args: [1, 'two']", ok: true, want: `[1,"two"]`},
		{name: "unicode", code: "def main(args):\n    print('ü😀')\n    return {'a': 'ü😀\\n'}", ok: true, want: `{"a":"ü😀\n"}`, logs: "stdout: ü😀"},
		{name: "half a character", code: "main = lambda args: {'a': '\\ud800'}", ok: true, want: `{"a": "\ud800"}`},
		{name: "big integer", code: "main = lambda args: {'a': 12345678901234567890123}", ok: true, want: `{"a":12345678901234567890123}`},
		{name: "not main", code: "main = lambda args: {'n': __name__}\nif __name__ == '__main__': exit(1)", ok: true, want: `{"n":"main__"}`},
		{name: "raises", code: "def main(args):\n    raise ValueError('sorry')", ok: true, want: `{"error": "sorry"}`, logs: "Traceback"},
		{name: "text", code: "main = lambda args: 'text'", want: `{"error": "The action did not return a dictionary or array."}`},
		{name: "none", code: "main = lambda args: None", want: `{"error": "The action did not return a dictionary or array."}`},
		{name: "no JSON", code: "main = lambda args: {'a': {1, 2}}", ok: true, want: `{"error": "Object of type set is not JSON serializable"}`},
		{name: "environment", code: "import os\nmain = lambda args: {'k': os.environ['__OW_API_KEY'], 'n': os.getenv('__OW_NAMESPACE')}", ok: true, want: `{"k":"key:run","n":"caller"}`},
		{name: "stdin", code: "import sys\nmain = lambda args: {'in': sys.stdin.read()}", ok: true, want: `{"in":""}`},
		{name: "process", code: "import subprocess\nmain = lambda args: {'out': subprocess.check_output(['echo', 'hi'], text=True)}", ok: true, want: `{"out":"hi\n"}`},
		{name: "prints to closed stdout", code: "import sys\ndef main(args):\n    sys.stdout.close()\n    return {}", ok: true, want: `{}`},
		{name: "syntax error", code: "def main(args:", initError: "Initialization has failed due to: SyntaxError: "},
		{name: "fails to load", code: "nowhere.to.be", initError: "name 'nowhere' is not defined"},
		{name: "no main", code: "x = 1", initError: "name 'main' is not defined"},
		{name: "main is no function", code: "main = 1", initError: "Action entrypoint 'main' is not a function."},
		{name: "no code", code: "", initError: "Missing main/no code to execute."},
		{name: "zip", binary: true, ok: true, want: `{"by":"zip","data":"here"}`,
			code: files(t, "__main__.py", "from lib import a\ndef main(args):\n    return {'by': a.name, 'data': open('data.txt').read()}", "lib/__init__.py", "", "lib/a.py", "name = 'zip'", "data.txt", "here")},
		{name: "zip without __main__.py", binary: true, code: files(t, "a.py", ""), initError: "does not include __main__.py"},
	})
}

func TestPrograms(t *testing.T) {
	t.Run("skeleton", func(t *testing.T) {
		testLaunchers(t, whisk.Blackbox, []launcherTest{
			{name: "script", code: "#!/bin/sh\necho log line\necho \"{\\\"in\\\":$1}\"", ok: true, want: `{"in":{"name":"you","n":12345}}`, logs: "stdout: log line"},
			{name: "standard input", code: "#!/bin/sh\ncat", ok: true, want: `{"name":"you","n":12345}`},
			{name: "array", code: "#!/bin/sh\necho '[1]'", ok: true, want: `[1]`},
			{name: "blank lines", code: "#!/bin/sh\nprintf 'a\\n\\nb\\n{\"x\":1}\\n\\n\\n'", ok: true, want: `{"x":1}`, logs: "stdout: b"},
			{name: "no end of line", code: "#!/bin/sh\nprintf 'a\\n{\"x\":1}'", ok: true, want: `{"x":1}`, logs: "stdout: a"},
			{name: "exit code", code: "#!/bin/sh\necho '{}'; exit 7", ok: true, want: `{}`},
			{name: "silent", code: "#!/bin/sh\n", want: `{"error":"The action did not return a dictionary or array."}`},
			{name: "text", code: "#!/bin/sh\necho hello", want: `{"error":"The action did not return a dictionary or array."}`, logs: "stdout: hello"},
			{name: "background", code: "#!/bin/sh\nsleep 100 &\necho '{}'", ok: true, want: `{}`},
			{name: "environment", code: "#!/bin/sh\necho \"{\\\"a\\\":\\\"$__OW_ACTION_NAME\\\"}\"", ok: true, want: `{"a":"/guest/pkg/tested"}`},
			{name: "zip", binary: true, code: files(t, "exec", "#!/bin/sh\ncat data", "data", `{"by":"zip"}`), ok: true, want: `{"by":"zip"}`},
			{name: "zip without exec", binary: true, code: files(t, "run", "x"), initError: "The action failed to generate or locate a binary. See logs for details."},
			{name: "base64 of a script", binary: true, code: script("echo '{\"b\":1}'"), ok: true, want: `{"b":1}`},
		})
	})
	t.Run("ActionLoop", func(t *testing.T) {
		testLaunchers(t, "go", []launcherTest{
			{name: "line", binary: true, code: script(`read -r l; echo "$l" >&3; cat >/dev/null`), ok: true, want: `{"value":{"name":"you","n":12345},"namespace":"caller","action_name":"/guest/pkg/tested","action_version":"0.0.7","activation_id":"*`},
			{name: "text", binary: true, code: script(`while read -r l; do echo text >&3; done`), want: `{"error":"The action did not return a dictionary or array."}`},
			{name: "zip", binary: true, code: files(t, "exec", "#!/bin/sh\nwhile read -r l; do echo '{}' >&3; done"), ok: true, want: `{}`},
			{name: "source", code: "package main\nfunc Main(o map[string]any) map[string]any { return o }", initError: "Building from source is not available yet"},
			{name: "no code", code: "", binary: true, initError: "Missing main/no code to execute."},
		})
	})
}

func TestActionLoopAcknowledges(t *testing.T) {
	d := newDriver(t)
	defer d.Close()
	tests := []struct {
		name, ack string
		ok        bool
	}{
		{"yes", `echo '{"ok":true}' >&3;`, true},
		{"no", `echo '{"ok":false}' >&3;`, false},
		{"exits", `exit 1;`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			spec := specOf(t, d, "go")
			spec.Env = map[string]string{"__OW_WAIT_FOR_ACK": "1"}
			b := sandboxtest.NewBox(t, d, spec)
			code := base64.StdEncoding.EncodeToString([]byte("#!/bin/sh\n" + tt.ack + " while read -r l; do echo '{}' >&3; done"))
			o := b.Load(code, sandboxtest.With{Binary: true})
			if o.Ending != sandbox.Replied || o.OK != tt.ok {
				t.Fatalf("init: %s", sandboxtest.Show(o))
			}
			if tt.ok {
				b.MustCall(`{}`, sandboxtest.With{})
			}
		})
	}
}

func TestSkeletonStub(t *testing.T) {
	d := newDriver(t)
	defer d.Close()
	b := sandboxtest.NewBox(t, d, specOf(t, d, whisk.Blackbox))
	if o := b.Init(t.Context(), &sandbox.Init{Timeout: 1e10, LogBytes: 1e6, ResultBytes: 1e6}); !o.OK {
		t.Fatalf("init: %s", sandboxtest.Show(o))
	}
	if got := b.MustCall(`{}`, sandboxtest.With{}); !strings.Contains(got, "stub action") {
		t.Errorf("reply %s", got)
	}
}

func TestConfigValidate(t *testing.T) {
	good := process.DefaultConfig("/x")
	if err := good.Validate(); err != nil {
		t.Errorf("default config: %v", err)
	}
	for name, spoil := range map[string]func(*process.Config){
		"no folder":     func(c *process.Config) { c.Dir = "" },
		"no timeout":    func(c *process.Config) { c.StartTimeout = 0 },
		"relative path": func(c *process.Config) { c.SearchPath = []string{"bin"} },
	} {
		c := good
		spoil(&c)
		if c.Validate() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
