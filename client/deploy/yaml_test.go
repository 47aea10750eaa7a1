package deploy

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hearth/whisk"
)

func TestYAMLToJSON(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", "null"},
		{"a: 1\nb: [x, 'y', \"z\", yes, Off, 'yes', true, ~, 1.50, -2e3, 0x10, 1_000, 123456789012345678901234567890]", `{"a":1,"b":["x","y","z",true,false,"yes",true,null,1.50,-2e3,16,1000,123456789012345678901234567890]}`},
		{"a: &x {k: 1, l: [2]}\nb: *x\nc:\n  <<: *x\n  k: 3", `{"a":{"k":1,"l":[2]},"b":{"k":1,"l":[2]},"c":{"k":3,"l":[2]}}`},
		{"c:\n  <<: [{a: 1, b: 1}, {b: 2}]", `{"c":{"a":1,"b":1}}`},
		{"1: a\ntrue: b\n2020-01-02: 2020-01-02", `{"1":"a","2020-01-02":"2020-01-02","true":"b"}`},
		{"a: |\n  <x>\n  y\nb: >\n  c\n  d\n", `{"a":"<x>\ny\n","b":"c d\n"}`},
		{"a: 007\nb: 1.\nc: .5", `{"a":7,"b":1,"c":0.5}`},
	} {
		got, err := YAMLToJSON([]byte(tt.in))
		if err != nil || string(got) != tt.want {
			t.Errorf("%s:\n got %s, %v\nwant %s", tt.in, got, err, tt.want)
		}
	}
	bomb := "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
	for i := range 9 {
		bomb += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i), 10), ","))
	}
	for _, tt := range []struct{ name, in, want string }{
		{"too large", strings.Repeat("#", MaxYAML+1), "more than 1048576 bytes"},
		{"too deep", strings.Repeat("[", 100) + strings.Repeat("]", 100), "deeper than 64"},
		{"very deep", strings.Repeat("[", MaxYAML), "exceeded max depth"},
		{"bomb", bomb, "more than 100000 values"},
		{"cycle", "a: &a [*a]", "deeper than 64"},
		{"cycle of mappings", "a: &a {b: *a}", "deeper than 64"},
		{"two documents", "a: 1\n---\nb: 2", "more than one document"},
		{"twice", "a: 1\na: 2", `line 2: the key "a" stands twice`},
		{"key", "? [a]\n: 1", "a key must be a word"},
		{"infinite", "a: .inf", "JSON has no .inf"},
		{"merge", "a:\n  <<: 1", "<< takes mappings only"},
		{"broken", "a: [", "line 1: "},
	} {
		if got, err := YAMLToJSON([]byte(tt.in)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %.100s, %v, want %s", tt.name, got, err, tt.want)
		}
	}
}

// FuzzYAML holds that any document ends soon in JSON or an error, and that what
// is written as YAML reads back the same.
func FuzzYAML(f *testing.F) {
	for _, s := range []string{"a: &a [1, *b]", "? {a: b}\n: !!binary x", "<<: [*a, *b]", "--- |\n x\n...", "a: !x y", "{a: 'b', c: \"\\x41\"}", "- - -\n- ? :", "%YAML 1.1\n---\nyes"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<14 {
			return
		}
		began := time.Now()
		raw, err := YAMLToJSON(b)
		if took := time.Since(began); took > 20*time.Second {
			t.Fatalf("took %v", took)
		}
		if err != nil {
			return
		}
		if err := whisk.CheckJSON(raw, maxDepth); err != nil {
			t.Fatalf("%q gave %s: %v", b, raw, err)
		}
		again(t, raw)
	})
}

func again(t interface{ Fatalf(string, ...any) }, raw json.RawMessage) {
	y, err := JSONToYAML(raw)
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	got, err := YAMLToJSON(y)
	if err != nil || string(got) != string(raw) {
		t.Fatalf("%s became\n%s\nand %s, %v", raw, y, got, err)
	}
}

func TestJSONSurvivesYAML(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw, err := marshal(drawValue(t, 3))
		if err != nil {
			t.Fatal(err)
		}
		again(t, raw)
	})
	for _, s := range []string{`"😀"`, `"yes"`, `"1e3"`, `" a"`, `"a\n\n"`, `"\n"`, `"#x"`, `"a: b"`, `"-"`, "\"\\u0000\u0085\"", `"<<"`, `{"":"","<<":1,"=":"="}`, `1e400`, `-0`, `[[],{},null]`, `"2020-01-01"`} {
		again(t, json.RawMessage(s))
	}
}

func drawValue(t *rapid.T, depth int) any {
	switch rapid.IntRange(0, 5+min(depth, 1)*2).Draw(t, "kind") {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2:
		return rapid.Int64().Draw(t, "int")
	case 3:
		return rapid.Float64Range(-1e9, 1e9).Draw(t, "float")
	case 6:
		return rapid.MapOfN(rapid.String(), rapid.Custom(func(t *rapid.T) any { return drawValue(t, depth-1) }), 0, 4).Draw(t, "map")
	case 7:
		return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) any { return drawValue(t, depth-1) }), 0, 4).Draw(t, "list")
	}
	return rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-z0-9:#\-\[{&*!|>'"%@ .~\n\t]{0,12}`)).Draw(t, "text")
}
