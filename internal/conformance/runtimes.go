package conformance

import (
	"fmt"
	"strings"
)

func runtimeChecks() []Check {
	return []Check{
		{"a zip of JavaScript is unpacked and required", func(c *C) {
			code := zipped(c, "package.json", `{"main":"lib/start.js"}`, "lib/start.js", `exports.main = a => ({ ...require('./other'), ...a })`,
				"lib/other.js", `module.exports = { other: true }`)
			name := c.name("zip")
			c.put("actions/"+name, J{"exec": c.node(code), "limits": small}).want(200).field("exec.binary", true)
			c.result(name, J{"a": 1}).want(200).json(J{"other": true, "a": 1})
			c.get("actions/"+name).want(200).field("exec.code", code)
		}},
		{"a zip without package.json begins at index.js", func(c *C) {
			exec := c.node(zipped(c, "index.js", `exports.begin = () => ({ index: true })`))
			exec["main"] = "begin"
			name := c.name("zip")
			c.put("actions/"+name, J{"exec": exec, "limits": small}).want(200)
			c.result(name, nil).want(200).json(J{"index": true})
		}},
		{"a global of a warm action is kept", func(c *C) {
			name := c.action("let n = 0; function main() { return { n: ++n } }")
			first := c.result(name, nil).want(200).num("n")
			c.await("a second run in the same sandbox", func() bool { return c.result(name, nil).want(200).num("n") > first })
		}},
		{"python runs, takes and gives objects", func(c *C) {
			c.result(c.python("def main(args):\n  return {'n': args['n'] + 1, 'text': 'ü'}"), J{"n": 1}).want(200).json(J{"n": 2, "text": "ü"})
		}},
		{"an exception in python is an application error", func(c *C) {
			c.run(c.python("def main(args):\n  raise ValueError('not that')"), nil).want(502).
				field("response.status", "application error").field("response.result", J{"error": "not that"})
		}},
		{"python may give an array", func(c *C) {
			c.run(c.python("def main(args):\n  return [1, {'a': 2}]"), nil).want(200).json(L{1, J{"a": 2}})
		}},
		{"an executable is given its arguments and answers in its last line", func(c *C) {
			name := c.name("native")
			c.put("actions/"+name, J{"exec": J{"kind": "blackbox", "image": "openwhisk/dockerskeleton",
				"code": "#!/bin/sh\nread line\necho a log line\necho \"{\\\"arg\\\":$1,\\\"stdin\\\":$line}\"\nexit 3\n"}, "limits": small}).want(200)
			a := c.result(name, J{"a": 1}).want(200).json(J{"arg": J{"a": 1}, "stdin": J{"a": 1}})
			if logs := fmt.Sprint(c.record(a.id()).list("logs")); !strings.Contains(logs, "stdout: a log line") {
				c.fatal("logs are %s", logs)
			}
		}},
		{"an executable without an answer is a developer error", func(c *C) {
			name := c.name("native")
			c.put("actions/"+name, J{"exec": J{"kind": "blackbox", "image": "openwhisk/dockerskeleton", "code": "#!/bin/sh\necho done\n"}, "limits": small}).want(200)
			c.run(name, nil).want(502).field("response.status", "action developer error").
				field("response.result", J{"error": "The action did not return a dictionary or array."})
		}},
		{"activations at the same time do not see each other", func(c *C) {
			name := c.action("function main(a) { return new Promise(done => setTimeout(() => done(a), 30)) }")
			ids := map[string]bool{}
			for _, a := range c.atOnce(4, func() *Answer {
				x := c.name("x")
				return c.result(name, J{"x": x}).want(200).json(J{"x": x})
			}) {
				ids[a.id()] = true
			}
			if len(ids) != 4 {
				c.fatal("%d ids, want 4", len(ids))
			}
		}},
	}
}

// python makes an action of the host's default python kind.
func (c *C) python(code string) string {
	c.Helper()
	if c.h.python == "" {
		c.Skip("the host has no python")
	}
	name := c.name("python")
	c.put("actions/"+name, J{"exec": J{"kind": c.h.python, "code": code}, "limits": small}).want(200)
	return name
}
