package api

import (
	"fmt"
	"sync"
	"testing"

	"hearth/whisk"
)

func TestTriggers(t *testing.T) {
	w := newWorld(t)
	const (
		fresh   = `{"namespace":"alice","name":"t","version":"0.0.1","publish":false,"annotations":[],"parameters":[],"limits":{}}`
		changed = `{"namespace":"alice","name":"t","version":"0.0.2","publish":true,"annotations":[{"key":"a","value":1}],"parameters":[{"key":"p","value":[1]}],"limits":{}}`
		bad     = "Feed name is not valid"
	)
	feed := func(v string) string { return `{"annotations":[{"key":"feed","value":` + v + `}]}` }
	w.steps(t, []step{
		{method: "PUT", target: "_/triggers/t", body: `{}`, status: 200, want: fresh},
		{method: "PUT", target: "_/triggers/t", body: `{}`, status: 409, want: existsText},
		{method: "GET", target: "_/triggers/t", status: 200, want: fresh},
		{method: "PUT", target: "_/triggers/t?overwrite=true", body: `{"parameters":[{"key":"p","value":[1]}],"annotations":[{"key":"a","value":1}],"limits":{},"publish":true,"name":"x"}`, status: 200, want: changed},
		{method: "PUT", target: "_/triggers/t?overwrite=true", body: `{"version":"0.0.2"}`, status: 200, want: changed},
		{method: "GET", target: "_/triggers", status: 200, want: `[{"namespace":"alice","name":"t","version":"0.0.2","publish":true,"annotations":[{"key":"a","value":1}]}]`},
		{method: "GET", target: "_/triggers/?count=true", status: 200, want: `{"triggers":1}`},
		{method: "GET", target: "bob/triggers", status: 403, want: deniedText("bob")},
		{who: bobKey, method: "GET", target: "alice/triggers/t", status: 403, want: deniedText("alice/t")}, // publish has no effect
		// a feed is checked when the trigger is created
		{method: "PUT", target: "_/triggers/f", body: feed(`"-"`), status: 400, want: bad},
		{method: "PUT", target: "_/triggers/f", body: feed(`""`), status: 400, want: bad},
		{method: "PUT", target: "_/triggers/f", body: feed(`"/"`), status: 400, want: bad},
		{method: "PUT", target: "_/triggers/f", body: feed(`1`), status: 400, want: bad},
		{method: "PUT", target: "_/triggers/t?overwrite=true", body: feed(`"-"`), status: 200},
		{method: "PUT", target: "_/triggers/f1", body: feed(`"f"`), status: 200},
		{method: "PUT", target: "_/triggers/f2", body: feed(`"/whisk.system/alarms/alarm"`), status: 200},
		{method: "DELETE", target: "_/triggers/f1", status: 200},
		{method: "DELETE", target: "_/triggers/f1", status: 404, want: noEntityText},
		{method: "PUT", target: "_/triggers/f1", body: `nonsense`, status: 400},
	})
}

func TestRules(t *testing.T) {
	w := newWorld(t)
	doc := func(version, trigger, action, status string) string {
		return fmt.Sprintf(`{"namespace":"alice","name":"r","version":"%s","publish":false,"annotations":[],"trigger":{"path":"alice","name":"%s"},"action":%s,"status":"%s"}`,
			version, trigger, action, status)
	}
	trigger := func(name, links string) string {
		if links != "" {
			links = `,"rules":{` + links + `}`
		}
		return `{"namespace":"alice","name":"` + name + `","version":"0.0.1","publish":false,"annotations":[],"parameters":[],"limits":{}` + links + `}`
	}
	const (
		a      = `{"path":"alice","name":"a"}`
		pa     = `{"path":"alice/p","name":"a"}`
		active = `"alice/r":{"action":` + a + `,"status":"active"}`
	)
	w.mustPut("a", plainBody)
	w.steps(t, []step{
		{method: "PUT", target: "_/packages/p", body: `{}`, status: 200},
		{method: "PUT", target: "_/actions/p/a", body: plainBody, status: 200},
		{method: "PUT", target: "_/packages/b", body: `{"binding":{"namespace":"_","name":"p"}}`, status: 200},
		{method: "PUT", target: "_/triggers/t", body: `{}`, status: 200},
		{method: "PUT", target: "_/triggers/u", body: `{}`, status: 200},

		{method: "PUT", target: "_/rules/r", body: `{"trigger":"/_/t"}`, status: 400, want: "rule requires a valid trigger and a valid action"},
		{method: "PUT", target: "_/rules/r", body: `{}`, status: 400, want: "rule requires a valid trigger and a valid action"},
		{method: "PUT", target: "_/rules/r", body: `{"trigger":"t","action":"/_/a"}`, status: 400, want: malformedText + "The fully qualified name of the entity must contain at least the namespace and the name of the entity."},
		{method: "PUT", target: "_/rules/r", body: `{"trigger":1,"action":"/_/a"}`, status: 400, want: malformedText + "fully qualified name malformed"},
		{method: "PUT", target: "_/rules/r", body: `{"trigger":"/_/none","action":"/_/a"}`, status: 400, want: "trigger /alice/none does not exist"},
		{method: "PUT", target: "_/rules/r", body: `{"trigger":"/_/p/t","action":"/_/a"}`, status: 400, want: "trigger /alice/p/t does not exist"},
		{method: "PUT", target: "_/rules/r", body: `{"trigger":"/_/t","action":"/_/none"}`, status: 400, want: "action /alice/none does not exist"},
		{method: "PUT", target: "_/rules/r", body: `{"trigger":"/_/t","action":"/_/p/none"}`, status: 400, want: "action /alice/p/none does not exist"},
		{method: "PUT", target: "_/rules/r", body: `{"trigger":"/_/t","action":"/_/none/a"}`, status: 404, want: noEntityText},
		{method: "PUT", target: "_/rules/r", body: `{"trigger":"/_/a","action":"/_/t"}`, status: 400},
		{method: "PUT", target: "_/rules/r", body: `{"trigger":"/bob/t","action":"/bob/a"}`, status: 403, want: deniedText("bob/a, bob/t")},
		{method: "PUT", target: "_/rules/r", body: `{"trigger":"/_/t","action":"/bob/p/a"}`, status: 403, want: deniedText("bob/p")},
		{method: "GET", target: "_/rules/r", status: 404},

		{method: "PUT", target: "_/rules/r", body: `{"trigger":"/_/t","action":{"path":"_","name":"a"}}`, status: 200, want: doc("0.0.1", "t", a, "active")},
		{method: "PUT", target: "_/rules/r", body: `{"trigger":"/_/t","action":"/_/a"}`, status: 409, want: existsText},
		{method: "GET", target: "_/rules/r", status: 200, want: doc("0.0.1", "t", a, "active")},
		{method: "GET", target: "_/rules", status: 200, want: `[{"namespace":"alice","name":"r","version":"0.0.1","publish":false,"annotations":[],"trigger":{"path":"alice","name":"t"},"action":` + a + `}]`},
		{method: "GET", target: "_/rules?count=true", status: 200, want: `{"rules":1}`},
		{method: "GET", target: "_/triggers/t", status: 200, want: trigger("t", active)},

		// status
		{method: "POST", target: "_/rules/r", body: `{"status":"active","trigger":null}`, status: 200},
		{method: "POST", target: "_/rules/r", body: `{"status":"inactive"}`, status: 200},
		{method: "POST", target: "_/rules/r", body: `{"status":"inactive"}`, status: 200},
		{method: "GET", target: "_/rules/r", status: 200, want: doc("0.0.1", "t", a, "inactive")},
		{method: "POST", target: "_/rules/r", body: `{"status":"on"}`, status: 400, want: malformedText + "'on' is not a recognized rule state, must be one of ['active', 'inactive']"},
		{method: "POST", target: "_/rules/r", body: `{}`, status: 400, want: malformedText + "key not found: status"},
		{method: "POST", target: "_/rules/r", status: 400},
		{method: "POST", target: "_/rules/none", body: `{"status":"active"}`, status: 404, want: noEntityText},

		// an update keeps the status and what it leaves out, and moves the link
		{method: "PUT", target: "_/rules/r?overwrite=true", body: `{"action":"/_/p/a"}`, status: 200, want: doc("0.0.2", "t", pa, "inactive")},
		{method: "PUT", target: "_/rules/r?overwrite=true", body: `{"trigger":"/_/u"}`, status: 200, want: doc("0.0.3", "u", pa, "inactive")},
		{method: "GET", target: "_/triggers/t", status: 200, want: trigger("t", "")},
		{method: "GET", target: "_/triggers/u", status: 200, want: trigger("u", `"alice/r":{"action":`+pa+`,"status":"inactive"}`)},
		{method: "PUT", target: "_/rules/r?overwrite=true", body: `{"action":"/_/b/a"}`, status: 200, want: doc("0.0.4", "u", `{"path":"alice/b","name":"a"}`, "inactive")},
		{method: "PUT", target: "_/rules/new?overwrite=true", body: `{"action":"/_/a","trigger":"/_/u"}`, status: 200},
		{method: "PUT", target: "_/triggers/u?overwrite=true", body: `{"version":"0.0.1"}`, status: 200, want: trigger("u", `"alice/new":{"action":`+a+`,"status":"active"},"alice/r":{"action":{"path":"alice/b","name":"a"},"status":"inactive"}`)},
		{method: "DELETE", target: "_/rules/new", status: 200},

		// without its trigger
		{method: "POST", target: "_/rules/r", body: `{"status":"active"}`, status: 200},
		{method: "DELETE", target: "_/triggers/u", status: 200},
		{method: "GET", target: "_/rules/r", status: 200, want: doc("0.0.4", "u", `{"path":"alice/b","name":"a"}`, "inactive")},
		{method: "POST", target: "_/rules/r", body: `{"status":"active"}`, status: 404, want: "Only rules with existing triggers can be activated"},
		{method: "POST", target: "_/rules/r", body: `{"status":"inactive"}`, status: 200},
		{method: "PUT", target: "_/rules/r?overwrite=true", body: `{}`, status: 400, want: "trigger /alice/u does not exist"},
		{method: "PUT", target: "_/triggers/u", body: `{}`, status: 200, want: trigger("u", "")},
		{method: "POST", target: "_/rules/r", body: `{"status":"active"}`, status: 200},
		{method: "GET", target: "_/rules/r", status: 200, want: doc("0.0.4", "u", `{"path":"alice/b","name":"a"}`, "active")},

		{method: "DELETE", target: "_/rules/r", status: 200, want: doc("0.0.4", "u", `{"path":"alice/b","name":"a"}`, "inactive")},
		{method: "GET", target: "_/triggers/u", status: 200, want: trigger("u", "")},
		{method: "DELETE", target: "_/rules/r", status: 404, want: noEntityText},
	})
	if a := w.do("PUT", "_/rules/r", `{"action":"/_/a","trigger":"/_/u"}`); a.status != 200 {
		t.Fatal(a.body)
	}
	if a := w.do("POST", "_/rules/r", `{"status":"inactive"}`); a.status != 200 || a.body != "" {
		t.Errorf("status = %d %q, want an empty answer", a.status, a.body)
	}
}

// TestRulesAtOnce: rules of one trigger are nobody's conflict, and no link is
// lost.
func TestRulesAtOnce(t *testing.T) {
	w := newWorld(t)
	w.mustPut("a", plainBody)
	w.steps(t, []step{{method: "PUT", target: "_/triggers/t", body: `{}`, status: 200}})
	const n = 4
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			target := fmt.Sprintf("_/rules/r%d", i)
			for _, r := range [][3]string{
				{"PUT", target, `{"trigger":"/_/t","action":"/_/a"}`}, {"POST", target, `{"status":"inactive"}`}, {"POST", target, `{"status":"active"}`},
				{"DELETE", target, ""}, {"PUT", target, `{"trigger":"/_/t","action":"/_/a"}`},
			} {
				a := w.doRaw(r[0], r[1], r[2])
				for a.status == 409 && a.text(t) == whisk.ErrChanged.Message { // lost five times in a row
					a = w.doRaw(r[0], r[1], r[2])
				}
				if a.status != 200 {
					t.Errorf("%s %s = %d %s", r[0], r[1], a.status, a.body)
				}
			}
		})
	}
	wg.Wait()
	rules, _ := w.do("GET", "_/triggers/t", "").json(t, "rules").(map[string]any)
	if len(rules) != n {
		t.Errorf("the trigger has %d rules, want %d", len(rules), n)
	}
}
