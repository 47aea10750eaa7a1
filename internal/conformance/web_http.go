package conformance

import (
	"encoding/base64"
	"slices"
	"strings"
)

func webHTTPChecks() []Check {
	const invalid = "Response is not valid 'message/http'."
	checks := []Check{
		{"http has the status, headers and body that the action says", func(c *C) {
			c.give(".http", J{"statusCode": 418, "headers": J{"X-Tea": "pot", "Content-Type": "text/plain"}, "body": "short"}).
				want(418).header("X-Tea", "pot").mediaType("text/plain; charset=UTF-8").text("short")
		}},
		{"http without a body is 204", func(c *C) {
			for _, v := range []J{{}, {"body": nil}, {"body": ""}, {"headers": J{"X-A": "b"}}} {
				c.give(".http", v).want(204).empty()
			}
			c.give(".http", J{"headers": J{"X-A": "b"}}).want(204).header("X-A", "b")
		}},
		{"http without a body may have another status", func(c *C) {
			c.give(".http", J{"statusCode": 200}).want(200).empty()
			c.give(".http", J{"statusCode": 404, "body": ""}).want(404).empty()
		}},
		{"http with a body is 200", func(c *C) { c.give(".http", J{"body": "x"}).want(200).text("x") }},
		{"a status may be text of a number", func(c *C) { c.give(".http", J{"statusCode": "202", "body": "x"}).want(202).text("x") }},
		{"a status that is no whole number is refused", func(c *C) {
			for _, v := range []any{"many", 200.5, true, J{}} {
				c.give(".http", J{"statusCode": v, "body": "x"}).failsLike(400, invalid)
			}
		}},
		{"a status may be one that nobody registered", func(c *C) { c.give(".http", J{"statusCode": 299, "body": "x"}).want(299).text("x") }},
		{"an error's status and body are those of its value", func(c *C) {
			c.give(".http", J{"error": J{"statusCode": 404, "body": "gone", "headers": J{"X-A": "b"}}}).want(404).text("gone").header("X-A", "b")
		}},
		{"an error that is no object is refused", func(c *C) {
			c.give(".http", J{"error": "text"}).failsLike(400, invalid)
		}},
		{"a redirect is one", func(c *C) {
			c.give(".http", J{"statusCode": 302, "headers": J{"location": "https://example.com/x"}}).want(302).header("Location", "https://example.com/x")
		}},
		{"headers may be text, numbers and truth values", func(c *C) {
			c.give(".http", J{"headers": J{"X-Text": "a", "X-Number": 7, "X-Yes": true}, "body": "x"}).want(200).
				header("X-Text", "a").header("X-Number", "7").header("X-Yes", "true")
		}},
		{"an array of a header repeats it", func(c *C) {
			a := c.give(".http", J{"headers": J{"Set-Cookie": L{"a=b", "c=d; Path=/"}, "X-N": L{1, true}}, "body": "x"}).want(200)
			if got := a.Header.Values("Set-Cookie"); !slices.Equal(got, []string{"a=b", "c=d; Path=/"}) {
				a.wrong("Set-Cookie is %q", got)
			}
			if got := a.Header.Values("X-N"); !slices.Equal(got, []string{"1", "true"}) {
				a.wrong("X-N is %q", got)
			}
		}},
		{"headers that are no object are refused", func(c *C) {
			for _, v := range []any{"a: b", L{}, 1} {
				c.give(".http", J{"headers": v, "body": "x"}).failsLike(400, invalid)
			}
		}},
		{"a header that is null or an object is refused", func(c *C) {
			c.give(".http", J{"headers": J{"X-A": nil}, "body": "x"}).failsLike(400, invalid)
			c.give(".http", J{"headers": J{"X-A": J{"b": 1}}, "body": "x"}).failsLike(400, invalid)
		}},
		{"HEAD has the answer's headers and no body", func(c *C) {
			path := c.web("function main() { return { headers: { 'X-A': 'b' }, body: 'text' } }")
			c.visit("HEAD", path).do().want(200).header("X-A", "b").empty()
		}},
	}
	return append(checks, webBodyChecks()...)
}

func webBodyChecks() []Check {
	typed := func(t string, body any) J { return J{"headers": J{"content-type": t}, "body": body} }
	return []Check{
		{"a text body is html unless it says otherwise", func(c *C) {
			a := c.give(".http", J{"body": "<p>"}).want(200).text("<p>")
			if got, _, _ := strings.Cut(a.Header.Get("Content-Type"), ";"); got != "text/html" {
				a.wrong("Content-Type is %q", a.Header.Get("Content-Type"))
			}
		}},
		{"a content type's name may be in any case", func(c *C) {
			for _, name := range []string{"Content-Type", "content-type", "CONTENT-TYPE"} {
				c.give(".http", J{"headers": J{name: "text/css"}, "body": "a{}"}).want(200).mediaType("text/css; charset=UTF-8").text("a{}")
			}
		}},
		{"JSON as text is sent as it is", func(c *C) {
			c.give(".http", typed("application/json", `{"a": 1}`)).want(200).mediaType("application/json").text(`{"a": 1}`)
		}},
		{"JSON as text in base64 is decoded", func(c *C) {
			c.give(".http", typed("application/json", base64.StdEncoding.EncodeToString([]byte(`{"a":1}`)))).want(200).text(`{"a":1}`)
		}},
		{"a binary body is decoded from base64", func(c *C) {
			c.give(".http", typed("image/png", base64.StdEncoding.EncodeToString([]byte("\x89PNG\x00\xff")))).want(200).mediaType("image/png").text("\x89PNG\x00\xff")
			c.give(".http", typed("application/octet-stream", "AAH/")).want(200).mediaType("application/octet-stream").text("\x00\x01\xff")
		}},
		{"a binary body that is no base64 is refused", func(c *C) {
			c.give(".http", typed("image/png", "not base64!")).failsLike(400)
		}},
		{"a body of JSON is JSON", func(c *C) {
			for _, v := range []any{J{"a": L{1}}, L{1, 2}, 7, true} {
				c.give(".http", J{"body": v}).want(200).mediaType("application/json").json(v)
			}
		}},
		{"a body of JSON may be of another JSON type", func(c *C) {
			c.give(".http", typed("application/vnd.api+json", J{"a": 1})).want(200).mediaType("application/vnd.api+json").json(J{"a": 1})
		}},
		{"a body of JSON may not be of another type", func(c *C) {
			for _, t := range []string{"text/plain", "image/png"} {
				c.give(".http", typed(t, J{"a": 1})).failsLike(400, "Response type in header did not match generated content type.")
			}
		}},
		{"a content type that does not parse is refused", func(c *C) {
			c.give(".http", typed("no type", "x")).failsLike(400, "Response did not specify a known content-type.")
		}},
		{"a content type of no body is ignored", func(c *C) {
			c.give(".http", typed("no type", "")).want(204).empty()
			c.give(".http", J{"headers": J{"content-type": "image/png"}}).want(204).empty()
		}},
	}
}
