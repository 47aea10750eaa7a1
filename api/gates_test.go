package api

import (
	"net/http"
	"strings"
	"testing"

	"hearth/whisk"
)

// TestRefusals holds the texts of everything that is refused before an entity
// is looked at.
func TestRefusals(t *testing.T) {
	const (
		noRoute   = "The requested resource could not be found."
		noEntity  = "The requested resource does not exist."
		jsonOnly  = "The request's Content-Type is not supported. Expected:\napplication/json"
		malformed = "The request content was malformed:\n"
		badNumber = "The query parameter '%' was malformed:\n"
	)
	ns := "/api/v1/namespaces/"
	query := func(name, text string) string { return strings.Replace(badNumber, "%", name, 1) + text }
	denied := func(path string) string {
		return "The supplied authentication is not authorized to access '" + path + "'."
	}
	methods := func(m string) string { return "HTTP method not allowed, supported methods: " + m }
	long := strings.Repeat("n", 257)
	for _, c := range []struct {
		method, target, body string
		opts                 []option
		status               int
		text                 string
	}{
		// authentication
		{"GET", "_/actions", "", []option{anonymous}, 401, "The resource requires authentication, which was not supplied with the request"},
		{"GET", "_/actions", "", []option{header("Authorization", "Bearer x")}, 401, "The resource requires authentication, which was not supplied with the request"},
		{"GET", "_/actions", "", []option{header("Authorization", "Basic x")}, 401, "The supplied authentication is invalid"},
		{"GET", "_/actions", "", []option{as(whisk.AuthKey{UUID: aliceKey.UUID, Key: bobKey.Key})}, 401, "The supplied authentication is invalid"},
		{"GET", "/api/v1/nothing", "", []option{anonymous}, 401, "The resource requires authentication, which was not supplied with the request"},
		{"PUT", "_/actions/a", plainBody, []option{anonymous}, 401, "The resource requires authentication, which was not supplied with the request"},

		// paths
		{"GET", "/nothing", "", nil, 404, noRoute},
		{"GET", "/api/v2", "", nil, 404, noRoute},
		{"GET", "/api/v1x", "", nil, 404, noRoute},
		{"GET", "/api/v1/nothing", "", nil, 404, noRoute},
		{"GET", ns + "_", "", nil, 404, noRoute},
		{"GET", ns + "_/", "", nil, 404, noRoute},
		{"GET", ns + "_/nothing", "", nil, 404, noRoute},
		{"GET", ns + "/actions", "", nil, 404, noRoute},
		{"GET", ns + "_/actions/a/b/c", "", nil, 404, noRoute},
		{"GET", ns + "_/actions/a/b/c/d/e/f", "", nil, 404, noRoute},
		{"GET", ns + "_/actions/a/b/", "", nil, 404, noRoute},
		{"PUT", ns + "_/actions/a/", plainBody, nil, 404, noRoute},
		{"POST", ns + "_/actions/a/", "", nil, 404, noRoute},
		{"GET", ns + "_/limits/", "", nil, 404, noRoute},
		{"GET", ns + "_/activations/" + anID + "/", "", nil, 404, noRoute},
		{"GET", ns + "_/activations/" + anID + "/other", "", nil, 404, noRoute},
		{"GET", ns + "_/activations/" + anID + "/logs/x", "", nil, 404, noRoute},

		// names
		{"GET", "_/actions/" + long, "", nil, 400, "Name segement longer than allowed: 257 > 256."},
		{"GET", "_/actions/p/" + long, "", nil, 400, "Name segement longer than allowed: 257 > 256."},
		{"GET", long + "/actions", "", nil, 400, "Namespace longer than allowed: 257 > 256."},
		{"GET", "-x/actions", "", nil, 400, "The namespace contains illegal characters."},
		{"GET", "_/actions/a%20", "", nil, 400, "The name of the entity contains illegal characters."},
		{"GET", "_/actions/a%2Fb", "", nil, 400, "The name of the entity contains illegal characters."},
		{"PUT", "_/actions/%C3%A4", plainBody, nil, 400, "The name of the entity contains illegal characters."},
		{"POST", "_/actions/$", "", nil, 400, "The name of the entity contains illegal characters."},
		{"GET", "_/actions/b%C3%A4d/a", "", nil, 400, "The name of the entity contains illegal characters."},
		{"GET", "_/rules/-", "", nil, 400, "The name of the entity contains illegal characters."},
		{"GET", "_/activations/abc", "", nil, 400, "Activation id length is 3 but must be 32."},
		{"GET", "_/activations/" + strings.ToUpper(anID), "", nil, 400, "The activation id is not valid."},

		// methods
		{"PUT", "_/actions", plainBody, nil, 405, methods("GET")},
		{"POST", "_/actions/", "", nil, 405, methods("GET")},
		{"HEAD", "_/actions/a", "", nil, 405, ""},
		{"PATCH", "_/actions/a", "", nil, 405, methods("GET, PUT, POST, DELETE")},
		{"DELETE", "_/activations/" + anID, "", nil, 405, methods("GET")},
		{"PUT", "_/activations", "", nil, 405, methods("GET")},
		{"POST", "_/limits", "", nil, 405, methods("GET")},
		{"POST", "/api/v1/namespaces", "", nil, 405, methods("GET")},
		{"POST", "/api/v1", "", nil, 405, methods("GET")},
		{"POST", "/", "", nil, 405, methods("GET")},
		{"POST", "/ping", "", nil, 405, methods("GET")},
		{"PUT", "_/triggers", "", nil, 405, methods("GET")},

		// rights
		{"GET", "bob/actions", "", nil, 403, denied("bob")},
		{"GET", "bob/actions/a", "", nil, 403, denied("bob/a")},
		{"PUT", "bob/actions/a", "not even JSON", nil, 403, denied("bob/a")},
		{"DELETE", "bob/actions/a", "", nil, 403, denied("bob/a")},
		{"POST", "bob/actions/a", "", nil, 403, denied("bob/a")},
		{"GET", "nobody/actions/a", "", nil, 403, denied("nobody/a")},
		{"GET", "bob/activations", "", nil, 403, denied("bob")},
		{"GET", "bob/activations/" + anID, "", nil, 403, denied("bob/" + anID)},
		{"GET", "bob/limits", "", nil, 403, denied("bob")},
		{"GET", "bob/triggers", "", nil, 403, denied("bob")},
		{"GET", "bob/rules", "", nil, 403, denied("bob")},

		// packages do not exist
		{"GET", "_/actions/p/a", "", nil, 404, noEntity},
		{"PUT", "_/actions/p/a", plainBody, nil, 404, noEntity},
		{"POST", "alice/actions/p/a", "", nil, 404, noEntity},
		{"DELETE", "_/actions/p/a", "", nil, 404, noEntity},
		{"GET", "_/actions/p/", "", nil, 404, noEntity},
		{"GET", "bob/actions/p/", "", nil, 403, denied("bob/p")},
		{"GET", "bob/actions/p/a", "", nil, 403, denied("bob/p")},
		{"POST", "bob/actions/p/a", "", nil, 403, denied("bob/p")},
		{"PUT", "bob/actions/p/a", plainBody, nil, 403, denied("bob/p/a")},
		{"DELETE", "bob/actions/p/a", "", nil, 403, denied("bob/p/a")},
		{"GET", "_/packages/p", "", nil, 404, "The requested resource 'alice/p' does not exist."},
		{"DELETE", "_/packages/p", "", nil, 404, noEntity},
		{"POST", "_/packages/p", "", nil, 405, methods("GET, PUT, DELETE")},
		{"GET", "bob/packages/p", "", nil, 403, denied("bob/p")},
		{"POST", "_/rules/r", `{"status":"active"}`, nil, 404, noEntity},
		{"GET", "_/rules/r", "", nil, 404, noEntity},
		{"DELETE", "_/rules/r", "", nil, 404, noEntity},
		{"GET", "_/triggers/t", "", nil, 404, noEntity},
		{"DELETE", "_/triggers/t", "", nil, 404, noEntity},
		{"GET", "bob/triggers/t", "", nil, 403, denied("bob/t")},
		{"PUT", "bob/triggers/t", "not even JSON", nil, 403, denied("bob/t")},
		{"DELETE", "bob/rules/r", "", nil, 403, denied("bob/r")},
		{"POST", "bob/rules/r", "", nil, 403, denied("bob/r")},
		{"PUT", "bob/packages/p", "not even JSON", nil, 403, denied("bob/p")},
		{"DELETE", "bob/packages/p", "", nil, 403, denied("bob/p")},
		{"POST", "_/packages/refresh", "", nil, 404, noRoute},
		{"PATCH", "_/triggers/t", "{}", nil, 405, methods("GET, PUT, POST, DELETE")},
		{"GET", "_/triggers/t/x", "", nil, 404, noRoute},
		{"GET", "_/rules/r/", "", nil, 404, noRoute},

		// missing and misplaced
		{"GET", "_/actions/a", "", nil, 404, noEntity},
		{"DELETE", "_/actions/a", "", nil, 404, noEntity},
		{"POST", "_/actions/a", "", nil, 404, noEntity},
		{"GET", "_/activations/" + anID, "", nil, 404, noEntity},
		{"GET", "_/actions/trigger", "", nil, 409, "Resource by this name exists but is not in this collection."},
		{"PUT", "_/actions/trigger", plainBody, nil, 409, "Resource by this name exists but is not in this collection."},
		{"POST", "_/actions/trigger", "", nil, 409, "Resource by this name exists but is not in this collection."},
		{"DELETE", "_/actions/trigger", "", nil, 409, "Resource by this name exists but is not in this collection."},
		{"GET", "_/packages/trigger", "", nil, 409, "Resource by this name exists but is not in this collection."},
		{"PUT", "_/packages/trigger", "{}", nil, 409, "Resource by this name exists but is not in this collection."},
		{"DELETE", "_/packages/trigger", "", nil, 409, "Resource by this name exists but is not in this collection."},
		{"GET", "_/rules/trigger", "", nil, 409, "Resource by this name exists but is not in this collection."},
		{"PUT", "_/rules/trigger", "{}", nil, 409, "Resource by this name exists but is not in this collection."},
		{"POST", "_/rules/trigger", `{"status":"active"}`, nil, 409, "Resource by this name exists but is not in this collection."},
		{"DELETE", "_/rules/trigger", "", nil, 409, "Resource by this name exists but is not in this collection."},
		{"GET", "_/actions/trigger/a", "", nil, 409, "Resource by this name exists but is not in this collection."},
		{"PUT", "_/actions/trigger/a", plainBody, nil, 409, "Resource by this name exists but is not in this collection."},
		{"GET", "_/actions/trigger/", "", nil, 409, "Resource by this name exists but is not in this collection."},

		// media types
		{"GET", "_/actions", "", []option{header("Accept", "text/html")}, 406, "Resource representation is only available with these types:\napplication/json"},
		{"GET", "/", "", []option{header("Accept", "text/html")}, 406, "Resource representation is only available with these types:\napplication/json"},
		{"GET", "/ping", "", []option{header("Accept", jsonType)}, 406, "Resource representation is only available with these types:\ntext/plain"},
		{"PUT", "_/actions/a", plainBody, []option{header("Content-Type", "text/plain")}, 415, jsonOnly},
		{"PUT", "_/actions/a", plainBody, []option{func(r *http.Request) { r.Header.Del("Content-Type") }}, 415, jsonOnly},
		{"PUT", "_/actions/a", plainBody, []option{chunked, header("Content-Type", "text/plain")}, 415, jsonOnly},
		{"PUT", "_/actions/a", plainBody, []option{header("Content-Encoding", "gzip")}, 415, "The request's Content-Encoding is not supported. Expected:\nidentity"},

		// bodies
		{"PUT", "_/actions/a", "", nil, 400, "Request entity expected but not supplied"},
		{"PUT", "_/actions/a", "[]", nil, 400, malformed + "JSON object expected."},
		{"PUT", "_/actions/a", "{", nil, 400, malformed + "unexpected end of JSON input"},
		{"PUT", "_/actions/a", `{"x":` + strings.Repeat("[", 600) + strings.Repeat("]", 600) + "}", nil, 400, malformed + "JSON is nested deeper than 512 levels"},

		// queries
		{"GET", "_/actions?limit=201", "", nil, 400, query("limit", "The value '201' is not in the range of 0 to 200 for actions.")},
		{"GET", "_/actions?limit=-1", "", nil, 400, query("limit", "The value '-1' is not in the range of 0 to 200 for actions.")},
		{"GET", "_/actions?limit=x", "", nil, 400, query("limit", "The value 'x' is not an integer for actions.")},
		{"GET", "_/actions?skip=-1", "", nil, 400, query("skip", "The value '-1' is not greater than or equal to 0 for actions.")},
		{"GET", "_/actions?skip=1.5", "", nil, 400, query("skip", "The value '1.5' is not an integer for actions.")},
		{"GET", "_/actions?count=maybe", "", nil, 400, query("count", "'maybe' is not a valid Boolean value")},
		{"GET", "_/activations?limit=201", "", nil, 400, query("limit", "The value '201' is not in the range of 0 to 200 for activations.")},
		{"GET", "_/packages?limit=201", "", nil, 400, query("limit", "The value '201' is not in the range of 0 to 200 for packages.")},
		{"GET", "_/activations?since=x", "", nil, 400, query("since", "Parameter is not a valid value for epoch seconds: x")},
		{"GET", "_/activations?upto=1.5", "", nil, 400, query("upto", "Parameter is not a valid value for epoch seconds: 1.5")},
		{"GET", "_/activations?docs=true&count=true", "", nil, 400, "The parameter 'docs' is not permitted with 'count'."},
		{"GET", "_/activations?name=a/b/c", "", nil, 400, query("name", "Parameter may be a 'simple' name or 'package-name/simple' name: a/b/c")},
		{"GET", "_/activations?name=%2Fa", "", nil, 400, query("name", "Parameter may be a 'simple' name or 'package-name/simple' name: /a")},
		{"GET", "_/activations?name=a/", "", nil, 400, query("name", "Parameter may be a 'simple' name or 'package-name/simple' name: a/")},
		{"GET", "_/activations?name=%zz", "", nil, 400, query("name", "invalid escape")},
		{"POST", "_/actions/a?timeout=0", "", nil, 400, query("timeout", "Timeout must be number of milliseconds up to 60000.")},
		{"POST", "_/actions/a?timeout=60001", "", nil, 400, query("timeout", "Timeout must be number of milliseconds up to 60000.")},
		{"POST", "_/actions/a?timeout=x", "", nil, 400, query("timeout", "Timeout must be number of milliseconds up to 60000.")},
		{"POST", "_/actions/a?blocking=2", "", nil, 400, query("blocking", "'2' is not a valid Boolean value")},
		{"PUT", "_/actions/a?overwrite=2", plainBody, nil, 400, query("overwrite", "'2' is not a valid Boolean value")},
		{"GET", "_/actions/a?code=2", "", nil, 400, query("code", "'2' is not a valid Boolean value")},
	} {
		t.Run(c.method+" "+c.target, func(t *testing.T) {
			w := newWorld(t)
			trigger := &whisk.Trigger{Name: whisk.EntityName{Namespace: "alice", Name: "trigger"}, Version: whisk.FirstVersion}
			if _, err := w.PutTrigger(t.Context(), trigger, 0); err != nil {
				t.Fatal(err)
			}
			a := w.do(c.method, c.target, c.body, append(c.opts, header("X-Request-ID", "my-id_1"))...)
			if a.status != c.status {
				t.Fatalf("status = %d %s, want %d", a.status, a.body, c.status)
			}
			if c.text != "" {
				mustEqual(t, "body", a.json(t), map[string]string{"error": c.text, "code": "my-id_1"})
			}
			mustEqual(t, "content type", a.header.Get("Content-Type"), "application/json")
			mustEqual(t, "request id", a.header.Get("X-Request-ID"), "my-id_1")
			wantAuth := ""
			if c.status == 401 {
				wantAuth = `Basic realm="OpenWhisk secure realm"`
			}
			mustEqual(t, "challenge", a.header.Get("WWW-Authenticate"), wantAuth)
			if c.status == 405 && a.header.Get("Allow") == "" {
				t.Error("405 without Allow")
			}
			if w.count() > 0 {
				t.Error("an action was stored")
			}
		})
	}
}

const anID = "0123456789abcdef0123456789abcdef"

func TestRequestID(t *testing.T) {
	w := newWorld(t)
	for in, kept := range map[string]bool{
		"a": true, "A-b_9": true, strings.Repeat("x", 64): true,
		"": false, strings.Repeat("x", 65): false, "a b": false, "a\"b": false, "ä": false, "sid_1": false,
	} {
		a := w.do("GET", "/ping", "", header("X-Request-ID", in))
		got := a.header.Get("X-Request-ID")
		if kept && got != in {
			t.Errorf("id %q became %q", in, got)
		}
		if !kept && (got == in || len(got) != 32 || !validRequestID(got)) {
			t.Errorf("id %q became %q, want 32 letters and digits", in, got)
		}
	}
}

func TestCORSAndOptions(t *testing.T) {
	w := newWorld(t)
	for _, target := range []string{"/api/v1", "/api/v1/", "/api/v1/namespaces/_/actions/a", "/api/v1/anything/at/all"} {
		a := w.do("OPTIONS", target, "", anonymous)
		if a.status != 200 || a.body != "" {
			t.Errorf("OPTIONS %s = %d %q, want an empty 200", target, a.status, a.body)
		}
		for k, want := range map[string]string{
			"Access-Control-Allow-Origin":  "*",
			"Access-Control-Allow-Headers": "Authorization, Origin, X-Requested-With, Content-Type, Accept, User-Agent",
			"Access-Control-Allow-Methods": "GET, DELETE, POST, PUT, HEAD",
		} {
			if got := a.header.Get(k); got != want {
				t.Errorf("OPTIONS %s: %s = %q, want %q", target, k, got, want)
			}
		}
	}
	if got := w.do("GET", "_/actions/none", "").header.Get("Access-Control-Allow-Origin"); got != "*" {
		t.Errorf("404 has Allow-Origin %q", got)
	}
}

func TestPanicIsOneRequests(t *testing.T) {
	w := newWorld(t)
	w.mustPut("a", plainBody)
	w.invoke = panicking
	a := w.do("POST", "_/actions/a?blocking=true", "")
	if a.status != 500 || a.text(t) != "There was an internal server error." {
		t.Errorf("got %d %s", a.status, a.body)
	}
	if w.inFlight != 0 {
		t.Errorf("%d invocations are still in flight", w.inFlight)
	}
	if a := w.do("GET", "/ping", ""); a.body != "pong" {
		t.Errorf("ping = %q", a.body)
	}
}
