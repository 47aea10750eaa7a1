package conformance

func ruleChecks() []Check {
	return append(append(rulePutChecks(), ruleStatusChecks()...), ruleDeleteChecks()...)
}

func rulePutChecks() []Check {
	const both = "rule requires a valid trigger and a valid action"
	return []Check{
		{"a new rule is active and answered whole", func(c *C) {
			t, r := c.make("triggers"), c.name("r")
			a := c.put("rules/"+r, J{"trigger": c.full(t), "action": c.full(c.doer()), "annotations": kv("a", 1)}).want(200)
			a.keys("action", "annotations", "name", "namespace", "publish", "status", "trigger", "updated", "version")
			a.field("name", r).field("namespace", c.ns()).field("status", "active").field("version", "0.0.1").field("publish", false).
				field("trigger", J{"path": c.ns(), "name": t}).field("action", J{"path": c.ns(), "name": c.doer()}).annotation("a", 1)
		}},
		{"a rule is got as it was put", func(c *C) {
			t, r := c.wired("")
			c.get("rules/"+r).want(200).field("status", "active").field("trigger", J{"path": c.ns(), "name": t}).
				field("action", J{"path": c.ns(), "name": c.doer()})
		}},
		{"a rule's names may be objects", func(c *C) {
			t := c.make("triggers")
			c.put("rules/"+c.name("r"), J{"trigger": J{"path": c.ns(), "name": t}, "action": J{"path": c.ns(), "name": c.doer()}}).want(200).
				field("trigger", J{"path": c.ns(), "name": t}).field("action", J{"path": c.ns(), "name": c.doer()})
		}},
		{"a rule's names may have an underscore for the namespace", func(c *C) {
			t := c.make("triggers")
			c.put("rules/"+c.name("r"), J{"trigger": "/_/" + t, "action": "_/" + c.doer()}).want(200).
				field("trigger", J{"path": c.ns(), "name": t}).field("action", J{"path": c.ns(), "name": c.doer()})
		}},
		{"a rule's action may be in a package", func(c *C) {
			pkg, t := c.make("packages"), c.make("triggers")
			c.put("actions/"+pkg+"/a", c.idle()).want(200)
			c.put("rules/"+c.name("r"), J{"trigger": c.full(t), "action": c.full(pkg + "/a")}).want(200).
				field("action", J{"path": c.ns() + "/" + pkg, "name": "a"})
		}},
		{"a rule that exists is 409", func(c *C) {
			t, r := c.wired("")
			c.put("rules/"+r, J{"trigger": c.full(t), "action": c.full(c.doer())}).fails(409, exists)
		}},
		{"a rule without a trigger or an action is refused", func(c *C) {
			t := c.make("triggers")
			c.put("rules/"+c.name("r"), J{"trigger": c.full(t)}).failsLike(400, both)
			c.put("rules/"+c.name("r"), J{"action": c.full(c.doer())}).failsLike(400, both)
			c.put("rules/"+c.name("r"), J{}).failsLike(400, both)
		}},
		{"a rule's trigger must exist", func(c *C) {
			t := c.name("none")
			c.put("rules/"+c.name("r"), J{"trigger": c.full(t), "action": c.full(c.doer())}).failsLike(400, "trigger "+c.full(t)+" does not exist")
		}},
		{"a rule's action must exist", func(c *C) {
			t, a := c.make("triggers"), c.name("none")
			c.put("rules/"+c.name("r"), J{"trigger": c.full(t), "action": c.full(a)}).failsLike(400, "action "+c.full(a)+" does not exist")
		}},
		{"a rule's names must have a namespace", func(c *C) {
			t := c.make("triggers")
			for _, body := range []J{{"trigger": t, "action": c.full(c.doer())}, {"trigger": c.full(t), "action": c.doer()}} {
				c.put("rules/"+c.name("r"), body).failsLike(400, "The request content was malformed:\n",
					"The fully qualified name of the entity must contain at least the namespace and the name of the entity.")
			}
		}},
		{"another's action cannot be a rule's", func(c *C) {
			other, t := c.second(), c.make("triggers")
			c.put("rules/"+c.name("r"), J{"trigger": c.full(t), "action": "/" + other.Namespace + "/a"}).failsLike(403, "not authorized to access")
		}},
		{"another's trigger cannot be a rule's", func(c *C) {
			other := c.second()
			c.put("rules/"+c.name("r"), J{"trigger": "/" + other.Namespace + "/t", "action": c.full(c.doer())}).failsLike(403, "not authorized to access")
		}},
		{"an update of a rule keeps what it does not give", func(c *C) {
			t, r := c.wired("")
			c.put("rules/"+r+"?overwrite=true", J{"annotations": kv("a", 1)}).want(200).field("version", "0.0.2").
				field("trigger", J{"path": c.ns(), "name": t}).field("action", J{"path": c.ns(), "name": c.doer()}).field("annotations", kv("a", 1))
			c.put("rules/"+r+"?overwrite=true", J{"annotations": kv("b", 2)}).want(200).field("annotations", kv("b", 2))
		}},
		{"an update of a rule keeps its status", func(c *C) {
			t, r := c.wired("")
			c.post("rules/"+r, J{"status": "inactive"}).want(200)
			c.put("rules/"+r+"?overwrite=true", J{"trigger": c.full(t), "action": c.adder()}).want(200).field("status", "inactive")
			c.get("rules/"+r).want(200).field("status", "inactive").field("action.name", c.adder()[len(c.ns())+2:])
			c.get("triggers/"+t).want(200).at("rules", c.ns()+"/"+r).field("status", "inactive")
		}},
		{"an updated rule runs the other action", func(c *C) {
			t, r := c.wired("")
			c.put("rules/"+r+"?overwrite=true", J{"action": c.adder()}).want(200).field("status", "active")
			c.arguments(c.fired(t, J{"n": 1})).field("n", 2)
		}},
		{"a rule that moves to another trigger leaves the old one", func(c *C) {
			before, r := c.wired("")
			after := c.make("triggers")
			c.put("rules/"+r+"?overwrite=true", J{"trigger": c.full(after)}).want(200).field("trigger.name", after).field("status", "active")
			c.post("triggers/"+before, nil).want(204)
			if rules, ok := c.get("triggers/" + before).want(200).lookup("rules"); ok && len(rules.(map[string]any)) != 0 {
				c.fatal("the old trigger has %s", show(rules))
			}
			c.get("triggers/"+after).want(200).at("rules", c.ns()+"/"+r).field("status", "active")
			c.post("triggers/"+after, nil).want(202)
		}},
	}
}

func ruleStatusChecks() []Check {
	refused := func(name string, body any) Check {
		return Check{name, func(c *C) {
			_, r := c.wired("")
			c.post("rules/"+r, body).failsLike(400, "The request content was malformed:\n")
			c.get("rules/"+r).want(200).field("status", "active")
		}}
	}
	return []Check{
		{"a rule is set inactive and active with an empty answer", func(c *C) {
			_, r := c.wired("")
			for _, status := range []string{"inactive", "active"} {
				c.post("rules/"+r, J{"status": status}).want(200).empty()
				c.get("rules/"+r).want(200).field("status", status)
			}
		}},
		{"a rule's status may be set to what it is", func(c *C) {
			_, r := c.wired("")
			c.post("rules/"+r, J{"status": "active"}).want(200).empty()
			c.post("rules/"+r, J{"status": "inactive"}).want(200).empty()
			c.post("rules/"+r, J{"status": "inactive"}).want(200).empty()
		}},
		{"other fields with a rule's status are ignored", func(c *C) {
			_, r := c.wired("")
			c.post("rules/"+r, J{"status": "inactive", "trigger": nil, "action": nil, "name": "x"}).want(200).empty()
			c.get("rules/"+r).want(200).field("status", "inactive").field("name", r)
		}},
		refused("a rule's status must be given", J{}),
		refused("a rule's status must be one that there is", J{"status": "paused"}),
		refused("a rule's status must be text", J{"status": true}),
		{"a status of a rule that does not exist is 404", func(c *C) {
			c.post("rules/"+c.name("none"), J{"status": "active"}).fails(404, notFound)
		}},
		{"a rule without its trigger is inactive and cannot be active", func(c *C) {
			t, r := c.wired("")
			c.delete("triggers/" + t).want(200)
			c.get("rules/"+r).want(200).field("status", "inactive")
			c.post("rules/"+r, J{"status": "active"}).fails(404, "Only rules with existing triggers can be activated")
		}},
		{"an inactive rule does not run its action", func(c *C) {
			action := c.action(doer)
			t, r := c.wired(c.full(action))
			c.post("rules/"+r, J{"status": "inactive"}).want(200)
			c.post("triggers/"+t, nil).want(204)
			c.post("rules/"+r, J{"status": "active"}).want(200)
			c.arguments(c.fired(t, J{"second": true})).field("second", true)
			c.listed(action, 1)
		}},
		{"a trigger shows the status of its rules", func(c *C) {
			t, r := c.wired("")
			c.post("rules/"+r, J{"status": "inactive"}).want(200)
			c.get("triggers/"+t).want(200).at("rules", c.ns()+"/"+r).field("status", "inactive")
		}},
	}
}

func ruleDeleteChecks() []Check {
	return []Check{
		{"a deleted rule is answered as inactive and gone", func(c *C) {
			t, r := c.wired("")
			c.delete("rules/"+r).want(200).field("name", r).field("status", "inactive").field("trigger", J{"path": c.ns(), "name": t})
			c.get("rules/"+r).fails(404, notFound)
			c.delete("rules/"+r).fails(404, notFound)
			if rules, ok := c.get("triggers/" + t).want(200).lookup("rules"); ok && len(rules.(map[string]any)) != 0 {
				c.fatal("the trigger still has %s", show(rules))
			}
		}},
		{"a rule without its trigger can be deleted", func(c *C) {
			t, r := c.wired("")
			c.delete("triggers/" + t).want(200)
			c.delete("rules/"+r).want(200).field("name", r)
		}},
		{"a deleted trigger that is made again has no rules", func(c *C) {
			t, r := c.wired("")
			c.delete("triggers/" + t).want(200)
			c.put("triggers/"+t, J{}).want(200)
			c.post("triggers/"+t, nil).want(204)
			c.get("rules/"+r).want(200).field("status", "inactive")
		}},
		{"a row of rules is the rule without its status", func(c *C) {
			t, r := c.wired("")
			row := c.get("rules?limit=0").want(200).row("name", r)
			row.keys("action", "annotations", "name", "namespace", "publish", "trigger", "updated", "version")
			row.field("namespace", c.ns()).field("trigger", J{"path": c.ns(), "name": t}).field("action", J{"path": c.ns(), "name": c.doer()})
		}},
		{"a rule cannot be made of a trigger's name", func(c *C) {
			t := c.make("triggers")
			c.put("rules/"+t, J{"trigger": c.full(t), "action": c.full(c.doer())}).failsLike(409, "is not in this collection")
		}},
	}
}
