package whisk

import (
	"encoding/json"
	"slices"
	"testing"
)

func TestElements(t *testing.T) {
	for in, want := range map[string][]string{
		`[]`:                                    nil,
		` [ ] `:                                 nil,
		`{"a":1}`:                               nil,
		`[1]`:                                   {`1`},
		" [ 1 ,\n\"a,]\" , [2,[3]],{\"b\":[]}]": {`1`, `"a,]"`, `[2,[3]]`, `{"b":[]}`},
		`[null,true,-1.50e+3]`:                  {`null`, `true`, `-1.50e+3`},
		`["\\\"]",2]`:                           {`"\\\"]"`, `2`},
	} {
		var got []string
		Elements([]byte(in), func(v []byte) bool { got = append(got, string(v)); return true })
		if !slices.Equal(got, want) {
			t.Errorf("Elements(%s) = %q, want %q", in, got, want)
		}
	}
}

func FuzzElements(f *testing.F) {
	f.Add([]byte(`[1,"a",[2],{"b":3}]`))
	f.Add([]byte(`[[[]]]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var got []json.RawMessage
		Elements(b, func(v []byte) bool { got = append(got, v); return true })
		var want []json.RawMessage
		if json.Unmarshal(b, &want) != nil {
			return // only promised to end
		}
		if !slices.EqualFunc(got, want, func(a, b json.RawMessage) bool { return string(a) == string(b) }) {
			t.Errorf("Elements(%q) = %q, want %q", b, got, want)
		}
	})
}
