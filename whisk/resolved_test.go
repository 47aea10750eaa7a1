package whisk

import (
	"encoding/json"
	"testing"
)

func resolved(kind, annotations string, parameters string) *Resolved {
	r := &Resolved{Action: &Action{
		Name: ActionName{Namespace: "ns", Package: "p", Name: "a"}, Version: FirstVersion, Revision: 7,
		Exec: Exec{Kind: kind}, Limits: Limits{Timeout: 1, Memory: 2, Logs: 3, Concurrency: 4},
	}}
	for text, dst := range map[string]*Parameters{annotations: &r.Action.Annotations, parameters: &r.Parameters} {
		if err := json.Unmarshal([]byte(text), dst); err != nil {
			panic(err)
		}
	}
	return r
}

func TestResolvedCall(t *testing.T) {
	const conductor, plain, params = `[{"key":"conductor","value":"yes"}]`, `[ ]`, `[{"key":"a","value":1},{"key":"i","value":2,"init":true}]`
	for _, c := range []struct {
		name, kind, annotations, payload string
		args, env                        string
		conductor                        bool
	}{
		{"plain", "k", plain, `{"b":2}`, `{"a":1,"b":2}`, `{"i":"2"}`, false},
		{"plain, nothing", "k", plain, ``, `{"a":1}`, `{"i":"2"}`, false},
		{"sequence", Sequence, conductor, `{"b":2}`, `{"b":2}`, ``, false},
		{"sequence, nothing", Sequence, plain, ``, ``, ``, false},
		{"conductor", "k", conductor, `{"b":2}`, `{"b":2}`, ``, true},
		{"no conductor", "k", `[{"key":"conductor","value":0}]`, `{"b":2}`, `{"a":1,"b":2}`, `{"i":"2"}`, false},
	} {
		r := resolved(c.kind, c.annotations, params)
		r.Binding = &Package{Name: EntityName{Namespace: "me", Name: "bound"}}
		var payload json.RawMessage
		if c.payload != "" {
			payload = json.RawMessage(c.payload)
		}
		got := r.Call(payload)
		if string(got.Args) != c.args || string(got.Env) != c.env {
			t.Errorf("%s: got %s and %s, want %s and %s", c.name, got.Args, got.Env, c.args, c.env)
		}
		if got.Target.Conductor != c.conductor || (got.Target.Parameters != nil) != c.conductor {
			t.Errorf("%s: conductor %v with parameters %v", c.name, got.Target.Conductor, got.Target.Parameters)
		}
		if x := got.Target; x.Binding != "me/bound" || x.Name != r.Action.Name || x.Revision != 7 || x.Limits != r.Action.Limits || !x.WantsKey {
			t.Errorf("%s: target %+v", c.name, x)
		}
	}
	for annotations, want := range map[string]bool{
		`[]`: true, `[{"key":"provide-api-key","value":false}]`: false, `[{"key":"provide-api-key","value":true}]`: true,
	} {
		if got := resolved("k", annotations, params).Target().WantsKey; got != want {
			t.Errorf("%s: wants key = %v", annotations, got)
		}
	}
}

func TestCheckPayload(t *testing.T) {
	const final, params = `[{"key":"final","value":true}]`, `[{"key":"a","value":1},{"key":"n","value":null}]`
	for _, c := range []struct {
		annotations, payload string
		ok                   bool
	}{
		{final, `{"a":2}`, false}, {final, `{"b":1,"\u0061":2}`, false}, {final, `{"n":2,"b":1}`, true}, {final, ``, true}, {`[ ]`, `{"a":2}`, true},
	} {
		err := resolved("k", c.annotations, params).CheckPayload(json.RawMessage(c.payload))
		if (err == nil) != c.ok || !c.ok && KindOf(err) != BadRequest {
			t.Errorf("%s over %s: %v", c.payload, c.annotations, err)
		}
	}
}
