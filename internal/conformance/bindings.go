package conformance

func bindingChecks() []Check {
	return append(bindingPutChecks(), bindingUseChecks()...)
}

// provider makes a package with the action a, which does what it is told.
func (c *C) provider(more J) string {
	c.Helper()
	name := c.name("provider")
	c.put("packages/"+name, more).want(200)
	c.put("actions/"+name+"/a", J{"exec": c.node(doer), "limits": small, "parameters": kv("own", "action")}).want(200)
	return name
}

// bindTo is the body of a binding.
func bindTo(namespace, pkg string, more ...J) J {
	body := J{"binding": J{"namespace": namespace, "name": pkg}}
	for _, m := range more {
		for k, v := range m {
			body[k] = v
		}
	}
	return body
}

// bind makes a binding of one's own package and returns its name.
func (c *C) bind(pkg string, more ...J) string {
	c.Helper()
	name := c.name("binding")
	c.put("packages/"+name, bindTo(c.ns(), pkg, more...)).want(200)
	return name
}

func bindingPutChecks() []Check {
	return []Check{
		{"a binding is answered with what it binds", func(c *C) {
			pkg := c.make("packages")
			a := c.put("packages/"+c.name("b"), bindTo(c.ns(), pkg, J{"annotations": kv("a", 1)})).want(200)
			a.field("binding", J{"namespace": c.ns(), "name": pkg}).annotation("a", 1).
				annotation("binding", J{"namespace": c.ns(), "name": pkg})
		}},
		{"an underscore in a binding is the caller's namespace", func(c *C) {
			pkg := c.make("packages")
			c.put("packages/"+c.name("b"), bindTo("_", pkg)).want(200).field("binding", J{"namespace": c.ns(), "name": pkg})
		}},
		{"a binding of what does not exist is refused", func(c *C) {
			c.put("packages/"+c.name("b"), bindTo(c.ns(), c.name("none"))).fails(400, "Binding references a package that does not exist.")
		}},
		{"a binding of what is no package is refused", func(c *C) {
			c.put("packages/"+c.name("b"), bindTo(c.ns(), c.doer())).fails(409, "Cannot bind to a resource that is not a package.")
		}},
		{"a binding of a binding is refused", func(c *C) {
			b := c.bind(c.make("packages"))
			c.put("packages/"+c.name("b"), bindTo(c.ns(), b)).fails(400, "Cannot bind to another package binding.")
		}},
		{"a package cannot become a binding", func(c *C) {
			pkg, other := c.make("packages"), c.make("packages")
			c.put("packages/"+other+"?overwrite=true", bindTo(c.ns(), pkg)).fails(409, "Resource is a package and cannot be converted into a binding.")
			c.get("packages/"+other).want(200).field("binding", J{})
		}},
		{"a binding may be pointed elsewhere", func(c *C) {
			one, two := c.make("packages"), c.make("packages")
			b := c.bind(one)
			c.put("packages/"+b+"?overwrite=true", bindTo(c.ns(), two)).want(200).field("binding.name", two).field("version", "0.0.2").
				annotation("binding", J{"namespace": c.ns(), "name": two})
			c.get("packages/"+b).want(200).field("binding.name", two)
		}},
		{"an update of a binding keeps what it binds", func(c *C) {
			pkg := c.make("packages")
			b := c.bind(pkg)
			c.put("packages/"+b+"?overwrite=true", J{"parameters": kv("a", 1)}).want(200).
				field("binding", J{"namespace": c.ns(), "name": pkg}).field("parameters", kv("a", 1))
		}},
		{"a row of a binding names what it binds", func(c *C) {
			pkg := c.make("packages")
			b := c.bind(pkg)
			c.get("packages?limit=0").want(200).row("name", b).field("binding", J{"namespace": c.ns(), "name": pkg})
		}},
		{"a stranger sees no bindings in a list", func(c *C) {
			other := c.second()
			b := c.bind(c.make("packages"), J{"publish": true})
			if row, ok := c.req("GET", in(c.ns(), "packages?limit=0")).as(other).do().want(200).find("name", b); ok {
				row.wrong("it is a binding")
			}
		}},
		{"a binding is deleted although its provider has actions", func(c *C) {
			pkg := c.provider(J{})
			b := c.bind(pkg)
			c.delete("packages/"+b).want(200).field("name", b)
			c.get("packages/"+b).failsLike(404, "does not exist.")
			c.get("actions/" + pkg + "/a").want(200)
		}},
		{"an action cannot be put into a binding", func(c *C) {
			b := c.bind(c.make("packages"))
			c.put("actions/"+b+"/a", c.idle()).fails(400, "Operation not permitted on package binding.")
		}},
		{"an action cannot be deleted from a binding", func(c *C) {
			pkg := c.provider(J{})
			c.delete("actions/"+c.bind(pkg)+"/a").fails(400, "Operation not permitted on package binding.")
			c.get("actions/" + pkg + "/a").want(200)
		}},
	}
}

func bindingUseChecks() []Check {
	return []Check{
		{"a binding shows itself with its provider's contents", func(c *C) {
			pkg := c.provider(J{"parameters": kv("p", "provider", "q", "provider"), "annotations": kv("provider", true)})
			b := c.bind(pkg, J{"parameters": kv("q", "binding", "r", "binding"), "annotations": kv("mine", true)})
			a := c.get("packages/" + b).want(200)
			a.field("name", b).field("namespace", c.ns()).field("version", "0.0.1").field("binding", J{"namespace": c.ns(), "name": pkg}).
				parameter("p", "provider").parameter("q", "binding").parameter("r", "binding").annotation("mine", true)
			a.noAnnotation("provider")
			a.at("actions").row("name", "a").field("version", "0.0.1")
		}},
		{"an action through a binding says so", func(c *C) {
			pkg := c.provider(J{"parameters": kv("p", "provider")})
			b := c.bind(pkg, J{"parameters": kv("p", "binding")})
			c.get("actions/"+b+"/a").want(200).field("namespace", c.ns()+"/"+pkg).field("name", "a").
				field("binding", c.ns()+"/"+b).parameter("p", "binding").parameter("own", "action").field("exec.code", doer)
			c.get("actions/"+b+"/a?code=false").want(200).field("binding", c.ns()+"/"+b).lacks("exec.code")
		}},
		{"an action through a binding is given merged parameters", func(c *C) {
			pkg := c.provider(J{"parameters": kv("p", "provider", "q", "provider", "own", "provider")})
			b := c.bind(pkg, J{"parameters": kv("q", "binding", "own", "binding", "r", "binding")})
			c.result(b+"/a", J{"r": "payload"}).want(200).
				json(J{"p": "provider", "q": "binding", "own": "action", "r": "payload"})
		}},
		{"a list through a binding is the provider's", func(c *C) {
			pkg := c.provider(J{})
			c.get("actions/"+c.bind(pkg)+"/").want(200).row("name", "a").field("namespace", c.ns()+"/"+pkg)
		}},
		{"the record of a run through a binding names both", func(c *C) {
			pkg := c.provider(J{})
			b := c.bind(pkg)
			id := c.run(b+"/a", nil).want(200).id()
			c.record(id).annotation("path", c.ns()+"/"+pkg+"/a").annotation("binding", c.ns()+"/"+b)
			c.listed(b+"/a", 1).row("activationId", id)
			c.get("activations?name=" + pkg + "/a").want(200).json(L{})
		}},
		{"a component may be named through a binding", func(c *C) {
			b := c.bind(c.provider(J{}), J{"parameters": kv("bound", true)})
			name := c.sequence(c.full(b + "/a"))
			c.result(name, J{"x": 1}).want(200).json(J{"x": 1, "own": "action", "bound": true})
		}},
		{"a missing action through a binding is 404", func(c *C) {
			b := c.bind(c.make("packages"))
			c.get("actions/"+b+"/none").fails(404, notFound)
			c.run(b+"/none", nil).fails(404, notFound)
		}},
		{"a binding whose provider is gone is of no use", func(c *C) {
			pkg := c.provider(J{})
			b := c.bind(pkg)
			c.delete("packages/" + pkg + "?force=true").want(200)
			if a := c.run(b+"/a", nil); a.Status != 404 && a.Status != 403 {
				a.wrong("want 404")
			}
		}},
		{"a published package of another can be bound and used", func(c *C) {
			other := c.second()
			pkg := c.name("shared")
			c.req("PUT", in("_", "packages/"+pkg)).as(other).json(J{"publish": true, "parameters": kv("p", "provider", "q", "provider")}).do().want(200)
			c.req("PUT", in("_", "actions/"+pkg+"/a")).as(other).json(J{"exec": c.node(doer), "limits": small}).do().want(200)
			b := c.name("b")
			c.put("packages/"+b, bindTo(other.Namespace, pkg, J{"parameters": kv("q", "mine")})).want(200).
				field("binding", J{"namespace": other.Namespace, "name": pkg})
			a := c.run(b+"/a", J{"x": 1}).want(200).field("response.result", J{"p": "provider", "q": "mine", "x": 1}).field("namespace", c.ns())
			c.record(a.id()).annotation("path", other.Namespace+"/"+pkg+"/a").annotation("binding", c.ns()+"/"+b)
		}},
		{"a private package of another cannot be bound", func(c *C) {
			other := c.second()
			pkg := c.name("private")
			c.req("PUT", in("_", "packages/"+pkg)).as(other).json(J{}).do().want(200)
			c.put("packages/"+c.name("b"), bindTo(other.Namespace, pkg)).failsLike(403, "not authorized to access")
			c.put("packages/"+c.name("b"), bindTo(other.Namespace, c.name("none"))).failsLike(403, "not authorized to access")
		}},
		{"a bound package that becomes private is of no use", func(c *C) {
			other := c.second()
			pkg := c.name("shared")
			c.req("PUT", in("_", "packages/"+pkg)).as(other).json(J{"publish": true}).do().want(200)
			c.req("PUT", in("_", "actions/"+pkg+"/a")).as(other).json(J{"exec": c.node(doer), "limits": small}).do().want(200)
			b := c.name("b")
			c.put("packages/"+b, bindTo(other.Namespace, pkg)).want(200)
			c.result(b+"/a", J{"x": 1}).want(200).json(J{"x": 1})
			c.req("PUT", in("_", "packages/"+pkg+"?overwrite=true")).as(other).json(J{"publish": false}).do().want(200)
			c.run(b+"/a", nil).failsLike(403, "not authorized to access")
		}},
	}
}
