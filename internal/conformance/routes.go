package conformance

import (
	"net/url"
	"strings"
)

// api is an API under a base path of a check's own.
type api struct {
	c    *C
	base string
	url  string // where it is reached, once it has been created
}

// api begins an API; it is deleted at the check's end.
func (c *C) api() *api {
	c.Helper()
	a := &api{c: c, base: "/" + c.name("api")}
	c.atEnd(func() {
		_, _, _ = c.h.plain(c.end(), "DELETE", c.h.own.Key, a.path("deleteApi.http", "basepath", a.base, "force", "true"), nil)
	})
	return a
}

// path is that of a call of the API's management.
func (a *api) path(action string, query ...string) string {
	uuid, _, _ := strings.Cut(a.c.h.own.Key, ":")
	q := url.Values{"accesstoken": {"DUMMY TOKEN"}, "spaceguid": {uuid}}
	for i := 0; i+1 < len(query); i += 2 {
		q.Set(query[i], query[i+1])
	}
	return "/api/v1/web/whisk.system/apimgmt/" + action + "?" + q.Encode()
}

// doc is the document that clients send for one operation, whose action is
// package/name of the suite's namespace.
func (a *api) doc(verb, path, action, extension string) J {
	pkg, name, _ := strings.Cut(action, "/")
	if pkg != "default" {
		name = pkg + "/" + name
	}
	return J{
		"namespace": a.c.ns(), "gatewayBasePath": a.base, "gatewayPath": path, "gatewayMethod": verb,
		"id": "API:" + a.c.ns() + ":" + a.base,
		"action": J{
			"name": name, "namespace": a.c.ns(), "backendMethod": verb, "authkey": a.c.h.own.Key,
			"backendUrl": a.c.h.url + "/api/v1/web/" + a.c.ns() + "/" + action + extension,
		},
	}
}

// create sends a document.
func (a *api) create(doc J, responseType string) *Answer {
	a.c.Helper()
	return a.c.post(a.path("createApi.http", "responsetype", responseType), J{"apidoc": doc})
}

// add adds an operation that the action answers with JSON.
func (a *api) add(verb, path, action string) *Answer {
	a.c.Helper()
	got := a.create(a.doc(verb, path, action, ".json"), "json").want(200)
	a.url = got.str("gwApiUrl")
	return got
}

// call calls the API as anybody may.
func (a *api) call(method, path string) *Request {
	a.c.Helper()
	u, err := url.Parse(a.url)
	if err != nil || u.Path == "" {
		a.c.fatal("gwApiUrl is %q", a.url)
	}
	r := a.c.req(method, u.EscapedPath()+path).anonymous()
	r.base = u.Scheme + "://" + u.Host
	return r
}

func (a *api) get(query ...string) *Answer {
	a.c.Helper()
	return a.c.get(a.path("getApi.http", query...))
}

func (a *api) delete(query ...string) *Answer {
	a.c.Helper()
	return a.c.delete(a.path("deleteApi.http", append([]string{"basepath", a.base}, query...)...))
}

// refused wants the failure of management, a 502 whose error has the text.
func refused(a *Answer, text string) {
	a.c.Helper()
	if got := a.want(502).str("error"); !strings.Contains(got, text) {
		a.wrong("error is %q, want %q in it", got, text)
	}
}

func routeChecks() []Check {
	return append(append(routeCreateChecks(), routeReadChecks()...), append(trafficChecks(), swaggerChecks()...)...)
}

func routeCreateChecks() []Check {
	return []Check{
		{"a new API is answered with its Swagger document", func(c *C) {
			a := c.api()
			got := a.add("GET", "/hello", c.webDoer()).field("gwApiActivated", true).has("tenantId", "gwApiUrl")
			got.field("apidoc.swagger", "2.0").field("apidoc.basePath", a.base).field("apidoc.info.title", a.base)
			op := got.at("apidoc", "paths", "/hello", "get").has("operationId", "responses")
			op.at("x-openwhisk").field("namespace", c.ns()).field("action", strings.TrimPrefix(c.webDoer(), "default/")).has("package", "url")
			got.at("apidoc", "x-ibm-configuration").has("assembly").field("cors.enabled", true)
		}},
		{"an API's document names an action's package", func(c *C) {
			pkg := c.make("packages")
			c.put("actions/"+pkg+"/a", J{"exec": c.node(doer), "limits": small, "annotations": kv("web-export", true)}).want(200)
			a := c.api()
			a.add("GET", "/x", pkg+"/a").at("apidoc", "paths", "/x", "get", "x-openwhisk").field("package", pkg).field("action", "a")
			a.call("GET", "/x?a=b").do().want(200).field("a", "b")
		}},
		{"an API may have a name", func(c *C) {
			a := c.api()
			doc := a.doc("GET", "/hello", c.webDoer(), ".json")
			doc["apiName"] = c.name("title")
			a.create(doc, "json").want(200).field("apidoc.info.title", doc["apiName"])
			a.get("basepath", doc["apiName"].(string)).want(200).at("apis").rows()[0].field("value.apidoc.basePath", a.base)
		}},
		{"an API may have several paths and verbs", func(c *C) {
			a := c.api()
			a.add("GET", "/one", c.webDoer())
			a.add("POST", "/one", c.webDoer())
			got := a.add("PUT", "/two", c.webDoer())
			got.at("apidoc", "paths").keys("/one", "/two")
			got.at("apidoc", "paths", "/one").has("get", "post")
			a.call("GET", "/one").do().want(200).field("__ow_method", "get")
			a.call("POST", "/one").do().want(200).field("__ow_method", "post")
			a.call("PUT", "/two").do().want(200).field("__ow_method", "put")
		}},
		{"APIs are managed by clients that leave out the extension", func(c *C) {
			a := c.api()
			c.post(a.path("createApi", "responsetype", "json"), J{"apidoc": a.doc("GET", "/x", c.webDoer(), ".json")}).want(200).has("gwApiUrl")
			c.get(a.path("getApi", "basepath", a.base)).want(200).at("apis").rows()
			c.delete(a.path("deleteApi", "basepath", a.base)).want(200)
			a.get("basepath", a.base).want(200).field("apis", L{})
		}},
		{"APIs are managed with a key alone", func(c *C) {
			a := c.api()
			got := c.req("POST", a.path("createApi.http")).anonymous().json(J{"apidoc": a.doc("GET", "/x", c.webDoer(), ".json")}).do()
			if got.Status != 502 && got.Status != 401 {
				got.wrong("want a failure")
			}
			got.str("error")
			a.get("basepath", a.base).want(200).field("apis", L{})
		}},
		{"an API's action must be a web action", func(c *C) {
			a := c.api()
			refused(a.create(a.doc("GET", "/x", "default/"+c.doer(), ".json"), "json"), "")
			a.get("basepath", a.base).want(200).field("apis", L{})
		}},
		{"an API's action must exist", func(c *C) {
			a := c.api()
			refused(a.create(a.doc("GET", "/x", "default/"+c.name("none"), ".json"), "json"), "")
		}},
		{"an API's action must be on the host", func(c *C) {
			c.hearthOnly()
			a := c.api()
			doc := a.doc("GET", "/x", c.webDoer(), ".json")
			doc["action"].(J)["backendUrl"] = "https://example.com/api/v1/web/" + c.ns() + "/" + c.webDoer() + ".json"
			refused(a.create(doc, "json"), "")
			a.get("basepath", a.base).want(200).field("apis", L{})
		}},
		{"an API's action may be named with two schemes", func(c *C) {
			c.hearthOnly()
			a := c.api()
			doc := a.doc("GET", "/x", c.webDoer(), ".json")
			action := doc["action"].(J)
			action["backendUrl"] = "https://" + action["backendUrl"].(string)
			a.url = a.create(doc, "json").want(200).str("gwApiUrl")
			a.call("GET", "/x?a=b").do().want(200).field("a", "b")
		}},
		{"an API's action may not be a stranger's private one", func(c *C) {
			c.hearthOnly()
			other := c.second()
			name := c.doerOf(other, "web-export", true)
			a := c.api()
			doc := a.doc("GET", "/x", "default/"+name, ".json")
			action := doc["action"].(J)
			action["namespace"], action["backendUrl"] = other.Namespace, c.h.url+"/api/v1/web/"+other.Namespace+"/default/"+name+".json"
			refused(a.create(doc, "json"), "")
		}},
		{"what an API's document lacks is told", func(c *C) {
			a := c.api()
			for _, field := range []string{"namespace", "gatewayBasePath", "gatewayPath", "gatewayMethod", "action"} {
				doc := a.doc("GET", "/x", c.webDoer(), ".json")
				delete(doc, field)
				refused(a.create(doc, "json"), field)
			}
		}},
		{"path parameters need the response type http", func(c *C) {
			a := c.api()
			doc := a.doc("GET", "/things/{id}", c.webDoer(), ".json")
			doc["pathParameters"] = L{J{"name": "id", "in": "path", "required": true, "type": "string", "description": ""}}
			refused(a.create(doc, "json"), "http")
		}},
	}
}

func routeReadChecks() []Check {
	return []Check{
		{"a namespace without APIs has an empty list", func(c *C) {
			a := c.tenant()
			c.req("GET", (&api{c: c}).path("getApi.http")).as(a).do().want(200).json(J{"apis": L{}})
		}},
		{"an API is among all of the namespace", func(c *C) {
			a := c.api()
			a.add("GET", "/x", c.webDoer())
			var found bool
			for _, row := range a.get().want(200).at("apis").rows() {
				if base, _ := row.lookup("value.apidoc.basePath"); base == a.base {
					found = true
					row.has("id", "key", "value.gwApiUrl", "value.tenantId").field("value.gwApiActivated", true)
				}
			}
			if !found {
				c.fatal("%s is not listed", a.base)
			}
		}},
		{"an API is got by its base path alone", func(c *C) {
			a := c.api()
			a.add("GET", "/x", c.webDoer())
			c.api().add("GET", "/y", c.webDoer())
			rows := a.get("basepath", a.base).want(200).at("apis").rows()
			if len(rows) != 1 {
				c.fatal("%d APIs, want 1", len(rows))
			}
			rows[0].field("value.apidoc.basePath", a.base).at("value", "apidoc", "paths").keys("/x")
		}},
		{"an API that does not exist is an empty list", func(c *C) {
			a := c.api()
			a.get("basepath", a.base).want(200).json(J{"apis": L{}})
		}},
		{"an API is deleted whole", func(c *C) {
			a := c.api()
			a.add("GET", "/x", c.webDoer())
			a.add("GET", "/y", c.webDoer())
			a.call("GET", "/x").do().want(200)
			a.delete().want(200)
			a.get("basepath", a.base).want(200).json(J{"apis": L{}})
			a.call("GET", "/x").do().want(404)
		}},
		{"one verb of a path is deleted alone", func(c *C) {
			a := c.api()
			a.add("GET", "/x", c.webDoer())
			a.add("POST", "/x", c.webDoer())
			a.delete("relpath", "/x", "operation", "get").want(200)
			a.get("basepath", a.base).want(200).at("apis").rows()[0].at("value", "apidoc", "paths", "/x").has("post").lacks("get")
			a.call("POST", "/x").do().want(200)
			if got := a.call("GET", "/x").do(); got.Status != 404 && got.Status != 405 {
				got.wrong("want 404 or 405")
			}
		}},
		{"an API without its last path is gone", func(c *C) {
			a := c.api()
			a.add("GET", "/x", c.webDoer())
			a.delete("relpath", "/x").want(200)
			a.get("basepath", a.base).want(200).json(J{"apis": L{}})
		}},
		{"deleting an API that does not exist is told", func(c *C) {
			a := c.api()
			refused(a.delete(), "API '"+a.base+"' does not exist.")
		}},
		{"an API of another is not one's own", func(c *C) {
			other := c.second()
			a := c.api()
			a.add("GET", "/x", c.webDoer())
			c.req("GET", a.path("getApi.http", "basepath", a.base)).as(other).do().want(200).json(J{"apis": L{}})
			refused(c.req("DELETE", a.path("deleteApi.http", "basepath", a.base)).as(other).do(), "does not exist.")
			a.call("GET", "/x").do().want(200)
		}},
		{"a base path is not taken over by another namespace", func(c *C) {
			other := c.second()
			name := c.name("web")
			c.req("PUT", "actions/"+name).as(other).json(J{
				"exec": c.node("function main() { return { taken: true } }"), "limits": small, "annotations": kv("web-export", true)}).do().want(200)
			a := c.api()
			a.add("GET", "/x", c.webDoer())
			doc := a.doc("GET", "/x", "default/"+name, ".json")
			action := doc["action"].(J)
			doc["namespace"], action["namespace"], action["authkey"] = other.Namespace, other.Namespace, other.Key
			action["backendUrl"] = c.h.url + "/api/v1/web/" + other.Namespace + "/default/" + name + ".json"
			got := c.req("POST", a.path("createApi.http", "responsetype", "json")).as(other).json(J{"apidoc": doc}).do()
			if got.Status == 200 {
				c.atEnd(func() {
					_, _, _ = c.h.plain(c.end(), "DELETE", other.Key, a.path("deleteApi.http", "basepath", a.base), nil)
				})
			}
			a.call("GET", "/x").do().want(200).field("__ow_path", "").lacks("taken")
		}},
	}
}
