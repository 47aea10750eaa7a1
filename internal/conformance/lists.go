package conformance

import (
	"fmt"
	"slices"
)

func listChecks() []Check {
	var checks []Check
	for _, collection := range []string{"actions", "packages", "triggers", "rules", "activations"} {
		checks = append(checks, pageChecks(collection)...)
	}
	for _, collection := range entityKinds {
		checks = append(checks, entityListChecks(collection)...)
	}
	return append(checks, actionListChecks()...)
}

// pageChecks are about limit, skip and count, which all lists have.
func pageChecks(collection string) []Check {
	refused := func(query, text string) func(*C) {
		return func(c *C) { c.get(collection+"?"+query).failsLike(400, text) }
	}
	return []Check{
		{"a list of " + collection + " has at most the rows of its limit", func(c *C) {
			if n := len(c.get(collection + "?limit=1").want(200).rows()); n > 1 {
				c.fatal("%d rows, want at most 1", n)
			}
		}},
		{"a list of " + collection + " may have 200 rows", func(c *C) {
			c.get(collection + "?limit=200").want(200).rows()
			refused("limit=201", "The value '201' is not in the range of 0 to 200 for "+collection+".")(c)
		}},
		{"a limit of " + collection + " below 0 is refused", refused("limit=-1", "The value '-1' is not in the range of 0 to 200 for "+collection+".")},
		{"a limit of " + collection + " that is no number is refused", refused("limit=many", "The value 'many' is not an integer for "+collection+".")},
		{"a skip of " + collection + " below 0 is refused", refused("skip=-1", "The value '-1' is not greater than or equal to 0 for "+collection+".")},
		{"a skip of " + collection + " that is no number is refused", refused("skip=1.5", "The value '1.5' is not an integer for "+collection+".")},
		{"a count of " + collection + " is an object", func(c *C) {
			c.get(collection + "?count=true").want(200).keys(collection)
			if n := c.get(collection + "?count=true").num(collection); n < 0 {
				c.fatal("%v", n)
			}
		}},
		{"a count of " + collection + " is what follows the skip, and never below 0", func(c *C) {
			c.get(collection + "?count=true&skip=1000000").want(200).json(J{collection: 0})
		}},
	}
}

// entityListChecks are about the rows of entities, among those of others.
func entityListChecks(collection string) []Check {
	return []Check{
		{"a new one is first of the " + collection, func(c *C) {
			one, two := c.make(collection), c.make(collection)
			names := c.get(collection + "?limit=0").want(200).column("name")
			if i, j := slices.Index(names, any(one)), slices.Index(names, any(two)); i < 0 || j < 0 || j > i {
				c.fatal("%s is at %d and the newer %s at %d of %v", one, i, two, j, names)
			}
		}},
		{"a changed one is before older ones of the " + collection, func(c *C) {
			one, two := c.make(collection), c.make(collection)
			c.await("the change to be first", func() bool { // as soon as its time is another
				c.put(collection+"/"+one+"?overwrite=true", J{}).want(200)
				names := c.get(collection + "?limit=0").want(200).column("name")
				i, j := slices.Index(names, any(one)), slices.Index(names, any(two))
				return i >= 0 && i < j
			})
		}},
		{"a deleted one is none of the " + collection, func(c *C) {
			name := c.make(collection)
			c.get(collection+"?limit=0").want(200).row("name", name)
			c.delete(collection + "/" + name).want(200)
			if row, ok := c.get(collection+"?limit=0").want(200).find("name", name); ok {
				row.wrong("it is still there")
			}
		}},
		{"a count of " + collection + " counts more than the limit", func(c *C) {
			c.make(collection)
			c.make(collection)
			if n := c.get(collection + "?count=true&limit=1").want(200).num(collection); n < 2 {
				c.fatal("%v, want at least 2", n)
			}
		}},
		{"a stranger's list of " + collection + " is not one's own", func(c *C) {
			other := c.second()
			name := c.make(collection)
			a := c.req("GET", in("_", collection+"?limit=0")).as(other).do().want(200)
			if row, ok := a.find("name", name); ok {
				row.wrong("it is another's")
			}
		}},
	}
}

func actionListChecks() []Check {
	// filled is a package with so many actions; their names count down from
	// the last one made.
	filled := func(c *C, n int) string {
		c.Helper()
		pkg := c.make("packages")
		for i := range n {
			c.put(fmt.Sprintf("actions/%s/a%02d", pkg, i), c.idle()).want(200)
		}
		return pkg
	}
	return []Check{
		{"a row of actions has what it should and no more", func(c *C) {
			name := c.name("a")
			body := c.idle()
			body["parameters"] = kv("p", 1)
			body["annotations"] = kv("a", 2)
			put := c.put("actions/"+name, body).want(200)
			row := c.get("actions?limit=0").want(200).row("name", name)
			row.keys("annotations", "exec", "limits", "name", "namespace", "publish", "updated", "version")
			row.field("exec", J{"binary": false}).field("namespace", c.ns()).field("publish", false).field("version", "0.0.1").
				field("limits", put.at("limits").v).field("updated", put.at("updated").v).annotation("a", 2).annotation("exec", c.h.node)
		}},
		{"a row of a binary action says so", func(c *C) {
			name := c.name("a")
			c.put("actions/"+name, J{"exec": c.node("YWJj")}).want(200)
			c.get("actions?limit=0").want(200).row("name", name).field("exec", J{"binary": true})
		}},
		{"actions in packages are in the namespace's list", func(c *C) {
			pkg, name := c.make("packages"), c.name("a")
			c.put("actions/"+pkg+"/"+name, c.idle()).want(200)
			c.get("actions?limit=0").want(200).row("name", name).field("namespace", c.ns()+"/"+pkg)
		}},
		{"a list of a package has its actions alone", func(c *C) {
			pkg, other := filled(c, 2), filled(c, 1)
			a := c.get("actions/" + pkg + "/").want(200)
			if got := a.column("name"); !slices.Equal(got, []any{"a01", "a00"}) {
				a.wrong("names are %v", got)
			}
			for _, row := range a.rows() {
				row.field("namespace", c.ns()+"/"+pkg).field("exec", J{"binary": false})
			}
			if n := len(c.get("actions/" + other + "/").want(200).rows()); n != 1 {
				c.fatal("%d rows, want 1", n)
			}
		}},
		{"a list of an empty package is empty", func(c *C) { c.get("actions/" + c.make("packages") + "/").want(200).json(L{}) }},
		{"a list of a package that does not exist is 404", func(c *C) {
			c.get("actions/"+c.name("p")+"/").failsLike(404, "does not exist.")
		}},
		{"limit and skip cut a list's rows out", func(c *C) {
			pkg := filled(c, 4)
			if got := c.get("actions/" + pkg + "/?limit=2&skip=1").want(200).column("name"); !slices.Equal(got, []any{"a02", "a01"}) {
				c.fatal("%v, want a02 and a01", got)
			}
			c.get("actions/" + pkg + "/?skip=4").want(200).json(L{})
		}},
		{"a package's count is that of its actions less the skip", func(c *C) {
			pkg := filled(c, 3)
			c.get("actions/" + pkg + "/?count=true").want(200).json(J{"actions": 3})
			c.get("actions/" + pkg + "/?count=true&limit=1").want(200).json(J{"actions": 3})
			c.get("actions/" + pkg + "/?count=true&skip=2").want(200).json(J{"actions": 1})
		}},
		{"a list without a limit has 30 rows and one with limit 0 has 200", func(c *C) {
			pkg := filled(c, 32)
			if n := len(c.get("actions/" + pkg + "/").want(200).rows()); n != 30 {
				c.fatal("%d rows, want 30", n)
			}
			if n := len(c.get("actions/" + pkg + "/?limit=0").want(200).rows()); n != 32 {
				c.fatal("%d rows, want 32", n)
			}
		}},
		{"a namespace's actions are no stranger's to list", func(c *C) {
			other := c.second()
			c.req("GET", in(c.ns(), "actions")).as(other).do().failsLike(403, "not authorized to access")
			c.req("GET", in(c.ns(), "actions?count=true")).as(other).do().failsLike(403, "not authorized to access")
		}},
		{"a namespace's triggers and rules are no stranger's to list", func(c *C) {
			other := c.second()
			c.req("GET", in(c.ns(), "triggers")).as(other).do().failsLike(403, "not authorized to access")
			c.req("GET", in(c.ns(), "rules")).as(other).do().failsLike(403, "not authorized to access")
		}},
	}
}
