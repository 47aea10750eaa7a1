package conformance

import (
	"net/url"
	"strings"
)

func vanityChecks() []Check {
	// at begins a call of a path on the host of the suite's namespace.
	at := func(c *C, method, path string) *Request {
		c.Helper()
		if c.h.vanity == "" || strings.Trim(c.ns(), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" {
			c.Skip("needs HEARTH_TEST_VANITY, the domain of the namespaces' hosts")
		}
		u, err := url.Parse(c.h.url)
		if err != nil {
			c.fatal("%v", err)
		}
		host := c.ns() + "." + c.h.vanity
		if port := u.Port(); port != "" {
			host += ":" + port
		}
		return c.req(method, path).anonymous().to(host)
	}
	return []Check{
		{"a namespace's host has its web actions", func(c *C) {
			pkg := c.make("packages")
			c.put("actions/"+pkg+"/a", J{"exec": c.node(doer), "limits": small, "annotations": kv("web-export", true)}).want(200)
			at(c, "POST", "/"+pkg+"/a.json/more?q=1").json(J{"n": 2}).do().want(200).
				field("q", "1").field("n", 2).field("__ow_path", "/more").field("__ow_method", "post")
		}},
		{"a namespace's host has its default package", func(c *C) {
			at(c, "GET", "/"+c.webDoer()+".json?a=b").do().want(200).field("a", "b")
		}},
		{"a namespace's host has no private actions", func(c *C) {
			at(c, "GET", "/default/"+c.doer()+".json").do().fails(404, notFound)
		}},
		{"the root of a namespace's host is its index", func(c *C) {
			// The package's name is given, so this is the namespace's own for a moment.
			c.put("packages/public?overwrite=true", J{}).want(200)
			c.put("actions/public/index?overwrite=true", J{"exec": c.node("function main() { return { html: '<h1>home</h1>' } }"), "limits": small, "annotations": kv("web-export", true)}).want(200)
			at(c, "GET", "/").do().want(200).text("<h1>home</h1>")
		}},
		{"another namespace's host has not one's actions", func(c *C) {
			other := c.second()
			r := at(c, "GET", "/"+c.webDoer()+".json")
			r.to(strings.Replace(r.host, c.ns(), other.Namespace, 1)).do().fails(404, notFound)
		}},
	}
}
