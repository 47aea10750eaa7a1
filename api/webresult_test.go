package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"hearth/whisk"
)

const pngText = "iVBORw0KGgo="

// TestTranscode holds what each extension makes of which result.
func TestTranscode(t *testing.T) {
	const (
		badJSON = "Response is not valid 'application/json'."
		badHTML = "Response is not valid 'text/html'."
		badSVG  = "Response is not valid 'image/svg+xml'."
		badHTTP = "Response is not valid 'message/http'."
		noType  = "Response did not specify a known content-type."
		badType = "Response type in header did not match generated content type."
		noField = "Response does not include requested property."
	)
	for _, c := range []struct {
		e      extension
		result string
		status int
		kind   string // media type
		body   string // the text of an error
	}{
		{extJSON, `{"a": 1}`, 200, "", `{"a": 1}`},
		{extJSON, `[1,2]`, 200, "", `[1,2]`},
		{extJSON, `"a"`, 400, "", badJSON},
		{extJSON, `null`, 400, "", badJSON},

		{extText, `{"body":"b","text":"t"}`, 200, plainText, "b"},
		{extText, `{"text":"t\n\u00e4"}`, 200, plainText, "t\nä"},
		{extText, `{"text":{"b":1,"a":[1,{}]}}`, 200, plainText, "{\n  \"b\": 1,\n  \"a\": [1, {}]\n}"},
		{extText, `{"text":[{"a":1},"x"]}`, 200, plainText, "[{\n  \"a\": 1\n}, \"x\"]"},
		{extText, `{"text":true}`, 200, plainText, "true"},
		{extText, `{"text":1.50}`, 200, plainText, "1.50"},
		{extText, `{"text":null}`, 200, plainText, "null"},
		{extText, `{"body":null,"text":"t"}`, 200, plainText, "null"},
		{extText, `{"other":"x"}`, 404, "", noField},
		{extText, `[1,2]`, 200, plainText, "[1, 2]"},
		{extText, ` "s" `, 200, plainText, "s"},

		{extHTML, `{"body":"<b>","html":"<h>"}`, 200, htmlText, "<b>"},
		{extHTML, `{"html":"<h>"}`, 200, htmlText, "<h>"},
		{extHTML, `{"html":""}`, 200, htmlText, ""},
		{extHTML, `{"body":1,"html":"<h>"}`, 400, "", badHTML},
		{extHTML, `{"text":"t"}`, 400, "", badHTML},
		{extHTML, `"<p>"`, 200, htmlText, "<p>"},
		{extHTML, `[]`, 400, "", badHTML},
		{extSVG, `{"svg":"<svg/>"}`, 200, svgImage, "<svg/>"},
		{extSVG, `{"body":"<svg/>"}`, 200, svgImage, "<svg/>"},
		{extSVG, `{"svg":{}}`, 400, "", badSVG},

		// what there is to send
		{extHTTP, `{}`, 204, "", ""},
		{extHTTP, `{"body":""}`, 204, "", ""},
		{extHTTP, `{"body":null}`, 204, "", ""},
		{extHTTP, `{"body":null,"statusCode":200}`, 200, "", ""},
		{extHTTP, `{"body":"","headers":{"content-type":"no type"}}`, 204, "", ""},
		{extHTTP, `{"body":"x"}`, 200, htmlText, "x"},
		{extHTTP, `{"body":{"a":1}}`, 200, jsonType, `{"a":1}`},
		{extHTTP, `{"body":3}`, 200, jsonType, `3`},
		{extHTTP, `{"body":false}`, 200, jsonType, `false`},
		{extHTTP, `{"body":[ 1 ]}`, 200, jsonType, `[ 1 ]`},
		{extHTTP, `{"body":{"a":1},"statusCode":204}`, 204, "", ""},
		{extHTTP, `{"body":"x","statusCode":304}`, 304, "", ""},
		{extHTTP, `[]`, 400, "", badHTTP},
		{extHTTP, `"x"`, 400, "", badHTTP},

		// the status
		{extHTTP, `{"statusCode":302,"headers":{"location":"x"}}`, 302, "", ""},
		{extHTTP, `{"statusCode":"201","body":"x"}`, 201, htmlText, "x"},
		{extHTTP, `{"statusCode":418.0}`, 418, "", ""},
		{extHTTP, `{"statusCode":2e2}`, 200, "", ""},
		{extHTTP, `{"statusCode":799}`, 799, "", ""},
		{extHTTP, `{"statusCode":200.5}`, 400, "", badHTTP},
		{extHTTP, `{"statusCode":"xyz"}`, 400, "", badHTTP},
		{extHTTP, `{"statusCode":""}`, 400, "", badHTTP},
		{extHTTP, `{"statusCode":null}`, 400, "", badHTTP},
		{extHTTP, `{"statusCode":true}`, 400, "", badHTTP},
		{extHTTP, `{"statusCode":101}`, 400, "", badHTTP},
		{extHTTP, `{"statusCode":1000}`, 400, "", badHTTP},
		{extHTTP, `{"statusCode":-200}`, 400, "", badHTTP},
		{extHTTP, `{"statusCode":1e999}`, 400, "", badHTTP},

		// headers
		{extHTTP, `{"headers":null}`, 400, "", badHTTP},
		{extHTTP, `{"headers":[]}`, 400, "", badHTTP},
		{extHTTP, `{"headers":{"a":null}}`, 400, "", badHTTP},
		{extHTTP, `{"headers":{"a":{}}}`, 400, "", badHTTP},
		{extHTTP, `{"headers":{"a":["b",{}]}}`, 400, "", badHTTP},
		{extHTTP, `{"headers":{"a":["b",null]}}`, 400, "", badHTTP},
		{extHTTP, `{"headers":{"a":"b\r\nc: d"}}`, 400, "", badHTTP},
		{extHTTP, `{"headers":{"a b":"c"}}`, 400, "", badHTTP},
		{extHTTP, `{"headers":{"":"c"}}`, 400, "", badHTTP},

		// types of texts
		{extHTTP, `{"body":"x","headers":{"Content-Type":"text/plain"}}`, 200, "text/plain; charset=UTF-8", "x"},
		{extHTTP, `{"body":"x","headers":{"CONTENT-TYPE":"text/plain; charset=iso-8859-1; a=b"}}`, 200, "text/plain; a=b; charset=UTF-8", "x"},
		{extHTTP, `{"body":"{\"a\":1}","headers":{"content-type":"application/json"}}`, 200, jsonType, `{"a":1}`},
		{extHTTP, `{"body":"hello world","headers":{"content-type":"application/json"}}`, 200, jsonType, `hello world`},
		{extHTTP, `{"body":"eyJhIjoxfQ==","headers":{"content-type":"application/json-patch+json"}}`, 200, "application/json-patch+json", `{"a":1}`},
		{extHTTP, `{"body":"true","headers":{"content-type":"application/json"}}`, 200, jsonType, `true`},
		{extHTTP, `{"body":"<x/>","headers":{"content-type":"application/xml"}}`, 200, "application/xml; charset=UTF-8", `<x/>`},
		{extHTTP, `{"body":"x","headers":{"content-type":"xyzbar"}}`, 400, "", noType},
		{extHTTP, `{"body":"x","headers":{"content-type":""}}`, 400, "", noType},
		{extHTTP, `{"body":"` + pngText + `","headers":{"content-type":"image/png"}}`, 200, "image/png", "\x89PNG\r\n\x1a\n"},
		{extHTTP, `{"body":"iVBORw0KGgo","headers":{"content-type":"image/png"}}`, 200, "image/png", "\x89PNG\r\n\x1a\n"},
		{extHTTP, `{"body":"no base64!","headers":{"content-type":"image/png"}}`, 400, "", badType},
		{extHTTP, `{"body":"<svg/>","headers":{"content-type":"image/svg+xml"}}`, 400, "", badType},
		{extHTTP, `{"body":"eA==","headers":{"content-type":"application/x-own"}}`, 200, "application/x-own", "x"},
		{extHTTP, `{"body":"x","headers":{"content-type":"application/x-own; charset=utf-8"}}`, 200, "application/x-own; charset=UTF-8", "x"},

		// types of values
		{extHTTP, `{"body":{"a":1},"headers":{"content-type":"application/json; charset=utf-8"}}`, 200, jsonType, `{"a":1}`},
		{extHTTP, `{"body":{"a":1},"headers":{"content-type":"application/hal+json; v=1"}}`, 200, "application/hal+json", "{\n  \"a\": 1\n}"},
		{extHTTP, `{"body":{"a":1},"headers":{"content-type":"text/html"}}`, 400, "", badType},
		{extHTTP, `{"body":3,"headers":{"content-type":"xyzbar"}}`, 400, "", badType},
	} {
		rep, err := c.e.transcode(json.RawMessage(c.result))
		if err != nil {
			rep.status, rep.mediaType = statusOf[whisk.KindOf(err)], ""
			rep.body = []byte(whisk.MessageOf(err))
		}
		if rep.status != c.status || rep.mediaType != c.kind || string(rep.body) != c.body {
			t.Errorf("%s of %s = %d %q %q, want %d %q %q", extensionNames[c.e], c.result, rep.status, rep.mediaType, rep.body, c.status, c.kind, c.body)
		}
	}
}

func TestTranscodeHeaders(t *testing.T) {
	rep, err := extHTTP.transcode(json.RawMessage(`{"body":"x","headers":{"Set-Cookie":["a=b","c=d; Path = /"],"x-number":1.0,
		"x-flag":true,"x-nested":[1,["2",[false]]],"x-none":[],"content-length":9,"Connection":"close","transfer-encoding":"chunked","x-request-id":"x",
		"Content-Type":["text/plain","text/html"]}}`))
	if err != nil {
		t.Fatal(err)
	}
	mustEqual(t, "headers", rep.header, http.Header{
		"Set-Cookie": {"a=b", "c=d; Path = /"}, "X-Number": {"1.0"}, "X-Flag": {"true"}, "X-Nested": {"1", "2", "false"},
	})
	if rep.mediaType != "text/plain; charset=UTF-8" {
		t.Errorf("type = %q", rep.mediaType)
	}
}

// TestWebOutcomes holds what becomes of runs that did not just succeed.
func TestWebOutcomes(t *testing.T) {
	const failed = "There was an error processing your request."
	for _, c := range []struct {
		name, ext string
		status    whisk.Status
		result    string
		want      int
		body      string
	}{
		{"an error that is an answer", "", whisk.ApplicationError, `{"error":{"statusCode":404,"body":"no hello"}}`, 404, "no hello"},
		{"an error with status 200", ".http/more", whisk.ApplicationError, `{"error":{"body":"no"}}`, 200, "no"},
		{"an error that is a text", ".text", whisk.ApplicationError, `{"error":"bad"}`, 200, "bad"},
		{"an error that is no object", ".json", whisk.ApplicationError, `{"error":"bad"}`, 400, "Response is not valid 'application/json'."},
		{"an error without one", ".json", whisk.ApplicationError, `{}`, 404, "Response does not include requested property."},
		{"a developer's error", ".json", whisk.DeveloperError, `{"error":"bad"}`, 400, failed},
		{"a whisk error", ".text", whisk.WhiskError, `{"error":"bad"}`, 400, failed},
		{"no result", ".json", whisk.Success, ``, 400, "Response is not valid 'application/json'."},
	} {
		w := webWorld(t, "")
		w.answers(c.status, c.result)
		a := w.visit("GET", webURL+c.ext, "")
		body := a.body
		if strings.HasPrefix(body, "{") {
			body = a.text(t)
			mustEqual(t, "code", a.json(t, "code"), a.header.Get("X-Request-Id"))
		}
		if a.status != c.want || body != c.body {
			t.Errorf("%s = %d %q, want %d %q", c.name, a.status, body, c.want, c.body)
		}
		if len(a.header.Get("X-Openwhisk-Activation-Id")) != 32 || a.header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: headers %v", c.name, a.header)
		}
	}
}

func TestWebRefusedByFlow(t *testing.T) {
	w := webWorld(t, "")
	for _, c := range []struct {
		err    error
		taken  bool
		status int
		text   string
	}{
		{whisk.ErrPending, true, 202, "Response not yet ready."},
		{whisk.ErrOverloaded, false, 503, "System is overloaded, try again later."},
		{context.DeadlineExceeded, false, 503, tooSlow},
	} {
		var call *whisk.Call
		w.invoke = func(_ context.Context, k *whisk.Call, _ time.Duration, ended func()) (*whisk.Activation, error) {
			call = k
			return nil, c.err
		}
		w.inFlight = 0
		a := w.visit("GET", webURL, "")
		if a.status != c.status || a.text(t) != c.text {
			t.Errorf("%v = %d %s", c.err, a.status, a.body)
		}
		if got := a.header.Get("X-Openwhisk-Activation-Id"); (got == call.ID.String()) != c.taken {
			t.Errorf("%v: id %q", c.err, got)
		}
		if (w.inFlight == 1) != c.taken {
			t.Errorf("%v: in flight %d", c.err, w.inFlight)
		}
	}
}

func TestWebAccept(t *testing.T) {
	for _, c := range []struct {
		ext, result, accept string
		status              int
		kind                string
	}{
		{"", `{"body":"x"}`, "application/json", 406, "text/html; charset=UTF-8"},
		{"", `{"body":"x"}`, "text/html", 200, ""},
		{"", `{"body":"x"}`, "text/*;q=0.1, application/json", 200, ""},
		{"", `{"body":{}}`, "text/html", 406, "application/json"},
		{"", `{}`, "text/html", 204, ""},
		{".json", `{}`, "text/html", 406, "application/json"},
		{".text", `{"text":"x"}`, "image/png", 406, "text/plain; charset=UTF-8"},
		{".svg", `{"svg":"x"}`, "image/png", 406, "image/svg+xml"},
		{".json", `"error"`, "text/html", 400, ""},
	} {
		w := webWorld(t, "")
		w.answers(whisk.Success, c.result)
		a := w.visit("GET", webURL+c.ext, "", header("Accept", c.accept))
		if a.status != c.status {
			t.Errorf("%s of %s for %s = %d %s", c.ext, c.result, c.accept, a.status, a.body)
		}
		if c.kind != "" {
			if want := "Resource representation is only available with these types:\n" + c.kind; a.text(t) != want {
				t.Errorf("text = %q, want %q", a.text(t), want)
			}
		}
	}
}
