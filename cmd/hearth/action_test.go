package main

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hearth/client"
	"hearth/whisk"
)

func TestExec(t *testing.T) {
	dir := t.TempDir()
	elf := "\x7fELF\x02\x01\x00\xff"
	for name, content := range map[string]string{
		"a.js": "js", "a.py": "py", "a.swift": "s", "a.php": "p", "a.rb": "r", "a.rs": "rs", "a.go": "go",
		"a.jar": "PK\x03\x04jar", "a.balx": "bal", "a.zip": "PK\x03\x04\x00\xff", "bare": elf, "odd.xyz": "text", "latin.py": "caf\xe9", "inside": "PK\x03\x04zip",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, tt := range []struct {
		file  string
		flags execFlags
		kind  string
		image string
		code  string
		err   string
	}{
		{file: "a.js", kind: "nodejs:default", code: "js"},
		{file: "a.py", kind: "python:default", code: "py"},
		{file: "a.swift", kind: "swift:default", code: "s"},
		{file: "a.php", kind: "php:default", code: "p"},
		{file: "a.rb", kind: "ruby:default", code: "r"},
		{file: "a.rs", kind: "rust:default", code: "rs"},
		{file: "a.go", kind: "go:default", code: "go"},
		{file: "a.jar", flags: execFlags{main: "M"}, kind: "java:default", code: b64("PK\x03\x04jar")},
		{file: "a.balx", kind: "ballerina:default", code: b64("bal")},
		{file: "a.zip", err: "creating an action from a .zip artifact requires specifying the action kind explicitly"},
		{file: "a.zip", flags: execFlags{kind: "nodejs:20"}, kind: "nodejs:20", code: b64("PK\x03\x04\x00\xff")},
		{file: "inside", flags: execFlags{kind: "python:3"}, kind: "python:3", code: b64("PK\x03\x04zip")},
		{file: "bare", flags: execFlags{native: true}, kind: "blackbox", image: whisk.SkeletonImage, code: b64(elf)},
		{file: "bare", flags: execFlags{kind: "go:1.22"}, kind: "go:1.22", code: b64(elf)},
		{file: "bare", err: "'' is not a supported action runtime: for an executable say --native, or its --kind"},
		{file: "a.py", flags: execFlags{docker: "me/img"}, kind: "blackbox", image: "me/img", code: "py"},
		{flags: execFlags{docker: "me/img"}, kind: "blackbox", image: "me/img"},
		{file: "odd.xyz", err: "'.xyz' is not a supported action runtime"},
		{file: "odd.xyz", flags: execFlags{kind: "nodejs:default"}, kind: "nodejs:default", code: "text"},
		{file: "latin.py", err: "is neither text in UTF-8"},
		{file: "none.js", err: "is not a valid file or it does not exist"},
		{file: "a.js", flags: execFlags{kind: "java"}, err: "Java actions require --main"},
	} {
		var files []string
		if tt.file != "" {
			files = []string{filepath.Join(dir, tt.file)}
		}
		e, err := tt.flags.exec(files)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) || exitCode(err) != exitUsage {
				t.Errorf("%s %+v: got %v, want %s", tt.file, tt.flags, err, tt.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s %+v: %v", tt.file, tt.flags, err)
			continue
		}
		code := ""
		if e.Code != nil {
			code = *e.Code
		}
		if e.Kind != tt.kind || e.Image != tt.image || code != tt.code || (e.Code == nil) != (tt.file == "") || e.Main != tt.flags.main {
			t.Errorf("%s %+v: got %+v with code %q", tt.file, tt.flags, e, code)
		}
	}
}

func TestComponents(t *testing.T) {
	got := components("a, pkg/b,/ns/c,ns/pkg/d")
	want := []string{"/_/a", "/_/pkg/b", "/ns/c", "/ns/pkg/d"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAnnotateWeb(t *testing.T) {
	const web, off = "web-export=true raw-http=false final=true", "web-export=false raw-http=false final=false"
	for _, tt := range []struct {
		name      string
		web, sec  string // "-" is not given
		given     string
		existing  string // "-" is no action
		want, del string
		err       string
	}{
		{name: "neither", web: "-", sec: "-", given: "a=1", existing: "b=2", want: "a=1"},
		{name: "create", web: "true", sec: "-", existing: "-", want: web},
		{name: "yes", web: "YES", sec: "-", given: "a=1 final=7", existing: "-", want: "a=1 " + web},
		{name: "raw", web: "raw", sec: "-", existing: "-", want: "web-export=true raw-http=true final=true"},
		{name: "no", web: "no", sec: "-", existing: "-", want: off},
		{name: "bad", web: "maybe", sec: "-", existing: "-", err: "Invalid argument 'maybe' for --web flag."},
		{name: "update carries all", web: "false", sec: "-", existing: "b=2 " + web + ` require-whisk-auth="s"`, want: `b=2 require-whisk-auth="s" ` + off},
		{name: "update with others carries the secret", web: "true", sec: "-", given: "a=1", existing: `b=2 require-whisk-auth="s"`, want: `a=1 require-whisk-auth="s" ` + web},
		{name: "secret", web: "true", sec: "s3", existing: "-", want: web + ` require-whisk-auth="s3"`},
		{name: "secret without web", web: "-", sec: "s", existing: "-", err: "The --web-secure option is only valid when the --web option is enabled."},
		{name: "secret while switching off", web: "no", sec: "s", existing: web, err: "The --web-secure option is only valid"},
		{name: "secret on an existing web action", web: "-", sec: "s", existing: web + " b=2", want: web + ` b=2 require-whisk-auth="s"`},
		{name: "with others", web: "-", sec: "s", given: "a=1", existing: web + " b=2", want: "a=1 " + web + ` require-whisk-auth="s"`},
		{name: "secret changes", web: "-", sec: "s", existing: web + ` require-whisk-auth=5`, want: web + ` require-whisk-auth="s"`},
		{name: "number stays", web: "-", sec: "true", existing: web + ` require-whisk-auth=5`, want: web + ` require-whisk-auth=5`},
		{name: "removed", web: "-", sec: "false", existing: web + ` require-whisk-auth=5`, want: web, del: "require-whisk-auth"},
		{name: "nothing to remove", web: "true", sec: "False", existing: "-", want: web + " require-whisk-auth=false"},
	} {
		f := &actionFlags{web: tt.web, webSecure: tt.sec, changed: func(name string) bool {
			return name == "web" && tt.web != "-" || name == "web-secure" && tt.sec != "-"
		}}
		a := &client.Action{Annotations: annotations(tt.given)}
		var existing *client.Action
		if tt.existing != "-" {
			existing = &client.Action{Annotations: annotations(tt.existing)}
		}
		err := f.annotateWeb(a, existing)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: got %v, want %s", tt.name, err, tt.err)
			}
			continue
		}
		var got []string
		for _, p := range a.Annotations {
			got = append(got, p.Key+"="+string(p.Value))
		}
		if err != nil || strings.Join(got, " ") != tt.want || strings.Join(a.DelAnnotations, " ") != tt.del {
			t.Errorf("%s:\n got %s, deleting %s, %v\nwant %s, deleting %s", tt.name, strings.Join(got, " "), a.DelAnnotations, err, tt.want, tt.del)
		}
		if existing != nil && len(existing.Annotations) != len(annotations(tt.existing)) {
			t.Errorf("%s: the existing action was changed", tt.name)
		}
	}
}

func annotations(text string) []whisk.Parameter {
	var out []whisk.Parameter
	for _, s := range strings.Fields(text) {
		k, v, _ := strings.Cut(s, "=")
		out = append(out, whisk.Parameter{Key: k, Value: json.RawMessage(v)})
	}
	return out
}

func TestRandomSecretIsANumber(t *testing.T) {
	f := &actionFlags{web: "true", webSecure: "true", changed: func(string) bool { return true }}
	a := &client.Action{}
	if err := f.annotateWeb(a, nil); err != nil {
		t.Fatal(err)
	}
	raw, ok := whisk.Parameters(a.Annotations).Get("require-whisk-auth")
	var n int64
	if err := json.Unmarshal(raw, &n); !ok || err != nil || n < 1 || n > maxSecret {
		t.Errorf("the secret is %s, %v", raw, err)
	}
}

func TestCompareActions(t *testing.T) {
	var list []client.Action
	for _, s := range []string{"ns/b|x", "ns|b", "ns/a|Y", "ns|B", "ns/a|x", "ns|a"} {
		ns, name, _ := strings.Cut(s, "|")
		list = append(list, client.Action{Namespace: ns, Name: name})
	}
	slices.SortStableFunc(list, compareActions)
	var got []string
	for _, a := range list {
		got = append(got, a.Namespace+"|"+a.Name)
	}
	want := "ns|B ns|a ns|b ns/a|x ns/a|Y ns/b|x"
	if strings.Join(got, " ") != want {
		t.Errorf("got %s, want %s", strings.Join(got, " "), want)
	}
}

func TestOverLimits(t *testing.T) {
	n := func(i int) *int { return &i }
	got := overLimits(&client.Limits{Timeout: n(1), Memory: n(2)}, &client.Limits{Memory: n(3), Logs: n(4)})
	if *got.Timeout != 1 || *got.Memory != 3 || *got.Logs != 4 || got.Concurrency != nil {
		t.Errorf("got %+v", got)
	}
	if l := (&client.Limits{}); overLimits(nil, l) != l || overLimits(l, nil) != l || overLimits(nil, nil) != nil {
		t.Error("a single side is not taken as it is")
	}
}

func TestActionSummary(t *testing.T) {
	for _, tt := range []struct{ given, params, want string }{
		{"", "", "action /guest/a\n   (parameters: none defined)\n"},
		{`description="does"`, "", "action /guest/a: does\n   (parameters: none defined)\n"},
		{"", "x=1", "action /guest/a: Returns a result based on parameter x\n   (parameters: *x)\n"},
		{`parameters=[{"name":"b"},{"name":"x"},{"other":1}]`, "x=1", "action /guest/a: Returns a result based on parameters b and x\n   (parameters: b, *x)\n"},
		{`final=true parameters=[{"name":"c"}]`, "b=1 a=2", "action /guest/a: Returns a result based on parameters a, b and c\n   (parameters: **a, **b, c)\n"},
		{`parameters=7`, "", "action /guest/a\n   (parameters: none defined)\n"},
	} {
		var b strings.Builder
		printSummary(newPrinter(&b), "action", "/guest/a", annotations(tt.given), annotations(tt.params))
		if b.String() != tt.want {
			t.Errorf("%s %s:\n got %q\nwant %q", tt.given, tt.params, b.String(), tt.want)
		}
	}
}

func TestSaveCode(t *testing.T) {
	t.Chdir(t.TempDir())
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	yes, no := true, false
	b64 := func(s string) *string { s = base64.StdEncoding.EncodeToString([]byte(s)); return &s }
	plain := func(s string) *string { return &s }
	for _, tt := range []struct {
		name   string
		action client.Action
		as     string
		file   string
		want   string
		mode   os.FileMode
		err    string
	}{
		{"text", client.Action{Name: "a", Exec: &client.Exec{Kind: "nodejs:20", Code: plain("js"), Binary: &no}}, "", "a.js", "js", 0, ""},
		{"again", client.Action{Name: "a", Exec: &client.Exec{Kind: "nodejs:20", Code: plain("js"), Binary: &no}}, "", "", "", 0, "The file 'a.js' already exists"},
		{"zip", client.Action{Name: "z", Exec: &client.Exec{Kind: "nodejs:20", Code: b64("PK"), Binary: &yes}}, "", "z.zip", "PK", 0, ""},
		{"native", client.Action{Name: "n", Exec: &client.Exec{Kind: "blackbox", Code: b64("\x7fELFx"), Binary: &yes}}, "", "n", "\x7fELFx", 0o100, ""},
		{"as", client.Action{Name: "a", Exec: &client.Exec{Kind: "python:3", Code: plain("py")}}, "other.txt", "other.txt", "py", 0, ""},
		{"sequence", client.Action{Name: "s", Exec: &client.Exec{Kind: "sequence"}}, "", "", "", 0, "Cannot save action sequences"},
		{"image", client.Action{Name: "i", Exec: &client.Exec{Kind: "blackbox", Binary: &no}}, "", "", "", 0, "Cannot save Docker images"},
		{"nothing", client.Action{Name: "i"}, "", "", "", 0, "Cannot save an action without code"},
		{"not base64", client.Action{Name: "q", Exec: &client.Exec{Kind: "nodejs:20", Code: plain("?"), Binary: &yes}}, "", "", "", 0, "is not base64"},
		{"climbing name", client.Action{Name: "../up", Exec: &client.Exec{Kind: "nodejs:20", Code: plain("x")}}, "", "", "", 0, "makes no file name"},
		{"no folder", client.Action{Name: "a", Exec: &client.Exec{Kind: "nodejs:20", Code: plain("x")}}, "no/such", "", "", 0, "Cannot create file 'no/such'"},
	} {
		var b strings.Builder
		err := (&session{out: newPrinter(&b)}).saveCode(&tt.action, tt.as)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: got %v, want %s", tt.name, err, tt.err)
			}
			continue
		}
		got, rerr := os.ReadFile(tt.file)
		if err != nil || rerr != nil || string(got) != tt.want || b.String() != "ok: saved action code to "+filepath.Join(dir, tt.file)+"\n" {
			t.Errorf("%s: got %q, %q, %v, %v", tt.name, got, b.String(), err, rerr)
		}
		if st, err := os.Stat(tt.file); err != nil || st.Mode()&0o100 != tt.mode {
			t.Errorf("%s: mode %v, %v", tt.name, st.Mode(), err)
		}
	}
}
