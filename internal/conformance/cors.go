package conformance

func corsChecks() []Check {
	allowed := func(a *Answer) {
		a.c.Helper()
		a.header("Access-Control-Allow-Origin", "*").
			header("Access-Control-Allow-Headers", "Authorization, Origin, X-Requested-With, Content-Type, Accept, User-Agent").
			header("Access-Control-Allow-Methods", "GET, DELETE, POST, PUT, HEAD")
	}
	return []Check{
		{"a list allows other origins", func(c *C) { allowed(c.get("actions?limit=1").want(200)) }},
		{"an entity allows other origins", func(c *C) { allowed(c.get("actions/" + c.doer()).want(200)) }},
		{"an invoke allows other origins", func(c *C) {
			allowed(c.run(c.doer(), J{}).want(200))
			allowed(c.post("actions/"+c.doer(), J{}).want(202))
		}},
		{"a failed invoke allows other origins", func(c *C) {
			allowed(c.run(c.doer(), J{"give": J{"error": 1}}).want(502))
		}},
		{"a handled error allows other origins", func(c *C) {
			allowed(c.get("actions/"+c.name("none")).fails(404, notFound))
		}},
		{"OPTIONS needs no credentials", func(c *C) {
			a := c.req("OPTIONS", in("_", "actions")).anonymous().do().want(200)
			allowed(a.empty())
		}},
		{"OPTIONS ignores wrong credentials", func(c *C) {
			allowed(c.req("OPTIONS", in("_", "actions/any")).withKey("nobody:nothing").do().want(200))
		}},
		{"OPTIONS answers for any path of the API", func(c *C) {
			for _, path := range []string{"/api/v1/namespaces", in(c.ns(), "triggers/none"), in("any", "activations/none/logs")} {
				allowed(c.req("OPTIONS", path).anonymous().do().want(200))
			}
		}},
	}
}
