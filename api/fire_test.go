package api

import (
	"encoding/json"
	"strings"
	"testing"

	"hearth/whisk"
)

func TestFire(t *testing.T) {
	w := newWorld(t)
	w.mustPut("a", plainBody)
	w.steps(t, []step{
		{method: "PUT", target: "_/triggers/t", body: `{"parameters":[{"key":"p","value":1},{"key":"q","value":1},{"key":"__ow_headers","value":1}]}`, status: 200},
		{method: "POST", target: "_/triggers/t", status: 204}, // no rule
		{method: "PUT", target: "_/rules/r", body: `{"trigger":"/_/t","action":"/_/a"}`, status: 200},
		{method: "PUT", target: "_/rules/r2", body: `{"trigger":"/_/t","action":"/_/a"}`, status: 200},
	})
	if a := w.do("POST", "_/triggers/t", ""); a.status != 202 || a.body != `{"activationId":"`+id(9).String()+`"}` ||
		a.header.Get("X-Openwhisk-Activation-Id") != id(9).String() {
		t.Errorf("POST = %d %v %s", a.status, a.header, a.body)
	}
	if e := w.fires[0]; e.Payload != nil || e.Identity.Namespace != "alice" || e.TransactionID == "" || e.Unstored || len(e.Trigger.Rules) != 2 {
		t.Errorf("fire = %+v", e)
	}
	w.do("POST", "_/triggers/t", `{"p":2.0, "x":[1]}`, header("X-Some", "1"), header("X-Request-ID", "my-id"))
	e := w.fires[1]
	if string(e.Payload) != `{"p":2.0, "x":[1]}` || e.TransactionID != "my-id" {
		t.Errorf("fire = %s, %s", e.Payload, e.TransactionID)
	}
	var args struct {
		P, Q    json.RawMessage
		X       []int
		Headers map[string]string `json:"__ow_headers"`
	}
	if err := json.Unmarshal(e.Args, &args); err != nil {
		t.Fatalf("%v of %s", err, e.Args)
	}
	h := args.Headers
	if string(args.P) != "2.0" || string(args.Q) != "1" || len(args.X) != 1 || h["x-some"] != "1" || h["content-type"] != "application/json" || h["host"] == "" {
		t.Errorf("args = %s", e.Args)
	}
	if strings.Contains(strings.ToLower(string(e.Args)), "authorization") || strings.Contains(string(e.Args), "X-Some") {
		t.Errorf("args = %s", e.Args)
	}
	// A payload may say what its headers are.
	w.do("POST", "_/triggers/t", `{"__ow_headers":7}`)
	if got := string(w.fires[2].Args); got != `{"p":1,"q":1,"__ow_headers":7}` {
		t.Errorf("args = %s", got)
	}

	w.steps(t, []step{
		{method: "POST", target: "_/rules/r", body: `{"status":"inactive"}`, status: 200},
		{method: "POST", target: "_/triggers/t", status: 202},
		{method: "POST", target: "_/rules/r2", body: `{"status":"inactive"}`, status: 200},
		{method: "POST", target: "_/triggers/t", status: 204},
	})
	if a := w.do("POST", "_/triggers/t", ""); a.body != "" || a.header.Get("X-Openwhisk-Activation-Id") != "" {
		t.Errorf("an answer without a rule: %v %s", a.header, a.body)
	}
	if len(w.fires) != 4 {
		t.Errorf("%d fires, want 4", len(w.fires))
	}
}

func TestFireRefused(t *testing.T) {
	w := newWorld(t)
	w.mustPut("a", plainBody)
	w.steps(t, []step{
		{method: "PUT", target: "_/triggers/t", body: `{}`, status: 200},
		{method: "PUT", target: "_/rules/r", body: `{"trigger":"/_/t","action":"/_/a"}`, status: 200},
	})
	before := w.charges
	w.steps(t, []step{
		{method: "POST", target: "_/triggers/t", body: `[1]`, status: 400, want: malformedText + "JSON object expected."},
		{method: "POST", target: "_/triggers/t", body: `{"a":`, status: 400},
		{method: "POST", target: "_/triggers/none", status: 404, want: noEntityText},
		{method: "POST", target: "_/triggers/a", status: 409, want: whisk.ErrCollection.Message},
		{method: "POST", target: "bob/triggers/t", status: 403, want: deniedText("bob/t")},
		{who: bobKey, method: "POST", target: "alice/triggers/t", status: 403, want: deniedText("alice/t")},
		{method: "POST", target: "_/triggers/t", body: `{"x":"` + strings.Repeat("x", 1<<20) + `"}`, status: 413},
		{method: "POST", target: "_/triggers", status: 405},
	})
	if got := w.charges - before; got != 7 { // whatever came of it
		t.Errorf("%d charges, want 7", got)
	}
	w.fireErr = whisk.ErrOverloaded
	w.steps(t, []step{{method: "POST", target: "_/triggers/t", status: 503, want: whisk.ErrOverloaded.Message}})
	// Throttles come before rights.
	w.refuse = whisk.Errorf(whisk.Throttled, "Too many.")
	w.steps(t, []step{
		{method: "POST", target: "_/triggers/t", status: 429, want: "Too many."},
		{method: "POST", target: "bob/triggers/t", status: 429, want: "Too many."},
	})
	if len(w.fires) != 1 {
		t.Errorf("%d fires", len(w.fires))
	}
}

func TestFireUnstored(t *testing.T) {
	w := newWorld(t)
	off := false
	w.ids[aliceKey].Overrides.StoreActivations = &off
	w.mustPut("a", plainBody)
	w.steps(t, []step{
		{method: "PUT", target: "_/triggers/t", body: `{}`, status: 200},
		{method: "PUT", target: "_/rules/r", body: `{"trigger":"/_/t","action":"/_/a"}`, status: 200},
		{method: "POST", target: "_/triggers/t", status: 202},
	})
	w.do("POST", "_/triggers/t", "", header("X-OW-EXTRA-LOGGING", "on"))
	if !w.fires[0].Unstored || w.fires[1].Unstored {
		t.Errorf("unstored: %v, and with the header %v", w.fires[0].Unstored, w.fires[1].Unstored)
	}
}
