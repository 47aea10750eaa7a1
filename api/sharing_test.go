package api

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"hearth/store"
	"hearth/whisk"
)

// share makes bob's published package "open" and alice's binding "b" to it.
func (w *world) share(t *testing.T) {
	t.Helper()
	w.steps(t, []step{
		{who: bobKey, method: "PUT", target: "_/packages/open", body: `{"publish":true,"parameters":[{"key":"of","value":"package"},{"key":"p","value":1}]}`, status: 200},
		{who: bobKey, method: "PUT", target: "_/packages/shut", body: `{}`, status: 200},
		{who: bobKey, method: "PUT", target: "_/actions/open/a", body: `{"exec":{"kind":"nodejs:20","code":"the code"},"parameters":[{"key":"a","value":3}]}`, status: 200},
		{who: bobKey, method: "PUT", target: "_/actions/shut/a", body: plainBody, status: 200},
		{method: "PUT", target: "_/packages/b", body: `{"binding":{"namespace":"bob","name":"open"},"parameters":[{"key":"of","value":"binding"},{"key":"b","value":2}]}`, status: 200},
	})
}

func TestPackagedActions(t *testing.T) {
	w := newWorld(t)
	w.share(t)
	doc := func(binding, code, parameters string) string {
		if binding != "" {
			binding = `"binding":"` + binding + `",`
		}
		return `{` + binding + `"namespace":"bob/open","name":"a","exec":{"kind":"nodejs:20","binary":false` + code + `},` +
			`"annotations":[{"key":"provide-api-key","value":false},{"key":"exec","value":"nodejs:20"}],` +
			`"limits":{"timeout":60000,"memory":256,"logs":10,"concurrency":1},"version":"0.0.1","publish":false,"parameters":` + parameters + `}`
	}
	const (
		code   = `,"code":"the code"`
		direct = `[{"key":"of","value":"package"},{"key":"p","value":1},{"key":"a","value":3}]`
		merged = `[{"key":"of","value":"binding"},{"key":"p","value":1},{"key":"b","value":2},{"key":"a","value":3}]`
		row    = `{"namespace":"bob/open","name":"a","exec":{"binary":false},"annotations":[{"key":"provide-api-key","value":false},{"key":"exec","value":"nodejs:20"}],` +
			`"limits":{"timeout":60000,"memory":256,"logs":10,"concurrency":1},"version":"0.0.1","publish":false}`
	)
	w.steps(t, []step{
		{who: bobKey, method: "GET", target: "_/actions/open/a", status: 200, want: doc("", code, direct)},
		{method: "GET", target: "bob/actions/open/a", status: 200, want: doc("", code, direct)},
		{method: "GET", target: "bob/actions/open/a?code=false", status: 200, want: doc("", "", direct)},
		{method: "GET", target: "_/actions/b/a", status: 200, want: doc("alice/b", code, merged)},
		{method: "GET", target: "alice/actions/b/a?code=false", status: 200, want: doc("alice/b", "", merged)},
		{method: "GET", target: "_/actions/b/", status: 200, want: `[` + row + `]`},
		{method: "GET", target: "_/actions/b/?count=true", status: 200, want: `{"actions":1}`},
		{method: "GET", target: "bob/actions/open/?skip=1", status: 200, want: `[]`},
		{method: "GET", target: "_/actions/b/none", status: 404, want: noEntityText},
		{method: "GET", target: "bob/actions/open/none", status: 404, want: noEntityText},
		{method: "GET", target: "bob/actions/shut/a", status: 403, want: deniedText("bob/shut")},
		{method: "GET", target: "bob/actions/shut/", status: 403, want: deniedText("bob/shut")},
		{method: "GET", target: "bob/actions/none/a", status: 403, want: deniedText("bob/none")},
		{method: "PUT", target: "bob/actions/open/a?overwrite=true", body: plainBody, status: 403, want: deniedText("bob/open/a")},
		{method: "DELETE", target: "bob/actions/open/a", status: 403, want: deniedText("bob/open/a")},
		// a namespace lists its own, those in packages too, and none behind bindings
		{method: "GET", target: "_/actions", status: 200, want: `[]`},
		{who: bobKey, method: "GET", target: "_/actions?count=true", status: 200, want: `{"actions":2}`},
		// a PUT answers with the action's own parameters
		{who: bobKey, method: "PUT", target: "_/actions/open/a?overwrite=true", body: `{"version":"0.0.1"}`, status: 200, want: doc("", code, `[{"key":"a","value":3}]`)},
		{who: bobKey, method: "DELETE", target: "_/actions/open/a", status: 200, want: doc("", code, `[{"key":"a","value":3}]`)},
		{who: bobKey, method: "DELETE", target: "_/actions/open/a", status: 404, want: noEntityText},
		{who: bobKey, method: "PUT", target: "_/actions/none/a", body: plainBody, status: 404, want: noEntityText},
		{who: bobKey, method: "DELETE", target: "_/actions/none/a", status: 404, want: noEntityText},
		{who: bobKey, method: "POST", target: "_/actions/none/a", status: 404, want: noEntityText},
	})
}

func TestInvokePackaged(t *testing.T) {
	w := newWorld(t)
	w.share(t)
	var call *whisk.Call
	w.invoke = func(_ context.Context, c *whisk.Call, _ time.Duration, ended func()) (*whisk.Activation, error) {
		ended()
		call = c
		return w.run(c, whisk.Response{Result: c.Args, Size: len(c.Args)}), nil
	}
	for _, c := range []struct{ target, payload, args, binding string }{
		{"bob/actions/open/a", `{"x":1}`, `{"of":"package","p":1,"a":3,"x":1}`, ""},
		{"_/actions/b/a", `{"of":"payload"}`, `{"p":1,"b":2,"a":3,"of":"payload"}`, "alice/b"},
	} {
		call = nil
		if a := w.do("POST", c.target+"?blocking=true&result=true", c.payload); a.status != 200 || call == nil {
			t.Fatalf("%s = %d %s", c.target, a.status, a.body)
		}
		if got, want := sorted(t, string(call.Args)), sorted(t, c.args); got != want {
			t.Errorf("%s: arguments %s, want %s", c.target, got, want)
		}
		if x := call.Target; x.Binding != c.binding || x.Name.Path() != "bob/open/a" || call.Namespace != "alice" {
			t.Errorf("%s: target %+v for %s", c.target, x, call.Namespace)
		}
	}
	// Values of packages are as final as the action's own.
	w.steps(t, []step{
		{who: bobKey, method: "PUT", target: "_/actions/open/a?overwrite=true", body: `{"annotations":[{"key":"final","value":true}]}`, status: 200},
		{method: "POST", target: "_/actions/b/a", body: `{"p":1}`, status: 400, want: "Request defines parameters that are not allowed (e.g., reserved properties)."},
		{method: "POST", target: "_/actions/b/a", body: `{"q":1}`, status: 202},
		{method: "POST", target: "bob/actions/shut/a", status: 403, want: deniedText("bob/shut")},
		{who: bobKey, method: "POST", target: "alice/actions/b/a", status: 403, want: deniedText("alice/b")},
	})
	// A sequence of what was shared is refused once it is shared no more.
	w.mustPut("s", sequenceBody("/bob/open/a"))
	w.steps(t, []step{
		{method: "POST", target: "_/actions/s", status: 202},
		{who: bobKey, method: "PUT", target: "_/packages/open?overwrite=true", body: `{"publish":false}`, status: 200},
		{method: "POST", target: "_/actions/s", status: 403, want: deniedText("bob/open")},
		{method: "POST", target: "_/actions/b/a", status: 403, want: deniedText("alice/b")},
		{method: "GET", target: "_/actions/s", status: 200},
	})
	if w.inFlight != 0 {
		t.Errorf("%d invocations are still in flight", w.inFlight)
	}
}

func TestSharedExecuteOnly(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.SharedExecuteOnly = true })
	w.share(t)
	inBinding := func(n string) string {
		return "GET not permitted for 'alice/b/" + n + "'. Resource does not exist or is an action in a shared package binding."
	}
	const inPackage = "GET not permitted for 'bob/open' since it's an action in a shared package"
	w.steps(t, []step{
		{method: "GET", target: "bob/packages/open", status: 403, want: "GET not permitted for 'bob/open' since it's a shared package"},
		{method: "GET", target: "bob/packages/shut", status: 403, want: deniedText("bob/shut")},
		{method: "GET", target: "_/packages/b", status: 403, want: "GET not permitted since b is a binding of a shared package"},
		{method: "GET", target: "bob/actions/open/a", status: 403, want: inPackage},
		{method: "GET", target: "bob/actions/open/none?code=false", status: 403, want: inPackage},
		{method: "GET", target: "bob/actions/shut/a", status: 403, want: deniedText("bob/shut")},
		{method: "GET", target: "_/actions/b/a", status: 403, want: inBinding("a")},
		{method: "GET", target: "_/actions/b/none", status: 403, want: inBinding("none")},
		{method: "POST", target: "_/actions/b/a", status: 202},
		{method: "POST", target: "bob/actions/open/a", status: 202},
		{method: "GET", target: "bob/packages", status: 200},
		{who: bobKey, method: "GET", target: "_/packages/open", status: 200},
		{who: bobKey, method: "GET", target: "_/actions/open/a", status: 200},
		{who: bobKey, method: "PUT", target: "_/packages/own", body: `{"binding":{"namespace":"_","name":"open"}}`, status: 200},
		{who: bobKey, method: "GET", target: "_/packages/own", status: 200},
		{who: bobKey, method: "GET", target: "_/actions/own/a", status: 200},
	})
}

func TestExtraLoggingIsStripped(t *testing.T) {
	w := newWorld(t)
	a := w.do("GET", "_/packages", "", header("X-OW-EXTRA-LOGGING", "on"), func(r *http.Request) {
		t.Cleanup(func() {
			if len(r.Header["X-Ow-Extra-Logging"]) > 0 {
				t.Error("the header is still there")
			}
		})
	})
	if a.status != 200 || strings.TrimSpace(a.body) != "[]" {
		t.Errorf("got %d %s", a.status, a.body)
	}
}

// TestCorrupted: what cannot be read is told to its owner alone.
func TestCorrupted(t *testing.T) {
	w := newWorld(t)
	w.share(t)
	for key, c := range map[store.Key]store.Collection{
		{Namespace: "bob", Name: "open"}: store.Packages, {Namespace: "bob", Name: "t"}: store.Triggers,
		{Namespace: "bob", Name: "r"}: store.Rules, {Namespace: "bob", Name: "a"}: store.Actions,
	} {
		d, err := w.engine.Doc(t.Context(), key)
		d.Key, d.Collection, d.Body = key, c, []byte("{")
		if err != nil {
			d.Revision = 0
		}
		if d, err = w.engine.PutDoc(t.Context(), d, d.Revision); err != nil {
			t.Fatal(err)
		}
		w.Changed(store.Change{Seq: d.Revision, Kind: string(c), Key: key.String()})
	}
	w.steps(t, []step{
		{who: bobKey, method: "GET", target: "_/packages/open", status: 500, want: corruptedText},
		{who: bobKey, method: "DELETE", target: "_/packages/open", status: 500, want: corruptedText},
		{who: bobKey, method: "PUT", target: "_/packages/open?overwrite=true", body: `{}`, status: 500, want: corruptedText},
		{who: bobKey, method: "GET", target: "_/actions/open/a", status: 500, want: corruptedText},
		{who: bobKey, method: "GET", target: "_/triggers/t", status: 500, want: corruptedText},
		{who: bobKey, method: "GET", target: "_/rules/r", status: 500, want: corruptedText},
		{who: bobKey, method: "DELETE", target: "_/rules/r", status: 500, want: corruptedText},
		{who: bobKey, method: "GET", target: "_/actions/a", status: 500, want: corruptedText},
		{who: bobKey, method: "POST", target: "_/actions/a", status: 500, want: corruptedText},
		{who: bobKey, method: "GET", target: "_/rules", status: 500, want: corruptedText},
		{method: "GET", target: "bob/packages/open", status: 403, want: deniedText("bob/open")},
		{method: "GET", target: "_/actions/b/a", status: 403, want: deniedText("alice/b")},
	})
}
