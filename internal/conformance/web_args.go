package conformance

import (
	"encoding/base64"
	"net/url"
	"strings"
)

const notAllowedParams = "Request defines parameters that are not allowed (e.g., reserved properties)."

func webArgumentChecks() []Check {
	checks := []Check{
		{"a query is arguments of text", func(c *C) {
			c.visit("GET", c.webDoer()+".json?a=1&b=&c=x%20y%26z&d").do().want(200).
				field("a", "1").field("b", "").field("c", "x y&z").field("d", "")
		}},
		{"a JSON object is arguments", func(c *C) {
			c.visit("POST", c.webDoer()+".json").json(J{"a": 1, "b": J{"c": L{nil}}}).do().want(200).
				field("a", 1).field("b", J{"c": L{nil}}).lacks("__ow_body")
		}},
		{"a JSON object of another media type is arguments", func(c *C) {
			c.visit("POST", c.webDoer()+".json").raw("application/vnd.api+json", `{"a":1}`).do().want(200).field("a", 1).lacks("__ow_body")
			c.visit("POST", c.webDoer()+".json").raw("application/json; charset=utf-8", `{"a":"ü"}`).do().want(200).field("a", "ü")
		}},
		{"the body overrides the query and both the parameters", func(c *C) {
			path := "default/" + c.action(doer, J{"annotations": kv("web-export", true), "parameters": kv("a", "action", "b", "action", "c", "action")})
			c.visit("POST", path+".json?b=query&c=query").json(J{"c": "body"}).do().want(200).
				field("a", "action").field("b", "query").field("c", "body")
		}},
		{"a form is arguments of text", func(c *C) {
			c.visit("POST", c.webDoer()+".json").raw("application/x-www-form-urlencoded", "a=1&b=x+y%26z&c=").do().want(200).
				field("a", "1").field("b", "x y&z").field("c", "").lacks("__ow_body")
		}},
		{"of a form's field given twice the last one stands", func(c *C) {
			c.visit("POST", c.webDoer()+".json").raw("application/x-www-form-urlencoded", "a=1&a=2").do().want(200).field("a", "2")
		}},
		{"JSON that is no object is the body", func(c *C) {
			for _, body := range []any{L{1, J{"a": 2}}, "text", 5, true} {
				c.visit("POST", c.webDoer()+".json").json(body).do().want(200).field("__ow_body", body)
			}
		}},
		{"JSON that does not parse is malformed", func(c *C) {
			c.visit("POST", c.webDoer()+".json").raw("application/json", `{"a":`).do().failsLike(400, "The request content was malformed")
		}},
		{"text is the body", func(c *C) {
			c.visit("POST", c.webDoer()+".json").raw("text/plain", "häßlich").do().want(200).field("__ow_body", "häßlich")
			c.visit("POST", c.webDoer()+".json").raw("text/html; charset=utf-8", "<p>").do().want(200).field("__ow_body", "<p>")
		}},
		{"binary is the body in base64", func(c *C) {
			for _, t := range []string{"application/octet-stream", "image/png"} {
				c.visit("POST", c.webDoer()+".json").raw(t, "\x00\xff\x01").do().want(200).
					field("__ow_body", base64.StdEncoding.EncodeToString([]byte("\x00\xff\x01")))
			}
		}},
		{"no body is no argument", func(c *C) {
			c.visit("POST", c.webDoer()+".json").do().want(200).lacks("__ow_body")
			c.visit("POST", c.webDoer()+".json").raw("application/json", "").do().want(200).lacks("__ow_body")
			c.visit("GET", c.webDoer()+".json").do().want(200).lacks("__ow_body", "__ow_query")
		}},
		{"headers have lower-case names", func(c *C) {
			h := c.visit("GET", c.webDoer()+".json").set("X-Some-Header", "Some Value").set("Cookie", "a=b").do().want(200).at("__ow_headers")
			h.field("x-some-header", "Some Value").field("cookie", "a=b").has("host").lacks("X-Some-Header", "Cookie")
		}},
		{"a content type is passed on, and none invented", func(c *C) {
			c.visit("GET", c.webDoer()+".json").do().want(200).at("__ow_headers").lacks("content-type")
			h := c.visit("POST", c.webDoer()+".json").json(J{"a": 1}).do().want(200).at("__ow_headers")
			if t := h.str("content-type"); !strings.HasPrefix(t, "application/json") {
				h.wrong("content-type is %q", t)
			}
		}},
		{"a platform's key is not passed on", func(c *C) {
			c.hearthOnly()
			c.req("GET", "/api/v1/web/"+c.ns()+"/"+c.webDoer()+".json").do().want(200).at("__ow_headers").lacks("authorization")
		}},
		{"other credentials are passed on", func(c *C) {
			c.visit("GET", c.webDoer()+".json").set("Authorization", "Bearer mine").do().want(200).field("__ow_headers.authorization", "Bearer mine")
			other := "Basic " + base64.StdEncoding.EncodeToString([]byte("me:secret"))
			c.visit("GET", c.webDoer()+".json").set("Authorization", other).do().want(200).field("__ow_headers.authorization", other)
		}},
		{"an action without parameters still has the request", func(c *C) {
			c.visit("DELETE", c.webDoer()+".json/x").do().want(200).field("__ow_method", "delete").field("__ow_path", "/x").has("__ow_headers")
		}},
	}
	for _, key := range []string{"__ow_method", "__ow_headers", "__ow_path", "__ow_user", "__ow_query", "__ow_body"} {
		checks = append(checks, Check{"a visitor may not set " + key, func(c *C) {
			c.visit("GET", c.webDoer()+".json?"+key+"=x").do().failsLike(400, notAllowedParams)
			c.visit("POST", c.webDoer()+".json").json(J{key: "x"}).do().failsLike(400, notAllowedParams)
			c.visit("POST", c.webDoer()+".json").raw("application/x-www-form-urlencoded", url.Values{key: {"x"}}.Encode()).do().
				failsLike(400, notAllowedParams)
		}})
	}
	return append(checks,
		Check{"a final web action's parameters cannot be set", func(c *C) {
			path := "default/" + c.action(doer, J{"annotations": kv("web-export", true, "final", true), "parameters": kv("a", 1, "open", nil)}) + ".json"
			c.visit("GET", path+"?a=2").do().failsLike(400, notAllowedParams)
			c.visit("POST", path).json(J{"a": 2}).do().failsLike(400, notAllowedParams)
			c.visit("GET", path+"?open=2&new=3").do().want(200).field("a", 1).field("open", "2").field("new", "3")
		}},
		Check{"a web action's parameters can be set unless they are final", func(c *C) {
			path := "default/" + c.action(doer, J{"annotations": kv("web-export", true), "parameters": kv("a", 1)}) + ".json"
			c.visit("GET", path+"?a=2").do().want(200).field("a", "2")
		}},
	)
}

// rawDoer is a shared web action that takes requests as they are.
func (c *C) rawDoer() string {
	c.Helper()
	return "default/" + c.shared("actions", "raw", J{"exec": c.node(doer), "limits": small, "annotations": kv("web-export", true, "raw-http", true)}) + ".json"
}

func webRawChecks() []Check {
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	return []Check{
		{"a raw query is text and no arguments", func(c *C) {
			c.visit("GET", c.rawDoer()+"?a=1&b=x").do().want(200).field("__ow_query", "a=1&b=x").lacks("a", "b")
		}},
		{"a raw query that is not there is empty", func(c *C) { c.visit("GET", c.rawDoer()).do().want(200).field("__ow_query", "") }},
		{"a raw body that is not there is empty", func(c *C) {
			c.visit("GET", c.rawDoer()).do().want(200).field("__ow_body", "")
			c.visit("POST", c.rawDoer()).raw("application/json", "").do().want(200).field("__ow_body", "")
		}},
		{"raw JSON is base64 and no arguments", func(c *C) {
			c.visit("POST", c.rawDoer()).raw("application/json", `{"a": 1}`).do().want(200).field("__ow_body", b64(`{"a": 1}`)).lacks("a")
		}},
		{"raw JSON need not parse", func(c *C) {
			c.visit("POST", c.rawDoer()).raw("application/json", `{"a":`).do().want(200).field("__ow_body", b64(`{"a":`))
		}},
		{"raw text is text", func(c *C) {
			c.visit("POST", c.rawDoer()).raw("text/plain", "häßlich").do().want(200).field("__ow_body", "häßlich")
		}},
		{"a raw form is text", func(c *C) {
			c.visit("POST", c.rawDoer()).raw("application/x-www-form-urlencoded", "a=1&b=x%20y").do().want(200).
				field("__ow_body", "a=1&b=x%20y").lacks("a", "b")
		}},
		{"raw binary is base64", func(c *C) {
			c.visit("POST", c.rawDoer()).raw("application/octet-stream", "\x00\xfe").do().want(200).field("__ow_body", b64("\x00\xfe"))
		}},
		{"raw requests may name what is reserved", func(c *C) {
			c.visit("GET", c.rawDoer()+"?__ow_method=x").do().want(200).field("__ow_method", "get").field("__ow_query", "__ow_method=x")
			c.visit("POST", c.rawDoer()).raw("application/json", `{"__ow_path":"x"}`).do().want(200).field("__ow_path", "")
		}},
		{"a raw action has path, method, headers and parameters", func(c *C) {
			path := "default/" + c.action(doer, J{"annotations": kv("web-export", true, "raw-http", true, "final", true), "parameters": kv("p", 1)})
			a := c.visit("PUT", path+".json/x/y?p=2").set("X-Mine", "1").raw("text/plain", "body").do().want(200)
			a.field("p", 1).field("__ow_path", "/x/y").field("__ow_method", "put").field("__ow_query", "p=2").field("__ow_body", "body").
				field("__ow_headers.x-mine", "1")
		}},
		{"a raw action knows its visitor", func(c *C) {
			c.req("GET", "/api/v1/web/"+c.ns()+"/"+c.rawDoer()).do().want(200).field("__ow_user", c.ns())
			c.visit("GET", c.rawDoer()).do().want(200).lacks("__ow_user")
		}},
		{"raw-http must be true", func(c *C) {
			c.visit("GET", c.web(doer, "raw-http", false)+".json?a=1").do().want(200).field("a", "1").lacks("__ow_query")
		}},
	}
}
