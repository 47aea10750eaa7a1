package conformance

import (
	"strings"
)

func webResponseChecks() []Check {
	const missing = "Response does not include requested property."
	checks := []Check{
		{"json of an object is the object", func(c *C) {
			c.give(".json", J{"a": 1, "body": "x"}).want(200).mediaType("application/json").json(J{"a": 1, "body": "x"})
		}},
		{"json of an array is the array", func(c *C) {
			c.hearthOnly()
			c.give(".json", L{1, J{"a": 2}}).want(200).mediaType("application/json").json(L{1, J{"a": 2}})
		}},
		{"json of anything else is refused", func(c *C) {
			for _, v := range []any{"text", 1, true, nil} {
				c.give(".json", J{"error": v}).failsLike(400, "Response is not valid 'application/json'.")
			}
		}},
		{"json of an error is the error", func(c *C) {
			c.give(".json", J{"error": J{"code": 7}, "more": 1}).want(200).json(J{"code": 7})
		}},
		{"text is the body", func(c *C) {
			c.give(".text", J{"body": "häßlich", "text": "no"}).want(200).mediaType("text/plain; charset=UTF-8").text("häßlich")
		}},
		{"text may be in text", func(c *C) { c.give(".text", J{"text": "this", "more": 1}).want(200).text("this") }},
		{"text of a number, a truth value or null is its text", func(c *C) {
			c.give(".text", J{"body": 1.5}).want(200).mediaType("text/plain; charset=UTF-8").text("1.5")
			c.give(".text", J{"body": true}).want(200).text("true")
			c.give(".text", J{"body": nil}).want(200).text("null")
		}},
		{"text of an object or an array is readable JSON", func(c *C) {
			for _, v := range []any{J{"a": 1, "b": L{2}}, L{1, 2}} {
				c.give(".text", J{"body": v}).want(200).mediaType("text/plain; charset=UTF-8").json(v)
			}
			if a := c.give(".text", J{"body": J{"a": 1, "b": 2}}).want(200); !strings.Contains(string(a.Body), "\n") {
				a.wrong("it is on one line")
			}
		}},
		{"text of an array alone is readable JSON", func(c *C) {
			c.hearthOnly()
			a := c.give(".text", L{1, J{"a": 2}}).want(200).mediaType("text/plain; charset=UTF-8").json(L{1, J{"a": 2}})
			if !strings.Contains(string(a.Body), "\n") {
				a.wrong("it is on one line")
			}
		}},
		{"text that is not there is 404", func(c *C) { c.give(".text", J{"a": 1}).failsLike(404, missing) }},
		{"text of an error is the error's", func(c *C) {
			c.give(".text", J{"error": "oh dear"}).want(200).mediaType("text/plain; charset=UTF-8").text("oh dear")
		}},
	}
	for _, f := range []struct{ ext, property, mediaType, refusal string }{
		{".html", "html", "text/html; charset=UTF-8", "Response is not valid 'text/html'."},
		{".svg", "svg", "image/svg+xml", "Response is not valid 'image/svg+xml'."},
	} {
		checks = append(checks,
			Check{f.property + " is the body", func(c *C) {
				a := c.give(f.ext, J{"body": "<p>ü</p>", f.property: "no"}).want(200).text("<p>ü</p>")
				if got, _, _ := strings.Cut(a.Header.Get("Content-Type"), ";"); got != strings.Split(f.mediaType, ";")[0] {
					a.wrong("Content-Type is %q, want %q", a.Header.Get("Content-Type"), f.mediaType)
				}
			}},
			Check{f.property + " may be in " + f.property, func(c *C) { c.give(f.ext, J{f.property: "<p>this</p>"}).want(200).text("<p>this</p>") }},
			Check{f.property + " that is no text is refused", func(c *C) {
				for _, v := range []any{1, true, J{}, L{"a"}} {
					c.give(f.ext, J{"body": v}).failsLike(400, f.refusal)
				}
			}},
		)
	}
	return append(checks,
		Check{"a developer error is 400 without details", func(c *C) {
			for _, ext := range []string{".json", ".text", ".html", ".svg", ".http"} {
				a := c.visit("POST", c.webDoer()+ext).json(J{"throw": "secret"}).do().failsLike(400, "There was an error processing your request.")
				c.record(a.id()).field("response.status", "action developer error")
			}
		}},
		Check{"an action without a result has nothing to show", func(c *C) {
			path := c.web("function main() {}")
			c.visit("GET", path+".json").do().want(200).json(J{})
			c.visit("GET", path+".text").do().failsLike(404, missing)
			c.visit("GET", path+".http").do().want(204).empty()
		}},
		Check{"a failed web action still names its activation", func(c *C) {
			a := c.give(".text", J{"a": 1}).failsLike(404, missing)
			c.record(a.id()).field("response.success", true)
		}},
	)
}
