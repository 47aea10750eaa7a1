package conformance

import "strings"

// encryptionChecks are about a platform that encrypts parameters: a strict host
// is one.
func encryptionChecks() []Check {
	const secret = "nobody must read this"
	// sealed wants the parameters to be shown encrypted.
	sealed := func(a *Answer, keys ...string) *Answer {
		a.c.Helper()
		for _, key := range keys {
			p := a.at("parameters").row("key", key)
			if p.str("encryption") == "" || p.str("value") == secret {
				p.wrong("parameter %s is open", key)
			}
		}
		if strings.Contains(string(a.Body), secret) {
			a.wrong("the value is in it")
		}
		return a
	}
	return []Check{
		{"an action's parameters are shown encrypted and used in the open", func(c *C) {
			c.strictOnly()
			name := c.name("a")
			body := J{"exec": c.node(doer), "limits": small, "parameters": kv("text", secret, "object", J{"a": L{1}})}
			sealed(c.put("actions/"+name, body).want(200), "text", "object")
			sealed(c.get("actions/"+name).want(200), "text", "object")
			c.result(name, J{"more": 1}).want(200).json(J{"text": secret, "object": J{"a": L{1}}, "more": 1})
		}},
		{"a package's parameters are shown encrypted and used in the open", func(c *C) {
			c.strictOnly()
			pkg := c.name("p")
			sealed(c.put("packages/"+pkg, J{"parameters": kv("text", secret)}).want(200), "text")
			c.put("actions/"+pkg+"/a", J{"exec": c.node(doer), "limits": small}).want(200)
			sealed(c.get("packages/"+pkg).want(200), "text")
			sealed(c.get("actions/"+pkg+"/a").want(200), "text")
			c.result(pkg+"/a", nil).want(200).json(J{"text": secret})
		}},
		{"an encrypted init parameter is environment in the open", func(c *C) {
			c.strictOnly()
			name := c.action("function main(a) { return { env: process.env.TEXT, a } }",
				J{"parameters": L{J{"key": "TEXT", "value": secret, "init": true}}})
			sealed(c.get("actions/"+name).want(200), "TEXT").at("parameters").row("key", "TEXT").field("init", true)
			c.result(name, nil).want(200).json(J{"env": secret, "a": J{}})
		}},
		{"an encrypted parameter can be overridden in the open", func(c *C) {
			c.strictOnly()
			name := c.action(doer, J{"parameters": kv("text", secret)})
			c.result(name, J{"text": "open"}).want(200).json(J{"text": "open"})
		}},
		{"an encrypted text in the payload stays what it is", func(c *C) {
			c.strictOnly()
			name := c.action(doer, J{"parameters": kv("text", secret)})
			text := c.get("actions/"+name).want(200).at("parameters").row("key", "text").str("value")
			c.result(name, J{"text": text}).want(200).json(J{"text": text})
		}},
		{"parameters can be put back as they were shown", func(c *C) {
			c.strictOnly()
			name := c.action(doer, J{"parameters": kv("text", secret)})
			shown := c.get("actions/" + name).want(200).at("parameters").v
			sealed(c.put("actions/"+name+"?overwrite=true", J{"parameters": shown}).want(200), "text")
			c.result(name, nil).want(200).json(J{"text": secret})
		}},
		{"another namespace cannot open what it was shown", func(c *C) {
			c.strictOnly()
			other := c.second()
			name := c.action(doer, J{"parameters": kv("text", secret)})
			shown := c.get("actions/" + name).want(200).at("parameters").v
			theirs := c.name("a")
			got := c.req("PUT", "actions/"+theirs).as(other).json(J{"exec": c.node(doer), "limits": small, "parameters": shown}).do().want(400)
			if strings.Contains(string(got.Body), secret) {
				got.wrong("the value is in it")
			}
		}},
		{"annotations are not encrypted", func(c *C) {
			c.strictOnly()
			c.put("packages/"+c.name("p"), J{"annotations": kv("a", "open")}).want(200).annotation("a", "open")
		}},
	}
}
