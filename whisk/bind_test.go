package whisk

import (
	"encoding/json"
	"testing"
)

func TestBind(t *testing.T) {
	var ps Parameters
	in := `[{"key":"a","value":1},{"key":"i","value":"x","init":true},{"key":"j","value":{"k":1.50},"init":true}]`
	if err := json.Unmarshal([]byte(in), &ps); err != nil {
		t.Fatal(err)
	}
	const stored = `{"i":"x","j":"{\"k\":1.50}"}`
	for _, c := range []struct{ name, payload, args, env string }{
		{"none", ``, `{"a":1}`, stored},
		{"empty", `{ }`, `{"a":1}`, stored},
		{"argument", `{"a":2.0, "b":[ 1]}`, `{"a":2.0, "b":[ 1]}`, stored},
		{"init", `{"i":12345678901234567890}`, `{"a":1}`, `{"i":"12345678901234567890","j":"{\"k\":1.50}"}`},
		{"init among others", `{"b":1.0, "\u0069":null,"c":{"i":1},"i":"y"}`, `{"a":1,"b":1.0,"c":{"i":1}}`, `{"i":"y","j":"{\"k\":1.50}"}`},
		{"array", `[{"i":1}]`, `[{"i":1}]`, stored},
	} {
		args, env := ps.Bind(json.RawMessage(c.payload))
		if string(args) != c.args || string(env) != c.env {
			t.Errorf("%s: got %s and %s, want %s and %s", c.name, args, env, c.args, c.env)
		}
	}
	if string(ps[1].Value) != `"x"` {
		t.Error("the parameters were changed")
	}
	if args, env := Parameters(nil).Bind(nil); string(args) != "{}" || env != nil {
		t.Errorf("nothing bound: %s, %s", args, env)
	}
}
