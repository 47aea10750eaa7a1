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

// webWorld is a world with the web action "web" of alice's, annotated further.
func webWorld(t testing.TB, annotations string, change ...func(*Config)) *world {
	w := newWorld(t, change...)
	if annotations != "" {
		annotations = "," + annotations
	}
	w.mustPut("web", `{"exec":{"kind":"nodejs:20","code":"x"},"annotations":[{"key":"web-export","value":true}`+annotations+`],
		"parameters":[{"key":"set","value":"default"},{"key":"unset","value":null},{"key":"env","value":"e","init":true}]}`)
	return w
}

func note(key, value string) string { return `{"key":"` + key + `","value":` + value + `}` }

// answers makes every call end so.
func (w *world) answers(status whisk.Status, result string) {
	w.invoke = func(_ context.Context, c *whisk.Call, _ time.Duration, ended func()) (*whisk.Activation, error) {
		ended()
		return w.run(c, whisk.Response{Status: status, Result: json.RawMessage(result)}), nil
	}
}

// visit sends a web request without a key, unless opts give one.
func (w *world) visit(method, path, body string, opts ...option) answer {
	w.t.Helper()
	return w.do(method, path, body, append([]option{anonymous}, opts...)...)
}

const webURL = "/api/v1/web/alice/default/web"

// args returns what the action was given, which the fake answers with.
func (w *world) args(method, tail, body string, opts ...option) map[string]any {
	w.t.Helper()
	a := w.visit(method, webURL+".json"+tail, body, opts...)
	if a.status != 200 {
		w.t.Fatalf("%s %s = %d %s", method, tail, a.status, a.body)
	}
	return a.json(w.t).(map[string]any)
}

func contentType(s string) option { return header("Content-Type", s) }

func TestWebArguments(t *testing.T) {
	w := webWorld(t, "")
	ra := webWorld(t, note("raw-http", "true"))
	for _, c := range []struct {
		name, method, tail, body string
		opts                     []option
		want                     string // what stands beside __ow_headers
		raw                      string // the same of a raw action, from __ow_query on
	}{
		{"nothing", "GET", "", "", nil, `{"__ow_method":"get","__ow_path":""}`, `{"__ow_query":"","__ow_body":""}`},
		{"head", "HEAD", "", "", nil, "", ""},
		{"path", "PATCH", "/a%20b//c/", "", nil, `{"__ow_method":"patch","__ow_path":"/a%20b//c/"}`, `{"__ow_query":"","__ow_body":""}`},
		{"slash", "GET", "/", "", nil, `{"__ow_method":"get","__ow_path":"/"}`, `{"__ow_query":"","__ow_body":""}`},
		{"query", "GET", "?a=b&c=d%26+e&a=z&f&=g", "", nil, `{"__ow_method":"get","__ow_path":"","a":"z","c":"d& e","f":"","":"g"}`, `{"__ow_query":"a=b&c=d%26+e&a=z&f&=g","__ow_body":""}`},
		{"query encoded again", "GET", "?%61=%C3%A4%2B&b=%2F?", "", nil, `{"__ow_method":"get","__ow_path":"","a":"ä+","b":"/?"}`, `{"__ow_query":"a=%C3%A4%2B&b=/?","__ow_body":""}`},
		{"query overrides action", "GET", "?set=1&unset=2", "", nil, `{"__ow_method":"get","__ow_path":"","set":"1","unset":"2"}`, `{"__ow_query":"set=1&unset=2","__ow_body":""}`},
		{"object", "POST", "?a=1&b=2", ` {"b":{"c":12345678901234567890}} `, nil, `{"__ow_method":"post","__ow_path":"","a":"1","b":{"c":12345678901234567890}}`, `{"__ow_query":"a=1&b=2","__ow_body":"IHsiYiI6eyJjIjoxMjM0NTY3ODkwMTIzNDU2Nzg5MH19IA=="}`},
		{"empty object", "PUT", "", `{}`, nil, `{"__ow_method":"put","__ow_path":""}`, `{"__ow_query":"","__ow_body":"e30="}`},
		{"array", "POST", "", `[1,"s",false]`, nil, `{"__ow_method":"post","__ow_path":"","__ow_body":[1,"s",false]}`, `{"__ow_query":"","__ow_body":"WzEsInMiLGZhbHNlXQ=="}`},
		{"text of JSON", "POST", "", `"s"`, nil, `{"__ow_method":"post","__ow_path":"","__ow_body":"s"}`, `{"__ow_query":"","__ow_body":"InMi"}`},
		{"null", "DELETE", "", `null`, nil, `{"__ow_method":"delete","__ow_path":"","__ow_body":null}`, `{"__ow_query":"","__ow_body":"bnVsbA=="}`},
		{"relative of JSON", "POST", "", `{"a":1}`, []option{contentType("application/cloudevents+json; charset=utf-8")}, `{"__ow_method":"post","__ow_path":"","a":1}`, `{"__ow_query":"","__ow_body":"{\"a\":1}"}`},
		{"form", "POST", "?a=0&q=1", `a=1&b=x+y&a=2%3D`, []option{contentType("application/x-www-form-urlencoded")}, `{"__ow_method":"post","__ow_path":"","a":"2=","b":"x y","q":"1"}`, `{"__ow_query":"a=0&q=1","__ow_body":"a=1&b=x+y&a=2%3D"}`},
		{"text", "POST", "?a=1", "1,\"2\"\n", []option{contentType("text/csv")}, `{"__ow_method":"post","__ow_path":"","a":"1","__ow_body":"1,\"2\"\n"}`, `{"__ow_query":"a=1","__ow_body":"1,\"2\"\n"}`},
		{"binary", "POST", "", "\x89PNG", []option{contentType("image/png")}, `{"__ow_method":"post","__ow_path":"","__ow_body":"iVBORw=="}`, `{"__ow_query":"","__ow_body":"iVBORw=="}`},
		{"multipart", "POST", "", "--x--", []option{contentType("multipart/form-data; boundary=x")}, `{"__ow_method":"post","__ow_path":"","__ow_body":"LS14LS0="}`, `{"__ow_query":"","__ow_body":"LS14LS0="}`},
		{"no type", "POST", "", "ab", []option{func(r *http.Request) { r.Header.Del("Content-Type") }}, `{"__ow_method":"post","__ow_path":"","__ow_body":"YWI="}`, `{"__ow_query":"","__ow_body":"YWI="}`},
		{"chunked", "POST", "", `{"a":1}`, []option{chunked}, `{"__ow_method":"post","__ow_path":"","a":1}`, `{"__ow_query":"","__ow_body":"eyJhIjoxfQ=="}`},
		{"caller", "GET", "", "", []option{as(bobKey)}, `{"__ow_method":"get","__ow_path":"","__ow_user":"bob"}`, `{"__ow_user":"bob","__ow_query":"","__ow_body":""}`},
		{"a wrong key is anonymous", "GET", "", "", []option{as(whisk.AuthKey{UUID: bobKey.UUID, Key: aliceKey.Key})}, `{"__ow_method":"get","__ow_path":""}`, `{"__ow_query":"","__ow_body":""}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.method == "HEAD" {
				if a := w.visit("HEAD", webURL+".json", ""); a.status != 200 || a.header.Get("Content-Length") == "0" {
					t.Errorf("= %d %v", a.status, a.header)
				}
				return
			}
			want := map[string]any{"set": "default", "unset": nil}
			got := w.args(c.method, c.tail, c.body, c.opts...)
			checkArgs(t, got, want, c.want)
			want["__ow_method"], want["__ow_path"] = got["__ow_method"], got["__ow_path"]
			checkArgs(t, ra.args(c.method, c.tail, c.body, c.opts...), want, c.raw)
		})
	}
}

func checkArgs(t *testing.T, got, defaults map[string]any, text string) {
	t.Helper()
	delete(got, "__ow_headers")
	want := map[string]any{}
	for k, v := range defaults {
		want[k] = v
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&want); err != nil {
		t.Fatal(err)
	}
	mustEqual(t, "arguments", got, want)
}

func TestWebHeaders(t *testing.T) {
	w := webWorld(t, "")
	got := w.args("POST", "", `{}`, header("X-Mixed", "1"), header("Cookie", "a=b"), header("X-Require-Whisk-Auth", "s"),
		header("X-OW-EXTRA-LOGGING", "on"), header("Content-Length", "2"),
		func(r *http.Request) { r.Header["X-Twice"] = []string{"1", "2"} })["__ow_headers"]
	mustEqual(t, "__ow_headers", got, map[string]any{
		"host": "example.com", "content-type": "application/json", "x-mixed": "1", "cookie": "a=b", "x-twice": "1, 2", "x-require-whisk-auth": "s",
	})
	for _, c := range []struct {
		name string
		opt  option
		want bool
	}{
		{"a key of the platform", as(aliceKey), false},
		{"a key of another namespace", as(bobKey), false},
		{"no key of the platform", as(whisk.AuthKey{UUID: "user", Key: "password"}), true},
		{"another scheme", header("Authorization", "Bearer x"), true},
	} {
		headers := w.args("GET", "", "", c.opt)["__ow_headers"].(map[string]any)
		if _, got := headers["authorization"]; got != c.want {
			t.Errorf("%s: authorization passed on: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestWebCall(t *testing.T) {
	w := webWorld(t, "")
	var call *whisk.Call
	w.invoke = func(_ context.Context, c *whisk.Call, wait time.Duration, ended func()) (*whisk.Activation, error) {
		call = c
		if wait != w.server.cfg.Limits.BlockingWait {
			t.Errorf("wait = %v", wait)
		}
		ended()
		return w.run(c, whisk.Response{Result: json.RawMessage(`{}`)}), nil
	}
	a := w.visit("GET", webURL+"?env=other", "", as(bobKey), header("X-Request-ID", "tid"))
	if a.status != 204 || a.header.Get("X-Openwhisk-Activation-Id") != call.ID.String() || a.header.Get("X-Request-ID") != "tid" {
		t.Errorf("= %d %v", a.status, a.header)
	}
	got := []any{call.Namespace, call.Subject, call.UUID, call.TransactionID, call.Target.Name.Path(), string(call.Env)}
	mustEqual(t, "call", got, []any{"alice", "alice-subject", aliceKey.UUID, "tid", "alice/web", `{"env":"other"}`})
	if w.charges != 1 || w.inFlight != 0 {
		t.Errorf("charges = %d, in flight = %d", w.charges, w.inFlight)
	}
}
