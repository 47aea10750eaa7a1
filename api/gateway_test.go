package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"hearth/whisk"
)

func TestMatchRoute(t *testing.T) {
	all := &whisk.APIs{List: []whisk.API{
		{BasePath: "/", Routes: []whisk.Route{{Path: "/top"}}},
		{BasePath: "/club", Routes: []whisk.Route{
			{Path: "/"}, {Path: "/books"}, {Path: "/books/new"}, {Path: "/books/{id}"}, {Path: "/books/{id}/page"}, {Path: "/{kind}/{id}/cover"}, {Path: "/a b/{x.y}"}}},
		{BasePath: "/club/deep", Routes: []whisk.Route{{Path: "/x"}}},
	}}
	for _, c := range []struct{ path, route, rest string }{
		{"top", "/top", ""},
		{"top/", "/top", "/"},
		{"top/a%20b/c", "/top", "/a%20b/c"},
		{"to", "", ""},
		{"", "", ""},
		{"club", "/", ""},
		{"club/", "/", "/"},
		{"club/x", "/", "/x"},
		{"club/books", "/books", ""},
		{"club/books/new", "/books/new", ""},
		{"club/books/new/x", "/books/new", "/x"},
		{"club/books/7", "/books/{id}", ""},
		{"club/books/", "/books", "/"},
		{"club/books/7%2F8", "/books/{id}", ""},
		{"club/books/7/page", "/books/{id}/page", ""},
		{"club/books/new/page", "/books/{id}/page", ""},
		{"club/books/7/cover", "/{kind}/{id}/cover", ""},
		{"club/deep/x", "/x", ""},
		{"club/a%20b/1", "/a b/{x.y}", ""},
		{"Club/books", "", ""},
		{"clubs/books", "", ""},
	} {
		m, ok := matchRoute(all, c.path)
		if ok != (c.route != "") || m.path != c.route {
			t.Errorf("%q fits %q, want %q", c.path, m.path, c.route)
			continue
		}
		if !ok {
			continue
		}
		if got := m.target(&whisk.Route{}).path; got != c.rest {
			t.Errorf("%q: the action sees %q, want %q", c.path, got, c.rest)
		}
		if got := m.target(&whisk.Route{WholePath: true}).path; got != "/"+c.path {
			t.Errorf("%q: the action sees %q", c.path, got)
		}
	}
}

func TestGateway(t *testing.T) {
	w := webWorld(t, note(annotationWebAuth, `"s3cret"`))
	w.mustPut("open", strings.Replace(plainBody, `"exec"`, `"annotations":[{"key":"web-export","value":true},{"key":"web-custom-options","value":true}],"exec"`, 1))
	w.create("&responsetype=json", createBody("/club", "/books", "GET", "web", `"secureKey":"s3cret"`))
	w.create("&responsetype=json", createBody("/club", "/books", "POST", "open"))
	w.create("&responsetype=http", createBody("/club", "/books/{isbn}", "GET", "open", pathParameters("isbn")))
	url := w.apis("")[0].(map[string]any)["value"].(map[string]any)["gwApiUrl"].(string)
	base := strings.TrimPrefix(url, "http://example.com")

	a := w.visit("GET", base+"/books?a=b", "")
	if a.status != 200 {
		t.Fatalf("= %d %s", a.status, a.body)
	}
	got := a.json(t).(map[string]any)
	headers := got["__ow_headers"].(map[string]any)
	if got["a"] != "b" || got["__ow_path"] != "" || headers["x-require-whisk-auth"] != "s3cret" || headers["x-forwarded-url"] != url+"/books?a=b" {
		t.Errorf("arguments %v", got)
	}
	if a.header.Get("X-Openwhisk-Activation-Id") == "" || w.inFlight != 0 {
		t.Errorf("headers %v, in flight %d", a.header, w.inFlight)
	}
	w.answers(whisk.Success, `{"statusCode":201,"headers":{"x-own":"1"},"body":"made"}`)
	a = w.visit("GET", base+"/books/7", "")
	if a.status != 201 || a.body != "made" || a.header.Get("X-Own") != "1" || a.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("= %d %s %v", a.status, a.body, a.header)
	}
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"PUT", base + "/books", 405}, {"HEAD", base + "/books", 405}, {"POST", base + "/books/7", 405}, {"POST", base + "/books/7/y", 405},
		{"GET", base, 404}, {"GET", base + "s/books", 404}, {"GET", "/api/alice", 404}, {"GET", "/api/alice/", 404},
		{"GET", "/api/bob/club/books", 404}, {"GET", "/api/nobody/club/books", 404}, {"GET", "/api/-/club/books", 404}, {"GET", "/api/", 404}, {"GET", "/api", 404},
		{"OPTIONS", base + "/books", 200}, {"OPTIONS", base + "/none", 404},
	} {
		a := w.visit(c.method, c.path, "")
		if a.status != c.status {
			t.Errorf("%s %s = %d %s", c.method, c.path, a.status, a.body)
		}
		if c.status == 405 && a.header.Get("Allow") == "" || c.status == 200 && a.header.Get("Access-Control-Allow-Methods") == "" {
			t.Errorf("%s %s: headers %v", c.method, c.path, a.header)
		}
	}
}

// TestGatewayTenants holds that a base path is one's own, whoever else has it.
func TestGatewayTenants(t *testing.T) {
	w := webWorld(t, "")
	if a := w.do("PUT", "_/actions/web", strings.Replace(plainBody, `"exec"`, `"annotations":[{"key":"web-export","value":true}],"exec"`, 1), as(bobKey)); a.status != 200 {
		t.Fatal(a.body)
	}
	for i, key := range []whisk.AuthKey{aliceKey, bobKey} {
		name := []string{"alice", "bob"}[i]
		a := w.create("", createBody("/same", "/p", "GET", "web"), as(key))
		mustEqual(t, "URL", a.json(t, "gwApiUrl"), "http://example.com/api/"+name+"/same")
		if a := w.visit("GET", "/api/"+name+"/same/p", ""); a.status != 200 {
			t.Errorf("%s = %d %s", name, a.status, a.body)
		}
	}
	if a := w.do("DELETE", manageURL+"deleteApi.http?basepath=/same", "", as(bobKey)); a.status != 200 {
		t.Fatal(a.body)
	}
	if a := w.visit("GET", "/api/alice/same/p", ""); a.status != 200 {
		t.Errorf("alice's after bob deleted his = %d", a.status)
	}
}

func TestImportedAPI(t *testing.T) {
	w := webWorld(t, "")
	const operation = `{"operationId":"%","parameters":[{"name":"id"}],"x-openwhisk":{"url":"https://EXAMPLE.com:9/api/v1/web/alice/default/web.http"}}`
	op := func(id string) string { return strings.Replace(operation, "%", id, 1) }
	document := `{"swagger":"2.0","basePath":"/s/","info":{"title":"T","description":"<&>"},"x-mine":{"a":12345678901234567890},
		"paths":{"/a":{"get":` + op("a") + `,"post":` + op("b") + `,"x-note":1},"/{id}":{"put":` + op("c") + `}},
		"x-ibm-configuration":{"cors":{"enabled":false},"assembly":{"execute":[
			{"set-variable":{"actions":[{"set":"message.headers.x-all","value":1}]}},
			{"operation-switch":{"case":[
				{"operations":["b"],"execute":[{"invoke":{"target-url":"http://example.com/api/v1/web/alice/default/web.json","verb":"GET"}},
					{"set-variable":{"actions":[{"set":"message.headers.x-some","value":true}]}}]},
				{"operations":["c"],"execute":[{"invoke":{"target-url":"http://example.com/api/v1/web/alice/default/web.http$(request.path)","verb":"keep"}}]}]}}]}}}`
	a := w.create("", `{"apidoc":{"namespace":"_","swagger":`+quoted(document)+`}}`)
	mustEqual(t, "document", a.json(t, "apidoc"), json.RawMessage(document))
	mustEqual(t, "URL", a.json(t, "gwApiUrl"), "http://example.com/api/alice/s")
	w.answers(whisk.Success, `{"headers":{"Access-Control-Allow-Origin":"*","X-A":"b"},"body":"x"}`)
	a = w.visit("GET", "/api/alice/s/a", "")
	if a.status != 200 || a.header.Get("X-A") != "b" {
		t.Errorf("= %d %v", a.status, a.header)
	}
	for name := range a.header {
		if strings.HasPrefix(name, "Access-Control-") {
			t.Errorf("a closed API answers with %s", name)
		}
	}
	w.invoke = nil
	got := w.visit("POST", "/api/alice/s/a", `{"q":1}`).json(t).(map[string]any)
	headers := got["__ow_headers"].(map[string]any)
	mustEqual(t, "arguments", []any{got["__ow_method"], headers["x-all"], headers["x-some"], got["q"]}, []any{"get", "1", "true", 1})
	if a := w.visit("PUT", "/api/alice/s/7", ""); a.status != 204 { // the fake's answer is no HTTP result
		t.Errorf("= %d %s", a.status, a.body)
	}

	var again string
	for _, v := range w.apis("&basepath=/s") {
		b, err := json.Marshal(v.(map[string]any)["value"].(map[string]any)["apidoc"])
		if err != nil {
			t.Fatal(err)
		}
		again = string(b)
	}
	a = w.create("", `{"apidoc":{"namespace":"_","swagger":`+again+`}}`) // what was got can be given
	mustEqual(t, "document", a.json(t, "apidoc"), json.RawMessage(document))
	if a := w.do("GET", manageURL+"getApi.http", ""); a.header.Get("Content-Type") != jsonType || a.status != http.StatusOK {
		t.Errorf("= %d %v", a.status, a.header)
	}
}
