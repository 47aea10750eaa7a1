package deploy

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hearth/whisk"
)

// write makes a folder of files and returns its path.
func write(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		full := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

var environment = map[string]string{"HOME_TOWN": "Kiel", "PORT": "80", "city": "Bonn", "EMPTY": ""}

// open reads a project of files, one of them manifest.yaml and perhaps one
// deployment.yaml.
func open(t testing.TB, files map[string]string, given ...whisk.Parameter) (*Source, error) {
	t.Helper()
	dir := write(t, files)
	cfg := Config{Manifest: FindManifest(dir), Deployment: FindDeployment(dir), Params: given, Getenv: func(k string) string { return environment[k] }}
	s, err := Read(cfg)
	if err == nil {
		t.Cleanup(func() { _ = s.Close() })
	}
	return s, err
}

var target = Target{Host: "https://h", Key: "u:k", Runtimes: map[string][]string{"nodejs": {"nodejs:20"}, "python": {"python:3.11"}}}

// plan makes a plan of a project, which must succeed.
func plan(t testing.TB, files map[string]string, given ...whisk.Parameter) *Plan {
	t.Helper()
	s, err := open(t, files, given...)
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Plan(target)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// manifest is a project of one package, "p", with the lines in it.
func manifest(lines string) map[string]string {
	return map[string]string{"manifest.yaml": "packages:\n  p:\n" + indent(lines, "    "), "a.js": "js", "a.py": "py"}
}

func indent(text, by string) string {
	return by + strings.ReplaceAll(strings.Trim(text, "\n"), "\n", "\n"+by) + "\n"
}

func TestInputs(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"x: text", `"text"`},
		{"x: 5", "5"},
		{"x: 1.50", "1.50"},
		{"x: true", "true"},
		{"x: yes", `true`},
		{"x: 'no'", `"no"`},
		{"x: [1, $HOME_TOWN]", `[1,"$HOME_TOWN"]`},
		{"x: {a: $HOME_TOWN, b: {c: \"${PORT}!\"}, d: [1]}", `{"a":"Kiel","b":{"c":"80!"},"d":[1]}`},
		{"x:", `""`},
		{"x: string", `""`},
		{"x: integer", "0"},
		{"x: json", "{}"},
		{"x: $HOME_TOWN", `"Kiel"`},
		{"x: ${HOME_TOWN}", `"Kiel"`},
		{"x: a$HOME_TOWN", `"a$HOME_TOWN"`},
		{"x: a${HOME_TOWN}b$PORT", `"aKielb80"`},
		{"x: $${HOME_TOWN}", `"${HOME_TOWN}"`},
		{"x: $5 and ${", `"$5 and ${"`},
		{"x: $NOWHERE", `""`},
		{"x: {value: 7, type: integer}", "7"},
		{"x: {type: integer, value: $PORT}", "80"},
		{"x: {type: integer, value: many}", `"many"`},
		{"x: {type: boolean, value: \"true\"}", "true"},
		{"x: {type: json, value: '{\"a\":[1]}'}", `{"a":[1]}`},
		{"x: {type: json, value: {a: $PORT}}", `{"a":"80"}`},
		{"x: {type: float}", "0.0"},
		{"x: {default: d, description: what}", `"d"`},
		{"x: {description: what}", `""`},
		{"x: {value: 1, other: 2}", `{"other":2,"value":1}`},
		{"x: {}", `""`},
	} {
		p := plan(t, manifest("actions:\n  a:\n    function: a.js\n    inputs:\n      "+tt.in))
		got := p.Packages[0].Actions[0].Body.Parameters
		if len(got) != 1 || got[0].Key != "x" || string(got[0].Value) != tt.want {
			t.Errorf("%s: got %s, want %s", tt.in, mustJSON(t, got), tt.want)
		}
	}
}

func TestWhereVariablesComeFrom(t *testing.T) {
	files := map[string]string{"manifest.yaml": `
project:
  name: n
  inputs: {region: north, shared: $city}
  packages:
    ${HOME_TOWN}_pkg:
      inputs: {city: string, size: 3, own: {required: true, value: mine}}
      actions:
        $size: {function: a.js, inputs: {c: $city, r: $region, s: $size, o: "${own}!", given: x}}
`, "a.js": "js"}
	p := plan(t, files, whisk.Parameter{Key: "given", Value: json.RawMessage(`{"z":1}`)}, whisk.Parameter{Key: "own", Value: json.RawMessage(`"theirs"`)})
	k := p.Packages[0]
	if k.Name != "Kiel_pkg" || string(mustJSON(t, k.Body.Parameters)) != `[{"key":"city","value":"Bonn"},{"key":"own","value":"theirs"},{"key":"size","value":3}]` {
		t.Errorf("package %s with %s", k.Name, mustJSON(t, k.Body.Parameters))
	}
	want := `[{"key":"c","value":"Bonn"},{"key":"given","value":{"z":1}},{"key":"o","value":"theirs!"},{"key":"r","value":"north"},{"key":"s","value":"3"}]`
	if a := k.Actions[0]; a.Name != "3" || string(mustJSON(t, a.Body.Parameters)) != want {
		t.Errorf("action %s with %s", a.Name, mustJSON(t, a.Body.Parameters))
	}
	if got := mustJSON(t, p.Inputs); string(got) != `{"region":"north","shared":"Bonn"}` {
		t.Errorf("project inputs %s", got)
	}
}

func mustJSON(t testing.TB, v any) []byte {
	t.Helper()
	b, err := marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDeploymentFile(t *testing.T) {
	files := manifest(`
inputs: {a: 1, b: 2}
annotations: {k: v}
actions: {act: {function: a.js, inputs: {x: 1, y: 2}, annotations: {n: 1}}}
triggers: {t: {inputs: {i: 1}}}`)
	files["deployment.yaml"] = `
project:
  credential: $city
  packages:
    p:
      inputs: {b: $HOME_TOWN, c: 4}
      annotations: {k: w}
      actions:
        act: {inputs: {y: 3, z: $c}, annotations: {m: 2}}
        none: {inputs: {q: 1}}
      triggers: {t: {inputs: {i: 2}}, gone: {}}
    q: {inputs: {a: 1}}
`
	s, err := open(t, files)
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Plan(target)
	if err != nil {
		t.Fatal(err)
	}
	k := p.Packages[0]
	for _, tt := range []struct {
		name string
		got  any
		want string
	}{
		{"package", k.Body.Parameters, `[{"key":"a","value":1},{"key":"b","value":"Kiel"},{"key":"c","value":4}]`},
		{"package annotations", k.Body.Annotations, `[{"key":"k","value":"w"}]`},
		{"action", k.Actions[0].Body.Parameters, `[{"key":"x","value":1},{"key":"y","value":3},{"key":"z","value":"4"}]`},
		{"action annotations", k.Actions[0].Body.Annotations, `[{"key":"m","value":2},{"key":"n","value":1}]`},
		{"trigger", p.Triggers[0].Body.Parameters, `[{"key":"i","value":2}]`},
		{"warnings", p.Warnings, `["The trigger [gone] in the deployment file was not found in the manifest file.","The action [none] in the deployment file was not found in the manifest file.","The package [q] in the deployment file was not found in the manifest file."]`},
		{"credential", s.Credential(), `"Bonn"`},
	} {
		if got := string(mustJSON(t, tt.got)); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestManifestErrors(t *testing.T) {
	action := func(lines string) map[string]string { return manifest("actions:\n  act:\n" + indent(lines, "    ")) }
	for _, tt := range []struct {
		files map[string]string
		want  string
	}{
		{map[string]string{"manifest.yaml": "packages: ["}, "manifest.yaml: "},
		{map[string]string{"manifest.yaml": "package:\n  x: 1"}, `unknown key "package" in manifest`},
		{manifest("actoins: {}"), `line 3: unknown key "actoins" in package`},
		{action("functions: a.js"), `unknown key "functions" in action`},
		{action("{}"), `package "p": action "act": it has neither function, code nor docker`},
		{action("function: a.js\ncode: x"), "it has both code and function"},
		{action("function: none.js"), `function "none.js": no such file or directory`},
		{action("docker: $NOWHERE"), `docker "$NOWHERE" comes to no image`},
		{action("function: ../a.js"), `"../a.js" is outside the project's folder`},
		{action("function: /etc/passwd"), `"/etc/passwd" is outside the project's folder`},
		{action("function: https://example.com/a.js"), "nothing is fetched from elsewhere"},
		{action("code: x"), "code in the manifest needs a runtime"},
		{action("code: x\nruntime: cobol:1"), "the server has no runtime [cobol:1]; it has nodejs:20, python:3.11"},
		{action("function: manifest.yaml"), "the extension [yaml] names none"},
		{action("function: ."), "a zip, or a folder, needs a runtime"},
		{action("function: a.js\nweb: maybe"), `web is true, yes, raw, false or no, not "maybe"`},
		{action("function: a.js\nannotations: {require-whisk-auth: -1}"), "require-whisk-auth"},
		{action("function: a.js\ninputs: {x: {type: cow}}"), "invalid type cow; types are boolean, float, integer, json, string"},
		{action("function: a.js\ninputs: {x: {required: true}, y: {type: string, required: true, value: $NOWHERE}}"), "required inputs have no value: x, y"},
		{manifest("actions: {'a/b': {function: a.js}}"), "illegal characters"},
		{manifest("actions: {a: {function: a.js}}\nsequences: {a: {actions: a}}"), `sequence "a" is defined as an action, too`},
		{manifest("rules: {r: {trigger: t}}"), `rule "r" names no trigger, or no action`},
		{manifest("dependencies: {d: {location: github.com/a/b}}"), "nothing is fetched from elsewhere"},
		{manifest("dependencies: {d: {location: /ns}}"), "is no package on this server"},
		{manifest("triggers: {t: {feed: a/b/c/d}}"), `trigger "t": feed`},
		{manifest("apis: {n: {base: {rel: {none: get}}}}"), `API "n": "none" is no action or sequence of the package`},
		{manifest("actions: {a: {function: a.js}}\napis: {n: {base: {rel: {a: fetch}}}}"), `"fetch" is no verb`},
		{manifest("actions: {a: {function: a.js, web: no}}\napis: {n: {base: {rel: {a: get}}}}"), `"a" is not a web action`},
		{manifest("actions: {a: {function: a.js}}\napis: {n: {base/more: {rel: {a: get}}}}"), `the base path "/base/more" is not one word`},
		{manifest("actions: {a: {function: a.js}}\napis: {n: {base: {rel: {a: {verb: get}}}}}"), `unknown key "verb" in method`},
		{map[string]string{"manifest.yaml": "packages:\n  p: {triggers: {t: {feed: a/b}}}\n  q: {triggers: {t: {feed: a/c}}}"}, `trigger "t" has the feeds`},
		{map[string]string{"manifest.yaml": "packages:\n  p: {rules: {r: {trigger: t, action: a}}}\n  q: {rules: {r: {trigger: u, action: /_/p/a}}}"}, `rule "r" is defined twice`},
		{map[string]string{"manifest.yaml": "project: {name: a}", "deployment.yaml": "project: {name: b}"}, `the project is named "b", and "a" in the manifest`},
		{map[string]string{"manifest.yaml": "project: {inputs: {a: " + strings.Repeat("x", 1<<18) + "}, packages: {p: {inputs: {b: '" + strings.Repeat("${a}", 1<<8) + "'}}}}"}, "variables come to more than"},
		{map[string]string{"manifest.yaml": "project: {config: s.yaml}\npackages: {p: {}}", "s.yaml": "a: 1"}, "missing basePath, info, paths, or swagger fields"},
	} {
		s, err := open(t, tt.files)
		if err == nil {
			_, err = s.Plan(target)
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "deploy.") {
			t.Errorf("%.500s\n got %v\nwant %s", tt.files["manifest.yaml"], err, tt.want)
		}
	}
}
