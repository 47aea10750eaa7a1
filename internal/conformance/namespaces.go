package conformance

import (
	"regexp"
)

func namespaceChecks() []Check {
	return []Check{
		{"a key has exactly its namespace", func(c *C) {
			c.get("/api/v1/namespaces").want(200).json(L{c.ns()})
			c.get("/api/v1/namespaces/").want(200).json(L{c.ns()})
		}},
		{"another key has another namespace", func(c *C) {
			other := c.second()
			c.req("GET", "/api/v1/namespaces").as(other).do().want(200).json(L{other.Namespace})
			if other.Namespace == c.ns() {
				c.fatal("both are %s", c.ns())
			}
		}},
		{"namespaces need a key", func(c *C) { c.req("GET", "/api/v1/namespaces").anonymous().do().failsLike(401) }},
		{"a namespace itself is nothing", func(c *C) {
			c.get("/api/v1/namespaces/"+c.ns()).failsLike(404, "The requested resource could not be found.")
		}},
		{"a namespace's limits are whole", func(c *C) {
			a := c.get("limits").want(200)
			for _, f := range []string{
				"invocationsPerMinute", "concurrentInvocations", "firesPerMinute", "minActionMemory", "maxActionMemory",
				"minActionLogs", "maxActionLogs", "minActionTimeout", "maxActionTimeout", "minActionConcurrency", "maxActionConcurrency",
			} {
				if n := a.num(f); n < 0 || n != float64(int64(n)) {
					a.wrong("%s is %v", f, n)
				}
			}
		}},
		{"a namespace's limits on memory are in megabytes", func(c *C) {
			a := c.get("limits").want(200)
			if lo, hi := a.num("minActionMemory"), a.num("maxActionMemory"); lo < 1 || hi > 1<<20 || lo > hi {
				a.wrong("memory is %v to %v MB", lo, hi)
			}
			if lo, hi := a.num("minActionTimeout"), a.num("maxActionTimeout"); lo < 1 || hi < 1000 || lo > hi {
				a.wrong("timeouts are %v to %v ms", lo, hi)
			}
		}},
		{"a namespace's limit on parameters has a unit", func(c *C) {
			a := c.get("limits").want(200)
			if text := a.str("maxParameterSize"); !regexp.MustCompile(`^\d+ [KMG]?B$`).MatchString(text) {
				a.wrong("maxParameterSize is %q", text)
			}
		}},
		{"a namespace's limits can be asked for by its name", func(c *C) {
			mine := c.get("limits").want(200)
			c.get(in(c.ns(), "limits")).want(200).json(mine.v)
		}},
		{"a namespace's limits are no stranger's to read", func(c *C) {
			other := c.second()
			c.req("GET", in(c.ns(), "limits")).as(other).do().failsLike(403, "not authorized to access")
		}},
		{"limits cannot be written by their users", func(c *C) {
			notAllowed(c.put("limits", J{"invocationsPerMinute": 1}))
			notAllowed(c.post("limits", J{"invocationsPerMinute": 1}))
			notAllowed(c.delete("limits"))
		}},
	}
}
