package conformance

import (
	"strconv"
	"strings"
)

func invokeChecks() []Check {
	checks := []Check{
		{"a non-blocking invoke answers with the id alone", func(c *C) {
			a := c.post("actions/"+c.doer(), J{"a": 1}).want(202).mediaType("application/json")
			a.json(J{"activationId": a.id()})
			c.record(a.id()).field("response.result", J{"a": 1})
		}},
		{"blocking=false is non-blocking", func(c *C) {
			a := c.post("actions/"+c.doer()+"?blocking=false&result=true", J{}).want(202)
			a.json(J{"activationId": a.id()})
		}},
		{"result without blocking is non-blocking", func(c *C) {
			a := c.post("actions/"+c.doer()+"?result=true", J{}).want(202)
			a.json(J{"activationId": a.id()})
		}},
		{"a blocking invoke answers with the record", func(c *C) {
			a := c.run(c.doer(), J{"a": 1}).want(200)
			a.keys("activationId", "annotations", "duration", "end", "logs", "name", "namespace", "publish", "response", "start", "subject", "version")
			a.field("activationId", a.id()).field("response.result", J{"a": 1}).field("response.success", true).
				field("response.status", "success").lacks("response.statusCode")
		}},
		{"the record answered is the record kept but for logs", func(c *C) {
			a := c.run(c.doer(), J{"a": 1}).want(200)
			r := c.record(a.id())
			for _, f := range []string{"annotations", "duration", "end", "name", "namespace", "response", "start", "subject", "version"} {
				r.field(f, a.at(f).v)
			}
		}},
		{"an invoke for the result answers with it alone", func(c *C) {
			a := c.result(c.doer(), J{"a": L{1, nil, "ü"}}).want(200).json(J{"a": L{1, nil, "ü"}})
			c.record(a.id()).field("response.result", J{"a": L{1, nil, "ü"}})
		}},
		{"an invoke may have no body", func(c *C) {
			c.result(c.doer(), nil).want(200).json(J{})
			c.req("POST", "actions/"+c.doer()+"?blocking=true&result=true").raw("application/json", "").do().want(200).json(J{})
		}},
		{"a payload that is no object is malformed", func(c *C) {
			for _, body := range []string{`[1]`, `"a"`, `1`, `true`} {
				c.req("POST", "actions/"+c.doer()).raw("application/json", body).do().failsLike(400, "The request content was malformed:\n")
			}
		}},
		{"a payload that does not parse is malformed", func(c *C) {
			c.req("POST", "actions/"+c.doer()).raw("application/json", `{"a":`).do().failsLike(400, "The request content was malformed:\n")
		}},
		{"a result that is an array is answered bare", func(c *C) {
			a := c.run(c.doer(), J{"give": L{1, J{"a": 2}}}).want(200).json(L{1, J{"a": 2}})
			c.record(a.id()).field("response.result", L{1, J{"a": 2}}).field("response.success", true)
			c.result(c.doer(), J{"give": L{}}).want(200).json(L{})
		}},
		{"no result is an empty object", func(c *C) {
			c.result(c.action("function main() {}"), nil).want(200).json(J{})
		}},
		{"a promise is waited for", func(c *C) {
			c.result(c.action("async function main(a) { await null; return { a: a.a + 1 } }"), J{"a": 1}).want(200).json(J{"a": 2})
		}},
		{"an action that does not exist is 404", func(c *C) {
			c.post("actions/"+c.name("none"), nil).fails(404, notFound)
			c.run(c.name("none"), J{}).fails(404, notFound)
		}},
		{"an action in a package that does not exist is 404 to invoke", func(c *C) {
			c.run(c.name("none")+"/a", J{}).fails(404, notFound)
		}},
		{"the namespace may be named", func(c *C) {
			c.post(in(c.ns(), "actions/"+c.doer()+"?blocking=true&result=true"), J{"a": 1}).want(200).json(J{"a": 1})
		}},
		{"blocking and result must be truth values", func(c *C) {
			c.post("actions/"+c.doer()+"?blocking=si", nil).failsLike(400, "'blocking'")
			c.post("actions/"+c.doer()+"?blocking=true&result=2", nil).failsLike(400, "'result'")
		}},
	}
	checks = append(checks, failedInvokeChecks()...)
	checks = append(checks, waitChecks()...)
	checks = append(checks, environmentChecks()...)
	return append(checks, runtimeChecks()...)
}

func failedInvokeChecks() []Check {
	return []Check{
		{"an error result keeps only its error", func(c *C) {
			a := c.run(c.doer(), J{"give": J{"error": J{"why": 1}, "more": 2}}).want(502)
			a.field("response", J{"result": J{"error": J{"why": 1}}, "status": "application error", "success": false, "size": a.num("response.size")})
			c.record(a.id()).field("response", a.at("response").v)
		}},
		{"an error result alone is 502 without a code", func(c *C) {
			c.result(c.doer(), J{"give": J{"error": "bad", "more": 2}}).want(502).json(J{"error": "bad"}).hasHeader("x-openwhisk-activation-id")
		}},
		{"an error of null is an error", func(c *C) {
			c.result(c.doer(), J{"give": J{"error": nil}}).want(502).json(J{"error": nil})
		}},
		{"an error further down is none", func(c *C) {
			c.result(c.doer(), J{"give": J{"a": J{"error": 1}}}).want(200).json(J{"a": J{"error": 1}})
			c.result(c.doer(), J{"give": L{J{"error": 1}}}).want(200).json(L{J{"error": 1}})
		}},
		{"a rejected promise is an application error", func(c *C) {
			c.run(c.doer(), J{"reject": J{"why": "not"}}).want(502).field("response.status", "application error").
				field("response.result", J{"error": J{"why": "not"}})
		}},
		{"a promise rejected without a value is an empty error", func(c *C) {
			c.result(c.action("function main() { return Promise.reject() }"), nil).want(502).json(J{"error": J{}})
		}},
		{"an exception is a developer error", func(c *C) {
			a := c.run(c.doer(), J{"throw": "oh dear"}).want(502).field("response.status", "action developer error").field("response.success", false)
			if text := a.str("response.result.error"); !strings.HasPrefix(text, "An error has occurred: ") || !strings.Contains(text, "oh dear") {
				a.wrong("error is %q", text)
			}
		}},
		{"a developer error's result alone is 502", func(c *C) {
			a := c.result(c.doer(), J{"throw": "oh dear"}).want(502).lacks("code")
			if !strings.Contains(a.str("error"), "oh dear") {
				a.wrong("error is another")
			}
			a.id()
		}},
		{"a result that is no object is a developer error", func(c *C) {
			for _, give := range []any{"text", 1, true} {
				c.run(c.doer(), J{"give": give}).want(502).field("response.status", "action developer error").
					field("response.result", J{"error": "The action did not return a dictionary."})
			}
		}},
		{"an action that exits is a developer error", func(c *C) {
			c.run(c.action("function main() { process.exit(0) }"), nil).want(502).field("response.status", "action developer error").
				field("response.result", J{"error": "The action did not produce a valid response and exited unexpectedly."})
		}},
		{"code that exits while it loads is a developer error", func(c *C) {
			c.run(c.action("process.exit(0)"), nil).want(502).field("response.status", "action developer error").
				field("response.result", J{"error": "The action did not initialize and exited unexpectedly."})
		}},
		{"code that throws while it loads is a developer error", func(c *C) {
			a := c.run(c.action("nothingOfThatName(); function main() {}"), nil).want(502).field("response.status", "action developer error")
			if text := a.str("response.result.error"); !strings.HasPrefix(text, "Initialization has failed due to: ") ||
				!strings.Contains(text, "ReferenceError: nothingOfThatName is not defined") {
				a.wrong("error is %q", text)
			}
		}},
		{"code without its main function is a developer error", func(c *C) {
			c.run(c.action("function other() { return {} }"), nil).want(502).field("response.status", "action developer error").has("response.result.error")
		}},
		{"an action works again after it failed", func(c *C) {
			name := c.action(doer)
			c.run(name, J{"throw": "x"}).want(502)
			c.result(name, J{"a": 1}).want(200).json(J{"a": 1})
		}},
	}
}

func waitChecks() []Check {
	wait := func(value string) func(*C) {
		return func(c *C) {
			c.post("actions/"+c.doer()+"?blocking=true&timeout="+value, nil).failsLike(400, "Timeout must be number of milliseconds up to 60000.")
		}
	}
	return []Check{
		{"a blocking invoke that waits no longer is 202 and goes on", func(c *C) {
			a := c.post("actions/"+c.doer()+"?blocking=true&timeout=100", J{"sleep": 600, "a": 1}).want(202)
			a.json(J{"activationId": a.id()})
			c.record(a.id()).field("response.result", J{"a": 1, "sleep": 600}).field("response.success", true)
		}},
		{"a wait for the result that is over is 202", func(c *C) {
			a := c.post("actions/"+c.doer()+"?blocking=true&result=true&timeout=100", J{"sleep": 600}).want(202)
			a.json(J{"activationId": a.id()})
		}},
		{"a wait that is long enough is the record", func(c *C) {
			c.post("actions/"+c.doer()+"?blocking=true&timeout=60000", J{"a": 1}).want(200).field("response.result", J{"a": 1})
		}},
		{"a wait of nothing is refused", wait("0")},
		{"a wait below nothing is refused", wait("-1")},
		{"a wait beyond a minute is refused", wait("60001")},
		{"a wait that is no number is refused", wait("long")},
	}
}

func environmentChecks() []Check {
	const tell = `function main() { return { env: process.env } }`
	// env invokes an action that tells its environment.
	env := func(c *C, name string) (*Answer, Value) {
		c.Helper()
		a := c.run(name, nil).want(200)
		return a, a.at("response", "result", "env")
	}
	return []Check{
		{"an action knows its name, version and namespace", func(c *C) {
			name := c.action(tell)
			_, e := env(c, name)
			e.field("__OW_ACTION_NAME", c.full(name)).field("__OW_ACTION_VERSION", "0.0.1").field("__OW_NAMESPACE", c.ns())
		}},
		{"an action knows its activation and request", func(c *C) {
			name := c.shared("actions", "environment", J{"exec": c.node(tell), "limits": small})
			for range 2 {
				a, e := env(c, name)
				e.field("__OW_ACTIVATION_ID", a.id()).field("__OW_TRANSACTION_ID", a.Header.Get("X-Request-ID"))
			}
		}},
		{"an action knows its deadline", func(c *C) {
			name := c.shared("actions", "environment", J{"exec": c.node(tell), "limits": small})
			a, e := env(c, name)
			deadline, err := strconv.ParseInt(e.str("__OW_DEADLINE"), 10, 64)
			if end := int64(a.num("end")); err != nil || deadline < end+50_000 || deadline > end+61_000 {
				a.wrong("__OW_DEADLINE is %q, want a minute after the start; it ended %d", e.str("__OW_DEADLINE"), end)
			}
		}},
		{"an action knows where the API is", func(c *C) {
			_, e := env(c, c.shared("actions", "environment", J{"exec": c.node(tell), "limits": small}))
			if host := e.str("__OW_API_HOST"); !strings.Contains(host, "://") && !strings.Contains(host, ":") {
				e.wrong("__OW_API_HOST is %q", host)
			}
		}},
		{"an action that is new does not know the key", func(c *C) {
			_, e := env(c, c.shared("actions", "environment", J{"exec": c.node(tell), "limits": small}))
			e.lacks("__OW_API_KEY")
		}},
		{"an action that asks for the key knows it", func(c *C) {
			name := c.action("function main() { return { key: process.env.__OW_API_KEY } }", J{"annotations": kv("provide-api-key", true)})
			if a := c.result(name, nil).want(200); a.str("key") != c.h.own.Key {
				c.fatal("it is another key")
			}
		}},
		{"an action without the annotation knows the key", func(c *C) {
			name := c.action("function main() { return { key: process.env.__OW_API_KEY } }")
			c.put("actions/"+name+"?overwrite=true", J{"delAnnotations": L{"provide-api-key"}}).want(200)
			if a := c.result(name, nil).want(200); a.str("key") != c.h.own.Key {
				c.fatal("it is another key")
			}
		}},
		{"an action that asks for the key can invoke another", func(c *C) {
			name := c.action(`
				function main({ action }) {
				  const url = process.env.__OW_API_HOST + '/api/v1/namespaces/_/actions/' + action + '?blocking=true&result=true'
				  const authorization = 'Basic ' + Buffer.from(process.env.__OW_API_KEY).toString('base64')
				  return fetch(url, { method: 'POST', headers: { authorization, 'content-type': 'application/json' }, body: '{"from":"inside"}' })
				    .then(r => r.json())
				}`, J{"annotations": kv("provide-api-key", true)})
			c.result(name, J{"action": c.doer()}).want(200).json(J{"from": "inside"})
		}},
	}
}
