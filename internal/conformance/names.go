package conformance

import (
	"net/url"
	"slices"
	"strings"
)

// Texts about names.
const (
	illegal   = "The name of the entity contains illegal characters."
	elsewhere = "Resource by this name exists but is not in this collection."
)

func nameChecks() []Check {
	checks := []Check{
		{"a name of 256 characters is legal", func(c *C) {
			name := c.name("")
			name += strings.Repeat("x", 256-len(name))
			c.put("actions/"+name, c.idle()).want(200).field("name", name)
		}},
		{"a name of 257 characters is too long", func(c *C) {
			c.put("actions/"+strings.Repeat("x", 257), c.idle()).fails(400, "Name segement longer than allowed: 257 > 256.")
		}},
		{"a package's name of 257 characters is too long", func(c *C) {
			c.put("actions/"+strings.Repeat("x", 257)+"/a", c.idle()).fails(400, "Name segement longer than allowed: 257 > 256.")
		}},
		{"a namespace with illegal characters is 400", func(c *C) {
			c.get(in("no!", "actions")).fails(400, "The namespace contains illegal characters.")
		}},
		{"a namespace of 257 characters is too long", func(c *C) {
			c.get(in(strings.Repeat("x", 257), "actions")).failsLike(400, "Namespace longer than allowed: 257 > 256")
		}},
		{"an underscore for the namespace is the caller's", func(c *C) {
			name := c.name("a")
			c.put("actions/"+name, c.idle()).want(200).field("namespace", c.ns())
			c.get(in(c.ns(), "actions/"+name)).want(200).field("namespace", c.ns()).field("name", name)
		}},
		{"a name that was deleted can be used for another kind", func(c *C) {
			name := c.name("a")
			c.put("actions/"+name, c.idle()).want(200)
			c.delete("actions/" + name).want(200)
			c.put("triggers/"+name, J{}).want(200)
			c.get("triggers/"+name).want(200).field("name", name)
		}},
	}
	return slices.Concat(checks, characterChecks(), collisionChecks(), activationIDChecks(), versionChecks())
}

// characterChecks are about what a name may be made of.
func characterChecks() (checks []Check) {
	for _, n := range [][2]string{
		{"spaces", "a b  c"},
		{"an at sign", "a@b"},
		{"dots", "a.b..c"},
		{"hyphens", "a--b"},
		{"an ampersand", "a&b"},
		{"an underscore", "a__b"},
		{"upper case", "aBC"},
		{"a dot at the end", "a."},
		{"an ampersand at the end", "a&"},
		{"a hyphen at the end", "a-"},
	} {
		checks = append(checks, Check{"a name may have " + n[0], func(c *C) {
			full := c.name("") + n[1]
			c.put("actions/"+url.PathEscape(full), c.idle()).want(200).field("name", full)
			c.get("actions/"+url.PathEscape(full)).want(200).field("name", full)
		}})
	}
	for _, n := range [][2]string{
		{"a digit", "7"},
		{"an underscore", "_"},
		{"upper case", "Q"},
	} {
		checks = append(checks, Check{"a name may begin with " + n[0], func(c *C) {
			full := n[1] + c.name("")
			c.put("triggers/"+full, J{}).want(200).field("name", full)
		}})
	}
	for _, n := range [][2]string{
		{"a space at the end", "ab "},
		{"a space at the beginning", " ab"},
		{"a dot at the beginning", ".ab"},
		{"a hyphen at the beginning", "-ab"},
		{"an at sign at the beginning", "@ab"},
		{"a dollar", "a$b"},
		{"a colon", "a:b"},
		{"an exclamation mark", "a!"},
		{"a letter beyond ASCII", "aéb"},
		{"a slash", "a/b"},
		{"a tab", "a\tb"},
		{"a plus", "a+b"},
	} {
		checks = append(checks, Check{"a name may not have " + n[0], func(c *C) {
			for _, collection := range []string{"triggers", "actions", "rules", "packages"} {
				c.put(collection+"/"+url.PathEscape(n[1]), J{}).fails(400, illegal)
			}
		}})
	}
	return checks
}

// collisionChecks are about the one space of names of all kinds.
func collisionChecks() (checks []Check) {
	for _, one := range entityKinds {
		for _, other := range entityKinds {
			if one == other {
				continue
			}
			checks = append(checks, Check{"the name of one of the " + one + " is none of the " + other, func(c *C) {
				name := c.make(one)
				path := other + "/" + name
				c.put(path, c.body(other)).fails(409, elsewhere)
				c.put(path+"?overwrite=true", c.body(other)).fails(409, elsewhere)
				c.get(path).fails(409, elsewhere)
				c.delete(path).fails(409, elsewhere)
				if other != "packages" {
					c.post(path, J{"status": "inactive"}).fails(409, elsewhere)
				}
				c.get(one+"/"+name).want(200).field("name", name)
			}})
		}
	}
	return checks
}

// entityKinds are the collections that share one space of names.
var entityKinds = []string{"actions", "packages", "triggers", "rules"}

// body is the body of a PUT to the collection.
func (c *C) body(collection string) J {
	c.Helper()
	switch collection {
	case "actions":
		return c.idle()
	case "rules":
		return J{"trigger": c.full(c.make("triggers")), "action": c.full(c.doer())}
	}
	return J{}
}

// make makes an entity of the collection and returns its name.
func (c *C) make(collection string) string {
	c.Helper()
	name := c.name(strings.TrimSuffix(collection, "s"))
	c.put(collection+"/"+name, c.body(collection)).want(200).field("name", name)
	return name
}

func versionChecks() []Check {
	var checks []Check
	for _, collection := range entityKinds {
		checks = append(checks,
			Check{"the first version of " + collection + " is 0.0.1", func(c *C) {
				c.put(collection+"/"+c.name("v"), c.body(collection)).want(200).field("version", "0.0.1")
			}},
			Check{"an update of " + collection + " counts the patch up", func(c *C) {
				path := collection + "/" + c.make(collection)
				c.put(path+"?overwrite=true", J{}).want(200).field("version", "0.0.2")
				c.put(path+"?overwrite=true", J{}).want(200).field("version", "0.0.3")
				c.get(path).want(200).field("version", "0.0.3")
			}},
			Check{"a version of " + collection + " may be set and is counted on from", func(c *C) {
				path := collection + "/" + c.make(collection)
				c.put(path+"?overwrite=true", J{"version": "2.5.9"}).want(200).field("version", "2.5.9")
				c.put(path+"?overwrite=true", J{}).want(200).field("version", "2.5.10")
			}})
	}
	return append(checks,
		Check{"a version may leave out minor and patch", func(c *C) {
			path := "actions/" + c.make("actions") + "?overwrite=true"
			c.put(path, J{"version": "3"}).want(200).field("version", "3.0.0")
			c.put(path, J{"version": "4.1"}).want(200).field("version", "4.1.0")
		}},
		Check{"a version of a new entity may be set", func(c *C) {
			c.put("triggers/"+c.name("v"), J{"version": "1.2.3"}).want(200).field("version", "1.2.3")
		}},
		Check{"version 0.0.0 is malformed", func(c *C) {
			c.put("triggers/"+c.name("v"), J{"version": "0.0.0"}).
				failsLike(400, "The request content was malformed:\n", "semantic version malformed")
		}},
		Check{"a version that is none is malformed", func(c *C) {
			for _, v := range []any{"one", "", "-1.0.0", "1.x.0"} {
				c.put("triggers/"+c.name("v"), J{"version": v}).
					failsLike(400, "The request content was malformed:\n", "semantic version malformed")
			}
		}},
		Check{"a deleted name begins at 0.0.1 again", func(c *C) {
			path := "actions/" + c.make("actions")
			c.put(path+"?overwrite=true", J{}).want(200).field("version", "0.0.2")
			c.delete(path).want(200)
			c.put(path, c.idle()).want(200).field("version", "0.0.1")
		}},
	)
}

func activationIDChecks() []Check {
	return []Check{
		{"an activation id of another length is 400", func(c *C) {
			c.get("activations/abcde").fails(400, "Activation id length is 5 but must be 32.")
		}},
		{"an activation id with other characters is 400", func(c *C) {
			c.get("activations/"+strings.Repeat("g", 32)).fails(400, "The activation id is not valid.")
		}},
		{"an activation id in upper case is 400", func(c *C) {
			c.get("activations/"+strings.Repeat("A", 32)).fails(400, "The activation id is not valid.")
		}},
	}
}
