package conformance

import (
	"fmt"
	"slices"
)

func sequenceChecks() []Check {
	return append(sequencePutChecks(), sequenceRunChecks()...)
}

// sequence makes a sequence of actions, named as in a PUT, and returns its
// name.
func (c *C) sequence(components ...any) string {
	c.Helper()
	name := c.name("sequence")
	c.put("actions/"+name, sequenceOf(components...)).want(200)
	return name
}

func sequenceOf(components ...any) J {
	return J{"exec": J{"kind": "sequence", "components": L(components)}}
}

func sequencePutChecks() []Check {
	refused := func(name string, exec J, status int, parts ...string) Check {
		return Check{name, func(c *C) { c.put("actions/"+c.name("s"), J{"exec": exec}).failsLike(status, parts...) }}
	}
	const malformed = "The request content was malformed:\n"
	return []Check{
		{"a sequence is answered with its components' full names", func(c *C) {
			name := c.sequence("/_/"+c.doer(), c.full(c.doer()))
			want := L{c.full(c.doer()), c.full(c.doer())}
			c.get("actions/"+name).want(200).field("exec.kind", "sequence").field("exec.components", want).annotation("exec", "sequence")
			c.get("actions/"+name+"?code=false").want(200).field("exec.kind", "sequence").field("exec.components", want)
		}},
		{"a component's name may lack the leading slash", func(c *C) {
			name := c.sequence(c.ns() + "/" + c.doer())
			c.get("actions/"+name).want(200).field("exec.components", L{c.full(c.doer())})
		}},
		{"a component's name may be an object", func(c *C) {
			name := c.sequence(J{"path": c.ns(), "name": c.doer()})
			c.get("actions/"+name).want(200).field("exec.components", L{c.full(c.doer())})
		}},
		refused("a component without a namespace is malformed", J{"kind": "sequence", "components": L{"alone"}}, 400, malformed,
			"The fully qualified name of the entity must contain at least the namespace and the name of the entity."),
		refused("components that are no array are malformed", J{"kind": "sequence", "components": "/_/a"}, 400, malformed, "'components' must be an array"),
		refused("a sequence without components is malformed", J{"kind": "sequence"}, 400, malformed, "'components' must be defined for sequence kind"),
		refused("a sequence of nothing is refused", J{"kind": "sequence", "components": L{}}, 400, "No component specified for the sequence."),
		refused("a component that does not exist is refused", J{"kind": "sequence", "components": L{"/_/nothing-of-that-name"}}, 400, "Sequence component does not exist."),
		{"a sequence may not refer to itself", func(c *C) {
			name := c.sequence(c.full(c.doer()))
			c.put("actions/"+name+"?overwrite=true", sequenceOf(c.full(c.doer()), c.full(name))).fails(400, "Sequence may not refer to itself.")
			c.get("actions/"+name).want(200).field("exec.components", L{c.full(c.doer())})
		}},
		{"a sequence may not refer to itself through another", func(c *C) {
			inner := c.sequence(c.full(c.doer()))
			outer := c.sequence(c.full(inner))
			c.put("actions/"+inner+"?overwrite=true", sequenceOf(c.full(outer))).fails(400, "Sequence may not refer to itself.")
		}},
		{"a sequence has at most 50 actions", func(c *C) {
			c.sequence(slices.Repeat(L{c.full(c.doer())}, 50)...)
			c.put("actions/"+c.name("s"), sequenceOf(slices.Repeat(L{c.full(c.doer())}, 51)...)).fails(400, "Too many actions in the sequence.")
		}},
		{"the actions of sequences in a sequence count", func(c *C) {
			half := c.full(c.sequence(slices.Repeat(L{c.full(c.doer())}, 25)...))
			c.sequence(half, half)
			c.put("actions/"+c.name("s"), sequenceOf(half, half, c.full(c.doer()))).fails(400, "Too many actions in the sequence.")
		}},
		{"a sequence's parameters are its actions", func(c *C) {
			body := sequenceOf(c.full(c.doer()))
			body["parameters"] = kv("mine", 1)
			name := c.name("s")
			c.put("actions/"+name, body).want(200).field("parameters", kv("_actions", L{c.full(c.doer())}))
			c.put("actions/"+name+"?overwrite=true", J{"parameters": kv("mine", 1)}).want(200).
				field("parameters", kv("_actions", L{c.full(c.doer())}))
		}},
		{"a sequence that becomes code loses its parameters", func(c *C) {
			name := c.sequence(c.full(c.doer()))
			c.put("actions/"+name+"?overwrite=true", c.idle()).want(200).field("parameters", L{}).field("exec.kind", c.h.node).annotation("exec", c.h.node)
		}},
		{"code that becomes a sequence is one", func(c *C) {
			name := c.action("function main() { return { was: 'code' } }", J{"parameters": kv("p", 1)})
			c.put("actions/"+name+"?overwrite=true", sequenceOf(c.full(c.doer()))).want(200).
				field("exec.kind", "sequence").lacks("exec.code").field("parameters", kv("_actions", L{c.full(c.doer())}))
			c.result(name, J{"a": 1}).want(200).json(J{"a": 1})
		}},
		{"delAnnotations is lost where exec is a sequence", func(c *C) {
			body := sequenceOf(c.full(c.doer()))
			body["annotations"] = kv("a", 1)
			name := c.name("s")
			c.put("actions/"+name, body).want(200)
			again := sequenceOf(c.full(c.doer()))
			again["delAnnotations"] = L{"a"}
			c.put("actions/"+name+"?overwrite=true", again).want(200).annotation("a", 1)
		}},
		{"a component that nobody may read is refused", func(c *C) {
			other := c.second()
			c.put("actions/"+c.name("s"), sequenceOf("/"+other.Namespace+"/private")).failsLike(403, "not authorized to access")
		}},
		{"a sequence is listed as one", func(c *C) {
			name := c.sequence(c.full(c.doer()))
			c.get("actions?limit=0").want(200).row("name", name).annotation("exec", "sequence").field("exec", J{"binary": false})
		}},
	}
}

// adder adds one to n, and remembers who it is.
const adder = "function main(a) { return { n: (a.n || 0) + 1, last: a.me } }"

// adder is a shared action that counts.
func (c *C) adder() string {
	c.Helper()
	return c.full(c.shared("actions", "adder", J{"exec": c.node(adder), "limits": small, "parameters": kv("me", "adder")}))
}

func sequenceRunChecks() []Check {
	checks := []Check{
		{"a component's result is the next one's payload", func(c *C) {
			name := c.sequence(c.adder(), c.adder(), c.adder())
			c.result(name, J{"n": 4}).want(200).json(J{"n": 7, "last": "adder"})
		}},
		{"a sequence may have no payload", func(c *C) {
			c.result(c.sequence(c.adder()), nil).want(200).json(J{"n": 1, "last": "adder"})
		}},
		{"the payload overrides a component's parameters", func(c *C) {
			c.result(c.sequence(c.adder()), J{"me": "other"}).want(200).json(J{"n": 1, "last": "other"})
		}},
		{"an array is passed on", func(c *C) {
			count := c.action("function main(a) { return { array: Array.isArray(a), n: a.length } }")
			c.result(c.sequence(c.full(c.doer()), c.full(count)), J{"give": L{1, 2, 3}}).want(200).json(J{"array": true, "n": 3})
		}},
		{"an array is passed on to python", func(c *C) {
			count := c.python("def main(args):\n  return {'array': isinstance(args, list), 'n': len(args)}")
			c.result(c.sequence(c.full(c.doer()), c.full(count)), J{"give": L{1, 2}}).want(200).json(J{"array": true, "n": 2})
		}},
		{"a sequence that ends in an array answers it bare", func(c *C) {
			c.run(c.sequence(c.full(c.doer())), J{"give": L{1, 2}}).want(200).json(L{1, 2})
		}},
		{"an error in the payload does not stop a sequence", func(c *C) {
			c.result(c.sequence(c.adder(), c.adder()), J{"error": "before", "n": 1}).want(200).json(J{"n": 3, "last": "adder"})
		}},
		{"an error stops a sequence and is its result", func(c *C) {
			name := c.sequence(c.full(c.doer()), c.adder())
			a := c.run(name, J{"give": J{"error": "stop", "n": 1}}).want(502)
			a.field("response.status", "application error").field("response.result", J{"error": "stop"}).field("response.success", false)
			if n := len(c.record(a.id()).list("logs")); n != 1 {
				a.wrong("%d components ran, want 1", n)
			}
		}},
		{"a developer error stops a sequence", func(c *C) {
			a := c.run(c.sequence(c.full(c.doer()), c.adder()), J{"throw": "stop"}).want(502)
			a.field("response.status", "action developer error").has("response.result.error")
			if n := len(a.list("logs")); n != 1 {
				a.wrong("%d components ran, want 1", n)
			}
		}},
		{"a non-blocking sequence is 202 and recorded", func(c *C) {
			a := c.post("actions/"+c.sequence(c.adder(), c.adder()), J{"n": 1}).want(202)
			a.json(J{"activationId": a.id()})
			c.record(a.id()).field("response.result.n", 3)
		}},
		{"a blocking sequence that takes longer is 202 and goes on", func(c *C) {
			name := c.sequence(c.full(c.doer()), c.adder())
			a := c.post("actions/"+name+"?blocking=true&timeout=100", J{"sleep": 400, "give": J{"n": 5}}).want(202)
			c.record(a.id()).field("response.result.n", 6)
		}},
		{"a component that is gone is an application error", func(c *C) {
			gone := c.action(adder)
			name := c.sequence(c.adder(), c.full(gone), c.adder())
			c.delete("actions/" + gone).want(200)
			a := c.run(name, nil).want(502).field("response.status", "application error").
				field("response.result", J{"error": "Sequence component does not exist."})
			if n := len(a.list("logs")); n != 1 {
				a.wrong("logs name %d components, want the one that ran", n)
			}
		}},
		{"a sequence that grew too long is an application error", func(c *C) {
			inner := c.sequence(c.adder())
			name := c.sequence(slices.Repeat(L{c.full(inner)}, 26)...)
			c.put("actions/"+inner+"?overwrite=true", sequenceOf(c.adder(), c.adder())).want(200)
			c.run(name, nil).want(502).field("response.status", "application error").
				field("response.result", J{"error": "Too many actions in the sequence."})
		}},
		{"a changed component is used at once", func(c *C) {
			part := c.action(adder)
			name := c.sequence(c.full(part))
			c.result(name, J{"n": 1}).want(200).json(J{"n": 2})
			c.put("actions/"+part+"?overwrite=true", J{"exec": c.node("function main() { return { changed: true } }")}).want(200)
			c.result(name, J{"n": 1}).want(200).json(J{"changed": true})
		}},
		{"the annotation conductor says nothing on a sequence", func(c *C) {
			body := sequenceOf(c.full(c.doer()))
			body["annotations"] = kv("conductor", true)
			name := c.name("s")
			c.put("actions/"+name, body).want(200)
			c.result(name, J{"give": J{"action": c.adder(), "params": J{}}}).want(200).json(J{"action": c.adder(), "params": J{}})
		}},
		{"a sequence may hold an action in a package", func(c *C) {
			pkg := c.make("packages")
			c.put("actions/"+pkg+"/add", J{"exec": c.node(adder), "limits": small}).want(200)
			name := c.sequence(c.full(pkg + "/add"))
			c.get("actions/"+name).want(200).field("exec.components", L{c.full(pkg + "/add")})
			c.result(name, J{"n": 1}).want(200).json(J{"n": 2})
		}},
	}
	return append(checks, sequenceRecordChecks()...)
}

func sequenceRecordChecks() []Check {
	return []Check{
		{"a sequence's record is one", func(c *C) {
			big := c.action(adder, J{"limits": J{"memory": 192}})
			name := c.sequence(c.adder(), c.full(big))
			r := c.record(c.run(name, nil).want(200).id()).lacks("cause")
			r.field("name", name).field("namespace", c.ns()).field("publish", false).field("version", "0.0.1").
				annotation("kind", "sequence").annotation("topmost", true).annotation("path", c.ns()+"/"+name)
			r.at("annotations").row("key", "limits").field("value.memory", 192)
			r.at("annotations").row("key", "waitTime")
			r.noAnnotation("conductor")
			r.noAnnotation("causedBy")
		}},
		{"a sequence's logs are its components' ids", func(c *C) {
			name := c.sequence(c.adder(), c.full(c.doer()))
			r := c.record(c.run(name, nil).want(200).id())
			logs := r.list("logs")
			if len(logs) != 2 {
				r.wrong("%d components", len(logs))
			}
			for i, want := range []string{c.adder(), c.full(c.doer())} {
				part := c.record(fmt.Sprint(logs[i]))
				part.annotation("path", want[1:]).annotation("causedBy", "sequence").field("cause", r.str("activationId"))
			}
		}},
		{"a sequence's duration is the sum of its components'", func(c *C) {
			name := c.sequence(c.full(c.doer()), c.full(c.doer()))
			r := c.record(c.run(name, J{"sleep": 40}).want(200).id())
			sum := 0.0
			for _, id := range r.list("logs") {
				sum += c.record(fmt.Sprint(id)).num("duration")
			}
			if d := r.num("duration"); d != sum || d < 78 {
				r.wrong("duration is %v, the components' sum %v", d, sum)
			}
		}},
		{"a blocking answer of a sequence names the components", func(c *C) {
			a := c.run(c.sequence(c.adder(), c.adder()), nil).want(200)
			if n := len(a.list("logs")); n != 2 {
				a.wrong("logs have %d entries, want 2", n)
			}
		}},
		{"a sequence in a sequence has the outer as its cause", func(c *C) {
			inner := c.sequence(c.adder())
			outer := c.record(c.run(c.sequence(c.full(inner), c.adder()), nil).want(200).field("response.result.n", 2).id())
			logs := outer.list("logs")
			if len(logs) != 2 {
				outer.wrong("%d components, want 2", len(logs))
			}
			in := c.record(fmt.Sprint(logs[0])).field("name", inner).field("cause", outer.str("activationId")).
				annotation("topmost", false).annotation("kind", "sequence").annotation("causedBy", "sequence")
			deepest := c.record(fmt.Sprint(in.list("logs")[0])).field("cause", in.str("activationId"))
			deepest.annotation("causedBy", "sequence")
		}},
		{"a sequence is listed among activations", func(c *C) {
			name := c.sequence(c.adder())
			id := c.run(name, nil).want(200).id()
			c.listed(name, 1).row("activationId", id).field("statusCode", 0).annotation("topmost", true).lacks("cause")
		}},
	}
}
