package conformance

func webCORSChecks() []Check {
	const (
		methods = "OPTIONS, GET, DELETE, POST, PUT, HEAD, PATCH"
		headers = "Authorization, Origin, X-Requested-With, Content-Type, Accept, User-Agent"
	)
	allowed := func(a *Answer, names string) {
		a.c.Helper()
		a.header("Access-Control-Allow-Origin", "*").header("Access-Control-Allow-Methods", methods).header("Access-Control-Allow-Headers", names)
	}
	own := `function main(a) { return { statusCode: 201, headers: { 'Access-Control-Allow-Origin': 'https://example.com', 'X-Method': a.__ow_method }, body: 'mine' } }`
	return []Check{
		{"a web action allows other origins", func(c *C) {
			allowed(c.visit("GET", c.webDoer()+".json").do().want(200), headers)
			allowed(c.give(".http", J{"statusCode": 404, "body": "x"}).want(404), headers)
		}},
		{"a web error allows other origins", func(c *C) {
			allowed(c.give(".text", J{"a": 1}).failsLike(404, "Response does not include requested property."), headers)
			allowed(c.visit("POST", c.webDoer()+".json").json(J{"throw": "x"}).do().failsLike(400), headers)
		}},
		{"the headers that are asked for are allowed", func(c *C) {
			allowed(c.visit("GET", c.webDoer()+".json").set("Access-Control-Request-Headers", "x-mine, X-Other").do().want(200), "x-mine, X-Other")
			allowed(c.visit("OPTIONS", c.webDoer()+".json").set("Access-Control-Request-Headers", "x-mine").do().want(200), "x-mine")
		}},
		{"OPTIONS of a web action does not run it", func(c *C) {
			path := c.web(doer)
			a := c.visit("OPTIONS", path+".json").do().want(200).empty().noHeader("x-openwhisk-activation-id")
			allowed(a, headers)
			c.visit("GET", path+".json").do().want(200)
			c.listed(path[len("default/"):], 1)
		}},
		{"OPTIONS of a web action needs no key", func(c *C) {
			allowed(c.visit("OPTIONS", c.web(doer, "require-whisk-auth", true)+".json").do().want(200), headers)
		}},
		{"OPTIONS of what is no web action is 404", func(c *C) {
			c.visit("OPTIONS", "default/"+c.doer()+".json").do().fails(404, notFound)
		}},
		{"an action with options of its own has no others", func(c *C) {
			path := c.web(own, "web-custom-options", true)
			a := c.visit("GET", path).do().want(201).header("Access-Control-Allow-Origin", "https://example.com").header("X-Method", "get")
			a.noHeader("Access-Control-Allow-Methods").noHeader("Access-Control-Allow-Headers")
		}},
		{"OPTIONS runs an action with options of its own", func(c *C) {
			path := c.web(own, "web-custom-options", true)
			a := c.visit("OPTIONS", path).do().want(201).text("mine").header("X-Method", "options").header("Access-Control-Allow-Origin", "https://example.com")
			a.noHeader("Access-Control-Allow-Methods")
			a.id()
		}},
		{"OPTIONS runs an action with options of its own although it requires a key", func(c *C) {
			path := c.web(own, "web-custom-options", true, "require-whisk-auth", "secret")
			c.visit("OPTIONS", path).do().want(201).text("mine")
			c.visit("GET", path).do().failsLike(401)
		}},
		{"options of one's own must be true", func(c *C) {
			path := c.web(own, "web-custom-options", false)
			c.visit("OPTIONS", path).do().want(200).empty().header("Access-Control-Allow-Methods", methods)
		}},
	}
}
