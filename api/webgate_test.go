package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"hearth/whisk"
)

const (
	noEntity     = "The requested resource does not exist."
	noSuchRoute  = "The requested resource could not be found."
	notAdmitted  = "Authentication is possible but has failed or not yet been provided."
	notPermitted = "Request defines parameters that are not allowed (e.g., reserved properties)."
)

// sharedWorld has bob's packages: "open" is published, "closed" is not; in each
// is the exported action "web". Alice's bindings of them have the same names.
func sharedWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	put := func(p *whisk.Package) {
		if _, err := w.PutPackage(t.Context(), p, 0); err != nil {
			t.Fatal(err)
		}
	}
	value := func(s string) json.RawMessage { return json.RawMessage(`"` + s + `"`) }
	for _, name := range []string{"open", "closed"} {
		of := whisk.EntityName{Namespace: "bob", Name: name}
		put(&whisk.Package{Name: of, Publish: name == "open", Parameters: whisk.Parameters{
			{Key: "package", Value: value("P")}, {Key: "bound", Value: value("P")}, {Key: "action", Value: value("P")}}})
		put(&whisk.Package{Name: whisk.EntityName{Namespace: "alice", Name: name}, Binding: of, Parameters: whisk.Parameters{
			{Key: "bound", Value: value("B")}, {Key: "action", Value: value("B")}},
			Annotations: whisk.Parameters{{Key: annotationWebExport, Value: json.RawMessage("false")}}})
		a := &whisk.Action{
			Name: whisk.ActionName{Namespace: "bob", Package: name, Name: "web"}, Exec: whisk.Exec{Kind: "nodejs:20"}, Version: whisk.Version{Patch: 1},
			Parameters:  whisk.Parameters{{Key: "action", Value: value("A")}},
			Annotations: whisk.Parameters{{Key: annotationWebExport, Value: json.RawMessage("true")}, {Key: "final", Value: json.RawMessage("true")}},
		}
		if _, err := w.PutAction(t.Context(), a, nil, 0); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func TestWebPackages(t *testing.T) {
	w := sharedWorld(t)
	for _, c := range []struct {
		path, want string
		status     int
	}{
		{"bob/open/web.json", `{"package":"P","bound":"P","action":"A"}`, 200},
		{"bob/closed/web.json", `{"package":"P","bound":"P","action":"A"}`, 200},
		{"alice/open/web.json", `{"package":"P","bound":"B","action":"A"}`, 200},
		{"alice/closed/web.json", "The supplied authentication is not authorized to access 'alice/closed/web'.", 403},
		{"alice/none/web.json", noEntity, 404},
		{"alice/open/none.json", noEntity, 404},
		{"alice/default/web.json", noEntity, 404},
		{"alice/open/web.json?bound=x", notPermitted, 400},
		{"alice/open/web.json?package=x", notPermitted, 400},
	} {
		a := w.visit("GET", "/api/v1/web/"+c.path, "")
		if a.status != c.status {
			t.Errorf("%s = %d %s", c.path, a.status, a.body)
			continue
		}
		if c.status != 200 {
			if got := a.text(t); got != c.want {
				t.Errorf("%s: %q, want %q", c.path, got, c.want)
			}
			continue
		}
		got := a.json(t).(map[string]any)
		for k := range got {
			if strings.HasPrefix(k, "__ow_") {
				delete(got, k)
			}
		}
		mustEqual(t, c.path, got, json.RawMessage(c.want))
	}
}

// TestWebGates holds the gates and their order: what each refuses although a
// later one would refuse it too.
func TestWebGates(t *testing.T) {
	big := strings.Repeat("x", 1<<20+1)
	throttled := errors.Join(&whisk.Error{Kind: whisk.Throttled, Message: "Too many requests in the last minute (count: 2, allowed: 1)."})
	secret := note(annotationWebAuth, `"s3cret"`)
	for _, c := range []struct {
		name, notes, method, path, body string
		opts                            []option
		refuse                          error
		status                          int
		text                            string
		cors, charged                   bool
	}{
		{"unknown namespace", "", "GET", "/nobody/default/web", "", nil, throttled, 404, noEntity, false, false},
		{"unknown action", "", "GET", "/alice/default/none", "", nil, throttled, 404, noEntity, false, false},
		{"another collection", "", "GET", "/alice/pkg/web", "", nil, throttled, 404, noEntity, false, false},
		{"unknown extension", "", "GET", "/alice/default/web.xyz", "", nil, nil, 404, noEntity, false, false},
		{"not exported", note(annotationWebExport, "false"), "GET", "/alice/default/web", "", nil, throttled, 404, noEntity, false, false},
		{"exported by a text", note(annotationWebExport, `"true"`), "GET", "/alice/default/web", "", nil, nil, 404, noEntity, false, false},
		{"exported by a number", note(annotationWebExport, `1`), "GET", "/alice/default/web", "", nil, nil, 404, noEntity, false, false},
		{"throttled before its size", "", "POST", "/alice/default/web", big, nil, throttled, 429, "Too many requests in the last minute (count: 2, allowed: 1).", false, true},
		{"too large before CORS", "", "OPTIONS", "/alice/default/web", big, nil, nil, 413, "Request larger than allowed: 1048577 > 1048576 bytes.", false, true},
		{"too large before auth", secret, "POST", "/alice/default/web", big, nil, nil, 413, "Request larger than allowed: 1048577 > 1048576 bytes.", false, true},
		{"chunked too large", "", "POST", "/alice/default/web", big, []option{chunked}, nil, 413, "Request larger than allowed: 1048577 > 1048576 bytes.", true, true},
		{"preflight before auth", secret, "OPTIONS", "/alice/default/web", "", nil, nil, 200, "", true, true},
		{"auth before parameters", secret, "GET", "/alice/default/web?__ow_user=x", "", nil, nil, 401, notAdmitted, true, true},
		{"auth before the body", secret, "POST", "/alice/default/web", "{", nil, nil, 401, notAdmitted, true, true},
		{"no CORS of its own", note(annotationCustomOptions, "true") + "," + secret, "GET", "/alice/default/web", "", nil, nil, 401, notAdmitted, false, true},
		{"broken body", "", "POST", "/alice/default/web", "{", nil, nil, 400, "The request content was malformed:\nunexpected end of JSON input", true, true},
		{"body is no UTF-8", "", "POST", "/alice/default/web", "\"\xff\"", nil, nil, 400, "The request content was malformed:\nJSON text must be UTF-8.", true, true},
		{"broken form", "", "POST", "/alice/default/web", "a=%zz", []option{contentType("application/x-www-form-urlencoded")}, nil, 400, "The request content was malformed:\nA form has an invalid escape.", true, true},
		{"broken query", "", "GET", "/alice/default/web?a=%zz", "", nil, nil, 400, "The query was malformed:\ninvalid escape", true, true},
		{"other methods", "", "TRACE", "/alice/default/web", "", nil, nil, 405, "HTTP method not allowed, supported methods: GET, DELETE, POST, PUT, HEAD, OPTIONS, PATCH", false, false},
		{"no action", "", "GET", "/alice/default", "", nil, nil, 404, noSuchRoute, false, false},
		{"no package", "", "GET", "/alice", "", nil, nil, 404, noSuchRoute, false, false},
		{"nothing", "", "GET", "", "", nil, nil, 404, noSuchRoute, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := webWorld(t, c.notes)
			w.refuse, w.charges = c.refuse, 0
			w.invoke = panicking
			a := w.visit(c.method, "/api/v1/web"+c.path, c.body, c.opts...)
			if a.status != c.status {
				t.Fatalf("= %d %s, want %d", a.status, a.body, c.status)
			}
			if c.text != "" {
				want := "{\n  \"error\": " + quoted(c.text) + ",\n  \"code\": " + quoted(a.header.Get("X-Request-Id")) + "\n}"
				if a.body != want {
					t.Errorf("body = %s, want %s", a.body, want)
				}
			}
			if got := a.header.Get("Access-Control-Allow-Origin") != ""; got != c.cors {
				t.Errorf("CORS headers: %v, want %v", got, c.cors)
			}
			if got := w.charges > 0; got != c.charged || w.inFlight != 0 {
				t.Errorf("charged: %v, want %v; in flight: %d", got, c.charged, w.inFlight)
			}
			if a.header.Get("WWW-Authenticate") != "" {
				t.Error("a browser would ask for a password")
			}
		})
	}
}

func quoted(s string) string { return string(appendString(nil, s)) }

func TestWebReservedArguments(t *testing.T) {
	w, raw := webWorld(t, note("final", "true")), webWorld(t, note("final", "true")+","+note(annotationRawHTTP, "true"))
	for _, key := range append(slices.Clone(reservedArguments), "set", "env", "unset", "other", "__ow_other") {
		want := 400
		if key == "unset" || strings.HasSuffix(key, "other") {
			want = 200
		}
		for _, c := range []struct {
			method, tail, body string
			opt                option
		}{
			{"GET", "?" + key + "=x", "", nil},
			{"GET", "?" + strings.ReplaceAll(key, "e", "%65") + "=x", "", nil},
			{"POST", "", `{"` + key + `":null}`, nil},
			{"POST", "", `{"a":1,"` + strings.ReplaceAll(key, "e", `\u0065`) + `":null}`, nil},
			{"POST", "", key + "=1", contentType("application/x-www-form-urlencoded")},
		} {
			opts := []option{}
			if c.opt != nil {
				opts = append(opts, c.opt)
			}
			a := w.visit(c.method, webURL+".json"+c.tail, c.body, opts...)
			if a.status != want || want == 400 && a.text(t) != notPermitted {
				t.Errorf("%s %s %s = %d %s, want %d", c.method, c.tail, c.body, a.status, a.body, want)
			}
			if a := raw.visit(c.method, webURL+".json"+c.tail, c.body, opts...); a.status != 200 {
				t.Errorf("raw: %s %s %s = %d %s", c.method, c.tail, c.body, a.status, a.body)
			}
		}
	}
}

func TestWebAuth(t *testing.T) {
	secret := func(s string) option { return header("X-Require-Whisk-Auth", s) }
	for _, c := range []struct {
		value string
		opt   option
		want  int
	}{
		{`"s3cret"`, nil, 401}, {`"s3cret"`, secret("wrong"), 401}, {`"s3cret"`, as(aliceKey), 401}, {`"s3cret"`, secret("s3cret"), 200},
		{`""`, nil, 401}, {`""`, secret(""), 200},
		{`12345`, secret("1234"), 401}, {`12345`, secret("12345"), 200},
		{`true`, nil, 401}, {`true`, secret("true"), 401}, {`true`, as(bobKey), 200}, {`true`, as(whisk.AuthKey{UUID: bobKey.UUID, Key: "x"}), 401},
		{`false`, nil, 200},
		{`null`, as(aliceKey), 401}, {`{}`, as(aliceKey), 401}, {`["a"]`, secret("a"), 401},
	} {
		opts := []option{}
		if c.opt != nil {
			opts = append(opts, c.opt)
		}
		for _, custom := range []string{"false", "true"} {
			w := webWorld(t, note(annotationWebAuth, c.value)+","+note(annotationCustomOptions, custom))
			if a := w.visit("GET", webURL+".json", "", opts...); a.status != c.want {
				t.Errorf("%s: GET = %d %s, want %d", c.value, a.status, a.body, c.want)
			}
			if a := w.visit("OPTIONS", webURL+".json", "", opts...); a.status != 200 || (a.body != "") != (custom == "true") {
				t.Errorf("%s, custom options %s: OPTIONS = %d %q", c.value, custom, a.status, a.body)
			}
		}
	}
}

func TestWebCORS(t *testing.T) {
	const list = "Authorization, Origin, X-Requested-With, Content-Type, Accept, User-Agent"
	plain, custom := webWorld(t, ""), webWorld(t, note(annotationCustomOptions, "true"))
	for _, method := range []string{"GET", "OPTIONS", "POST", "DELETE", "PUT", "HEAD", "PATCH"} {
		for _, asked := range []string{"", "x-custom, Y"} {
			opts := []option{}
			want := list
			if asked != "" {
				opts, want = append(opts, header("Access-Control-Request-Headers", asked)), asked
			}
			a := plain.visit(method, webURL+".json", "", opts...)
			got := []string{a.header.Get("Access-Control-Allow-Origin"), a.header.Get("Access-Control-Allow-Methods"), a.header.Get("Access-Control-Allow-Headers")}
			if a.status != 200 || !slices.Equal(got, []string{"*", "OPTIONS, GET, DELETE, POST, PUT, HEAD, PATCH", want}) {
				t.Errorf("%s = %d %v", method, a.status, got)
			}
			a = custom.visit(method, webURL+".json", "", opts...)
			for name := range a.header {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("custom options, %s: %s is set", method, name)
				}
			}
		}
	}
	for _, w := range []*world{plain, custom} {
		w.answers(whisk.Success, `{"headers":{"access-control-allow-origin":"https://a.example","Access-Control-Max-Age":9}}`)
		a := w.visit("GET", webURL, "")
		if got := a.header["Access-Control-Allow-Origin"]; len(got) != 1 || got[0] != "https://a.example" || a.header.Get("Access-Control-Max-Age") != "9" {
			t.Errorf("the action's own headers: %v", a.header)
		}
	}
	for _, path := range []string{"/api/v1/web", "/api/v1/web/", "/api/v1/web/alice"} {
		a := plain.visit("OPTIONS", path, "")
		if a.status != http.StatusOK || a.header.Get("Access-Control-Allow-Methods") != "GET, DELETE, POST, PUT, HEAD" {
			t.Errorf("OPTIONS %s = %d %v", path, a.status, a.header)
		}
	}
}
