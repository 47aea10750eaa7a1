package flow

import (
	"encoding/json"
	"testing"

	"hearth/whisk"
)

func TestVerdict(t *testing.T) {
	for _, tc := range []struct{ result, action, params, state string }{
		{``, ``, ``, ``},
		{`[{"action":"a"}]`, ``, ``, ``},
		{`{"a":1}`, ``, ``, ``},
		{`{"action":"a"}`, `"a"`, ``, ``},
		{`{"action":null,"params":null,"state":null}`, `null`, `{"value":null}`, `{"state":null}`},
		{`{ "action" : "b", "action" : "a" , "params": {"p": 1.0}, "state":{"s":[]}}`, `"a"`, `{"p": 1.0}`, `{"s":[]}`},
		{`{"params":[1],"state":"x"}`, ``, `{"value":[1]}`, `{"state":"x"}`},
		{`{"inside":{"action":"a"}}`, ``, ``, ``},
	} {
		v := parseVerdict(json.RawMessage(tc.result))
		if string(v.action) != tc.action || string(v.params) != tc.params || string(v.state) != tc.state {
			t.Errorf("%s: action %s, params %s, state %s", tc.result, v.action, v.params, v.state)
		}
	}
}

func TestWithState(t *testing.T) {
	for _, tc := range []struct{ payload, state, want string }{
		{``, ``, ``}, {`{"a":1}`, ``, `{"a":1}`}, {`"x"`, ``, ``}, {`[1]`, ``, `[1]`},
		{``, `{"s":1}`, `{"s":1}`}, {`{"a":1,"s":2}`, `{"s":1}`, `{"a":1,"s":1}`}, {`[1]`, `{"s":1}`, `{"value":[1],"s":1}`},
	} {
		state := json.RawMessage(tc.state)
		if tc.state == "" {
			state = nil
		}
		if got := string(withState(json.RawMessage(tc.payload), state)); got != tc.want {
			t.Errorf("%s with %s = %s, want %s", tc.payload, tc.state, got, tc.want)
		}
	}
}

func TestComponentName(t *testing.T) {
	for value, want := range map[string]string{
		`"a"`: "own/a", `"p/a"`: "own/p/a", `"ns/p/a"`: "ns/p/a", `"/ns/a"`: "ns/a", `"/ns/p/a"`: "ns/p/a", `"/_/a"`: "own/a",
		`"_/p/a"`: "own/p/a", `"a b"`: "own/a b", `"\u0061"`: "own/a", `"guest@x.y/p/a"`: "guest@x.y/p/a",
		`"/a"`: "", `""`: "", `"/"`: "", `"a/"`: "", `"/ns/"`: "", `"//a"`: "", `"ns/p/a/b"`: "", `"/ns/p/a/b"`: "", `"a*"`: "", `"a "`: "",
		`1`: "", `null`: "", `{"action":"a"}`: "", `["a"]`: "", ``: "",
	} {
		got, ok := componentName(json.RawMessage(value), "own")
		if ok != (want != "") || ok && got.Path() != want {
			t.Errorf("%s: %q, %v, want %q", value, got.Path(), ok, want)
		}
	}
}

func FuzzVerdict(f *testing.F) {
	for _, s := range []string{``, `{}`, `{"action":"/ns/a","params":{"a":1},"state":[]}`, `{"action":{"a":[1, 2]}}`, `[1]`, `"x"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 0 && !json.Valid(b) {
			t.Skip()
		}
		v := parseVerdict(b)
		for _, object := range []json.RawMessage{v.params, v.state} {
			if object != nil && (!json.Valid(object) || !whisk.IsObject(object)) {
				t.Fatalf("%s is no object", object)
			}
		}
		if next := withState(b, v.state); len(next) > 0 && !json.Valid(next) {
			t.Fatalf("the payload %s is not valid", next)
		}
		if name, ok := componentName(v.action, "own"); ok && (!whisk.ValidName(name.Name) || !whisk.ValidName(string(name.Namespace))) {
			t.Fatalf("name %+v", name)
		} else if !ok && v.action != nil && !json.Valid(errorPayload(msgUnparsed(compact(v.action)))) {
			t.Fatal("the error is not valid")
		}
	})
}
