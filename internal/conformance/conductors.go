package conformance

import (
	"fmt"
)

// conductorCode runs the steps of its payload, one after the other, and ends
// with what came of the last, or as its step says that has an end.
const conductorCode = `
function main(a) {
  const { steps = [], i = 0, ...rest } = a
  if (i >= steps.length) return 'error' in rest ? { error: rest.error } : { params: rest }
  if ('end' in steps[i]) return steps[i].end
  const { params = rest, state = {}, action } = steps[i]
  return { action, params, state: state !== null && typeof state === 'object' ? { ...state, steps, i: i + 1 } : state }
}`

// conductor is a shared action that runs the steps of its payload.
func (c *C) conductor() string {
	c.Helper()
	return c.shared("actions", "conductor", J{"exec": c.node(conductorCode), "limits": small, "annotations": kv("conductor", true)})
}

// conduct runs steps and returns the answer, which is the record.
func (c *C) conduct(more J, steps ...J) *Answer {
	c.Helper()
	payload := J{"steps": append([]J{}, steps...)} // never null
	for k, v := range more {
		payload[k] = v
	}
	return c.run(c.conductor(), payload)
}

func conductorChecks() []Check {
	checks := []Check{
		{"a conductor without a next action ends with its params", func(c *C) {
			c.conduct(J{"a": 1}).want(200).field("response.result", J{"a": 1})
		}},
		{"a conductor without params ends with its result", func(c *C) {
			c.conduct(nil, J{"end": J{"a": 1, "state": J{"b": 2}}}).want(200).field("response.result", J{"a": 1, "state": J{"b": 2}})
		}},
		{"a component's result comes back to the conductor", func(c *C) {
			c.conduct(J{"n": 1}, J{"action": c.adder()}, J{"action": c.adder()}).want(200).
				field("response.result", J{"n": 3, "last": "adder"})
		}},
		{"a component is given the params", func(c *C) {
			c.conduct(nil, J{"action": c.doer(), "params": J{"x": L{1, "2"}}}).want(200).field("response.result", J{"x": L{1, "2"}})
		}},
		{"params that are no object are a value", func(c *C) {
			for _, v := range []any{"text", 1, true} {
				c.conduct(nil, J{"action": c.doer(), "params": v}).want(200).field("response.result", J{"value": v})
			}
		}},
		{"the last params that are no object are a value", func(c *C) {
			c.conduct(nil, J{"end": J{"params": "text"}}).want(200).field("response.result", J{"value": "text"})
		}},
		{"state comes back over the result", func(c *C) {
			c.conduct(nil, J{"action": c.doer(), "params": J{"a": 1, "b": 1}, "state": J{"b": 2, "c": 3}}).want(200).
				field("response.result", J{"a": 1, "b": 2, "c": 3})
		}},
		{"a state that is no object is a state", func(c *C) {
			c.conduct(nil, J{"action": c.doer(), "params": J{"a": 1}, "state": "text"}).want(200).
				field("response.result", J{"a": 1, "state": "text"})
		}},
		{"a component's error comes back to the conductor", func(c *C) {
			tell := J{"action": c.action("function main(got) { return { got } }")}
			c.conduct(nil, J{"action": c.doer(), "params": J{"give": J{"error": "bad"}}, "state": J{"kept": true}}, tell).want(200).
				field("response.result", J{"got": J{"error": "bad", "kept": true}})
			c.conduct(nil, J{"action": c.doer(), "params": J{"throw": "oh"}, "state": J{"kept": true}}, tell).want(200).
				has("response.result.got.error").field("response.result.got.kept", true)
		}},
		{"params with an error in them are as good as the conductor's run", func(c *C) {
			c.conduct(nil, J{"end": J{"params": J{"error": "bad"}}}).want(200).field("response.success", true).
				field("response.result", J{"error": "bad"})
		}},
		{"a conductor's error ends as an application error", func(c *C) {
			c.conduct(nil, J{"end": J{"error": "bad"}}).want(502).field("response.status", "application error").
				field("response.result", J{"error": "bad"})
		}},
		{"a conductor's exception ends as a developer error", func(c *C) {
			name := c.action("function main() { throw new Error('no') }", J{"annotations": kv("conductor", true)})
			c.run(name, nil).want(502).field("response.status", "action developer error").has("response.result.error")
		}},
		{"a composition may be non-blocking", func(c *C) {
			a := c.post("actions/"+c.conductor(), J{"steps": L{J{"action": c.adder()}}, "n": 1}).want(202)
			a.json(J{"activationId": a.id()})
			c.record(a.id()).field("response.result.n", 2).annotation("conductor", true)
		}},
		{"a composition's result can be asked for alone", func(c *C) {
			c.result(c.conductor(), J{"steps": L{J{"action": c.adder()}}}).want(200).json(J{"n": 1, "last": "adder"})
		}},
		{"a conductor in a sequence runs its composition", func(c *C) {
			name := c.sequence(c.full(c.conductor()), c.adder())
			c.result(name, J{"steps": L{J{"action": c.adder()}}}).want(200).json(J{"n": 2, "last": "adder"})
		}},
	}
	for _, t := range []struct {
		what      string
		value     any
		conductor bool
	}{
		{"true", true, true}, {"a text", "false", true}, {"a number", 1, true}, {"an object", J{}, true}, {"an array", L{}, true},
		{"false", false, false}, {"0", 0, false}, {"an empty text", "", false}, {"null", nil, false},
	} {
		is := "is none"
		if t.conductor {
			is = "is one"
		}
		checks = append(checks, Check{"with the annotation conductor of " + t.what + " an action " + is, func(c *C) {
			name := c.action("function main(a) { return a.back ? { done: true } : { action: a.next, params: { back: 1 }, state: { back: 1 } } }",
				J{"annotations": kv("conductor", t.value)})
			a := c.run(name, J{"next": c.doer()}).want(200)
			if t.conductor {
				a.field("response.result", J{"done": true})
				return
			}
			a.field("response.result.action", c.doer()).noAnnotation("conductor")
		}})
	}
	checks = append(checks, conductorNameChecks()...)
	checks = append(checks, conductorRecordChecks()...)
	return append(checks, conductorLimitChecks()...)
}

func conductorNameChecks() []Check {
	var checks []Check
	for _, form := range []struct{ what, format string }{
		{"with a slash and its namespace", "/%[1]s/%[3]s"},
		{"alone", "%[3]s"},
		{"with a slash, namespace and package", "/%[1]s/%[2]s/%[3]s"},
		{"with namespace and package", "%[1]s/%[2]s/%[3]s"},
		{"with its package", "%[2]s/%[3]s"},
	} {
		checks = append(checks, Check{"a component may be named " + form.what, func(c *C) {
			pkg, name := c.make("packages"), c.doer()
			c.put("actions/"+pkg+"/"+name, J{"exec": c.node(doer), "limits": small}).want(200)
			c.conduct(nil, J{"action": fmt.Sprintf(form.format, c.ns(), pkg, name), "params": J{"a": 1}}).want(200).
				field("response.result", J{"a": 1})
		}})
	}
	told := func(name string, action func(*C) any, text func(*C) string) Check {
		return Check{name, func(c *C) {
			// The conductor is told, with the state that it gave.
			c.conduct(nil, J{"action": action(c), "params": J{}, "state": J{"kept": true}}).want(502).
				field("response.status", "application error").field("response.result", J{"error": text(c)})
			end := c.action(`function main(a) { return a.kept ? { params: { told: a.error } } : { action: a.next, state: { kept: true } } }`,
				J{"annotations": kv("conductor", true)})
			c.result(end, J{"next": action(c)}).want(200).json(J{"told": text(c)})
		}}
	}
	always := func(v any) func(*C) any { return func(*C) any { return v } }
	return append(checks,
		told("a single name with a slash is told to the conductor", always("/alone"), func(*C) string {
			return `Failed to parse action name from json value "/alone" during composition.`
		}),
		told("a name that is no text is told to the conductor", always(7), func(*C) string {
			return "Failed to parse action name from json value 7 during composition."
		}),
		told("a component that does not exist is told to the conductor", func(c *C) any { return "none-" + c.ns() }, func(c *C) string {
			return "Failed to resolve action with name '" + c.ns() + "/none-" + c.ns() + "' during composition."
		}),
		told("a component that may not be invoked is told to the conductor", func(c *C) any { return "/" + c.second().Namespace + "/private" }, func(c *C) string {
			return "Failed entitlement check for action with name '" + c.second().Namespace + "/private' during composition."
		}),
	)
}

func conductorRecordChecks() []Check {
	return []Check{
		{"a composition's record is one", func(c *C) {
			r := c.record(c.conduct(nil, J{"action": c.adder()}).want(200).id()).lacks("cause")
			r.field("name", c.conductor()).field("namespace", c.ns()).annotation("kind", "sequence").annotation("conductor", true).
				annotation("topmost", true).annotation("path", c.ns()+"/"+c.conductor())
			r.at("annotations").row("key", "limits").has("value.memory")
		}},
		{"a composition's logs are all runs in order", func(c *C) {
			r := c.record(c.conduct(nil, J{"action": c.adder()}, J{"action": c.doer()}).want(200).id())
			logs := r.list("logs")
			want := []string{c.full(c.conductor()), c.adder(), c.full(c.conductor()), c.full(c.doer()), c.full(c.conductor())}
			if len(logs) != len(want) {
				r.wrong("%d runs, want %d", len(logs), len(want))
			}
			sum := 0.0
			for i := range want {
				part := c.record(fmt.Sprint(logs[i])).field("cause", r.str("activationId"))
				part.annotation("path", want[i][1:]).annotation("causedBy", "sequence")
				sum += part.num("duration")
			}
			if d := r.num("duration"); d != sum {
				r.wrong("duration is %v, the runs' sum %v", d, sum)
			}
		}},
		{"a composition in a composition is one component", func(c *C) {
			inner := J{"action": c.conductor(), "params": J{"steps": L{J{"action": c.adder()}, J{"action": c.adder()}}, "n": 3}}
			outer := c.record(c.conduct(nil, inner).want(200).field("response.result.n", 5).id())
			logs := outer.list("logs")
			if len(logs) != 3 {
				outer.wrong("%d runs, want 3", len(logs))
			}
			r := c.record(fmt.Sprint(logs[1])).field("cause", outer.str("activationId")).
				annotation("topmost", false).annotation("conductor", true).annotation("causedBy", "sequence")
			if n := len(r.list("logs")); n != 5 {
				r.wrong("%d runs, want 5", n)
			}
		}},
		{"a sequence in a composition is one component", func(c *C) {
			inner := c.sequence(c.adder(), c.adder())
			r := c.record(c.conduct(J{"n": 1}, J{"action": inner}).want(200).field("response.result.n", 3).id())
			logs := r.list("logs")
			if len(logs) != 3 {
				r.wrong("%d runs, want 3", len(logs))
			}
			c.record(fmt.Sprint(logs[1])).field("name", inner).field("cause", r.str("activationId")).annotation("topmost", false)
		}},
	}
}

// conductorLimitChecks run compositions to their ends.
func conductorLimitChecks() []Check {
	return []Check{
		{"too many components are told to the conductor", func(c *C) {
			limit := int(c.h.limits["sequence_length"])
			name := c.action(`function main({ next, n = 0, error }) {
				return error === undefined ? { action: next, params: {}, state: { next, n: n + 1 } } : { params: { n: n - 1, told: error } } }`,
				J{"annotations": kv("conductor", true)})
			c.result(name, J{"next": c.doer()}).want(200).json(J{"n": limit, "told": "Too many actions in the composition."})
		}},
		{"a conductor that runs too often ends as an application error", func(c *C) {
			name := c.action(`function main({ next }) { return { action: next, params: {}, state: { next } } }`,
				J{"annotations": kv("conductor", true)})
			c.result(name, J{"next": "/nowhere"}).want(502).json(J{"error": "Too many actions in the composition."})
		}},
		{"components of compositions in compositions count", func(c *C) {
			limit := int(c.h.limits["sequence_length"])
			many := L{}
			for range limit - 3 {
				many = append(many, J{"action": c.doer(), "params": J{}})
			}
			inner, one := J{"action": c.conductor(), "params": J{"steps": many}}, J{"action": c.doer()}
			c.conduct(nil, inner, one).want(200)
			c.conduct(nil, inner, one, one, one, one).want(502).
				field("response.result", J{"error": "Too many actions in the composition."})
		}},
	}
}
