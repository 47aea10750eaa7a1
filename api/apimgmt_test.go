package api

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"hearth/whisk"
)

const manageURL = "/api/v1/web/whisk.system/apimgmt/"

// createBody is what wsk sends to create an operation that runs alice's action.
func createBody(base, path, method, name string, more ...string) string {
	doc := `"namespace":"_","gatewayBasePath":"` + base + `","gatewayPath":"` + path + `","gatewayMethod":"` + method + `","id":"API:_:` + base + `"`
	action := `"name":"` + name + `","namespace":"_","backendMethod":"` + method + `","authkey":"x:y","backendUrl":"http://example.com/api/v1/web/_/default/` + name + `.http"`
	for _, m := range more {
		if strings.HasPrefix(m, `"secureKey"`) {
			action += "," + m
		} else {
			doc += "," + m
		}
	}
	return `{"apidoc":{` + doc + `,"action":{` + action + `}}}`
}

func pathParameters(names ...string) string {
	var out []string
	for _, n := range names {
		out = append(out, `{"name":"`+n+`","in":"path","required":true,"type":"string"}`)
	}
	return `"pathParameters":[` + strings.Join(out, ",") + `]`
}

// create creates an operation, and must succeed.
func (w *world) create(query, body string, opts ...option) answer {
	w.t.Helper()
	a := w.do("POST", manageURL+"createApi.http?accesstoken=DUMMY+TOKEN&spaceguid=x"+query, body, opts...)
	if a.status != 200 {
		w.t.Fatalf("create %s = %d %s", body, a.status, a.body)
	}
	return a
}

func (w *world) apis(query string, opts ...option) []any {
	w.t.Helper()
	a := w.do("GET", manageURL+"getApi.http?accesstoken=DUMMY+TOKEN&spaceguid=x"+query, "", opts...)
	if a.status != 200 {
		w.t.Fatalf("get %s = %d %s", query, a.status, a.body)
	}
	return a.json(w.t, "apis").([]any)
}

func TestCreateAPI(t *testing.T) {
	w := webWorld(t, note(annotationWebAuth, `"s3cret"`))
	a := w.create("&responsetype=http", createBody("/club", "/books/{isbn}", "GET", "web", `"apiName":"Book Club"`, `"secureKey":"s3cret"`, pathParameters("isbn")))
	want := `{"namespace":"alice","gwApiActivated":true,"tenantId":"alice","gwApiUrl":"http://example.com/api/alice/club","apidoc":{
		"swagger":"2.0","basePath":"/club","info":{"title":"Book Club","version":"1.0.0"},
		"paths":{"/books/{isbn}":{"get":{"operationId":"getBooksIsbn","parameters":[{"name":"isbn","in":"path","required":true,"type":"string"}],
			"x-openwhisk":{"url":"http://example.com/api/v1/web/alice/default/web.http","namespace":"alice","package":"","action":"web"},
			"responses":{"default":{"description":"Default response"}}}}},
		"x-ibm-configuration":{"cors":{"enabled":true},"assembly":{"execute":[{"operation-switch":{"case":[{"operations":["getBooksIsbn"],"execute":[
			{"invoke":{"target-url":"http://example.com/api/v1/web/alice/default/web.http$(request.path)","verb":"keep"}},
			{"set-variable":{"actions":[{"set":"message.headers.X-Require-Whisk-Auth","value":"s3cret"}]}}]}]}}]}}}}`
	mustEqual(t, "answer", a.json(t), json.RawMessage(want))
	mustEqual(t, "APIs", w.apis(""), json.RawMessage(`[{"id":"API:alice:/club","key":"API:alice:/club","value":`+want+`}]`))

	w.create("", createBody("Book Club", "/books", "POST", "web"), header("X-Forwarded-Proto", "https"))
	w.create("", createBody("/", "/top", "PUT", "web"))
	for query, want := range map[string]string{
		"": "/ /club", "&basepath=/club": "/club", "&basepath=/club/": "/club", "&basepath=Book+Club": "/club", "&basepath=/": "/",
		"&basepath=/none": "", "&basepath=club": "", "&limit=1": "/", "&limit=1&skip=1": "/club", "&limit=0&skip=0": "/ /club", "&skip=9": "",
		"&basepath=undefined&limit=undefined&skip=undefined&relpath=undefined": "/ /club", // as npm's client writes nothing
	} {
		var got []string
		for _, v := range w.apis(query) {
			got = append(got, v.(map[string]any)["value"].(map[string]any)["apidoc"].(map[string]any)["basePath"].(string))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("get %s = %q, want %q", query, got, want)
		}
	}
	if got := w.apis("", as(bobKey)); len(got) != 0 {
		t.Errorf("bob sees %v", got)
	}
}

func TestCreateAPIRefused(t *testing.T) {
	w := webWorld(t, "")
	w.mustPut("private", plainBody)
	w.create("&responsetype=http", createBody("/there", "/a", "GET", "web"))
	with := func(from, to string) string {
		return strings.Replace(createBody("/b", "/p", "GET", "web"), from, to, 1)
	}
	field := func(name string) string { return with(`"`+name+`":`, `"x-`+name+`":`) }
	document := func(more string) string {
		return `{"apidoc":{"namespace":"_","swagger":` + quoted(`{"basePath":"/s","info":{"title":"t"},`+more+`}`) + `}}`
	}
	operation := func(config, url string) string {
		return document(`"paths":{"/p":{"get":{"operationId":"o","x-openwhisk":{"url":"` + url + `"}}}},"x-ibm-configuration":{"assembly":{"execute":[` + config + `]}}`)
	}
	const web = "http://example.com/api/v1/web/alice/default/web.http"
	const failure = "API creation failure: "
	for _, c := range []struct{ name, query, body, want string }{
		{"no apidoc", "", `{}`, "apidoc is required."},
		{"apidoc is no JSON", "", `{"apidoc":"{"}`, "apidoc field cannot be parsed. Ensure it is valid JSON."},
		{"apidoc is no object", "", `{"apidoc":[1]}`, "apidoc field should be a JSON object or a JSON string."},
		{"no namespace", "", field("namespace"), "apidoc is missing the namespace field"},
		{"no base path", "", field("gatewayBasePath"), "apidoc is missing the gatewayBasePath field"},
		{"no path", "", field("gatewayPath"), "apidoc is missing the gatewayPath field"},
		{"no method", "", field("gatewayMethod"), "apidoc is missing the gatewayMethod field"},
		{"no action", "", field("action"), "apidoc is missing the action field."},
		{"no backend method", "", field("backendMethod"), "action is missing the backendMethod field."},
		{"no backend URL", "", field("backendUrl"), "action is missing the backendUrl field."},
		{"no action's namespace", "", strings.Replace(createBody("/b", "/p", "GET", "web"), `"web","namespace":"_"`, `"web"`, 1), "action is missing the namespace field."},
		{"no action's name", "", field("name"), "action is missing the name field."},
		{"no key", "", field("authkey"), "action is missing the authkey field."},

		{"unknown verb", "", with(`"GET"`, `"BREW"`), failure + "'BREW' is not a verb of an API."},
		{"unknown response type", "&responsetype=xml", createBody("/b", "/p", "GET", "web"), failure + "'xml' is not a type of responses."},
		{"unknown name of an API", "", createBody("None", "/p", "GET", "web"), failure + "API 'None' does not exist."},
		{"base path with parameters", "", createBody("/b/{x}", "/p", "GET", "web"), failure + "The base path (/b/{x}) cannot have parameters. Only the relative path supports path parameters."},
		{"parameters need http", "", createBody("/b", "/{x}", "GET", "web", pathParameters("x")), failure + "The action must use a response type of '.http' in order to receive the path parameters."},
		{"parameters need declaration", "&responsetype=http", createBody("/b", "/{x}/{y}", "GET", "web", pathParameters("x")), failure + "The parameter 'y' defined in path '/{x}/{y}' does not match any of the parameters defined for the path in the swagger file."},
		{"path without a slash", "", createBody("/b", "p", "GET", "web"), failure + "The path 'p' is not valid: it must begin with '/', and have at most 2048 bytes and no '?' or '#'."},
		{"bad name", "", createBody("/b", "/p", "GET", "a/b/c/d"), failure + "The fully qualified name of the entity must contain at least the namespace and the name of the entity."},

		{"another host", "", with("http://example.com/", "http://other.example.com/"), failure + "The target 'http://other.example.com/api/v1/web/_/default/web.http' is not on this host."},
		{"no such action", "", createBody("/b", "/p", "GET", "none"), failure + "Action '/alice/none': The requested resource does not exist."},
		{"no web action", "", createBody("/b", "/p", "GET", "private"), failure + "Action '/alice/private' is not a web action."},
		{"a stranger's action", "", strings.Replace(createBody("/b", "/p", "GET", "web"), `"web","namespace":"_"`, `"web","namespace":"bob"`, 1), failure + "Action '/bob/web': The supplied authentication is not authorized to access 'bob/web'."},

		{"two ways", "", `{"apidoc":{"namespace":"_","gatewayBasePath":"/b","swagger":"{}"}}`, "swagger and gatewayBasePath are mutually exclusive and cannot be specified together."},
		{"document is no JSON", "", `{"apidoc":{"namespace":"_","swagger":"{"}}`, "swagger field cannot be parsed. Ensure it is valid JSON."},
		{"no base path in it", "", `{"apidoc":{"namespace":"_","swagger":"{}"}}`, "swagger is missing the basePath field."},
		{"no paths in it", "", document(`"x":1`), "swagger is missing the paths field."},
		{"no info in it", "", `{"apidoc":{"namespace":"_","swagger":{"basePath":"/s","paths":{}}}}`, "swagger is missing the info field."},
		{"keys asked for", "", document(`"paths":{},"securityDefinitions":{"client_id":{"type":"apiKey"}}`), failure + "'securityDefinitions' is not supported, and without it the API would be open."},
		{"a rate asked for", "", document(`"paths":{},"x-ibm-rate-limit":[{"rate":1}]`), failure + "'x-ibm-rate-limit' is not supported, and without it the API would be open."},
		{"no target", "", operation("", ""), failure + "The target '' is not the URL of a web action."},
		{"target elsewhere", "", operation("", "https://other.example.com/api/v1/web/alice/default/web.http"), failure + "The target 'https://other.example.com/api/v1/web/alice/default/web.http' is not on this host."},
		{"target is no web action", "", operation("", "https://example.com/api/v1/namespaces/_/actions/web"), failure + "The target 'https://example.com/api/v1/namespaces/_/actions/web' is not the URL of a web action."},
		{"target is no HTTP", "", operation("", "file://example.com/api/v1/web/alice/default/web.http"), failure + "The target 'file://example.com/api/v1/web/alice/default/web.http' is not the URL of a web action."},
		{"gateway target elsewhere", "", operation(`{"operation-switch":{"case":[{"operations":["o"],"execute":[{"invoke":{"target-url":"http://169.254.169.254/api/v1/web/a/b/c.http"}}]}]}}`, web), failure + "The target 'http://169.254.169.254/api/v1/web/a/b/c.http' is not on this host."},
		{"one target for all elsewhere", "", operation(`{"invoke":{"target-url":"http://other/api/v1/web/alice/default/web.http"}}`, web), failure + "The target 'http://other/api/v1/web/alice/default/web.http' is not on this host."},
		{"stranger's target", "", operation("", "https://example.com/api/v1/web/bob/default/web.http"), failure + "Action '/bob/web': The supplied authentication is not authorized to access 'bob/web'."},
		{"key set", "", operation(`{"set-variable":{"actions":[{"set":"message.headers.Authorization","value":"x"}]}}`, web), failure + "set-variable can set headers of the request to texts, but not 'message.headers.Authorization' to that."},
		{"two headers in one", "", operation(`{"set-variable":{"actions":[{"set":"message.headers.a","value":"x\ny"}]}}`, web), failure + "set-variable can set headers of the request to texts, but not 'message.headers.a' to that."},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := w.do("POST", manageURL+"createApi.http?x=y"+c.query, c.body)
			if a.status != 502 || a.text(t) != c.want {
				t.Errorf("= %d %s, want %q", a.status, a.body, c.want)
			}
		})
	}
	if got := len(w.apis("")); got != 1 {
		t.Errorf("%d APIs after all that, want the 1 from before", got)
	}
	for _, key := range []option{anonymous, as(whisk.AuthKey{UUID: aliceKey.UUID, Key: bobKey.Key})} {
		for _, action := range []string{"createApi", "getApi", "deleteApi"} {
			if a := w.do("POST", manageURL+action+".http", "{}", key); a.status != 502 || a.text(t) != "A valid auth key is required." {
				t.Errorf("%s without a key = %d %s", action, a.status, a.body)
			}
		}
	}
	for _, path := range []string{"getApi.json", "other.http", "getApi.text/x"} {
		if a := w.do("GET", manageURL+path, ""); a.status != 404 {
			t.Errorf("%s = %d", path, a.status)
		}
	}
}

// What wskdeploy and serverless send where the API host begins with a scheme.
func TestCreateAPIWithTwoSchemes(t *testing.T) {
	w := webWorld(t, "")
	const once, twice = "http://example.com/", "https://http://example.com/"
	a := w.create("", strings.Replace(createBody("/b", "/p", "GET", "web"), once, twice, 1))
	if got := a.json(t, "apidoc", "paths", "/p", "get", "x-openwhisk", "url"); got != once+"api/v1/web/alice/default/web.json" {
		t.Errorf("target %v", got)
	}
	w.create("", `{"apidoc":{"namespace":"_","swagger":{"basePath":"/s","info":{"title":"t"},"paths":{"/p":{"get":{"operationId":"o"}}},
		"x-ibm-configuration":{"assembly":{"execute":[{"operation-switch":{"case":[{"operations":["o"],"execute":[
			{"set-variable":{"actions":[{"set":"message.headers.X-Require-Whisk-Auth"}]}},
			{"invoke":{"target-url":"`+twice+`api/v1/web/alice/default/web.json","verb":"keep"}}]}]}}]}}}}}`)
	for _, path := range []string{"/api/alice/b/p", "/api/alice/s/p"} {
		if a := w.do("GET", path, "", anonymous); a.status != 200 {
			t.Errorf("GET %s = %d %s", path, a.status, a.body)
		}
	}
	for _, elsewhere := range []string{"https://http://other.example.com/", "https://https://http://example.com/", "http://x@http://example.com/"} {
		a := w.do("POST", manageURL+"createApi.http", strings.Replace(createBody("/b", "/q", "GET", "web"), once, elsewhere, 1))
		if a.status != 502 {
			t.Errorf("target at %s = %d %s", elsewhere, a.status, a.body)
		}
	}
}

func TestDeleteAPI(t *testing.T) {
	w := webWorld(t, "")
	for _, c := range []struct{ base, path, method string }{
		{"/a", "/x", "GET"}, {"/a", "/x", "POST"}, {"/a", "/y", "GET"}, {"/b", "/x", "GET"},
	} {
		w.create("", createBody(c.base, c.path, c.method, "web", `"apiName":"the `+c.base[1:]+`"`))
	}
	for _, c := range []struct{ query, failure, left string }{
		{"", "basepath is required.", ""},
		{"basepath=/a&operation=get", "When specifying an operation, the path is required.", ""},
		{"basepath=/none", "API '/none' does not exist.", ""},
		{"basepath=/a&relpath=/none", "path '/none' does not exist in the API", ""},
		{"basepath=/a&relpath=/x&operation=PUT", "path '/x' with operation 'put' does not exist in the API", "GET/a/x POST/a/x GET/a/y GET/b/x"},
		{"basepath=/a&relpath=/x&operation=GET", "", "POST/a/x GET/a/y GET/b/x"},
		{"basepath=the+a&relpath=/x", "", "GET/a/y GET/b/x"},
		{"basepath=/a&relpath=/y&operation=get", "", "GET/b/x"},
		{"basepath=/b&relpath=undefined&operation=undefined", "", ""},
	} {
		a := w.do("DELETE", manageURL+"deleteApi.http?accesstoken=t&spaceguid=g&"+c.query, "")
		switch {
		case c.failure == "" && (a.status != 200 || a.body != "{}"):
			t.Errorf("%s = %d %s", c.query, a.status, a.body)
		case c.failure != "" && (a.status != 502 || strings.TrimPrefix(a.text(t), "API deletion failure: ") != c.failure):
			t.Errorf("%s = %d %s, want %q", c.query, a.status, a.body, c.failure)
		}
		if c.left == "" {
			continue
		}
		var left []string
		all, err := w.APIs(t.Context(), "alice")
		if err != nil {
			t.Fatal(err)
		}
		for _, api := range all.List {
			for _, r := range api.Routes {
				left = append(left, r.Method+api.BasePath+r.Path)
			}
			if n := strings.Count(string(api.Document), `"operations"`); n != len(api.Routes) {
				t.Errorf("%s: %d cases for %d routes: %s", c.query, n, len(api.Routes), api.Document)
			}
		}
		if got := strings.Join(left, " "); got != c.left {
			t.Errorf("%s leaves %s, want %s", c.query, got, c.left)
		}
	}
	if _, err := w.APIs(t.Context(), "alice"); err != whisk.ErrNotFound {
		t.Errorf("APIs are left: %v", err)
	}
}

func TestAPIBounds(t *testing.T) {
	w := webWorld(t, "")
	paths := make([]string, 0, maxRoutes)
	for i := range maxRoutes {
		paths = append(paths, fmt.Sprintf(`"/%d":{"get":{"x-openwhisk":{"url":"http://example.com/api/v1/web/alice/default/web.json"}}}`, i))
	}
	all := `{"apidoc":{"namespace":"_","swagger":{"basePath":"/s","info":{},"paths":{` + strings.Join(paths, ",") + `}}}}`
	w.create("", all)
	w.create("", all) // in place of the first
	a := w.do("POST", manageURL+"createApi.http", createBody("/b", "/p", "GET", "web"))
	if want := "API creation failure: A namespace can have at most 200 APIs with 1000 operations and documents of 4194304 bytes."; a.status != 502 || a.text(t) != want {
		t.Errorf("one more = %d %s", a.status, a.body)
	}
}
