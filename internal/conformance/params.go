package conformance

import "strings"

func paramChecks() []Check {
	everything := J{
		"object": J{"a": J{"b": L{1, "2", nil}}}, "array": L{1, J{}, L{}}, "text": "häßlich 🎈 \"quoted\" \\ \n",
		"number": 1.5, "negative": -7, "yes": true, "no": false, "nothing": nil, "empty": "",
	}
	malformed := func(name string, params any, detail string) Check {
		return Check{name, func(c *C) {
			body := c.idle()
			body["parameters"] = params
			c.put("actions/"+c.name("a"), body).failsLike(400, "The request content was malformed:\n", detail)
		}}
	}
	return []Check{
		{"a parameter's value may be any JSON", func(c *C) {
			body := c.idle()
			body["parameters"] = everyPair(everything)
			name := c.name("a")
			c.put("actions/"+name, body).want(200)
			a := c.get("actions/" + name).want(200)
			for k, v := range everything {
				a.parameter(k, v)
			}
		}},
		{"an annotation's value may be any JSON", func(c *C) {
			name := c.name("t")
			c.put("triggers/"+name, J{"annotations": everyPair(everything)}).want(200)
			a := c.get("triggers/" + name).want(200)
			for k, v := range everything {
				a.annotation(k, v)
			}
		}},
		{"parameters reach the action as they are", func(c *C) {
			name := c.action("function main(a) { return a }", J{"parameters": everyPair(everything)})
			c.result(name, nil).want(200).json(everything)
		}},
		{"of a parameter given twice the last one stands", func(c *C) {
			body := c.idle()
			body["parameters"] = kv("a", 1, "b", 2, "a", 3)
			a := c.put("actions/"+c.name("a"), body).want(200).parameter("a", 3).parameter("b", 2)
			if n := len(a.list("parameters")); n != 2 {
				a.wrong("%d parameters, want 2", n)
			}
		}},
		malformed("a parameter without a value is malformed", L{J{"key": "a"}}, "parameters malformed!"),
		malformed("a parameter without a key is malformed", L{J{"value": "a"}}, "parameters malformed!"),
		malformed("parameters that are no array are malformed", "text", ""),
		malformed("a parameter that is no object is malformed", L{1}, "parameters malformed!"),
		{"the payload overrides the action's parameters", func(c *C) {
			name := c.action("function main(a) { return a }", J{"parameters": kv("a", 1, "b", J{"x": 1})})
			c.result(name, J{"b": J{"y": 2}}).want(200).json(J{"a": 1, "b": J{"y": 2}})
			c.result(name, J{"a": nil}).want(200).json(J{"a": nil, "b": J{"x": 1}})
		}},
		{"final parameters cannot be overridden", func(c *C) {
			name := c.action("function main(a) { return a }", J{"parameters": kv("a", 1, "open", nil), "annotations": kv("final", true)})
			c.result(name, J{"a": 2}).fails(400, "Request defines parameters that are not allowed (e.g., reserved properties).")
			c.post("actions/"+name, J{"a": 2}).failsLike(400, "parameters that are not allowed")
			c.result(name, J{"open": 3, "new": 4}).want(200).json(J{"a": 1, "open": 3, "new": 4})
		}},
	}
}

func everyPair(object J) L {
	out := L{}
	for k, v := range object {
		out = append(out, J{"key": k, "value": v})
	}
	return out
}

func initParamChecks() []Check {
	return []Check{
		{"the mark init is shown only where it is true", func(c *C) {
			body := c.idle()
			body["parameters"] = L{J{"key": "a", "value": 1, "init": true}, J{"key": "b", "value": 2, "init": false}}
			a := c.put("actions/"+c.name("a"), body).want(200)
			a.at("parameters").row("key", "a").field("init", true)
			a.at("parameters").row("key", "b").lacks("init")
		}},
		{"init parameters are environment and no arguments", func(c *C) {
			name := c.action(`const early = process.env.TEXT; function main(a) { return { early, late: process.env.TEXT, a } }`,
				J{"parameters": L{J{"key": "TEXT", "value": "as it is", "init": true}, J{"key": "other", "value": 1}}})
			c.result(name, J{"more": 2}).want(200).
				json(J{"early": "as it is", "late": "as it is", "a": J{"other": 1, "more": 2}})
		}},
		{"init parameters that are no text become text", func(c *C) {
			name := c.action(`function main() { const e = process.env; return [e.NOTHING, e.YES, e.NUMBER, e.OBJECT, e.ARRAY] }`,
				J{"parameters": L{
					J{"key": "NOTHING", "value": nil, "init": true}, J{"key": "YES", "value": true, "init": true},
					J{"key": "NUMBER", "value": 4.5, "init": true}, J{"key": "OBJECT", "value": J{"a": L{1}}, "init": true},
					J{"key": "ARRAY", "value": L{1, "b"}, "init": true},
				}})
			c.result(name, nil).want(200).json(L{"", "true", "4.5", `{"a":[1]}`, `[1,"b"]`})
		}},
		{"an init parameter in the payload is no argument either", func(c *C) {
			name := c.action(`function main(a) { return a }`,
				J{"parameters": L{J{"key": "TEXT", "value": "x", "init": true}}})
			c.result(name, J{"TEXT": "y", "more": 1}).want(200).json(J{"more": 1})
		}},
	}
}

func paramSizeChecks() []Check {
	return []Check{
		{"parameters of one byte too many are 413", func(c *C) {
			path := "actions/" + c.name("a")
			body := c.idle()
			body["parameters"] = kv("key", strings.Repeat("x", 1<<20-5))
			c.put(path, body).want(200)
			body["parameters"] = kv("key", strings.Repeat("x", 1<<20-4))
			c.put(path+"?overwrite=true", body).fails(413, "parameters larger than allowed: 1048577 > 1048576 bytes.")
		}},
		{"annotations of one byte too many are 413", func(c *C) {
			c.put("triggers/"+c.name("t"), J{"annotations": kv("key", strings.Repeat("x", 1<<20-4))}).
				fails(413, "annotations larger than allowed: 1048577 > 1048576 bytes.")
		}},
		{"parameters and annotations are measured apart", func(c *C) {
			half := kv("key", strings.Repeat("x", 600<<10))
			c.put("packages/"+c.name("p"), J{"annotations": half, "parameters": half}).want(200)
		}},
		{"numbers beyond 64 bits are kept", func(c *C) {
			name := c.name("t")
			c.req("PUT", "triggers/"+name).
				raw("application/json", `{"parameters":[{"key":"n","value":123456789012345678901234567890}]}`).do().want(200)
			a := c.get("triggers/" + name).want(200)
			if !strings.Contains(string(a.Body), `123456789012345678901234567890`) {
				a.wrong("the number is another")
			}
		}},
	}
}
