package conformance

// executeOnlyChecks are about a platform on which published packages can be
// used and not looked into: a strict host is one.
func executeOnlyChecks() []Check {
	// share makes a published package of another account with an action, and a
	// binding of one's own to it.
	share := func(c *C) (other Account, pkg, binding string) {
		c.Helper()
		c.strictOnly()
		other, pkg, binding = c.second(), c.name("shared"), c.name("binding")
		c.req("PUT", in("_", "packages/"+pkg)).as(other).json(J{"publish": true}).do().want(200)
		c.req("PUT", in("_", "actions/"+pkg+"/a")).as(other).json(J{"exec": c.node(doer), "limits": small}).do().want(200)
		c.put("packages/"+binding, bindTo(other.Namespace, pkg)).want(200)
		return other, pkg, binding
	}
	return []Check{
		{"an action shared for execution is invoked and not shown", func(c *C) {
			other, pkg, _ := share(c)
			c.post(in(other.Namespace, "actions/"+pkg+"/a?blocking=true&result=true"), J{"a": 1}).want(200).json(J{"a": 1})
			c.get(in(other.Namespace, "actions/"+pkg+"/a")).failsLike(403, "GET not permitted for '", "since it's an action in a shared package")
			c.get(in(other.Namespace, "actions/"+pkg+"/a?code=false")).failsLike(403, "since it's an action in a shared package")
		}},
		{"a package shared for execution is not shown", func(c *C) {
			other, pkg, _ := share(c)
			c.get(in(other.Namespace, "packages/"+pkg)).fails(403, "GET not permitted for '"+other.Namespace+"/"+pkg+"' since it's a shared package")
		}},
		{"a binding of a package shared for execution is used and not shown", func(c *C) {
			_, _, b := share(c)
			c.result(b+"/a", J{"a": 1}).want(200).json(J{"a": 1})
			c.get("packages/"+b).fails(403, "GET not permitted since "+b+" is a binding of a shared package")
		}},
		{"an action through a binding of a package shared for execution is told as one that is not there", func(c *C) {
			_, _, b := share(c)
			for _, name := range []string{"a", "none"} {
				c.get("actions/"+b+"/"+name).fails(403, "GET not permitted for '"+c.ns()+"/"+b+"/"+name+
					"'. Resource does not exist or is an action in a shared package binding.")
			}
		}},
		{"what one shares for execution is one's own to see", func(c *C) {
			other, pkg, _ := share(c)
			c.req("GET", in("_", "packages/"+pkg)).as(other).do().want(200).field("name", pkg)
			c.req("GET", in("_", "actions/"+pkg+"/a")).as(other).do().want(200).field("exec.code", doer)
		}},
		{"packages shared for execution are listed", func(c *C) {
			other, pkg, _ := share(c)
			c.get(in(other.Namespace, "packages?limit=0")).want(200).row("name", pkg)
		}},
	}
}
