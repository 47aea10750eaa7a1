package conformance

import (
	"encoding/json"
	"fmt"
)

func triggerChecks() []Check {
	return append([]Check{
		{"a new trigger is answered whole", func(c *C) {
			name := c.name("t")
			a := c.put("triggers/"+name, J{"parameters": kv("p", 1), "annotations": kv("a", 2), "publish": true}).want(200)
			a.field("name", name).field("namespace", c.ns()).field("limits", J{}).field("version", "0.0.1").field("publish", true).
				field("parameters", kv("p", 1)).field("annotations", kv("a", 2))
			a.num("updated")
		}},
		{"a trigger that exists is 409", func(c *C) { c.put("triggers/"+c.make("triggers"), J{}).fails(409, exists) }},
		{"a trigger may be put with limits", func(c *C) {
			c.put("triggers/"+c.name("t"), J{"limits": J{}}).want(200).field("limits", J{})
		}},
		{"an update of a trigger keeps what it does not give", func(c *C) {
			path := "triggers/" + c.name("t")
			c.put(path, J{"parameters": kv("p", 1), "annotations": kv("a", 2)}).want(200)
			c.put(path+"?overwrite=true", J{}).want(200).field("parameters", kv("p", 1)).field("annotations", kv("a", 2))
		}},
		{"an update of a trigger replaces parameters and annotations", func(c *C) {
			path := "triggers/" + c.name("t")
			c.put(path, J{"parameters": kv("a", 1, "b", 2), "annotations": kv("a", 1, "b", 2)}).want(200)
			c.put(path+"?overwrite=true", J{"parameters": kv("b", 3), "annotations": kv("c", 4)}).want(200).
				field("parameters", kv("b", 3)).field("annotations", kv("c", 4))
		}},
		{"an update of a trigger keeps its rules", func(c *C) {
			t, r := c.wired("")
			c.put("triggers/"+t+"?overwrite=true", J{"parameters": kv("a", 1)}).want(200)
			c.get("triggers/"+t).want(200).at("rules", c.ns()+"/"+r).field("status", "active")
		}},
		{"a trigger's feed must have a legal name", func(c *C) {
			c.put("triggers/"+c.name("t"), J{"annotations": kv("feed", "no!such//feed")}).failsLike(400, "Feed name is not valid")
			c.put("triggers/"+c.name("t"), J{"annotations": kv("feed", 7)}).failsLike(400, "Feed name is not valid")
		}},
		{"a trigger's feed is not looked up", func(c *C) {
			c.put("triggers/"+c.name("t"), J{"annotations": kv("feed", "/whisk.system/nothing/feed")}).want(200).
				annotation("feed", "/whisk.system/nothing/feed")
		}},
		{"a deleted trigger is answered whole", func(c *C) {
			name := c.name("t")
			c.put("triggers/"+name, J{"parameters": kv("p", 1)}).want(200)
			c.delete("triggers/"+name).want(200).field("name", name).field("parameters", kv("p", 1))
			c.get("triggers/"+name).fails(404, notFound)
		}},
		{"a trigger names its rules", func(c *C) {
			t, r := c.wired("")
			c.get("triggers/"+t).want(200).at("rules", c.ns()+"/"+r).
				is(J{"action": J{"path": c.ns(), "name": c.doer()}, "status": "active"})
		}},
		{"a trigger names the package of its rule's action", func(c *C) {
			pkg := c.make("packages")
			c.put("actions/"+pkg+"/a", c.idle()).want(200)
			t, r := c.wired(c.full(pkg + "/a"))
			c.get("triggers/"+t).want(200).at("rules", c.ns()+"/"+r).field("action", J{"path": c.ns() + "/" + pkg, "name": "a"})
		}},
		{"a row of triggers has what it should and no more", func(c *C) {
			name := c.name("t")
			c.put("triggers/"+name, J{"parameters": kv("p", 1), "annotations": kv("a", 2)}).want(200)
			row := c.get("triggers?limit=0").want(200).row("name", name)
			row.keys("annotations", "name", "namespace", "publish", "updated", "version")
			row.field("namespace", c.ns()).field("version", "0.0.1").field("publish", false).annotation("a", 2)
		}},
	}, append(fireChecks(), fireRecordChecks()...)...)
}

// wired makes a trigger and a rule from it to an action, "" for the one that
// does what it is told, and returns their names.
func (c *C) wired(action string, trigger ...J) (t, r string) {
	c.Helper()
	if action == "" {
		action = c.full(c.doer())
	}
	t, r = c.name("trigger"), c.name("rule")
	body := J{}
	if len(trigger) > 0 {
		body = trigger[0]
	}
	c.put("triggers/"+t, body).want(200)
	c.put("rules/"+r, J{"trigger": c.full(t), "action": action}).want(200)
	return t, r
}

// fired is the record of a trigger's firing.
func (c *C) fired(t string, payload any) *Answer {
	c.Helper()
	return c.record(c.post("triggers/"+t, payload).want(202).id())
}

// ran are what a firing's record says of its rules.
func (c *C) ran(record *Answer) []Value {
	c.Helper()
	var out []Value
	for _, l := range record.list("logs") {
		text, _ := l.(string)
		v := record.Value
		v.what += " [log]"
		if err := json.Unmarshal([]byte(text), &v.v); err != nil {
			record.wrong("log %q: %v", text, err)
		}
		out = append(out, v)
	}
	return out
}

// ruled is what a firing's record says of one rule.
func (c *C) ruled(record *Answer, rule string) Value {
	c.Helper()
	for _, v := range c.ran(record) {
		if v.str("rule") == c.ns()+"/"+rule {
			return v
		}
	}
	record.wrong("no log of rule %s", rule)
	return Value{}
}

// arguments are what the action of a firing's only rule was called with.
func (c *C) arguments(record *Answer) Value {
	c.Helper()
	for _, v := range c.ran(record) {
		return c.record(v.str("activationId")).at("response", "result")
	}
	record.wrong("no rule ran")
	return Value{}
}

func fireChecks() []Check {
	return []Check{
		{"a fired trigger answers with the id", func(c *C) {
			t, _ := c.wired("")
			a := c.post("triggers/"+t, J{"a": 1}).want(202)
			a.json(J{"activationId": a.id()})
		}},
		{"a fired trigger runs its rule's action", func(c *C) {
			t, _ := c.wired("")
			c.arguments(c.fired(t, J{"a": 1, "b": J{"c": L{2}}})).field("a", 1).field("b", J{"c": L{2}})
		}},
		{"a trigger may be fired without a body", func(c *C) {
			t, _ := c.wired("", J{"parameters": kv("p", 1)})
			c.arguments(c.fired(t, nil)).field("p", 1)
		}},
		{"a trigger's payload overrides its parameters", func(c *C) {
			t, _ := c.wired("", J{"parameters": kv("p", "trigger", "q", "trigger")})
			c.arguments(c.fired(t, J{"q": "payload"})).field("p", "trigger").field("q", "payload")
		}},
		{"a trigger's parameters override the action's", func(c *C) {
			action := c.action(doer, J{"parameters": kv("p", "action", "q", "action")})
			t, _ := c.wired(c.full(action), J{"parameters": kv("q", "trigger")})
			c.arguments(c.fired(t, nil)).field("p", "action").field("q", "trigger")
		}},
		{"the action of a trigger sees the request's headers", func(c *C) {
			t, _ := c.wired("")
			a := c.req("POST", "triggers/"+t).set("X-Mine", "Here It Is").json(J{"a": 1}).do().want(202)
			args := c.arguments(c.record(a.id()))
			args.at("__ow_headers").field("x-mine", "Here It Is").has("host")
			args.at("__ow_headers").lacks("X-Mine")
		}},
		{"the action of a trigger does not see the key", func(c *C) {
			c.hearthOnly()
			t, _ := c.wired("")
			c.arguments(c.fired(t, J{"a": 1})).at("__ow_headers").lacks("authorization", "Authorization")
		}},
		{"a payload overrides the headers", func(c *C) {
			t, _ := c.wired("")
			c.arguments(c.fired(t, J{"__ow_headers": "mine"})).field("__ow_headers", "mine")
		}},
		{"a trigger without rules is 204 without a record", func(c *C) {
			t := c.make("triggers")
			c.post("triggers/"+t, J{"a": 1}).want(204).empty().noHeader("x-openwhisk-activation-id")
			c.get("activations?name=" + t).want(200).json(L{})
		}},
		{"a trigger without active rules is 204 without a record", func(c *C) {
			t, r := c.wired("")
			c.post("rules/"+r, J{"status": "inactive"}).want(200)
			c.post("triggers/"+t, J{"a": 1}).want(204).empty().noHeader("x-openwhisk-activation-id")
			c.get("activations?name=" + t).want(200).json(L{})
		}},
		{"a trigger whose rules were deleted is 204", func(c *C) {
			t, r := c.wired("")
			c.post("triggers/"+t, nil).want(202)
			c.delete("rules/" + r).want(200)
			c.post("triggers/"+t, nil).want(204).empty()
		}},
		{"a missing trigger is 404 to fire", func(c *C) { c.post("triggers/"+c.name("none"), J{}).fails(404, notFound) }},
		{"a trigger's payload must be an object", func(c *C) {
			t, _ := c.wired("")
			for _, body := range []string{`[1]`, `"a"`, `{"a":`} {
				c.req("POST", "triggers/"+t).raw("application/json", body).do().failsLike(400, "The request content was malformed:\n")
			}
		}},
		{"a trigger runs an action in a package with its parameters", func(c *C) {
			pkg := c.name("p")
			c.put("packages/"+pkg, J{"parameters": kv("p", "package")}).want(200)
			c.put("actions/"+pkg+"/a", J{"exec": c.node(doer), "limits": small}).want(200)
			t, _ := c.wired(c.full(pkg + "/a"))
			c.arguments(c.fired(t, J{"a": 1})).field("p", "package").field("a", 1)
		}},
		{"a trigger runs an action through a binding", func(c *C) {
			b := c.bind(c.provider(J{}), J{"parameters": kv("p", "binding")})
			t, _ := c.wired(c.full(b + "/a"))
			c.arguments(c.fired(t, J{"a": 1})).field("p", "binding").field("a", 1)
		}},
		{"a trigger runs a sequence", func(c *C) {
			t, _ := c.wired(c.full(c.sequence(c.adder(), c.adder())))
			c.arguments(c.fired(t, J{"n": 1})).field("n", 3)
		}},
	}
}

func fireRecordChecks() []Check {
	return []Check{
		{"a firing's record has no end, duration and annotations", func(c *C) {
			t, _ := c.wired("")
			r := c.fired(t, J{"a": 1}).lacks("end", "duration", "cause")
			r.field("name", t).field("namespace", c.ns()).field("version", "0.0.1").field("publish", false)
			if v, ok := r.lookup("annotations"); ok && len(v.([]any)) != 0 {
				r.wrong("annotations are %s", show(v))
			}
			r.num("start")
		}},
		{"a firing's result is its payload", func(c *C) {
			t, _ := c.wired("", J{"parameters": kv("p", 1)})
			c.fired(t, J{"a": 1}).field("response.status", "success").field("response.success", true).field("response.result", J{"a": 1})
			c.fired(t, nil).field("response.result", J{})
		}},
		{"a firing's log tells what each rule did", func(c *C) {
			t, r := c.wired("")
			v := c.ruled(c.fired(t, J{"a": 1}), r)
			v.keys("action", "activationId", "rule", "statusCode", "success")
			v.field("action", c.ns()+"/"+c.doer()).field("statusCode", 0).field("success", true)
			c.record(v.str("activationId")).field("name", c.doer())
		}},
		{"a firing tells of rules that are inactive", func(c *C) {
			t, active := c.wired("")
			inactive := c.name("rule")
			c.put("rules/"+inactive, J{"trigger": c.full(t), "action": c.full(c.doer())}).want(200)
			c.post("rules/"+inactive, J{"status": "inactive"}).want(200)
			record := c.fired(t, nil)
			if n := len(c.ran(record)); n != 2 {
				record.wrong("%d rules are told of, want 2", n)
			}
			c.ruled(record, active).field("success", true)
			c.ruled(record, inactive).field("success", false).field("statusCode", 1).lacks("activationId").
				field("error", fmt.Sprintf("Rule '%s/%s' is inactive, action '%s/%s' was not activated.", c.ns(), inactive, c.ns(), c.doer()))
		}},
		{"a firing tells of a rule whose action is gone", func(c *C) {
			action := c.action(doer)
			t, r := c.wired(c.full(action))
			c.delete("actions/" + action).want(200)
			c.ruled(c.fired(t, nil), r).field("success", false).field("statusCode", 1).field("error", notFound).lacks("activationId")
		}},
		{"a firing runs every active rule", func(c *C) {
			t, one := c.wired("")
			two := c.name("rule")
			c.put("rules/"+two, J{"trigger": c.full(t), "action": c.adder()}).want(200)
			record := c.fired(t, J{"n": 1})
			for rule, name := range map[string]string{one: c.doer(), two: c.adder()[len(c.ns())+2:]} {
				c.record(c.ruled(record, rule).str("activationId")).field("name", name)
			}
		}},
		{"a firing is listed by the trigger's name without a status", func(c *C) {
			t, _ := c.wired("")
			id := c.post("triggers/"+t, nil).want(202).id()
			c.listed(t, 1).row("activationId", id).lacks("end", "duration", "statusCode").field("name", t)
			c.get("activations?count=true&name=" + t).want(200).json(J{"activations": 1})
		}},
		{"a firing's logs can be got alone", func(c *C) {
			t, _ := c.wired("")
			r := c.fired(t, nil)
			c.get("activations/" + r.str("activationId") + "/logs").want(200).json(J{"logs": r.at("logs").v})
		}},
	}
}
