package conformance

import (
	"encoding/json"
	"strings"
)

func trafficChecks() []Check {
	return []Check{
		{"an API answers with its action's result", func(c *C) {
			a := c.api()
			a.add("GET", "/hello/there", c.webDoer())
			a.call("GET", "/hello/there?a=b").do().want(200).mediaType("application/json").field("a", "b").field("__ow_method", "get")
		}},
		{"an API passes body and headers on", func(c *C) {
			a := c.api()
			a.add("POST", "/x", c.webDoer())
			a.call("POST", "/x?q=1").set("X-Mine", "here").json(J{"n": 2}).do().want(200).
				field("q", "1").field("n", 2).field("__ow_headers.x-mine", "here")
		}},
		{"an API tells the action which URL was asked for", func(c *C) {
			a := c.api()
			a.add("GET", "/x", c.webDoer())
			a.call("GET", "/x?q=1").set("X-Forwarded-Url", "https://example.com/other").do().want(200).
				field("__ow_headers.x-forwarded-url", a.url+"/x?q=1")
		}},
		{"an API's answer names the activation", func(c *C) {
			a := c.api()
			a.add("GET", "/x", c.webDoer())
			c.record(a.call("GET", "/x").do().want(200).id()).field("namespace", c.ns())
		}},
		{"a path that an API has not is 404", func(c *C) {
			a := c.api()
			a.add("GET", "/x", c.webDoer())
			a.call("GET", "/y").do().want(404)
			a.call("GET", "/xy").do().want(404)
		}},
		{"what is behind the longest path that an API has is the action's", func(c *C) {
			a := c.api()
			a.add("GET", "/x", c.webDoer())
			a.add("GET", "/x/y", c.webDoer())
			a.call("GET", "/x/z/more").do().want(200).field("__ow_path", "/z/more")
			a.call("GET", "/x/y/more").do().want(200).field("__ow_path", "/more")
		}},
		{"a verb that a path has not is refused", func(c *C) {
			a := c.api()
			a.add("GET", "/x", c.webDoer())
			if got := a.call("DELETE", "/x").do(); got.Status != 404 && got.Status != 405 {
				got.wrong("want 404 or 405")
			}
		}},
		{"the response type http gives status, headers and body", func(c *C) {
			a := c.api()
			a.url = a.create(a.doc("POST", "/x", c.webDoer(), ".http"), "http").want(200).str("gwApiUrl")
			a.call("POST", "/x").json(J{"give": J{"statusCode": 201, "headers": J{"X-A": "b"}, "body": "made"}}).do().want(201).header("X-A", "b").text("made")
		}},
		{"the response types text and html give theirs", func(c *C) {
			for _, t := range []string{"text", "html"} {
				a := c.api()
				a.url = a.create(a.doc("POST", "/x", c.webDoer(), "."+t), t).want(200).str("gwApiUrl")
				got := a.call("POST", "/x").json(J{"give": J{"body": "<p>"}}).do().want(200).text("<p>")
				if want := map[string]string{"text": "text/plain", "html": "text/html"}[t]; !strings.HasPrefix(got.Header.Get("Content-Type"), want) {
					got.wrong("Content-Type is %q, want %s", got.Header.Get("Content-Type"), want)
				}
			}
		}},
		{"path parameters are the action's to see", func(c *C) {
			a := c.api()
			path := c.web("function main(a) { return { body: a } }")
			doc := a.doc("GET", "/things/{id}/of/{owner}", path, ".http")
			doc["pathParameters"] = L{
				J{"name": "id", "in": "path", "required": true, "type": "string", "description": ""},
				J{"name": "owner", "in": "path", "required": true, "type": "string", "description": ""},
			}
			a.url = a.create(doc, "http").want(200).str("gwApiUrl")
			a.call("GET", "/things/7/of/me?x=y").do().want(200).field("x", "y").field("__ow_path", a.base+"/things/7/of/me")
			a.call("GET", "/things/7/of").do().want(404)
		}},
		{"an API sends a web action its secret", func(c *C) {
			a := c.api()
			path := c.web(doer, "require-whisk-auth", "open sesame")
			doc := a.doc("GET", "/x", path, ".json")
			doc["action"].(J)["secureKey"] = "open sesame"
			a.url = a.create(doc, "json").want(200).str("gwApiUrl")
			a.call("GET", "/x?a=b").do().want(200).field("a", "b")
			c.visit("GET", path+".json").do().failsLike(401)
		}},
		{"an API answers OPTIONS for other origins", func(c *C) {
			a := c.api()
			a.add("GET", "/x", c.webDoer())
			a.call("OPTIONS", "/x").set("Origin", "https://example.com").do().want(200).
				hasHeader("Access-Control-Allow-Origin").hasHeader("Access-Control-Allow-Methods")
		}},
		{"an API of an action that is a web action no more is 404", func(c *C) {
			a := c.api()
			path := c.web(doer)
			a.add("GET", "/x", path)
			a.call("GET", "/x").do().want(200)
			c.put("actions/"+strings.TrimPrefix(path, "default/")+"?overwrite=true", J{"annotations": kv("web-export", false)}).want(200)
			a.call("GET", "/x").do().want(404)
		}},
	}
}

func swaggerChecks() []Check {
	// swagger is the document of an API as clients send it whole.
	swagger := func(c *C, a *api) string {
		c.Helper()
		doc := a.add("GET", "/x", c.webDoer()).at("apidoc")
		a.delete().want(200)
		b, err := json.Marshal(doc.v)
		if err != nil {
			c.fatal("%v", err)
		}
		return string(b)
	}
	return []Check{
		{"an API may be made of a Swagger document", func(c *C) {
			a := c.api()
			text := swagger(c, a)
			got := a.create(J{"namespace": c.ns(), "swagger": text}, "json").want(200).field("apidoc.basePath", a.base)
			got.at("apidoc", "paths").keys("/x")
			a.url = got.str("gwApiUrl")
			a.call("GET", "/x?a=b").do().want(200).field("a", "b")
		}},
		{"a Swagger document replaces the API that was", func(c *C) {
			a := c.api()
			text := swagger(c, a)
			a.add("GET", "/before", c.webDoer())
			a.create(J{"namespace": c.ns(), "swagger": text}, "json").want(200).at("apidoc", "paths").keys("/x")
			a.call("GET", "/before").do().want(404)
		}},
		{"a Swagger document and a base path exclude each other", func(c *C) {
			a := c.api()
			doc := a.doc("GET", "/x", c.webDoer(), ".json")
			doc["swagger"] = `{"swagger":"2.0","basePath":"/x","paths":{}}`
			refused(a.create(doc, "json"), "")
		}},
		{"a Swagger document that does not parse is refused", func(c *C) {
			a := c.api()
			refused(a.create(J{"namespace": c.ns(), "swagger": "{"}, "json"), "")
			refused(a.create(J{"namespace": c.ns(), "swagger": `{"swagger":"2.0"}`}, "json"), "")
		}},
	}
}
