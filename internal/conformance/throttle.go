package conformance

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// leftOfMinute is how much of the host's calendar minute is left.
func (c *C) leftOfMinute() time.Duration {
	c.Helper()
	at, err := http.ParseTime(c.get("/ping").want(200).Header.Get("Date"))
	if err != nil {
		c.fatal("Date: %v", err)
	}
	return at.Truncate(time.Minute).Add(time.Minute).Sub(at)
}

// minute waits until the host's calendar minute has enough left for the calls
// of a check.
func (c *C) minute(enough time.Duration) {
	c.Helper()
	if left := c.leftOfMinute(); left <= enough {
		<-time.After(left + 50*time.Millisecond)
	}
}

// nextMinute waits until the host's calendar minute is over.
func (c *C) nextMinute() {
	c.Helper()
	left := c.leftOfMinute()
	if left > 40*time.Second && !c.h.prove {
		c.Skip("the minute has just begun: HEARTH_PROVE=1 waits for its end")
	}
	<-time.After(left + 50*time.Millisecond)
}

// invokeAs invokes another's action without waiting for it.
func (c *C) invokeAs(a Account, name string, args J) *Answer {
	c.Helper()
	r := c.req("POST", "actions/"+name).as(a)
	if args != nil {
		r.json(args)
	}
	return r.do()
}

func throttleChecks() []Check {
	return slices.Concat(rateChecks(), chargeChecks(), ownerRateChecks(), concurrencyChecks(), strictWaitChecks())
}

func tooMany(count, allowed int) string {
	return fmt.Sprintf("Too many requests in the last minute (count: %d, allowed: %d).", count, allowed)
}

// most is how long the calls of a check may take, all in one minute.
const most = 6 * time.Second

func rateChecks() []Check {
	return []Check{
		{"invokes beyond the limit of a minute are refused, and count", func(c *C) {
			a := c.tenant("--invocationsPerMinute", "3")
			name := c.doerOf(a)
			c.minute(most)
			for range 3 {
				c.invokeAs(a, name, nil).want(202)
			}
			c.invokeAs(a, name, nil).fails(429, tooMany(4, 3)).noHeader("x-openwhisk-activation-id")
			c.invokeAs(a, name, nil).fails(429, tooMany(5, 3))
		}},
		{"a limit of none a minute admits none", func(c *C) {
			a := c.tenant("--invocationsPerMinute", "0")
			name := c.doerOf(a)
			c.minute(most)
			c.invokeAs(a, name, nil).fails(429, tooMany(1, 0))
		}},
		{"a limit of one a minute admits one", func(c *C) {
			a := c.tenant("--invocationsPerMinute", "1")
			name := c.doerOf(a)
			c.minute(most)
			c.invokeAs(a, name, nil).want(202)
			c.invokeAs(a, name, nil).fails(429, tooMany(2, 1))
		}},
		{"the next minute of the calendar begins anew", func(c *C) {
			a := c.tenant("--invocationsPerMinute", "1")
			name := c.doerOf(a)
			c.minute(most)
			c.invokeAs(a, name, nil).want(202)
			c.invokeAs(a, name, nil).fails(429, tooMany(2, 1))
			c.nextMinute()
			c.invokeAs(a, name, nil).want(202)
		}},
		{"blocking invokes are charged as well", func(c *C) {
			a := c.tenant("--invocationsPerMinute", "1")
			name := c.doerOf(a)
			c.minute(most)
			c.req("POST", "actions/"+name+"?blocking=true").as(a).json(J{}).do().want(200)
			c.req("POST", "actions/"+name+"?blocking=true&result=true").as(a).json(J{}).do().fails(429, tooMany(2, 1))
		}},
	}
}

func concurrencyChecks() []Check {
	tooMany := func(count, allowed int) string {
		return fmt.Sprintf("Too many concurrent requests in flight (count: %d, allowed: %d).", count, allowed)
	}
	return []Check{
		{"a limit of none at once admits none", func(c *C) {
			a := c.tenant("--concurrentInvocations", "0")
			c.invokeAs(a, c.doerOf(a), nil).fails(429, tooMany(0, 0))
		}},
		{"a limit of one at once admits one until it has ended", func(c *C) {
			a := c.tenant("--concurrentInvocations", "1")
			name := c.doerOf(a)
			c.invokeAs(a, name, J{"sleep": 1500}).want(202)
			c.invokeAs(a, name, nil).fails(429, tooMany(1, 1))
			c.req("POST", "actions/"+name+"?blocking=true").as(a).json(J{}).do().fails(429, tooMany(1, 1))
			c.await("the end of the first", func() bool { return c.invokeAs(a, name, nil).Status == 202 })
		}},
		{"what is refused does not run later", func(c *C) {
			a := c.tenant("--concurrentInvocations", "1")
			name := c.doerOf(a)
			c.invokeAs(a, name, J{"sleep": 800}).want(202)
			c.invokeAs(a, name, J{"late": true}).fails(429, tooMany(1, 1))
			c.await("the record of the first", func() bool {
				return len(c.req("GET", "activations?name="+name).as(a).do().want(200).rows()) == 1
			})
			c.await("room", func() bool { return c.invokeAs(a, name, nil).Status == 202 })
			c.await("the record of the last", func() bool {
				return len(c.req("GET", "activations?name="+name).as(a).do().want(200).rows()) == 2
			})
		}},
	}
}

// strictWaitChecks are about waits that end: on a strict host they are short.
func strictWaitChecks() []Check {
	return []Check{
		{"a web action that takes longer than the wait is 202", func(c *C) {
			c.strictOnly()
			a := c.tenant()
			name := c.doerOf(a, "web-export", true)
			got := c.req("POST", "/api/v1/web/"+a.Namespace+"/default/"+name+".json").anonymous().json(J{"sleep": 9000, "give": J{"a": 1}}).do()
			got.fails(202, "Response not yet ready.")
			id := got.id()
			c.await("the record", func() bool { return c.req("GET", "activations/"+id).as(a).do().Status == 200 })
		}},
		{"a blocking invoke without a timeout waits as long as the host allows", func(c *C) {
			c.strictOnly()
			a := c.tenant()
			got := c.req("POST", "actions/"+c.doerOf(a)+"?blocking=true").as(a).json(J{"sleep": 9000}).do().want(202)
			got.json(J{"activationId": got.id()})
		}},
	}
}

func chargeChecks() []Check {
	return []Check{
		{"throttling comes before rights and existence", func(c *C) {
			a := c.tenant("--invocationsPerMinute", "0")
			c.minute(most)
			c.invokeAs(a, c.name("none"), nil).fails(429, tooMany(1, 0))
			c.req("POST", in(c.ns(), "actions/private")).as(a).json(J{}).do().fails(429, tooMany(2, 0))
		}},
		{"only invokes and fires are charged", func(c *C) {
			a := c.tenant("--invocationsPerMinute", "0", "--firesPerMinute", "0")
			name := c.doerOf(a)
			c.req("GET", "actions/"+name).as(a).do().want(200)
			c.req("GET", "activations").as(a).do().want(200)
			c.req("DELETE", "actions/"+name).as(a).do().want(200)
		}},
		{"fires are charged apart from invokes", func(c *C) {
			a := c.tenant("--invocationsPerMinute", "0", "--firesPerMinute", "2")
			t := c.name("t")
			c.req("PUT", "triggers/"+t).as(a).json(J{}).do().want(200)
			c.minute(most)
			for range 2 {
				c.req("POST", "triggers/"+t).as(a).json(J{}).do().want(204)
			}
			c.req("POST", "triggers/"+t).as(a).json(J{}).do().fails(429, tooMany(3, 2))
		}},
		{"a rule's action is charged to the firer's invokes", func(c *C) {
			a := c.tenant("--invocationsPerMinute", "1", "--firesPerMinute", "10")
			name, t, r := c.doerOf(a), c.name("t"), c.name("r")
			c.req("PUT", "triggers/"+t).as(a).json(J{}).do().want(200)
			c.req("PUT", "rules/"+r).as(a).json(J{"trigger": "/_/" + t, "action": "/_/" + name}).do().want(200)
			c.minute(most)
			log := func(want ...string) {
				c.Helper()
				id := c.req("POST", "triggers/"+t).as(a).json(J{}).do().want(202).id()
				var record *Answer
				c.await("the record", func() bool {
					record = c.req("GET", "activations/"+id).as(a).do()
					return record.Status == 200
				})
				v := c.ran(record)
				if len(v) != 1 {
					record.wrong("%d rules", len(v))
				}
				v[0].field(want[0], normal(want[1]))
			}
			log("rule", a.Namespace+"/"+r)
			log("error", tooMany(2, 1))
		}},
		{"a sequence is charged once", func(c *C) {
			a := c.tenant("--invocationsPerMinute", "1")
			name, s := c.doerOf(a), c.name("s")
			full := "/" + a.Namespace + "/" + name
			c.req("PUT", "actions/"+s).as(a).json(sequenceOf(full, full, full)).do().want(200)
			c.minute(most)
			c.req("POST", "actions/"+s+"?blocking=true&result=true").as(a).json(J{"a": 1}).do().want(200).json(J{"a": 1})
			c.invokeAs(a, name, nil).fails(429, tooMany(2, 1))
		}},
		{"keys of one namespace are charged apart", func(c *C) {
			a := c.tenant("--invocationsPerMinute", "1")
			_, b := c.user(a.Namespace)
			name := c.doerOf(a)
			c.minute(most)
			c.invokeAs(a, name, nil).want(202)
			c.invokeAs(b, name, nil).want(202)
			c.invokeAs(b, name, nil).fails(429, tooMany(2, 1))
		}},
	}
}

func ownerRateChecks() []Check {
	return []Check{
		{"one namespace's invokes are not another's", func(c *C) {
			a, b := c.tenant("--invocationsPerMinute", "0"), c.tenant("--invocationsPerMinute", "1")
			name := c.doerOf(b)
			c.minute(most)
			c.invokeAs(a, c.doerOf(a), nil).failsLike(429, "Too many requests in the last minute")
			c.invokeAs(b, name, nil).want(202)
		}},
		{"a web action is charged to its owner", func(c *C) {
			a := c.tenant("--invocationsPerMinute", "1")
			name := c.doerOf(a, "web-export", true)
			c.minute(most)
			path := "/api/v1/web/" + a.Namespace + "/default/" + name + ".json"
			c.req("GET", path).anonymous().do().want(200)
			c.req("GET", path).do().failsLike(429, tooMany(2, 1))
		}},
		{"a namespace without limits of its own has the system's rate", func(c *C) {
			limit := int(c.h.limits["actions_per_minute"])
			if limit > 120 {
				c.Skip("the system admits too many to try")
			}
			a := c.tenant()
			name := c.doerOf(a)
			c.minute(20 * time.Second)
			for range limit {
				c.invokeAs(a, c.name("none"), nil).fails(404, notFound)
			}
			c.invokeAs(a, name, nil).fails(429, tooMany(limit+1, limit))
		}},
	}
}
