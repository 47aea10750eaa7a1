package deploy

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"hearth/whisk"
)

func TestKinds(t *testing.T) {
	for _, tt := range []struct {
		action, want string
		warnings     int
	}{
		{"function: a.js", "nodejs:default", 0},
		{"function: a.py", "python:default", 0},
		{"function: a.js\nruntime: nodejs", "nodejs:default", 0},
		{"function: a.js\nruntime: nodejs:20", "nodejs:20", 0},
		{"function: a.js\nruntime: nodejs:6", "nodejs:default", 2},
		{"function: a.js\nruntime: python:3.11", "nodejs:default", 2},
		{"function: .\nruntime: python:default", "python:default", 0},
		{"function: .\nruntime: python\ninclude: [[], [a.js, b.js, c.js], [a.js, z.js]]", "python:default", 1},
		{"code: x\nruntime: python", "python:default", 0},
		{"docker: me/img", "blackbox", 0},
		{"function: a.js\ndocker: me/img", "blackbox", 0},
		{"function: a.js\nnative: true", "blackbox", 0},
	} {
		p := plan(t, manifest("actions:\n  act:\n"+indent(tt.action, "    ")))
		if got := p.Packages[0].Actions[0].Body.Exec; got.Kind != tt.want || len(p.Warnings) != tt.warnings {
			t.Errorf("%s: got %+v, %q, want %s", tt.action, got, p.Warnings, tt.want)
		}
	}
	s, err := open(t, manifest("actions: {a: {function: a.js, runtime: 'cobol:1'}}"))
	if err != nil {
		t.Fatal(err)
	}
	strict := target
	strict.Strict = true
	if p, err := s.Plan(strict); err != nil || p.Packages[0].Actions[0].Body.Exec.Kind != "cobol:1" {
		t.Errorf("strict gave %+v, %v", p, err)
	}
}

// TestPlan holds a whole project to what is put.
func TestPlan(t *testing.T) {
	files := map[string]string{"sub/manifest.yml": `
project:
  name: all
  packages:
    default:
      actions: {top: {function: ../top.js}}
    pkg:
      version: 1.0
      license: Apache-2.0
      public: true
      dependencies: {tools: {location: /whisk.system/utils, inputs: {s: ";"}}}
      actions:
        hello: {location: hi.js, main: m, web: raw, conductor: true, limits: {timeout: 1000, memorySize: 256, codeSize: 1}, annotations: {text: "${PORT}", code: {x: "${PORT}"}, require-whisk-auth: s3}}
        old: {code: "x", runtime: nodejs:default, web-export: "yes", version: 0.0.7}
      sequences: {both: {actions: "hello, /_/top,other/x", web: true}}
      triggers: {tick: {source: /whisk.system/alarms/alarm, inputs: {cron: "*"}}, mine: {feed: pkg/f}, plain: }
      rules: {r: {trigger: plain, action: both, annotations: {a: 1}}, q: {trigger: /_/tick, action: /ns/p/a}}
      apis: {api: {base: {'/p/{id}': {hello: {method: get, response: json}}, q: {old: POST}}}}
`, "sub/hi.js": "js", "top.js": "top"}
	dir := write(t, files)
	s, err := Read(Config{Manifest: FindManifest(filepath.Join(dir, "sub")), Folder: dir, Getenv: func(k string) string { return environment[k] }})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	managed := target
	managed.Managed = true
	p, err := s.Plan(managed)
	if err != nil {
		t.Fatal(err)
	}
	mark := mustJSON(t, whisk.Parameters{{Key: managedKey, Value: mustJSON(t, p.mark)}})
	got := strings.ReplaceAll(string(mustJSON(t, p)), strings.Trim(string(mark), "[]"), `"MARK"`)
	const want = `{"Project":"all","Namespace":"_","Inputs":{},"Packages":[` +
		`{"Name":"default","Body":null,"Inputs":{},"Bindings":null,"Actions":[{"Name":"top","Body":{"exec":{"kind":"nodejs:default","code":"top"},"annotations":["MARK"],"publish":false}}],"Sequences":null},` +
		`{"Name":"pkg","Body":{"version":"1.0","publish":true,"annotations":["MARK"]},"Inputs":{},` +
		`"Bindings":[{"Name":"tools","Body":{"publish":false,"annotations":["MARK"],"parameters":[{"key":"s","value":";"}],"binding":{"namespace":"whisk.system","name":"utils"}}}],` +
		`"Actions":[{"Name":"hello","Body":{"exec":{"kind":"nodejs:default","code":"js","main":"m"},"annotations":[{"key":"code","value":{"x":"${PORT}"}},{"key":"require-whisk-auth","value":"s3"},{"key":"text","value":"80"},"MARK",{"key":"web-export","value":true},{"key":"raw-http","value":true},{"key":"final","value":true},{"key":"conductor","value":true}],"limits":{"timeout":1000,"memory":256},"publish":false}},` +
		`{"Name":"old","Body":{"version":"0.0.7","exec":{"kind":"nodejs:default","code":"x"},"annotations":["MARK",{"key":"web-export","value":true},{"key":"raw-http","value":false},{"key":"final","value":true}],"publish":false}}],` +
		`"Sequences":[{"Name":"both","Body":{"exec":{"kind":"sequence","components":["/_/pkg/hello","/_/top","/_/other/x"]},"annotations":["MARK",{"key":"web-export","value":true},{"key":"raw-http","value":false},{"key":"final","value":true}],"publish":false}}]}],` +
		`"Triggers":[{"Name":"mine","Body":{"annotations":["MARK",{"key":"feed","value":"/_/pkg/f"}],"publish":false}},{"Name":"plain","Body":{"annotations":["MARK"],"publish":false}},` +
		`{"Name":"tick","Body":{"annotations":["MARK",{"key":"feed","value":"/whisk.system/alarms/alarm"}],"parameters":[{"key":"cron","value":"*"}],"publish":false}}],` +
		`"Rules":[{"Name":"q","Body":{"annotations":["MARK"],"trigger":"/_/tick","action":"/ns/p/a","publish":false}},{"Name":"r","Body":{"annotations":[{"key":"a","value":1},"MARK"],"trigger":"/_/plain","action":"/_/pkg/both","publish":false}}],` +
		`"Routes":[{"Route":{"namespace":"_","apiName":"api","gatewayBasePath":"/base","gatewayPath":"/p/{id}","gatewayMethod":"GET","id":"API:_:/base","action":{"name":"pkg/hello","namespace":"_","backendMethod":"GET","backendUrl":"https://h/api/v1/web/_/pkg/hello.http","authkey":"u:k","secureKey":"s3"},"pathParameters":[{"name":"id","in":"path","description":"Default description for 'id'","required":true,"type":"string"}]},"Response":"http"},` +
		`{"Route":{"namespace":"_","apiName":"api","gatewayBasePath":"/base","gatewayPath":"/q","gatewayMethod":"POST","id":"API:_:/base","action":{"name":"pkg/old","namespace":"_","backendMethod":"POST","backendUrl":"https://h/api/v1/web/_/pkg/old.http","authkey":"u:k"}},"Response":""}],` +
		`"Swagger":null,"Warnings":["[pkg] is marked as public in manifest file, it will be visible and can be accessed by anyone","Action Limit [codeSize] is currently not changeable. Ignoring...","API [api] with path parameters [/p/{id}] is required to have http as response type. Changing response type from [json] to http for [api]."]}`
	if got != want {
		at := 0
		for at < min(len(got), len(want)) && got[at] == want[at] {
			at++
		}
		t.Errorf("from byte %d:\n got %s\nwant %s", at, got[at:], want[at:])
	}
}

// TestHash holds the mark to what wskdeploy gave the same text.
func TestHash(t *testing.T) {
	m := newManaged("demo", "manifest.yaml", []byte("project:\n  name: x\n"))
	if got := string(mustJSON(t, m)); got != `{"file":"manifest.yaml","projectDeps":[],"projectHash":"`+m.Hash+`","projectName":"demo"}` || len(m.Hash) != 40 {
		t.Errorf("got %s", got)
	}
	if got := managedBy(m.on(nil)); got.Project != "demo" || got.Hash != m.Hash {
		t.Errorf("read back %+v", got)
	}
	if got := managedBy([]whisk.Parameter{{Key: managedKey, Value: json.RawMessage(`"x"`)}}); got.Project != "" {
		t.Errorf("a text was taken for a mark: %+v", got)
	}
}

// FuzzManifest holds that any manifest ends in a plan or an error.
func FuzzManifest(f *testing.F) {
	for _, s := range []string{
		"packages: {p: {actions: {a: {function: a.js, inputs: {x: $Y}}}}}",
		"project: {name: n, inputs: {a: {type: json, value: '{}'}}, packages: {default: {sequences: {s: {actions: 'a,b'}}, triggers: {t:}, rules: {r: {trigger: t, action: s}}}}}",
		"packages: {p: {actions: {a: {function: ., runtime: nodejs, include: [['*'], [a, b/]], exclude: ['a*']}}, apis: {n: {b: {r: {a: get}}}}}}",
		"x: &a {<<: *a}", "packages: {p: &p {actions: {a: {code: x, runtime: 'nodejs:20'}}}, q: *p}",
		"packages: {p: {dependencies: {d: {location: /a/b, inputs: {x: 1e999}}}}}",
	} {
		f.Add([]byte(s))
	}
	dir := write(f, map[string]string{"a.js": "js", "b/c.py": "py"})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ParseManifest(b)
		if err != nil {
			return
		}
		s := &Source{manifest: m, text: b, file: "manifest.yaml", given: scope{getenv: func(k string) string { return environment[k] }, left: new(maxExpanded)}}
		if s.files, err = openFolder(filepath.Join(dir, "manifest.yaml"), ""); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		managed := target
		managed.Managed, managed.Project = true, "f"
		p, err := s.Plan(managed)
		if err != nil {
			return
		}
		var out strings.Builder
		if err := p.Preview(&out); err != nil {
			t.Fatal(err)
		}
		if err := p.Report(&out); err != nil {
			t.Fatal(err)
		}
		if b, err := marshal(p); err != nil || !json.Valid(b) {
			t.Fatalf("%s, %v", b, err)
		}
	})
}
