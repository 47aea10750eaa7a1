package conformance

func actionGetChecks() []Check {
	const code = "function main() { return {} } // ü"
	return []Check{
		{"an action is got as it was put", func(c *C) {
			name := c.name("a")
			put := c.put("actions/"+name, J{"exec": c.node(code), "parameters": kv("p", 1), "annotations": kv("a", 2)}).want(200)
			got := c.get("actions/"+name).want(200).field("exec.code", code)
			for _, f := range []string{"name", "namespace", "parameters", "annotations", "limits", "version", "publish", "updated"} {
				got.field(f, put.at(f).v)
			}
		}},
		{"an action's code can be left out", func(c *C) {
			name := c.name("a")
			exec := c.node(code)
			exec["main"] = "start"
			c.put("actions/"+name, J{"exec": exec}).want(200)
			c.get("actions/"+name+"?code=false").want(200).lacks("exec.code").
				field("exec.kind", c.h.node).field("exec.binary", false).field("exec.main", "start")
			c.get("actions/"+name+"?code=true").want(200).field("exec.code", code)
		}},
		{"a blackbox action without its code keeps the image", func(c *C) {
			name := c.name("a")
			c.put("actions/"+name, J{"exec": J{"kind": "blackbox", "image": "example/image", "code": "x y"}}).want(200)
			c.get("actions/"+name+"?code=false").want(200).lacks("exec.code").field("exec.image", "example/image")
		}},
		{"code must be a truth value", func(c *C) {
			c.get("actions/"+c.doer()+"?code=some").failsLike(400, "'code'")
		}},
		{"a default-package action shows no binding", func(c *C) { c.get("actions/" + c.doer()).want(200).lacks("binding") }},
		{"a missing action is 404", func(c *C) { c.get("actions/"+c.name("none")).fails(404, notFound) }},
		{"a deleted action is answered whole and gone", func(c *C) {
			name := c.name("a")
			put := c.put("actions/"+name, J{"exec": c.node(code), "parameters": kv("p", 1)}).want(200)
			gone := c.delete("actions/"+name).want(200).field("name", name).field("exec.kind", c.h.node).parameter("p", 1)
			gone.field("updated", put.at("updated").v).field("version", "0.0.1")
			c.get("actions/"+name).fails(404, notFound)
			c.delete("actions/"+name).fails(404, notFound)
			c.post("actions/"+name, nil).fails(404, notFound)
		}},
		{"deleting a missing action is 404", func(c *C) { c.delete("actions/"+c.name("none")).fails(404, notFound) }},
		{"getting an action does not change it", func(c *C) {
			path := "actions/" + c.make("actions")
			first := c.get(path).want(200)
			c.get(path).want(200).field("updated", first.at("updated").v).field("version", "0.0.1")
		}},
		{"an update moves an action's time on", func(c *C) {
			path := "actions/" + c.make("actions")
			first := c.get(path).want(200).num("updated")
			c.await("a later time", func() bool {
				return c.put(path+"?overwrite=true", J{}).want(200).num("updated") > first
			})
		}},
	}
}
