package conformance

import (
	"net/http"
	"strings"
)

// visit begins a call of a web action of the suite's namespace, without
// credentials: path is package/action.extension/more?query.
func (c *C) visit(method, path string) *Request {
	return c.req(method, "/api/v1/web/"+c.ns()+"/"+path).anonymous()
}

// web makes a web action and returns its path up to the extension. More
// annotations are keys and values in turn.
func (c *C) web(code string, annotations ...any) string {
	c.Helper()
	return "default/" + c.action(code, J{"annotations": kv(append([]any{"web-export", true}, annotations...)...)})
}

// webDoer is a shared web action that does what it is told; see [doer].
func (c *C) webDoer() string {
	c.Helper()
	return "default/" + c.shared("actions", "web", J{"exec": c.node(doer), "limits": small, "annotations": kv("web-export", true)})
}

// give has a web action return a value and answers what becomes of it with the
// extension.
func (c *C) give(extension string, value any) *Answer {
	c.Helper()
	return c.visit("POST", c.webDoer()+extension).json(J{"give": value}).do()
}

func webGateChecks() []Check {
	gone := func(a *Answer) {
		a.c.Helper()
		a.fails(http.StatusNotFound, notFound)
	}
	checks := []Check{
		{"a web action needs no key", func(c *C) {
			c.visit("GET", c.webDoer()+".json?a=b").do().want(200).field("a", "b")
		}},
		{"a namespace that does not exist is 404 to visitors", func(c *C) {
			gone(c.req("GET", "/api/v1/web/"+c.name("nowhere")+"/default/a.json").anonymous().do())
		}},
		{"a package that does not exist is 404 to visitors", func(c *C) { gone(c.visit("GET", c.name("none")+"/a.json").do()) }},
		{"an action that does not exist is 404 to visitors", func(c *C) {
			gone(c.visit("GET", "default/"+c.name("none")+".json").do())
			gone(c.visit("GET", c.make("packages")+"/none.json").do())
		}},
		{"a web error is readable JSON of error and code", func(c *C) {
			a := c.visit("GET", "default/"+c.name("none")+".json").do().fails(404, notFound).mediaType("application/json").keys("code", "error")
			if !strings.Contains(string(a.shown.Body), "\n") {
				a.wrong("it is not spread over lines")
			}
		}},
		{"an action that is no web action is 404, to its owner too", func(c *C) {
			gone(c.visit("GET", "default/"+c.doer()+".json").do())
			gone(c.req("GET", "/api/v1/web/"+c.ns()+"/default/"+c.doer()+".json").do())
		}},
		{"a web action answers with its activation's id", func(c *C) {
			a := c.visit("GET", c.webDoer()+".json?a=b").do().want(200)
			c.record(a.id()).field("namespace", c.ns()).field("response.result.a", "b").annotation("path", c.ns()+strings.TrimPrefix(c.webDoer(), "default"))
		}},
		{"a web action may be in a package", func(c *C) {
			pkg := c.name("p")
			c.put("packages/"+pkg, J{"parameters": kv("p", "package")}).want(200)
			c.put("actions/"+pkg+"/a", J{"exec": c.node(doer), "limits": small, "annotations": kv("web-export", true)}).want(200)
			c.visit("GET", pkg+"/a.json?q=1").do().want(200).field("p", "package").field("q", "1")
			gone(c.visit("GET", "default/a.json").do())
		}},
		{"a web action may be reached through a binding", func(c *C) {
			pkg := c.make("packages")
			c.put("actions/"+pkg+"/a", J{"exec": c.node(doer), "limits": small, "annotations": kv("web-export", true)}).want(200)
			b := c.bind(pkg, J{"parameters": kv("b", "binding")})
			a := c.visit("GET", b+"/a.json").do().want(200).field("b", "binding")
			c.record(a.id()).annotation("binding", c.ns()+"/"+b)
		}},
		{"a web action through another's binding runs for the binding's owner", func(c *C) {
			other := c.second()
			pkg := c.name("p")
			c.req("PUT", in("_", "packages/"+pkg)).as(other).json(J{"publish": true}).do().want(200)
			c.req("PUT", in("_", "actions/"+pkg+"/a")).as(other).json(J{"exec": c.node(doer), "limits": small, "annotations": kv("web-export", true)}).do().want(200)
			b := c.name("b")
			c.put("packages/"+b, bindTo(other.Namespace, pkg)).want(200)
			a := c.visit("GET", b+"/a.json?a=b").do().want(200).field("a", "b")
			c.record(a.id()).field("namespace", c.ns())
		}},
		{"a web action may be a sequence", func(c *C) {
			body := sequenceOf(c.full(c.doer()), c.full(c.doer()))
			body["annotations"] = kv("web-export", true)
			name := c.name("s")
			c.put("actions/"+name, body).want(200)
			c.visit("GET", "default/"+name+".json?a=b").do().want(200).field("a", "b")
		}},
		{"a payload beyond 1 MB is 413 to visitors", func(c *C) {
			c.visit("POST", c.webDoer()+".json").json(J{"x": strings.Repeat("x", 1<<20)}).do().failsLike(413, "larger than allowed: 1048584 > 1048576 bytes.")
		}},
		{"an update of a web action is seen at once", func(c *C) {
			path := c.web("function main() { return { v: 1 } }")
			name := strings.TrimPrefix(path, "default/")
			c.visit("GET", path+".json").do().want(200).json(J{"v": 1})
			c.put("actions/"+name+"?overwrite=true", J{"annotations": kv("web-export", false)}).want(200)
			gone(c.visit("GET", path+".json").do())
		}},
	}
	for _, v := range []struct {
		what  string
		value any
	}{{"a text", "true"}, {"false", false}, {"a number", 1}, {"null", nil}, {"an object", J{}}} {
		checks = append(checks, Check{"with the annotation web-export of " + v.what + " an action is no web action", func(c *C) {
			gone(c.visit("GET", "default/"+c.action(doer, J{"annotations": kv("web-export", v.value)})+".json").do())
		}})
	}
	checks = append(checks, webPathChecks()...)
	return append(checks, webAuthChecks()...)
}

func webPathChecks() []Check {
	checks := []Check{
		{"an extension that there is not belongs to the name", func(c *C) {
			c.visit("GET", c.webDoer()+".xml").do().fails(404, notFound)
			name := c.name("a") + ".xml"
			c.put("actions/"+name, J{"exec": c.node("function main() { return { body: 'dotted' } }"), "limits": small, "annotations": kv("web-export", true)}).want(200)
			c.visit("GET", "default/"+name).do().want(200).text("dotted")
			c.visit("GET", "default/"+name+".http").do().want(200).text("dotted")
		}},
		{"without an extension it is http", func(c *C) {
			c.visit("POST", c.webDoer()).json(J{"give": J{"statusCode": 201, "body": "made"}}).do().want(201).text("made")
		}},
		{"the rest of the path is the action's", func(c *C) {
			c.visit("GET", c.webDoer()+".json").do().want(200).field("__ow_path", "")
			c.visit("GET", c.webDoer()+".json/").do().want(200).field("__ow_path", "/")
			c.visit("GET", c.webDoer()+".json/a/b.c/d?e=f").do().want(200).field("__ow_path", "/a/b.c/d")
		}},
		{"the rest of the path may follow the bare name", func(c *C) {
			c.visit("POST", c.webDoer()+"/a/b").json(J{}).do().want(204)
			path := c.web("function main(a) { return { body: { path: a.__ow_path } } }")
			c.visit("GET", path+"/a/b").do().want(200).json(J{"path": "/a/b"})
		}},
		{"an Accept that leaves out the answer's type is 406", func(c *C) {
			c.visit("GET", c.webDoer()+".json").set("Accept", "text/html").do().
				failsLike(406, "Resource representation is only available with these types:\napplication/json")
		}},
	}
	for _, method := range []string{"GET", "POST", "PUT", "DELETE", "PATCH"} {
		checks = append(checks, Check{"a web action answers to " + method, func(c *C) {
			c.visit(method, c.webDoer()+".json").do().want(200).field("__ow_method", strings.ToLower(method))
		}})
	}
	return append(checks, Check{"a web action answers to HEAD without a body", func(c *C) {
		a := c.visit("HEAD", c.webDoer()+".json").do().want(200).empty()
		c.record(a.id()).field("response.result.__ow_method", "head")
	}})
}

func webAuthChecks() []Check {
	const header = "X-Require-Whisk-Auth"
	denied := func(a *Answer) { a.c.Helper(); a.failsLike(http.StatusUnauthorized) }
	return []Check{
		{"a secret must be sent", func(c *C) {
			path := c.web(doer, "require-whisk-auth", "secret") + ".json"
			denied(c.visit("GET", path).do())
			denied(c.visit("GET", path).set(header, "wrong").do())
			denied(c.visit("GET", path).set(header, "secret ").set(header, "Secret").do())
			denied(c.req("GET", "/api/v1/web/"+c.ns()+"/"+path).do())
			c.visit("GET", path+"?a=b").set(header, "secret").do().want(200).field("a", "b")
		}},
		{"a secret may be a number", func(c *C) {
			path := c.web(doer, "require-whisk-auth", 12345) + ".json"
			denied(c.visit("GET", path).do())
			denied(c.visit("GET", path).set(header, "1234").do())
			c.visit("GET", path).set(header, "12345").do().want(200)
		}},
		{"a key may be required", func(c *C) {
			path := c.web(doer, "require-whisk-auth", true) + ".json"
			denied(c.visit("GET", path).do())
			denied(c.visit("GET", path).withKey("nobody:nothing").do())
			denied(c.visit("GET", path).set(header, "true").do())
			c.req("GET", "/api/v1/web/"+c.ns()+"/"+path).do().want(200).field("__ow_user", c.ns())
		}},
		{"any namespace's key will do", func(c *C) {
			other := c.second()
			path := c.web(doer, "require-whisk-auth", true) + ".json"
			c.visit("GET", path).as(other).do().want(200).field("__ow_user", other.Namespace)
		}},
		{"a key may be required not", func(c *C) {
			c.visit("GET", c.web(doer, "require-whisk-auth", false)+".json").do().want(200)
		}},
		{"any other requirement denies", func(c *C) {
			path := c.web(doer, "require-whisk-auth", J{}) + ".json"
			denied(c.visit("GET", path).do())
			denied(c.req("GET", "/api/v1/web/"+c.ns()+"/"+path).do())
		}},
		{"wrong credentials make a visitor anonymous", func(c *C) {
			c.visit("GET", c.webDoer()+".json").withKey("nobody:nothing").do().want(200).lacks("__ow_user")
			c.visit("GET", c.webDoer()+".json").set("Authorization", "Basic !").do().want(200).lacks("__ow_user")
			uuid, _, _ := strings.Cut(c.h.own.Key, ":")
			c.visit("GET", c.webDoer()+".json").withKey(uuid + ":" + strings.Repeat("a", 64)).do().want(200).lacks("__ow_user")
		}},
		{"a visitor without credentials has no name", func(c *C) {
			c.visit("GET", c.webDoer()+".json").do().want(200).lacks("__ow_user")
		}},
		{"a visitor's key tells the namespace", func(c *C) {
			c.req("GET", "/api/v1/web/"+c.ns()+"/"+c.webDoer()+".json").do().want(200).field("__ow_user", c.ns())
		}},
	}
}
