package api

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestRuleLinks carries out requests about triggers and rules in any order:
// every link that a trigger shows is that of a rule of its own, as the rule
// says, and each rule is in no other trigger.
func TestRuleLinks(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		w.mustPut("a", plainBody)
		w.mustPut("b", plainBody)
		triggers, rules := rapid.SampledFrom([]string{"t", "u"}), rapid.SampledFrom([]string{"r", "s"})
		actions := rapid.SampledFrom([]string{"a", "b", "none"})
		for range rapid.IntRange(1, 15).Draw(rt, "steps") {
			trigger, rule := triggers.Draw(rt, "trigger"), rules.Draw(rt, "rule")
			var a answer
			switch rapid.IntRange(0, 5).Draw(rt, "kind") {
			case 0:
				a = w.do("PUT", "_/triggers/"+trigger+"?overwrite=true", `{}`)
			case 1:
				a = w.do("DELETE", "_/triggers/"+trigger, "")
			case 2, 3:
				body := `{"trigger":"/_/` + trigger + `","action":"/_/` + actions.Draw(rt, "action") + `"}`
				a = w.do("PUT", "_/rules/"+rule+"?overwrite=true", body)
			case 4:
				a = w.do("POST", "_/rules/"+rule, `{"status":"`+rapid.SampledFrom([]string{"active", "inactive"}).Draw(rt, "status")+`"}`)
			case 5:
				a = w.do("DELETE", "_/rules/"+rule, "")
			}
			if a.status >= 500 || a.status == 409 {
				rt.Fatalf("answered %d %s", a.status, a.body)
			}
			checkLinks(rt, w)
		}
	})
}

func checkLinks(t *rapid.T, w *world) {
	type name struct{ Path, Name string }
	for _, trigger := range []string{"t", "u"} {
		var doc struct {
			Rules map[string]struct {
				Action name
				Status string
			}
		}
		if a := w.do("GET", "_/triggers/"+trigger, ""); a.status == 200 {
			if err := json.Unmarshal([]byte(a.body), &doc); err != nil {
				t.Fatal(err)
			}
		}
		for path, link := range doc.Rules {
			var rule struct {
				Trigger, Action name
				Status          string
			}
			a := w.do("GET", "_/rules/"+strings.TrimPrefix(path, "alice/"), "")
			if a.status != 200 || json.Unmarshal([]byte(a.body), &rule) != nil {
				t.Fatalf("trigger %s links %s: %d %s", trigger, path, a.status, a.body)
			}
			if rule.Trigger.Name != trigger || rule.Action != link.Action || rule.Status != link.Status {
				t.Fatalf("trigger %s links %s as %+v, which is %+v", trigger, path, link, rule)
			}
		}
	}
}

// FuzzEntities: no body breaks the server, and what a PUT answers is what a GET
// finds.
func FuzzEntities(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"binding":{"namespace":"_","name":"p"}}`, `{"binding":{},"publish":true,"parameters":[{"key":"a","value":{"b":1}}],"annotations":[{"key":"feed","value":"/a/b"}]}`,
		`{"trigger":"/_/t","action":{"path":"_/p","name":"a"}}`, `{"status":"inactive"}`, `{"version":"1.2"}`, `{"trigger":"_/t","action":"_/a"}`, `null`, `{"binding":null,"x":`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		w := newWorld(t)
		w.mustPut("a", plainBody)
		w.do("PUT", "_/packages/p", `{}`)
		w.do("PUT", "_/triggers/t", `{}`)
		w.do("PUT", "_/rules/r", `{"trigger":"/_/t","action":"/_/a"}`)
		for _, target := range []string{
			"_/packages/new", "_/packages/p?overwrite=true", "_/triggers/new2", "_/triggers/t?overwrite=true", "_/rules/new3", "_/rules/r?overwrite=true",
		} {
			a := w.do("PUT", target, string(body))
			if !json.Valid([]byte(a.body)) || a.status >= 500 {
				t.Fatalf("PUT %s %q = %d %q", target, body, a.status, a.body)
			}
			if a.status != 200 || strings.Contains(target, "packages") { // their parameters are merged, and they show what is in them
				continue
			}
			if g := w.do("GET", target, ""); g.body != a.body {
				t.Fatalf("PUT %q\n got %s\nthen %s", body, a.body, g.body)
			}
		}
		if a := w.do("POST", "_/rules/r", string(body)); a.status >= 500 {
			t.Fatalf("POST %q = %d %q", body, a.status, a.body)
		}
	})
}
