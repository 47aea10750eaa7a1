package api

import (
	"fmt"
	"strings"
	"testing"
)

func sequenceBody(components ...string) string {
	return `{"exec":{"kind":"sequence","components":["` + strings.Join(components, `","`) + `"]}}`
}

func TestSequences(t *testing.T) {
	w := newWorld(t)
	w.ids[bobKey].Overrides.AllowedKinds = []string{"nodejs:20"}
	doc := func(version, components, annotations string) string {
		return `{"namespace":"alice","name":"s","exec":{"kind":"sequence","components":[` + components + `]},"annotations":` + annotations +
			`,"limits":{"timeout":60000,"memory":256,"logs":10,"concurrency":1},"version":"` + version + `","publish":false,"parameters":[{"key":"_actions","value":[` + components + `]}]}`
	}
	const (
		created = `[{"key":"provide-api-key","value":false},{"key":"exec","value":"sequence"}]`
		lacks   = "Sequence component does not exist."
		cycle   = "Sequence may not refer to itself."
		long    = "Too many actions in the sequence."
	)
	w.mustPut("a", plainBody)
	w.steps(t, []step{
		{who: bobKey, method: "PUT", target: "_/packages/open", body: `{"publish":true}`, status: 200},
		{who: bobKey, method: "PUT", target: "_/actions/open/a", body: plainBody, status: 200},
		{method: "PUT", target: "_/packages/b", body: `{"binding":{"namespace":"bob","name":"open"}}`, status: 200},

		{
			method: "PUT", target: "_/actions/s", body: `{"exec":{"kind":"sequence","components":["/_/a","bob/open/a",{"path":"_/b","name":"a"}]},"parameters":[{"key":"x","value":1}]}`,
			status: 200, want: doc("0.0.1", `"/alice/a","/bob/open/a","/alice/b/a"`, created),
		},
		{method: "GET", target: "_/actions/s", status: 200, want: doc("0.0.1", `"/alice/a","/bob/open/a","/alice/b/a"`, created)},
		{method: "GET", target: "_/actions/s?code=false", status: 200, want: doc("0.0.1", `"/alice/a","/bob/open/a","/alice/b/a"`, created)},

		{method: "PUT", target: "_/actions/x", body: sequenceBody("/_/a", "/_/none"), status: 400, want: lacks},
		{method: "PUT", target: "_/actions/x", body: sequenceBody("/bob/open/none"), status: 400, want: lacks},
		{method: "PUT", target: "_/actions/x", body: sequenceBody("/_/none/a"), status: 404, want: noEntityText},
		{method: "PUT", target: "_/actions/x", body: sequenceBody("/bob/a", "/_/a"), status: 403, want: deniedText("bob/a")},
		{method: "PUT", target: "_/actions/x", body: sequenceBody("/bob/shut/a"), status: 403, want: deniedText("bob/shut")},
		{method: "PUT", target: "_/actions/x", body: sequenceBody("/_/x"), status: 400, want: cycle},
		{method: "PUT", target: "_/actions/x", body: `{"exec":{"kind":"sequence","components":[]}}`, status: 400, want: "No component specified for the sequence."},
		{method: "PUT", target: "_/actions/x", body: sequenceBody(strings.Split(strings.Repeat("/_/a ", 51)[:51*5-1], " ")...), status: 400, want: long},
		{method: "PUT", target: "_/actions/x", body: sequenceBody(strings.Split(strings.Repeat("/_/a ", 50)[:50*5-1], " ")...), status: 200},
		// what is in a sequence counts
		{method: "PUT", target: "_/actions/y", body: sequenceBody("/_/x"), status: 200},
		{method: "PUT", target: "_/actions/z", body: sequenceBody("/_/y", "/_/a"), status: 400, want: long},
		{method: "PUT", target: "_/actions/x?overwrite=true", body: sequenceBody("/_/a", "/_/y"), status: 400, want: cycle},
		{method: "PUT", target: "_/actions/x?overwrite=true", body: sequenceBody("/_/a"), status: 200},
		{method: "PUT", target: "_/actions/z", body: sequenceBody("/_/y", "/_/x", "/_/y", "/_/a"), status: 200},
		{method: "PUT", target: "_/actions/a?overwrite=true", body: sequenceBody("/_/z"), status: 400, want: cycle},
		{method: "PUT", target: "_/actions/x", body: sequenceBody("/_/none"), status: 409, want: existsText},

		// parameters are the platform's; annotations to be removed are forgotten
		{
			method: "PUT", target: "_/actions/s?overwrite=true", body: `{"parameters":[{"key":"x","value":1}],"annotations":[{"key":"n","value":1}]}`, status: 200,
			want: doc("0.0.2", `"/alice/a","/bob/open/a","/alice/b/a"`, created[:len(created)-1]+`,{"key":"n","value":1}]`),
		},
		{
			method: "PUT", target: "_/actions/s?overwrite=true", body: `{"exec":{"kind":"sequence","components":["/_/a"]},"delAnnotations":["n"]}`, status: 200,
			want: doc("0.0.3", `"/alice/a"`, created[:len(created)-1]+`,{"key":"n","value":1}]`),
		},
		{
			method: "PUT", target: "_/actions/s?overwrite=true", body: `{"delAnnotations":["n"]}`, status: 200,
			want: doc("0.0.4", `"/alice/a"`, created),
		},
		{who: bobKey, method: "PUT", target: "_/actions/s", body: sequenceBody("/_/open/a"), status: 403, want: "The supplied authentication is not authorized to access actions of kind 'sequence'."},
	})
	// Code and sequences become each other.
	w.mustPut("s", plainBody)
	if a := w.do("GET", "_/actions/s", ""); len(a.json(t, "parameters").([]any)) != 0 || a.json(t, "exec", "kind") != "nodejs:20" {
		t.Errorf("after it became code: %s", a.body)
	}
	w.mustPut("s", sequenceBody("/_/a"))
	if a := w.do("GET", "_/actions", ""); !strings.Contains(a.body, `"exec":{"binary":false}`) {
		t.Errorf("list: %s", a.body)
	}
}

// TestSequenceDepth: neither deep nesting nor circles through bindings keep the
// server from an answer.
func TestSequenceDepth(t *testing.T) {
	w := newWorld(t)
	w.mustPut("s0", plainBody)
	for i := range maxInlined + 1 {
		w.mustPut(fmt.Sprintf("s%d", i+1), sequenceBody(fmt.Sprintf("/_/s%d", i)))
	}
	w.steps(t, []step{
		{method: "PUT", target: "_/actions/last", body: sequenceBody(fmt.Sprintf("/_/s%d", maxInlined+1)), status: 400, want: "Too many actions in the sequence."},
		{method: "PUT", target: "_/packages/p", body: `{}`, status: 200},
		{method: "PUT", target: "_/packages/q", body: `{}`, status: 200},
		{method: "PUT", target: "_/packages/b", body: `{"binding":{"namespace":"_","name":"p"}}`, status: 200},
		{method: "PUT", target: "_/actions/p/x", body: plainBody, status: 200},
		{method: "PUT", target: "_/actions/s", body: sequenceBody("/_/b/x"), status: 200},
		{method: "PUT", target: "_/actions/q/x", body: sequenceBody("/_/s"), status: 200},
		{method: "PUT", target: "_/packages/b?overwrite=true", body: `{"binding":{"namespace":"_","name":"q"}}`, status: 200},
		{method: "PUT", target: "_/actions/outer", body: sequenceBody("/_/s"), status: 400, want: "Sequence may not refer to itself."},
	})
}
