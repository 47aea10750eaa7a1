package conformance

import (
	"fmt"
	"strings"
)

func limitChecks() []Check {
	refused := func(name, field string, value func(ns Value) float64, text func(value, bound float64) string, bound string) Check {
		return Check{name, func(c *C) {
			ns := c.get("limits").want(200).Value
			v := value(ns)
			body := c.idle()
			body["limits"] = J{field: v}
			c.put("actions/"+c.name("a"), body).failsLike(400, text(v, ns.num(bound)))
		}}
	}
	above := func(what, unit string) func(v, b float64) string {
		return func(v, b float64) string {
			return fmt.Sprintf("%s %.0f%s exceeds allowed threshold of %.0f%s", what, v, unit, b, unit)
		}
	}
	below := func(what, unit string) func(v, b float64) string {
		return func(v, b float64) string {
			return fmt.Sprintf("%s %.0f%s below allowed threshold of %.0f%s", what, v, unit, b, unit)
		}
	}
	add := func(field string, n float64) func(Value) float64 {
		return func(ns Value) float64 { return ns.num(field) + n }
	}
	checks := []Check{
		{"an action without limits has the defaults", func(c *C) {
			c.put("actions/"+c.name("a"), c.idle()).want(200).
				field("limits.timeout", 60000).field("limits.memory", 256).field("limits.logs", 10).field("limits.concurrency", 1)
		}},
		{"limits that are not given have the defaults", func(c *C) {
			body := c.idle()
			body["limits"] = J{"memory": 128, "unknown": 1}
			c.put("actions/"+c.name("a"), body).want(200).
				field("limits.timeout", 60000).field("limits.memory", 128).field("limits.logs", 10).lacks("limits.unknown")
		}},
		{"an update keeps each limit that it does not give", func(c *C) {
			path := "actions/" + c.name("a")
			body := c.idle()
			body["limits"] = J{"memory": 128, "timeout": 3000, "logs": 2}
			c.put(path, body).want(200)
			c.put(path+"?overwrite=true", J{"limits": J{"timeout": 4000}}).want(200).
				field("limits.timeout", 4000).field("limits.memory", 128).field("limits.logs", 2)
			c.put(path+"?overwrite=true", J{}).want(200).field("limits.timeout", 4000).field("limits.memory", 128)
		}},
		{"the least and the greatest limits are allowed", func(c *C) {
			ns := c.get("limits").want(200)
			for _, end := range []string{"min", "max"} {
				limits := J{
					"memory": ns.num(end + "ActionMemory"), "logs": ns.num(end + "ActionLogs"),
					"timeout": ns.num(end + "ActionTimeout"), "concurrency": ns.num(end + "ActionConcurrency"),
				}
				body := c.idle()
				body["limits"] = limits
				a := c.put("actions/"+c.name("a"), body).want(200)
				for k, v := range limits {
					a.field("limits."+k, v)
				}
			}
		}},
		refused("a timeout above the maximum is refused", "timeout", add("maxActionTimeout", 1), above("duration", " milliseconds"), "maxActionTimeout"),
		refused("a timeout below the minimum is refused", "timeout", add("minActionTimeout", -1), below("duration", " milliseconds"), "minActionTimeout"),
		refused("memory above the maximum is refused", "memory", add("maxActionMemory", 1), above("memory size", " MB"), "maxActionMemory"),
		refused("memory below the minimum is refused", "memory", add("minActionMemory", -1), below("memory size", " MB"), "minActionMemory"),
		refused("logs above the maximum are refused", "logs", add("maxActionLogs", 1), above("log size", " MB"), "maxActionLogs"),
		refused("concurrency above the maximum is refused", "concurrency", add("maxActionConcurrency", 1), above("concurrency", ""), "maxActionConcurrency"),
		refused("concurrency below the minimum is refused", "concurrency", add("minActionConcurrency", -1), below("concurrency", ""), "minActionConcurrency"),
		{"a refused update leaves the limits as they are", func(c *C) {
			path := "actions/" + c.make("actions")
			c.put(path+"?overwrite=true", J{"limits": J{"memory": 1}}).failsLike(400, "memory size 1 MB below")
			c.get(path).want(200).field("limits.memory", 256).field("version", "0.0.1")
		}},
		{"limits that are no objects are malformed", func(c *C) {
			body := c.idle()
			body["limits"] = L{}
			c.put("actions/"+c.name("a"), body).failsLike(400, "The request content was malformed:\n")
		}},
	}
	for _, bad := range []struct {
		what  string
		value any
	}{{"a fraction", 1000.5}, {"text", "1000"}, {"a truth value", true}} {
		checks = append(checks, Check{"a limit that is " + bad.what + " is malformed", func(c *C) {
			for _, field := range []string{"timeout", "memory", "logs", "concurrency"} {
				body := c.idle()
				body["limits"] = J{field: bad.value}
				c.put("actions/"+c.name("a"), body).failsLike(400, "The request content was malformed:\n")
			}
		}})
	}
	return append(checks, sizeChecks()...)
}

func sizeChecks() []Check {
	return []Check{
		{"code beyond 48 MB is 413", func(c *C) {
			body := J{"exec": c.node(strings.Repeat("x", 48<<20+1))}
			c.put("actions/"+c.name("a"), body).
				failsLike(413, "exec larger than allowed: ", " > 50331648 bytes.")
		}},
		{"a payload of 1 MB is taken", func(c *C) {
			name := c.action("function main(a) { return { n: a.x.length } }")
			c.result(name, J{"x": strings.Repeat("x", 1<<20-8)}).want(200).json(J{"n": 1<<20 - 8})
		}},
		{"a payload of one byte more is 413", func(c *C) {
			c.result(c.doer(), J{"x": strings.Repeat("x", 1<<20-7)}).
				fails(413, "Request larger than allowed: 1048577 > 1048576 bytes.")
			c.post("actions/"+c.doer(), J{"x": strings.Repeat("x", 1<<20-7)}).
				fails(413, "Request larger than allowed: 1048577 > 1048576 bytes.")
		}},
		{"a result beyond 1 MB is cut", func(c *C) {
			name := c.action("function main(a) { return { x: 'x'.repeat(a.n) } }")
			c.run(name, J{"n": 1<<20 - 20}).want(200).field("response.success", true)
			a := c.run(name, J{"n": 1 << 20}).want(502).field("response.status", "application error").field("response.success", false)
			if text := a.str("response.result.error"); !strings.HasPrefix(text, "The action produced a response that exceeded the allowed length: 1048584 > 1048576 bytes. The truncated response was: {\"x\":\"xxx") {
				a.wrong("error is %.200q", text)
			}
		}},
		{"an action beyond its time limit is stopped", func(c *C) {
			name := c.action("function main() { return new Promise(() => {}) }", J{"limits": J{"timeout": 500, "memory": 128}})
			a := c.run(name, nil).want(502).field("response.status", "action developer error").
				field("response.result", J{"error": "The action exceeded its time limits of 500 milliseconds."})
			a.annotation("timeout", true)
		}},
		{"an action whose code does not load in time is stopped", func(c *C) {
			name := c.action("while (true) {}", J{"limits": J{"timeout": 500, "memory": 128}})
			c.run(name, nil).want(502).field("response.status", "action developer error").
				field("response.result", J{"error": "The action exceeded its time limits of 500 milliseconds during initialization."})
		}},
		{"init and run have the whole time limit each", func(c *C) {
			name := c.action(`
				const until = Date.now() + 2200; while (Date.now() < until) {}
				function main() { return new Promise(done => setTimeout(() => done({ done: true }), 2200)) }`,
				J{"limits": J{"timeout": 4000, "memory": 128}})
			a := c.run(name, nil).want(200).field("response.result", J{"done": true})
			if d := a.num("duration"); d < 4400 {
				a.wrong("duration is %v, want init and run in it", d)
			}
			a.annotation("timeout", false)
		}},
		{"an action beyond its memory is stopped", func(c *C) {
			name := c.action(`function main() { const keep = []; while (true) keep.push(Buffer.alloc(8 << 20, 1)) }`)
			c.run(name, nil).want(502).field("response.status", "action developer error").
				field("response.result", J{"error": "The action exhausted its memory and was aborted."})
		}},
		{"fewer than no instances are refused", func(c *C) {
			c.hearthOnly() // a limit of one of OpenWhisk's schedulers
			body := c.idle()
			body["limits"] = J{"instances": -1}
			c.put("actions/"+c.name("a"), body).failsLike(400, "Action container concurrency must be greater than or equal to 0.")
		}},
		{"more instances than activations at once are refused", func(c *C) {
			c.hearthOnly()
			n := c.get("limits").want(200).num("concurrentInvocations")
			body := c.idle()
			body["limits"] = J{"instances": n + 1}
			c.put("actions/"+c.name("a"), body).
				failsLike(400, fmt.Sprintf("Max action instance concurrency must not exceed your namespace concurrency of %.0f.", n))
		}},
	}
}
