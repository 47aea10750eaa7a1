package conformance

import (
	"fmt"
	"strings"
	"time"
)

// admin does what wskadmin does, or skips the check where nobody can.
func (c *C) admin(words ...string) string {
	c.Helper()
	if c.h.admin == nil {
		c.Skip("needs an operator: HEARTH_TEST_ADMIN, a command with wskadmin's verbs")
	}
	out, err := c.h.admin(c.Context(), words...)
	if err != nil {
		c.fatal("admin %s: %v\n%s", strings.Join(words, " "), err, out)
	}
	return out
}

// undo has the operator do something at the check's end, which may have been
// done already.
func (c *C) undo(words ...string) {
	c.atEnd(func() { _, _ = c.h.admin(c.end(), words...) })
}

// user makes a subject with a key for the namespace and returns them.
func (c *C) user(namespace string) (subject string, a Account) {
	c.Helper()
	subject = c.name("subject")
	key := strings.TrimSpace(c.admin("user", "create", subject, "-ns", namespace))
	if len(key) != 36+1+64 {
		c.fatal("user create printed %q, want uuid:key", key)
	}
	c.undo("user", "delete", subject)
	return subject, Account{Key: key, Namespace: namespace}
}

// tenant makes a namespace with limits, as flags and values in turn.
func (c *C) tenant(limits ...string) Account {
	c.Helper()
	_, a := c.user(c.name("tenant"))
	if len(limits) > 0 {
		c.admin(append([]string{"limits", "set", a.Namespace}, limits...)...)
		c.undo("limits", "delete", a.Namespace)
	}
	return a
}

// doerOf makes the action that does what it is told in another's namespace.
func (c *C) doerOf(a Account, annotations ...any) string {
	c.Helper()
	name := c.name("doer")
	c.req("PUT", "actions/"+name).as(a).json(J{"exec": c.node(doer), "limits": small, "annotations": kv(annotations...)}).do().want(200)
	return name
}

func operatorChecks() []Check {
	return append(subjectChecks(), namespaceLimitChecks()...)
}

func subjectChecks() []Check {
	within := func(c *C, a Account, status int) {
		c.Helper()
		began := time.Now()
		c.await(fmt.Sprintf("status %d", status), func() bool { return c.req("GET", "actions").as(a).do().Status == status })
		if took := time.Since(began); c.h.hearth && took > 1500*time.Millisecond {
			c.fatal("status %d took %s, want a second at most", status, took)
		}
	}
	return []Check{
		{"a new key works at once", func(c *C) {
			a := c.tenant()
			c.req("GET", "/api/v1/namespaces").as(a).do().want(200).json(L{a.Namespace})
			c.req("GET", "actions").as(a).do().want(200).json(L{})
			name := c.doerOf(a)
			c.req("POST", "actions/"+name+"?blocking=true").as(a).json(J{"a": 1}).do().want(200).
				field("namespace", a.Namespace).field("response.result", J{"a": 1})
		}},
		{"a namespace may have several keys", func(c *C) {
			ns := c.name("ns")
			one, first := c.user(ns)
			two, second := c.user(ns)
			if first.Key == second.Key {
				c.fatal("both have one key")
			}
			name := c.doerOf(first)
			c.req("GET", "actions/"+name).as(second).do().want(200).field("namespace", ns)
			for subject, a := range map[string]Account{one: first, two: second} {
				c.req("POST", "actions/"+name+"?blocking=true").as(a).json(J{}).do().want(200).field("subject", subject).field("namespace", ns)
			}
		}},
		{"a subject may have several namespaces", func(c *C) {
			subject, first := c.user(c.name("ns"))
			other := c.name("ns")
			key := strings.TrimSpace(c.admin("user", "create", subject, "-ns", other))
			c.req("GET", "/api/v1/namespaces").as(first).do().want(200).json(L{first.Namespace})
			c.req("GET", "/api/v1/namespaces").withKey(key).do().want(200).json(L{other})
		}},
		{"a blocked subject is unknown until it is unblocked", func(c *C) {
			subject, a := c.user(c.name("ns"))
			within(c, a, 200)
			c.admin("user", "block", subject)
			within(c, a, 401)
			c.req("GET", "actions").as(a).do().failsLike(401, "The supplied authentication is invalid")
			c.admin("user", "unblock", subject)
			within(c, a, 200)
		}},
		{"a deleted subject is unknown", func(c *C) {
			subject := c.name("subject")
			a := Account{Key: strings.TrimSpace(c.admin("user", "create", subject))}
			within(c, a, 200)
			c.admin("user", "delete", subject)
			within(c, a, 401)
		}},
		{"a revoked key is unknown and the new one works", func(c *C) {
			subject, a := c.user(c.name("ns"))
			within(c, a, 200)
			key := strings.TrimSpace(c.admin("user", "create", subject, "-ns", a.Namespace, "-r"))
			within(c, Account{Key: key}, 200)
			within(c, a, 401)
			c.req("GET", "/api/v1/namespaces").withKey(key).do().want(200).json(L{a.Namespace})
		}},
		{"one subject's block is not another's", func(c *C) {
			ns := c.name("ns")
			one, first := c.user(ns)
			_, second := c.user(ns)
			c.admin("user", "block", one)
			within(c, first, 401)
			c.req("GET", "actions").as(second).do().want(200)
		}},
	}
}

func namespaceLimitChecks() []Check {
	return []Check{
		{"a namespace's own limits are shown", func(c *C) {
			a := c.tenant("--invocationsPerMinute", "7", "--firesPerMinute", "8", "--concurrentInvocations", "9", "--maxActionMemory", "192")
			c.await("the limits", func() bool {
				return c.req("GET", "limits").as(a).do().want(200).num("invocationsPerMinute") == 7
			})
			c.req("GET", "limits").as(a).do().want(200).field("firesPerMinute", 8).field("concurrentInvocations", 9).field("maxActionMemory", 192)
		}},
		{"a namespace's memory is bounded by its own limit", func(c *C) {
			a := c.tenant("--maxActionMemory", "192")
			body := c.idle()
			body["limits"] = J{"memory": 193}
			c.req("PUT", "actions/"+c.name("a")).as(a).json(body).do().
				failsLike(400, "memory size 193 MB exceeds allowed threshold of 192 MB")
		}},
		{"an action beyond a limit that came later does not run", func(c *C) {
			a := c.tenant()
			name := c.name("a")
			c.req("PUT", "actions/"+name).as(a).json(J{"exec": c.node(doer), "limits": J{"memory": 256}}).do().want(200)
			c.admin("limits", "set", a.Namespace, "--maxActionMemory", "128")
			c.await("the refusal", func() bool {
				return c.req("POST", "actions/"+name+"?blocking=true").as(a).json(J{}).do().Status != 200
			})
			got := c.req("POST", "actions/"+name+"?blocking=true").as(a).json(J{}).do().want(502).field("response.status", "application error")
			if text := got.str("response.result.error"); !strings.Contains(text, "memory size 256 MB exceeds allowed threshold of 128 MB") {
				got.wrong("error is %q", text)
			}
		}},
		{"a namespace may be held to kinds", func(c *C) {
			a := c.tenant("--allowedKinds", "blackbox")
			c.req("PUT", "actions/"+c.name("a")).as(a).json(c.idle()).do().
				failsLike(403, "The supplied authentication is not authorized to access actions of kind '"+c.h.node+"'.")
			c.req("GET", "limits").as(a).do().want(200).field("allowedKinds", L{"blackbox"})
		}},
		{"a namespace's payload is bounded by its own limit", func(c *C) {
			a := c.tenant("--maxPayloadSize", "1 KB")
			name := c.doerOf(a)
			c.req("POST", "actions/"+name).as(a).json(J{"x": strings.Repeat("x", 2000)}).do().
				fails(413, "Request larger than allowed: 2008 > 1024 bytes.")
		}},
		{"a namespace's parameters are bounded by their own limit", func(c *C) {
			a := c.tenant("--maxParameterSize", "1 KB")
			c.req("PUT", "triggers/"+c.name("t")).as(a).json(J{"parameters": kv("key", strings.Repeat("x", 2000))}).do().
				fails(413, "parameters larger than allowed: 2005 > 1024 bytes.")
		}},
		{"a namespace may go without records", func(c *C) {
			a := c.tenant("--disableStoreActivations")
			name := c.doerOf(a)
			done := c.req("POST", "actions/"+name+"?blocking=true").as(a).json(J{"a": 1}).do().want(200).field("response.result", J{"a": 1})
			kept := c.tenant()
			other := c.doerOf(kept)
			later := c.req("POST", "actions/"+other+"?blocking=true").as(kept).json(J{}).do().want(200)
			c.await("a later record", func() bool {
				return c.req("GET", "activations/"+later.id()).as(kept).do().Status == 200
			})
			c.req("GET", "activations/"+done.id()).as(a).do().fails(404, notFound)
			c.req("GET", "activations").as(a).do().want(200).json(L{})
		}},
		{"extra logging keeps a record all the same", func(c *C) {
			a := c.tenant("--disableStoreActivations")
			name := c.doerOf(a)
			done := c.req("POST", "actions/"+name+"?blocking=true").as(a).set("X-OW-EXTRA-LOGGING", "ON").json(J{}).do().want(200)
			c.await("the record", func() bool { return c.req("GET", "activations/"+done.id()).as(a).do().Status == 200 })
		}},
		{"a namespace without limits of its own has the system's", func(c *C) {
			a := c.tenant("--invocationsPerMinute", "7")
			c.admin("limits", "delete", a.Namespace)
			mine := c.get("limits").want(200)
			c.await("the system's limits", func() bool {
				return c.req("GET", "limits").as(a).do().want(200).num("invocationsPerMinute") == mine.num("invocationsPerMinute")
			})
		}},
	}
}
