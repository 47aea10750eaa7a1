package whisk

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestMergeObjects(t *testing.T) {
	tests := []struct{ name, base, over, want string }{
		{"both empty", ``, ``, `{}`},
		{"no base", ``, `{"a": 1}`, `{"a": 1}`},
		{"no payload", `{"a":1}`, ``, `{"a":1}`},
		{"empty payload", `{"a":1}`, ` { } `, `{"a":1}`},
		{"empty base", `{ }`, `{"b":2}`, `{"b":2}`},
		{"disjoint", `{"a":1}`, `{"b":2}`, `{"a":1,"b":2}`},
		{"payload wins", `{"a":1,"b":{"x":[1,"}"]}}`, ` {"a":2}`, `{"b":{"x":[1,"}"]},"a":2}`},
		{"all replaced", `{"a":1}`, `{"a":2,"c":3}`, `{"a":2,"c":3}`},
		{"escaped key is the same key", `{"\u0061":1}`, `{"a":2}`, `{"a":2}`},
		{"number texts stay", `{"n":12345678901234567890.10}`, `{"m":1e400}`, `{"n":12345678901234567890.10,"m":1e400}`},
		{"nested keys are left alone", `{"o":{"a":1}}`, `{"o":{"b":2}}`, `{"o":{"b":2}}`},
		{"string with quote and backslash", `{"s":"a\\\"}"}`, `{"b":[]}`, `{"s":"a\\\"}","b":[]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(MergeObjects([]byte(tt.base), []byte(tt.over))); got != tt.want {
				t.Errorf("MergeObjects(%s, %s) = %s, want %s", tt.base, tt.over, got, tt.want)
			}
		})
	}
}

func TestCheckJSON(t *testing.T) {
	tests := []struct {
		in string
		ok bool
	}{
		{`{}`, true}, {`[[[]]]`, true}, {`[[[[]]]]`, false}, {`"[[[[[["`, true}, {`{"a":"\"[[[["}`, true},
		{``, false}, {`{`, false}, {`}`, false}, {`{} {}`, false}, {`{"a":01}`, false}, {"\"\x00\"", false}, {`"\`, false},
	}
	for _, tt := range tests {
		if err := CheckJSON([]byte(tt.in), 3); (err == nil) != tt.ok {
			t.Errorf("CheckJSON(%q) = %v, want ok %t", tt.in, err, tt.ok)
		}
	}
	if err := CheckJSON([]byte(strings.Repeat("[", 1<<20)), 512); err == nil {
		t.Error("a million brackets passed")
	}
}

func TestField(t *testing.T) {
	b := []byte(` { "a" : {"b":[1,2]} , "a":"x\"y", "c":null}`)
	if v, ok := Field(b, "a"); !ok || string(v) != `"x\"y"` {
		t.Errorf("Field(a) = %s, %t", v, ok)
	}
	if v, ok := Field(b, "c"); !ok || string(v) != "null" {
		t.Errorf("Field(c) = %s, %t", v, ok)
	}
	if _, ok := Field(b, "b"); ok {
		t.Error("Field found a nested key")
	}
	if _, ok := Field([]byte(`["a"]`), "a"); ok {
		t.Error("Field found a key in an array")
	}
}

// A merge must mean the same as decoding both objects into maps and copying.
func FuzzMergeObjects(f *testing.F) {
	f.Add(`{"a":1,"b":"x"}`, `{"a":{"c":[1]}}`)
	f.Add(`{"\u0061":1}`, ` {"a" :2 , "" :null} `)
	f.Fuzz(func(t *testing.T, base, over string) {
		var b, o map[string]json.RawMessage
		if json.Unmarshal([]byte(base), &b) != nil || json.Unmarshal([]byte(over), &o) != nil || b == nil || o == nil {
			return
		}
		var got map[string]any
		merged := MergeObjects([]byte(base), []byte(over))
		if err := json.Unmarshal(merged, &got); err != nil {
			t.Fatalf("merge of %q and %q is not JSON: %q: %v", base, over, merged, err)
		}
		for k, v := range o {
			b[k] = v
		}
		text, err := json.Marshal(b)
		if err != nil {
			return // numbers beyond float64
		}
		var want map[string]any
		if json.Unmarshal(text, &want) != nil {
			return // numbers beyond float64
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("merge of %q and %q = %q", base, over, merged)
		}
	})
}

func FuzzCheckJSON(f *testing.F) {
	for _, s := range []string{
		`{"a":[1,"\\\""]}`, `[[[[[[[[[[]]]]]]]]]]`, ` {"a" : {} , "b":[ ] } `, `-0.5e+10`, `01`, `1.`, `1e`, `-`, `tru`, `nullx`,
		`"\u12aF\ud800"`, `"\u12g0"`, `"\x"`, "\"a\x1fb\"", "\"\x7f\xff\"", `"0123456789abcdef\"012345678"`, `{"a":1,}`, `[1,]`, `{,}`, `{"a"}`, `[}`, `{"a":1]`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, want := CheckJSON(b, len(b)+1) == nil, json.Valid(b); got != want {
			t.Errorf("CheckJSON(%q) passes %t, json.Valid %t", b, got, want)
		}
		shallow := CheckJSON(b, 8) == nil
		depth, most := 0, 0 // of a text without strings
		for _, c := range b {
			switch c {
			case '[', '{':
				depth++
				most = max(most, depth)
			case ']', '}':
				depth--
			}
		}
		if json.Valid(b) && !bytes.ContainsRune(b, '"') && shallow != (most <= 8) {
			t.Errorf("CheckJSON(%q, 8) passes %t, it is %d deep", b, shallow, most)
		}
		Fields(b, func(string, []byte, []byte) bool { return true }) // must neither panic nor hang
	})
}

func BenchmarkCheckJSON(b *testing.B) {
	for name, text := range map[string]string{
		"small":   `{"name":"Hearth","place":"the mesh","n":12345678901234567890}`,
		"text":    `{"text":"` + strings.Repeat("0123456789abcdef", 1024) + `"}`,
		"numbers": `[` + strings.Repeat(`{"a":1.5,"b":[1,2,3]},`, 700) + `0]`,
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if err := CheckJSON([]byte(text), 512); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMergeObjects(b *testing.B) {
	base := json.RawMessage(`{"greeting":"hello","place":{"city":"Ghent","zip":9000}}`)
	over := json.RawMessage(`{"name":"Ada","place":{"city":"Paris"}}`)
	b.ReportAllocs()
	for b.Loop() {
		MergeObjects(base, over)
	}
}
