package conformance

// notYours is the beginning of the error about what is another's.
const notYours = "The supplied authentication is not authorized to access '"

// share makes a package of another account with an action in it.
func (c *C) share(publish bool) (Account, string) {
	c.Helper()
	other := c.second()
	pkg := c.name("shared")
	c.req("PUT", in("_", "packages/"+pkg)).as(other).json(J{"publish": publish, "parameters": kv("from", "provider")}).do().want(200)
	c.req("PUT", in("_", "actions/"+pkg+"/a")).as(other).json(J{"exec": c.node(doer), "limits": small}).do().want(200)
	return other, pkg
}

func entitlementChecks() []Check {
	checks := []Check{
		{"a published package is everybody's to read", func(c *C) {
			other, pkg := c.share(true)
			c.get(in(other.Namespace, "packages/"+pkg)).want(200).field("name", pkg).field("namespace", other.Namespace).
				at("actions").row("name", "a")
		}},
		{"an action of a published package is everybody's to read and invoke", func(c *C) {
			other, pkg := c.share(true)
			c.get(in(other.Namespace, "actions/"+pkg+"/a")).want(200).field("namespace", other.Namespace+"/"+pkg)
			a := c.post(in(other.Namespace, "actions/"+pkg+"/a?blocking=true"), J{"x": 1}).want(200).
				field("response.result", J{"from": "provider", "x": 1}).field("namespace", c.ns())
			c.record(a.id()).annotation("path", other.Namespace+"/"+pkg+"/a")
			c.req("GET", in("_", "activations/"+a.id())).as(other).do().fails(404, notFound)
		}},
		{"an action of another runs for who invoked it", func(c *C) {
			other, pkg := c.share(true)
			c.req("PUT", in("_", "actions/"+pkg+"/who")).as(other).
				json(J{"exec": c.node("function main() { const e = process.env; return { ns: e.__OW_NAMESPACE, name: e.__OW_ACTION_NAME } }"), "limits": small}).do().want(200)
			c.post(in(other.Namespace, "actions/"+pkg+"/who?blocking=true&result=true"), nil).want(200).
				json(J{"ns": c.ns(), "name": "/" + other.Namespace + "/" + pkg + "/who"})
		}},
		{"the actions of a published package are everybody's to list", func(c *C) {
			other, pkg := c.share(true)
			c.get(in(other.Namespace, "actions/"+pkg+"/")).want(200).row("name", "a").field("namespace", other.Namespace+"/"+pkg)
		}},
		{"an action of a published package may be a component", func(c *C) {
			other, pkg := c.share(true)
			c.result(c.sequence("/"+other.Namespace+"/"+pkg+"/a"), J{"x": 1}).want(200).json(J{"from": "provider", "x": 1})
		}},
		{"a sequence of an action that is shared no more is refused", func(c *C) {
			other, pkg := c.share(true)
			name := c.sequence(c.full(c.doer()), "/"+other.Namespace+"/"+pkg+"/a")
			c.run(name, nil).want(200)
			c.req("PUT", in("_", "packages/"+pkg+"?overwrite=true")).as(other).json(J{"publish": false}).do().want(200)
			c.run(name, nil).failsLike(403, notYours)
		}},
		{"packages of any namespace can be listed", func(c *C) {
			c.get(in(c.name("nowhere"), "packages")).want(200).json(L{})
		}},
	}
	for _, collection := range []string{"triggers", "rules"} {
		checks = append(checks, Check{"another's " + collection + " are nobody else's", func(c *C) {
			other := c.second()
			path := in(other.Namespace, collection+"/"+c.name("x"))
			c.get(path).failsLike(403, notYours)
			c.put(path, J{}).failsLike(403, notYours)
			c.delete(path).failsLike(403, notYours)
			c.post(path, J{"status": "active"}).failsLike(403, notYours)
		}})
	}
	return append(checks, denialChecks()...)
}

func denialChecks() []Check {
	return []Check{
		{"a private package is nobody else's to read", func(c *C) {
			other, pkg := c.share(false)
			c.get(in(other.Namespace, "packages/"+pkg)).failsLike(403, notYours+other.Namespace+"/"+pkg+"'.")
		}},
		{"an action of a private package is nobody else's", func(c *C) {
			other, pkg := c.share(false)
			c.get(in(other.Namespace, "actions/"+pkg+"/a")).failsLike(403, notYours)
			c.post(in(other.Namespace, "actions/"+pkg+"/a"), nil).failsLike(403, notYours)
			c.get(in(other.Namespace, "actions/"+pkg+"/")).failsLike(403, notYours)
		}},
		{"another's missing package is told as a private one is", func(c *C) {
			other, pkg := c.share(false)
			none := c.name("none")
			c.get(in(other.Namespace, "packages/"+none)).failsLike(403, notYours+other.Namespace+"/"+none+"'.")
			c.get(in(other.Namespace, "packages/"+pkg)).failsLike(403, notYours+other.Namespace+"/"+pkg+"'.")
			c.delete(in(other.Namespace, "packages/"+none)).failsLike(403, notYours)
		}},
		{"another's missing action is told as a private one is", func(c *C) {
			other := c.second()
			name, none := c.name("a"), c.name("none")
			c.req("PUT", in("_", "actions/"+name)).as(other).json(c.idle()).do().want(200)
			for _, n := range []string{name, none} {
				c.get(in(other.Namespace, "actions/"+n)).fails(403, notYours+other.Namespace+"/"+n+"'.")
				c.post(in(other.Namespace, "actions/"+n), nil).fails(403, notYours+other.Namespace+"/"+n+"'.")
				c.delete(in(other.Namespace, "actions/"+n)).fails(403, notYours+other.Namespace+"/"+n+"'.")
			}
		}},
		{"a namespace that does not exist is told as a stranger's is", func(c *C) {
			ns := c.name("nowhere")
			c.get(in(ns, "actions")).failsLike(403, notYours)
			c.get(in(ns, "actions/a")).fails(403, notYours+ns+"/a'.")
			c.put(in(ns, "actions/a"), c.idle()).fails(403, notYours+ns+"/a'.")
			c.get(in(ns, "packages/a")).failsLike(403, notYours+ns+"/a'.")
		}},
		{"a published package is nobody else's to change", func(c *C) {
			other, pkg := c.share(true)
			c.put(in(other.Namespace, "packages/"+pkg+"?overwrite=true"), J{"publish": false}).failsLike(403, notYours)
			c.delete(in(other.Namespace, "packages/"+pkg)).failsLike(403, notYours)
			c.put(in(other.Namespace, "actions/"+pkg+"/b"), c.idle()).failsLike(403, notYours)
			c.delete(in(other.Namespace, "actions/"+pkg+"/a")).failsLike(403, notYours)
			c.get(in(other.Namespace, "actions/"+pkg+"/a")).want(200)
		}},
		{"publishing an action shares nothing", func(c *C) {
			other := c.second()
			name := c.name("a")
			body := c.idle()
			body["publish"] = true
			c.req("PUT", in("_", "actions/"+name)).as(other).json(body).do().want(200)
			c.get(in(other.Namespace, "actions/"+name)).fails(403, notYours+other.Namespace+"/"+name+"'.")
		}},
	}
}
