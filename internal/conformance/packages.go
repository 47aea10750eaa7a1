package conformance

import (
	"fmt"
	"slices"
)

func packageChecks() []Check {
	return []Check{
		{"a new package is answered whole", func(c *C) {
			name := c.name("p")
			a := c.put("packages/"+name, J{"parameters": kv("p", 1), "annotations": kv("a", 2), "publish": true}).want(200)
			a.keys("annotations", "binding", "name", "namespace", "parameters", "publish", "updated", "version")
			a.field("name", name).field("namespace", c.ns()).field("binding", J{}).field("version", "0.0.1").field("publish", true).
				field("parameters", kv("p", 1)).field("annotations", kv("a", 2))
			a.num("updated")
		}},
		{"a package is private unless it says otherwise", func(c *C) {
			c.put("packages/"+c.name("p"), J{}).want(200).field("publish", false).field("annotations", L{}).field("parameters", L{})
		}},
		{"a package that exists is 409", func(c *C) {
			c.put("packages/"+c.make("packages"), J{}).fails(409, exists)
		}},
		{"a package can be made with overwrite", func(c *C) {
			c.put("packages/"+c.name("p")+"?overwrite=true", J{}).want(200).field("version", "0.0.1")
		}},
		{"an empty binding is none", func(c *C) {
			c.put("packages/"+c.name("p"), J{"binding": J{}}).want(200).field("binding", J{})
		}},
		{"an update of a package keeps what it does not give", func(c *C) {
			path := "packages/" + c.name("p")
			c.put(path, J{"parameters": kv("p", 1), "annotations": kv("a", 2), "publish": true}).want(200)
			c.put(path+"?overwrite=true", J{}).want(200).field("parameters", kv("p", 1)).field("annotations", kv("a", 2)).field("publish", true)
			c.put(path+"?overwrite=true", J{"publish": false}).want(200).field("publish", false).field("parameters", kv("p", 1))
		}},
		{"an update of a package replaces parameters and annotations", func(c *C) {
			path := "packages/" + c.name("p")
			c.put(path, J{"parameters": kv("a", 1, "b", 2), "annotations": kv("a", 1, "b", 2)}).want(200)
			c.put(path+"?overwrite=true", J{"parameters": kv("b", 3), "annotations": kv("c", 4)}).want(200).
				field("parameters", kv("b", 3)).field("annotations", kv("c", 4))
		}},
		{"the name default is reserved", func(c *C) {
			c.put("packages/default", J{}).failsLike(400, "Package name 'default' is reserved.")
		}},
		{"a package's annotation of a binding is not the client's", func(c *C) {
			c.put("packages/"+c.name("p"), J{"annotations": kv("binding", J{"name": "x", "namespace": "y"}, "a", 1)}).want(200).
				field("annotations", kv("a", 1))
		}},
		{"one's own missing package is 404", func(c *C) {
			name := c.name("none")
			c.get("packages/"+name).fails(404, "The requested resource '"+c.ns()+"/"+name+"' does not exist.")
			c.delete("packages/"+name).fails(404, notFound)
		}},
	}
}

func packagedActionChecks() []Check {
	// packed makes a package with one action, a, with the given parameters.
	packed := func(c *C, pkg, action L) string {
		c.Helper()
		name := c.name("p")
		c.put("packages/"+name, J{"parameters": pkg}).want(200)
		c.put("actions/"+name+"/a", J{"exec": c.node(doer), "limits": small, "parameters": action}).want(200)
		return name
	}
	return []Check{
		{"an action in a package has the package in its namespace", func(c *C) {
			pkg := c.make("packages")
			c.put("actions/"+pkg+"/a", c.idle()).want(200).field("namespace", c.ns()+"/"+pkg).field("name", "a").lacks("binding")
			c.get("actions/"+pkg+"/a").want(200).field("namespace", c.ns()+"/"+pkg).lacks("binding")
			c.delete("actions/"+pkg+"/a").want(200).field("namespace", c.ns()+"/"+pkg)
			c.get("actions/"+pkg+"/a").fails(404, notFound)
		}},
		{"an action in a package may have the name of one outside", func(c *C) {
			pkg, name := c.make("packages"), c.action("function main() { return { outside: true } }")
			c.put("actions/"+pkg+"/"+name, J{"exec": c.node("function main() { return { outside: false } }"), "limits": small}).want(200)
			c.result(name, nil).want(200).json(J{"outside": true})
			c.result(pkg+"/"+name, nil).want(200).json(J{"outside": false})
		}},
		{"an action's parameters override its package's", func(c *C) {
			pkg := packed(c, kv("a", "package", "b", "package"), kv("b", "action", "c", "action"))
			c.result(pkg+"/a", nil).want(200).json(J{"a": "package", "b": "action", "c": "action"})
			c.result(pkg+"/a", J{"c": "payload", "a": "payload"}).want(200).json(J{"a": "payload", "b": "action", "c": "payload"})
		}},
		{"an action in a package shows merged parameters", func(c *C) {
			pkg := packed(c, kv("a", "package", "b", "package"), kv("b", "action"))
			c.get("actions/"+pkg+"/a").want(200).parameter("a", "package").parameter("b", "action")
		}},
		{"what an action in a package is put with is shown alone", func(c *C) {
			pkg := packed(c, kv("a", "package"), kv("b", "action"))
			c.put("actions/"+pkg+"/a?overwrite=true", J{}).want(200).field("parameters", kv("b", "action"))
		}},
		{"a changed parameter of a package is used at once", func(c *C) {
			pkg := packed(c, kv("a", 1), L{})
			c.result(pkg+"/a", nil).want(200).json(J{"a": 1})
			c.put("packages/"+pkg+"?overwrite=true", J{"parameters": kv("a", 2)}).want(200)
			c.result(pkg+"/a", nil).want(200).json(J{"a": 2})
		}},
		{"a package's final parameters hold for its actions", func(c *C) {
			pkg := c.name("p")
			c.put("packages/"+pkg, J{"parameters": kv("a", 1)}).want(200)
			c.put("actions/"+pkg+"/a", J{"exec": c.node(doer), "limits": small, "annotations": kv("final", true)}).want(200)
			c.result(pkg+"/a", J{"a": 2}).failsLike(400, "Request defines parameters that are not allowed")
		}},
		{"an action in a package knows its whole name", func(c *C) {
			pkg := c.make("packages")
			c.put("actions/"+pkg+"/a", J{"exec": c.node("function main() { return { name: process.env.__OW_ACTION_NAME } }"), "limits": small}).want(200)
			c.result(pkg+"/a", nil).want(200).json(J{"name": c.full(pkg + "/a")})
		}},
		{"the record of an action in a package has its path", func(c *C) {
			pkg := packed(c, L{}, L{})
			r := c.record(c.run(pkg+"/a", nil).want(200).id()).field("name", "a").field("namespace", c.ns()).annotation("path", c.ns()+"/"+pkg+"/a")
			r.noAnnotation("binding")
		}},
		{"packages do not nest", func(c *C) {
			c.put("actions/a/b/c", c.idle()).failsLike(404)
			c.get("packages/a/b").failsLike(404)
		}},
	}
}

func packageContentChecks() []Check {
	return []Check{
		{"an empty package has no actions and no feeds", func(c *C) {
			c.get("packages/"+c.make("packages")).want(200).field("actions", L{}).field("feeds", L{}).field("binding", J{})
		}},
		{"a package names its actions and its feeds", func(c *C) {
			pkg := c.make("packages")
			body := c.idle()
			body["annotations"] = kv("a", 1)
			c.put("actions/"+pkg+"/plain", body).want(200)
			for name, value := range map[string]any{"feed": true, "other": false} {
				body["annotations"] = kv("feed", value)
				c.put("actions/"+pkg+"/"+name, body).want(200)
			}
			a := c.get("packages/" + pkg).want(200)
			a.at("actions").row("name", "plain").keys("annotations", "name", "version")
			a.at("actions").row("name", "plain").field("version", "0.0.1").annotation("a", 1).annotation("exec", c.h.node)
			if n := len(a.list("actions")); n != 1 {
				a.wrong("%d actions, want 1", n)
			}
			names := a.at("feeds").column("name")
			if slices.SortFunc(names, func(x, y any) int { return len(fmt.Sprint(x)) - len(fmt.Sprint(y)) }); !slices.Equal(names, []any{"feed", "other"}) {
				a.wrong("feeds are %v", names)
			}
		}},
		{"a package with an action is not deleted", func(c *C) {
			pkg := c.make("packages")
			c.put("actions/"+pkg+"/one", c.idle()).want(200)
			c.delete("packages/"+pkg).fails(409, "Package not empty (contains 1 entity). Set force param or delete package contents.")
			c.put("actions/"+pkg+"/two", c.idle()).want(200)
			c.delete("packages/"+pkg+"?force=false").fails(409, "Package not empty (contains 2 entities). Set force param or delete package contents.")
			c.get("actions/" + pkg + "/two").want(200)
		}},
		{"a package is deleted with its actions by force", func(c *C) {
			pkg := c.make("packages")
			c.put("actions/"+pkg+"/one", c.idle()).want(200)
			c.put("actions/"+pkg+"/two", c.idle()).want(200)
			c.delete("packages/"+pkg+"?force=true").want(200).field("name", pkg)
			c.get("packages/"+pkg).failsLike(404, "does not exist.")
			c.put("packages/"+pkg, J{}).want(200)
			c.get("packages/"+pkg).want(200).field("actions", L{})
			c.get("actions/"+pkg+"/one").fails(404, notFound)
		}},
		{"force must be a truth value", func(c *C) {
			c.delete("packages/"+c.make("packages")+"?force=very").failsLike(400, "'force'")
		}},
		{"a deleted package is answered whole", func(c *C) {
			pkg := c.name("p")
			c.put("packages/"+pkg, J{"parameters": kv("p", 1)}).want(200)
			c.delete("packages/"+pkg).want(200).field("name", pkg).field("binding", J{}).field("parameters", kv("p", 1))
		}},
	}
}

func packageListChecks() []Check {
	return []Check{
		{"a package cannot be posted to", func(c *C) { notAllowed(c.post("packages/"+c.make("packages"), J{})) }},
		{"a row of packages has what it should and no more", func(c *C) {
			name := c.name("p")
			c.put("packages/"+name, J{"parameters": kv("p", 1), "annotations": kv("a", 2)}).want(200)
			row := c.get("packages?limit=0").want(200).row("name", name)
			row.keys("annotations", "binding", "name", "namespace", "publish", "updated", "version")
			row.field("binding", false).field("namespace", c.ns()).field("publish", false).field("version", "0.0.1").annotation("a", 2)
		}},
		{"a stranger lists only published packages", func(c *C) {
			other := c.second()
			open, closed := c.name("p"), c.name("p")
			c.put("packages/"+open, J{"publish": true}).want(200)
			c.put("packages/"+closed, J{}).want(200)
			a := c.req("GET", in(c.ns(), "packages?limit=0")).as(other).do().want(200)
			a.row("name", open).field("publish", true).field("namespace", c.ns())
			if row, ok := a.find("name", closed); ok {
				row.wrong("it is private")
			}
			mine := c.get("packages?limit=0").want(200)
			mine.row("name", open)
			mine.row("name", closed)
		}},
		{"a stranger counts only published packages", func(c *C) {
			other := c.second()
			count := func() float64 {
				c.Helper()
				return c.req("GET", in(c.ns(), "packages?count=true")).as(other).do().want(200).num("packages")
			}
			c.put("packages/"+c.name("p"), J{"publish": true}).want(200)
			if n := count(); n < 1 {
				c.fatal("%v, want at least the one just published", n)
			}
		}},
	}
}
