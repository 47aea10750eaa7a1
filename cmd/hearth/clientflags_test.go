package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"hearth/whisk"
)

func TestClientArgs(t *testing.T) {
	root := newRoot()
	for _, tt := range []struct{ in, want string }{
		{"action invoke x -p a b", "action|invoke|x|--param=a\x00b"},
		{"action invoke -p a -p x -b", "action|invoke|--param=a\x00-p|x|-b"},
		{"action create x f --param a b -a c d --annotation e f", "action|create|x|f|--param=a\x00b|--annotation=c\x00d|--annotation=e\x00f"},
		{"-i -u k action list -n", "action|-i|-u|k|list|-n"},
		{"--auth=k --apihost h -v -d property get", "property|--auth=k|--apihost|h|-v|--debug|get"},
		{"action -p a b invoke x", "action|--param=a\x00b|invoke|x"},
		{"action invoke x -- -p a", "action|invoke|x|--|-p|a"},
		{"up -p 8080", "up|-p|8080"},
		{"--unknown action list -p", "--unknown|action|list|-p"},
		{"-u", "-u"},
		{"", ""},
		{"action", "action"},
	} {
		got, err := clientArgs(root, strings.Fields(tt.in))
		if err != nil || strings.Join(got, "|") != tt.want {
			t.Errorf("%s: got %q, %v, want %q", tt.in, strings.Join(got, "|"), err, tt.want)
		}
	}
	for _, bad := range []string{"action invoke x -p", "action invoke x -p a", "action create x -a k"} {
		_, err := clientArgs(root, strings.Fields(bad))
		if err == nil || exitCode(err) != exitGeneral || !strings.Contains(err.Error(), "must be a key/value pair") {
			t.Errorf("%s: got %v", bad, err)
		}
	}
}

func TestJSONValue(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"you", `"you"`},
		{"", `""`},
		{"1", "1"},
		{"007", `"007"`},
		{"1.50", "1.50"},
		{"123456789012345678901234567890", "123456789012345678901234567890"},
		{"-0.0e5", "-0.0e5"},
		{"true", "true"},
		{"null", "null"},
		{"True", `"True"`},
		{`"quoted"`, `"quoted"`},
		{` [1, 2] `, `[1, 2]`},
		{`{"a":{"b":1}}`, `{"a":{"b":1}}`},
		{`{"a":1} x`, `"{\"a\":1} x"`},
		{`say "hi"`, `"say \"hi\""`},
		{"a\nb", `"a\nb"`},
		{"<a&b>", `"<a&b>"`},
		{"NaN", `"NaN"`},
		{strings.Repeat("[", 600) + strings.Repeat("]", 600), `"` + strings.Repeat("[", 600) + strings.Repeat("]", 600) + `"`},
	} {
		if got := string(jsonValue(tt.in)); got != tt.want {
			t.Errorf("jsonValue(%q) = %s, want %s", tt.in, got, tt.want)
		}
	}
}

func FuzzJSONValue(f *testing.F) {
	for _, s := range []string{"a", "1", `{"a":[1,{}]}`, `"x`, "\xff", "\u2028"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := jsonValue(s)
		if whisk.CheckJSON(got, maxDepth) != nil {
			t.Fatalf("jsonValue(%q) = %s is no JSON", s, got)
		}
		if json.Valid([]byte(s)) && whisk.CheckJSON([]byte(s), maxDepth) == nil && string(got) != strings.TrimSpace(s) {
			t.Errorf("jsonValue(%q) = %s", s, got)
		}
	})
}

func TestPairs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "p.json")
	if err := os.WriteFile(file, []byte(`{"a": 1, "deep": {"z":12345678901234567890, "y":[]}, "a": 2 }`), 0o600); err != nil {
		t.Fatal(err)
	}
	p := pairs{what: "parameter", items: []pairItem{{"x\x00first", false}, {file, true}, {"deep\x00over", false}, {"x\x00\x00", false}, {`k"<\` + "\x00{}", false}}}
	got, err := p.object()
	const want = `{"x":"\u0000","a":2,"deep":"over","k\"<\\":{}}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	if got, err := (&pairs{}).object(); err != nil || string(got) != "{}" {
		t.Errorf("nothing gives %s, %v", got, err)
	}
	for name, content := range map[string]string{"broken": `{"a":`, "array": `[1]`, "two": `{} {}`, "empty": "", "deep": strings.Repeat("[", 600)} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := (&pairs{what: "annotation", items: []pairItem{{file, true}}}).parameters(); err == nil || !strings.HasPrefix(err.Error(), "Invalid annotation argument '"+file+"': ") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := (&pairs{items: []pairItem{{file + "x", true}}}).object(); exitCode(err) != exitUsage {
		t.Errorf("a missing file gave %v", err)
	}
	if _, err := (&pairs{items: []pairItem{{"no separator", false}}}).object(); err == nil {
		t.Error("a value without key was taken")
	}
}

func TestReadBounded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := readBounded(file, 5); err != nil || string(b) != "12345" {
		t.Errorf("got %q, %v", b, err)
	}
	if _, err := readBounded(file, 4); err == nil {
		t.Error("a file over the bound was read")
	}
	if _, err := readBounded(filepath.Dir(file), 4); err == nil {
		t.Error("a folder was read")
	}
}

func TestParseEntityName(t *testing.T) {
	for _, tt := range []struct{ in, full, entity string }{
		{"foo", "/_/foo", "foo"},
		{"pkg/foo", "/_/pkg/foo", "pkg/foo"},
		{"/ns/foo", "/ns/foo", "foo"},
		{"/ns/pkg/foo", "/ns/pkg/foo", "pkg/foo"},
		{"ns/pkg/foo", "/ns/pkg/foo", "pkg/foo"},
		{"/ns", "/ns/", ""},
	} {
		n, err := parseEntityName(tt.in)
		if err != nil || n.String() != tt.full || n.entity() != tt.entity {
			t.Errorf("%s: got %s, %q, %v", tt.in, n, n.entity(), err)
		}
	}
	for _, bad := range []string{"", "/", "//", "/ns/", "/ns//foo", "a/b/c/d", "/a/b/c/d", ".", "/ns/..", "pkg/.", "foo/"} {
		if n, err := parseEntityName(bad); err == nil || exitCode(err) != exitGeneral {
			t.Errorf("%q gave %v, %v", bad, n, err)
		}
	}
	if _, err := parseActionName("/ns"); err == nil {
		t.Error("a namespace was taken for an action")
	}
}

func TestErrorsKeepTheirCode(t *testing.T) {
	inner := refuse(exitUsage, "inner")
	for _, tt := range []struct {
		err  error
		code int
		text string
	}{
		{nil, 0, ""},
		{errors.New("x"), 1, "error: x\n"},
		{&exitError{code: 7}, 7, ""},
		{inner, 2, "error: inner\nRun 'hearth --help' for usage.\n"},
		{failed(inner, "outer"), 2, "error: outer: inner\nRun 'hearth --help' for usage.\n"},
		{failed(errors.New("x"), "outer"), 1, "error: outer: x\n"},
		{failedAction(errors.New("x"), "outer %d", 1), 1, "error: outer 1: x\nRun 'hearth --help' for usage.\n"},
		{sorry("x"), 1, "error: x\n"},
	} {
		var b strings.Builder
		reportError(&b, tt.err)
		if got := exitCode(tt.err); got != tt.code || b.String() != tt.text {
			t.Errorf("%v: got %d, %q, want %d, %q", tt.err, got, b.String(), tt.code, tt.text)
		}
	}
}

func TestEveryClientFlagIsKnownInFront(t *testing.T) {
	// leadingFlags has the flags' names once more: they must agree.
	cmd := newActionCmd()
	var args []string
	cmd.PersistentFlags().VisitAll(func(f *pflag.Flag) {
		args = append(args, "--"+f.Name)
		if f.Value.Type() != "bool" {
			args = append(args, "value")
		}
		if f.Shorthand != "" {
			args = append(args, "-"+f.Shorthand)
			if f.Value.Type() != "bool" {
				args = append(args, "value")
			}
		}
	})
	if got := leadingFlags(append(slices.Clone(args), "action")); got != len(args) {
		t.Errorf("of %q only %d are known", args, got)
	}
}
