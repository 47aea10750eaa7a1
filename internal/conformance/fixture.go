package conformance

import (
	"encoding/json"
	"net/http"
	"sync"
)

// fixture is an entity that checks share.
type fixture struct {
	once      sync.Once
	name      string
	key, path string // "": it was not made
}

// doer is code that does what its parameters say, so that one warm sandbox
// serves most checks.
const doer = `
function main(a) {
  if (a.say !== undefined) console.log(a.say)
  if (a.cry !== undefined) console.error(a.cry)
  if (a.throw !== undefined) throw new Error(a.throw)
  if (a.reject !== undefined) return Promise.reject(a.reject)
  const out = 'give' in a ? a.give : a
  return a.sleep ? new Promise(done => setTimeout(() => done(out), a.sleep)) : out
}`

// shared makes an entity of the collection once for the run and returns its
// name. Nobody changes it.
func (c *C) shared(collection, what string, body J) string {
	c.Helper()
	h := c.h
	h.mu.Lock()
	f := h.fixtures[what]
	if f == nil {
		f = &fixture{name: h.run + "-shared-" + what}
		h.fixtures[what] = f
	}
	h.mu.Unlock()
	f.once.Do(func() {
		path := in("_", collection+"/"+f.name)
		b, err := json.Marshal(body)
		if err != nil {
			c.fatal("fixture %s: %v", what, err)
		}
		status, got, err := h.plain(c.Context(), http.MethodPut, h.own.Key, path, b)
		if err != nil || status != http.StatusOK {
			c.fatal("fixture %s: PUT %s answered %d %s (%v)", what, path, status, got, err)
		}
		f.key, f.path = h.own.Key, path
	})
	if f.path == "" {
		c.fatal("fixture %s could not be made", what)
	}
	return f.name
}

// doer is a shared action that does what it is told; see [doer].
func (c *C) doer() string {
	c.Helper()
	return c.shared("actions", "doer", J{"exec": c.node(doer), "limits": small})
}

// small are the limits of actions that need little.
var small = J{"memory": 128}

// node is an exec of the host's default nodejs kind.
func (c *C) node(code string) J { return J{"kind": c.h.node, "code": code} }

// idle is an action body for checks that never invoke it.
func (c *C) idle() J { return J{"exec": c.node("function main() { return {} }")} }

// action makes an action and returns its name. more are fields of the body.
func (c *C) action(code string, more ...J) string {
	c.Helper()
	name := c.name("action")
	body := J{"exec": c.node(code), "limits": small}
	for _, m := range more {
		for k, v := range m {
			body[k] = v
		}
	}
	c.put("actions/"+name, body).want(http.StatusOK)
	return name
}

// kv makes parameters or annotations of keys and values in turn.
func kv(pairs ...any) L {
	out := L{}
	for i := 0; i+1 < len(pairs); i += 2 {
		out = append(out, J{"key": pairs[i], "value": pairs[i+1]})
	}
	return out
}

// run invokes an action and returns the answer, which is its record.
func (c *C) run(action string, args any) *Answer {
	c.Helper()
	return c.post("actions/"+action+"?blocking=true", args)
}

// result invokes an action and returns the answer, which is its result.
func (c *C) result(action string, args any) *Answer {
	c.Helper()
	return c.post("actions/"+action+"?blocking=true&result=true", args)
}
