package main

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
)

// fakeEntity is a package, trigger or rule as the fake keeps it.
type fakeEntity struct {
	name string
	doc  map[string]any
}

const fakeSwagger = `{"swagger":"2.0","basePath":"/hi","info":{"title":"greetings","version":"1.0"},"paths":{` +
	`"/bye":{"get":{"operationId":"getBye","responses":{"default":{}},"x-openwhisk":{"action":"bye","namespace":"guest","package":"pkg","url":"u"}}},` +
	`"/hello/{name}":{"post":{"operationId":"postHello","responses":null,"x-openwhisk":{"action":"hello","namespace":"guest","package":"","url":"u"}},` +
	`"delete":{"operationId":"d","responses":{"b":1,"a":2}}}},"unknown":1}`

const fakeAPIs = `{"apis":[{"id":"i","key":"k","value":{"namespace":"guest","gwApiUrl":"https://h/api/x/hi","gwApiActivated":true,"tenantId":"t","apidoc":` + fakeSwagger + `}}]}`

func (f *fakeServer) entityRoutes(m *http.ServeMux) {
	for _, collection := range []string{"packages", "triggers", "rules"} {
		path := "/api/v1/namespaces/{ns}/" + collection
		m.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { f.listEntities(w, r, collection) })
		for verb, do := range map[string]func(http.ResponseWriter, *http.Request, string){
			"PUT": f.putEntity, "GET": f.getEntity, "DELETE": f.deleteEntity, "POST": f.postEntity,
		} {
			m.HandleFunc(verb+" "+path+"/{name}", func(w http.ResponseWriter, r *http.Request) { do(w, r, collection) })
		}
	}
	const manage = "/api/v1/web/whisk.system/apimgmt/"
	m.HandleFunc("GET "+manage+"getApi.http", func(w http.ResponseWriter, r *http.Request) {
		switch r.FormValue("basepath") {
		case "/none":
			answerWith(w, 200, `{"apis":[]}`)
		case "/bad":
			answerWith(w, 502, `{"error":"API '/bad' is bad."}`)
		default:
			answerWith(w, 200, f.apis)
		}
	})
	m.HandleFunc("POST "+manage+"createApi.http", func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); strings.Contains(string(body), `"/taken"`) {
			answerWith(w, 502, `{"error":"taken"}`)
			return
		}
		answerWith(w, 200, `{"namespace":"guest","gwApiUrl":"https://h/api/x/hi","gwApiActivated":true,"tenantId":"t","apidoc":`+fakeSwagger+`}`)
	})
	m.HandleFunc("DELETE "+manage+"deleteApi.http", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("basepath") == "/none" {
			answerWith(w, 502, `{"error":"API '/none' does not exist."}`)
			return
		}
		answerWith(w, 200, `{}`)
	})
}

func (f *fakeServer) find(collection, name string) int {
	return slices.IndexFunc(f.others[collection], func(e fakeEntity) bool { return e.name == name })
}

func (f *fakeServer) putEntity(w http.ResponseWriter, r *http.Request, collection string) {
	given := map[string]any{}
	if err := json.NewDecoder(r.Body).Decode(&given); err != nil {
		refuseWith(w, 400, "The request content was malformed:\n"+err.Error())
		return
	}
	name := r.PathValue("name")
	doc := map[string]any{"version": "0.0.1", "publish": false, "annotations": []any{}, "parameters": []any{}, "updated": 1700000000000}
	if i := f.find(collection, name); i >= 0 {
		if r.FormValue("overwrite") != "true" {
			refuseWith(w, 409, "resource already exists")
			return
		}
		doc = f.others[collection][i].doc
		doc["version"] = "0.0.2"
		f.others[collection] = slices.Delete(f.others[collection], i, i+1)
	}
	for k, v := range given {
		doc[k] = v
	}
	doc["namespace"], doc["name"] = "guest", name
	switch collection {
	case "rules":
		delete(doc, "parameters")
		if doc["status"] == nil || doc["status"] == "" {
			doc["status"] = "active"
		}
		for _, key := range []string{"trigger", "action"} {
			if s, ok := doc[key].(string); ok {
				at := strings.LastIndexByte(s, '/')
				doc[key] = map[string]any{"path": strings.Replace(s[1:at], "_", "guest", 1), "name": s[at+1:]}
			}
		}
	case "triggers":
		doc["limits"] = map[string]any{}
	case "packages":
		if doc["binding"] == nil {
			doc["binding"] = map[string]any{}
		}
	}
	f.others[collection] = slices.Insert(f.others[collection], 0, fakeEntity{name, doc})
	answerDoc(w, doc)
}

func answerDoc(w http.ResponseWriter, doc any) {
	b, _ := json.Marshal(doc)
	answerWith(w, 200, string(b))
}

func (f *fakeServer) getEntity(w http.ResponseWriter, r *http.Request, collection string) {
	i := f.find(collection, r.PathValue("name"))
	if i < 0 {
		refuseWith(w, 404, "The requested resource does not exist.")
		return
	}
	doc := f.others[collection][i].doc
	if collection == "packages" {
		doc["actions"], doc["feeds"] = f.within(r.PathValue("name"))
	}
	answerDoc(w, doc)
}

// within returns the actions of a package, those with a feed annotation apart.
func (f *fakeServer) within(pkg string) (actions, feeds []any) {
	actions, feeds = []any{}, []any{}
	var names []string
	for name := range f.actions {
		if strings.HasPrefix(name, pkg+"/") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		var a map[string]any
		_ = json.Unmarshal(f.actions[name], &a)
		row := map[string]any{"name": a["name"], "version": a["version"], "annotations": a["annotations"]}
		if strings.Contains(string(f.actions[name]), `"key":"feed"`) {
			feeds = append(feeds, row)
		} else {
			actions = append(actions, row)
		}
	}
	return actions, feeds
}

func (f *fakeServer) deleteEntity(w http.ResponseWriter, r *http.Request, collection string) {
	name := r.PathValue("name")
	if actions, _ := f.within(name); collection == "packages" && len(actions) > 0 {
		refuseWith(w, 409, "Package not empty (contains 1 entity). Set force param or delete package contents.")
		return
	}
	f.getEntity(w, r, collection)
	if i := f.find(collection, name); i >= 0 {
		f.others[collection] = slices.Delete(f.others[collection], i, i+1)
	}
}

func (f *fakeServer) postEntity(w http.ResponseWriter, r *http.Request, collection string) {
	name := r.PathValue("name")
	i := f.find(collection, name)
	switch {
	case collection == "packages" && name == "refresh":
		if f.find("packages", "refreshable") < 0 {
			refuseWith(w, 405, "HTTP method not allowed, supported methods: GET, PUT, DELETE")
			return
		}
		answerWith(w, 200, `{"added":["a","b"],"updated":[],"deleted":["c"]}`)
	case i < 0:
		refuseWith(w, 404, "The requested resource does not exist.")
	case collection == "triggers" && name == "silent":
		w.WriteHeader(204)
	case collection == "triggers":
		answerWith(w, 202, `{"activationId":"`+fakeID+`"}`)
	case collection == "rules":
		body, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(body, &f.others[collection][i].doc)
		w.WriteHeader(200)
	}
}

func (f *fakeServer) listEntities(w http.ResponseWriter, _ *http.Request, collection string) {
	rows := []any{}
	for _, e := range f.others[collection] {
		row := map[string]any{}
		for k, v := range e.doc {
			if k != "parameters" && k != "status" && k != "limits" && k != "actions" && k != "feeds" {
				row[k] = v
			}
		}
		if b, ok := row["binding"].(map[string]any); ok && len(b) == 0 {
			row["binding"] = false
		}
		rows = append(rows, row)
	}
	answerDoc(w, rows)
}
