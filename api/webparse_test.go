package api

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hearth/whisk"
)

func TestParseWebPath(t *testing.T) {
	target := func(ns, pkg, name string, e extension, path string) webTarget {
		return webTarget{whisk.ActionName{Namespace: whisk.Namespace(ns), Package: pkg, Name: name}, e, path}
	}
	for _, c := range []struct {
		path string
		want webTarget
		ok   bool
	}{
		{"/ns/default/a", target("ns", "", "a", extHTTP, ""), true},
		{"/ns/p/a.http", target("ns", "p", "a", extHTTP, ""), true},
		{"/ns/p/a.json", target("ns", "p", "a", extJSON, ""), true},
		{"/ns/p/a.html/", target("ns", "p", "a", extHTML, "/"), true},
		{"/ns/p/a.svg/b/c.json", target("ns", "p", "a", extSVG, "/b/c.json"), true},
		{"/ns/p/a.text//%2F", target("ns", "p", "a", extText, "//%2F"), true},
		{"/ns/p/a.b.json.http", target("ns", "p", "a.b.json", extHTTP, ""), true},
		{"/ns/p/a.xyz", target("ns", "p", "a.xyz", extHTTP, ""), true},
		{"/ns/p/a.JSON", target("ns", "p", "a.JSON", extHTTP, ""), true},
		{"/ns/defaults/a", target("ns", "defaults", "a", extHTTP, ""), true},
		{"/me%40x.org/p%20q/a&b", target("me@x.org", "p q", "a&b", extHTTP, ""), true},
		{path: ""}, {path: "/"}, {path: "ns/p/a"}, {path: "/ns"}, {path: "/ns/p"}, {path: "/ns/p/"}, {path: "//p/a"}, {path: "/ns//a"},
		{path: "/ns/p/.http"}, {path: "/ns/p/a%2Fb"}, {path: "/ns/p/%zz"}, {path: "/ns/p/a%20.json"}, {path: "/-/p/a"}, {path: "/ns/p/\u00e4"},
		{path: "/ns/p/" + strings.Repeat("a", 257)},
	} {
		got, err := parseWebPath(c.path)
		if (err == nil) != c.ok || c.ok && got != c.want {
			t.Errorf("parseWebPath(%q) = %+v, %v, want %+v", c.path, got, err, c.want)
		}
	}
}

func TestVanityNamespace(t *testing.T) {
	for _, c := range []struct{ host, domain, want string }{
		{"guest.localhost:3233", "localhost", "guest"},
		{"guest.localhost", "localhost", "guest"},
		{"G-1.LocalHost", "localhost", "G-1"},
		{"guest.example.com:80", "example.com", "guest"},
		{"guest.example.com:80", "example.com:80", "guest"},
		{"guest.example.com:81", "example.com:80", ""},
		{"guest.example.com", "", ""},
		{"example.com", "example.com", ""},
		{".example.com", "example.com", ""},
		{"a.b.example.com", "example.com", ""},
		{"a_b.example.com", "example.com", ""},
		{"guestexample.com", "example.com", ""},
		{"127.0.0.1:3233", "localhost", ""},
		{"[::1]:3233", "localhost", ""},
		{"", "localhost", ""},
	} {
		if got, ok := vanityNamespace(c.host, c.domain); got != c.want || ok != (c.want != "") {
			t.Errorf("vanityNamespace(%q, %q) = %q, %v, want %q", c.host, c.domain, got, ok, c.want)
		}
	}
}

func TestVanityHost(t *testing.T) {
	w := webWorld(t, "")
	a := &whisk.Action{
		Name: whisk.ActionName{Namespace: "alice", Package: "public", Name: "index"}, Exec: whisk.Exec{Kind: "nodejs:20"},
		Annotations: whisk.Parameters{{Key: annotationWebExport, Value: json.RawMessage("true")}},
	}
	if _, err := w.PutPackage(t.Context(), &whisk.Package{Name: whisk.EntityName{Namespace: "alice", Name: "public"}}, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := w.PutAction(t.Context(), a, nil, 0); err != nil {
		t.Fatal(err)
	}
	w.answers(whisk.Success, `{"html":"<home>"}`)
	for _, c := range []struct {
		host, path string
		status     int
		body       string
	}{
		{"alice.localhost:3233", "/", 200, "<home>"},
		{"alice.localhost", "", 200, "<home>"},
		{"alice.localhost", "/default/web.json/x%20y", 200, `{"html":"<home>"}`},
		{"alice.localhost", "/default/none", 404, ""},
		{"alice.localhost", "/ping", 404, ""},
		{"nobody.localhost", "/default/web.json", 404, ""},
		{"localhost", "/default/web.json", 404, ""},
		{"alice.localhost", "/api/v1/web/alice/default/web.json", 200, `{"html":"<home>"}`},
		{"alice.localhost", "/api/v1/web/bob/default/web.json", 404, ""},
	} {
		got := w.visit("GET", "/"+strings.TrimPrefix(c.path, "/"), "", host(c.host))
		if got.status != c.status || c.body != "" && got.body != c.body {
			t.Errorf("%s%s = %d %s", c.host, c.path, got.status, got.body)
		}
	}
	if a := w.do("GET", "/api/v1/namespaces", "", host("alice.localhost")); a.status != 200 {
		t.Errorf("the API on such a host = %d %s", a.status, a.body)
	}
}

func host(s string) option { return func(r *http.Request) { r.Host = s } }

func TestPairs(t *testing.T) {
	for _, c := range []struct{ query, encoded, object string }{
		{"", "", "{}"},
		{"a", "a", `{"a":""}`},
		{"a=", "a=", `{"a":""}`},
		{"a=b=c&&d=%26", "a=b%3Dc&d=%26", `{"a":"b=c","d":"&"}`},
		{"x+y=%2B", "x+y=%2B", `{"x y":"+"}`},
		{"a=1&b=2&a=3", "a=1&b=2&a=3", `{"b":"2","a":"3"}`},
		{"%22=%22&%FF=1", "%22=%22&%FF=1", `{"\"":"\"","\ufffd":"1"}`},
	} {
		pairs, err := parsePairs(c.query)
		if err != nil {
			t.Errorf("%q: %v", c.query, err)
		}
		if got := encodePairs(pairs); got != c.encoded {
			t.Errorf("encode %q = %q, want %q", c.query, got, c.encoded)
		}
		if got := string(appendPairs(nil, pairs)); got != c.object {
			t.Errorf("object of %q = %s, want %s", c.query, got, c.object)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		values := url.Values{}
		for _, k := range rapid.SliceOfN(rapid.String(), 0, 4).Draw(t, "keys") {
			values.Add(k, rapid.String().Draw(t, "value"))
		}
		pairs, err := parsePairs(values.Encode())
		if err != nil {
			t.Fatal(err)
		}
		again, err := url.ParseQuery(encodePairs(pairs))
		if err != nil || again.Encode() != values.Encode() {
			t.Fatalf("%q became %q: %v", values.Encode(), encodePairs(pairs), err)
		}
	})
}

func TestMedia(t *testing.T) {
	for _, c := range []struct {
		value        string
		ok           bool
		json, binary bool
		header       string
	}{
		{"text/html", true, false, false, "text/html; charset=UTF-8"},
		{"Text/HTML;Charset=latin1", true, false, false, "text/html; charset=UTF-8"},
		{"text/x-unknown", true, false, false, "text/x-unknown; charset=UTF-8"},
		{"application/json; charset=utf-8", true, true, false, "application/json"},
		{"application/hal+json", true, true, false, "application/hal+json"},
		{"application/atom+xml", true, false, false, "application/atom+xml; charset=UTF-8"},
		{"image/svg+xml", true, false, true, "image/svg+xml"},
		{"application/octet-stream", true, false, true, "application/octet-stream"},
		{"multipart/mixed; boundary=x", true, false, true, "multipart/mixed; boundary=x"},
		{"application/x-www-form-urlencoded", true, false, false, "application/x-www-form-urlencoded"},
		{value: ""}, {value: "xyz"}, {value: "a/"}, {value: "/b"}, {value: "a/b/c"}, {value: "a b/c"},
	} {
		m, ok := parseMedia(c.value)
		if ok != c.ok {
			t.Errorf("parseMedia(%q) = %v, %v", c.value, m, ok)
			continue
		}
		if ok && (m.isJSON() != c.json || m.binary() != c.binary || m.header() != c.header) {
			t.Errorf("%q: JSON %v, binary %v, header %q", c.value, m.isJSON(), m.binary(), m.header())
		}
	}
}

func TestPretty(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`{}`, `{}`}, {`[]`, `[]`}, {` [ ] `, `[]`}, {`1e5`, `1e5`}, {`"a\"{},"`, `"a\"{},"`},
		{`{"a":{"b":[1,2,{"c":null}]},"d":{ }}`, "{\n  \"a\": {\n    \"b\": [1, 2, {\n      \"c\": null\n    }]\n  },\n  \"d\": {}\n}"},
	} {
		if got := string(appendPretty(nil, []byte(c.in), 1000)); got != c.want {
			t.Errorf("%s = %s, want %s", c.in, got, c.want)
		}
	}
	deep := strings.Repeat(`{"a":`, 10000) + "1" + strings.Repeat("}", 10000)
	if got := string(appendPretty([]byte("x"), []byte(deep), 1000)); got != "x"+deep {
		t.Errorf("too long to be pretty: %d bytes", len(got))
	}
}
