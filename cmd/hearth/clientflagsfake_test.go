package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

const (
	fakeKey = "11111111-2222-3333-4444-555555555555:abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZab"
	fakeID  = "0123456789abcdef0123456789abcdef"
)

// fakeServer answers as the API does, from memory and canned activations, and
// keeps what it was asked.
type fakeServer struct {
	*httptest.Server
	mu      sync.Mutex
	actions map[string]json.RawMessage // by "[pkg/]name"
	others  map[string][]fakeEntity    // by collection, newest first
	apis    string                     // the answer of getApi
	asked   []string                   // "METHOD /path?query body"
	records string                     // the activation list's body
}

func newFake(t *testing.T) *fakeServer {
	t.Helper()
	f := &fakeServer{actions: map[string]json.RawMessage{}, others: map[string][]fakeEntity{}, apis: `{"apis":[]}`, records: "[]"}
	f.Server = httptest.NewServer(f.routes())
	t.Cleanup(f.Close)
	t.Setenv("WSK_CONFIG_FILE", "")
	t.Setenv("WHISK_APIHOST", f.URL)
	t.Setenv("WHISK_AUTH", fakeKey)
	t.Setenv("WHISK_APIVERSION", "")
	t.Setenv("WSK_CLI_DEBUG", "")
	return f
}

func (f *fakeServer) routes() http.Handler {
	const actions, activations = "/api/v1/namespaces/{ns}/actions", "/api/v1/namespaces/{ns}/activations"
	m := http.NewServeMux()
	m.HandleFunc("GET /api/v1/{$}", http.NotFound)
	m.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		answerWith(w, 200, `{"description":"OpenWhisk","runtimes":{"nodejs":[{"kind":"nodejs:20","image":{"prefix":"p","name":"n","tag":"t"},"deprecated":false,"default":true}],"python":[{"kind":"python:3","image":"i","default":true}]}}`)
	})
	m.HandleFunc("GET /api/v1", func(w http.ResponseWriter, _ *http.Request) {
		answerWith(w, 200, `{"build":"2026-01-02","buildno":"7"}`)
	})
	m.HandleFunc("GET /api/v1/namespaces", func(w http.ResponseWriter, _ *http.Request) { answerWith(w, 200, `["guest"]`) })
	m.HandleFunc("GET "+actions, f.list)
	m.HandleFunc("GET "+actions+"/{pkg}/{$}", f.list)
	for _, path := range []string{actions + "/{name}", actions + "/{pkg}/{name}"} {
		m.HandleFunc("PUT "+path, f.put)
		m.HandleFunc("GET "+path, f.get)
		m.HandleFunc("DELETE "+path, f.delete)
		m.HandleFunc("POST "+path, f.invoke)
	}
	m.HandleFunc("GET "+activations, func(w http.ResponseWriter, _ *http.Request) { answerWith(w, 200, f.records) })
	m.HandleFunc("GET "+activations+"/{id}", func(w http.ResponseWriter, r *http.Request) { f.record(w, r, "") })
	m.HandleFunc("GET "+activations+"/{id}/{part}", func(w http.ResponseWriter, r *http.Request) { f.record(w, r, r.PathValue("part")) })
	f.entityRoutes(m)
	f.deadRoutes(m)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Date"] = nil // the same bytes each time
		f.mu.Lock()
		defer f.mu.Unlock()
		b, _ := io.ReadAll(r.Body)
		f.asked = append(f.asked, strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Method, r.URL.RequestURI(), b)))
		r.Body = io.NopCloser(strings.NewReader(string(b)))
		if uuid, key, _ := r.BasicAuth(); r.URL.Path != "/api/v1" && r.URL.Path != "/" && uuid+":"+key != fakeKey {
			refuseWith(w, 401, "The supplied authentication is invalid")
			return
		}
		m.ServeHTTP(w, r)
	})
}

func answerWith(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func refuseWith(w http.ResponseWriter, status int, text string) {
	b, _ := json.Marshal(map[string]string{"error": text, "code": "tid1"})
	answerWith(w, status, string(b))
}

func entityOf(r *http.Request) string {
	return strings.TrimPrefix(r.PathValue("pkg")+"/"+r.PathValue("name"), "/")
}

func (f *fakeServer) put(w http.ResponseWriter, r *http.Request) {
	var a map[string]json.RawMessage
	if err := json.NewDecoder(r.Body).Decode(&a); err != nil {
		refuseWith(w, 400, "The request content was malformed:\n"+err.Error())
		return
	}
	name := entityOf(r)
	if _, there := f.actions[name]; there && r.FormValue("overwrite") != "true" {
		refuseWith(w, 409, "resource already exists")
		return
	}
	ns, _ := json.Marshal(strings.TrimSuffix("guest/"+r.PathValue("pkg"), "/"))
	plain, _ := json.Marshal(r.PathValue("name"))
	a["namespace"], a["name"], a["version"] = ns, plain, json.RawMessage(`"0.0.1"`)
	a["publish"], a["updated"] = json.RawMessage("false"), json.RawMessage("1700000000000")
	a["exec"] = withBinary(a["exec"])
	if a["limits"] == nil {
		a["limits"] = json.RawMessage(`{"timeout":60000,"memory":256,"logs":10,"concurrency":1}`)
	}
	f.actions[name], _ = json.Marshal(a)
	answerWith(w, 200, string(f.actions[name]))
}

// withBinary says of an exec what the server finds out about its code.
func withBinary(exec json.RawMessage) json.RawMessage {
	var e map[string]any
	if json.Unmarshal(exec, &e) != nil || e["kind"] == "sequence" {
		return exec
	}
	code, _ := e["code"].(string)
	_, err := base64.StdEncoding.DecodeString(code)
	e["binary"] = code != "" && err == nil
	exec, _ = json.Marshal(e)
	return exec
}

func (f *fakeServer) get(w http.ResponseWriter, r *http.Request) {
	a, there := f.actions[entityOf(r)]
	if !there {
		refuseWith(w, 404, "The requested resource does not exist.")
		return
	}
	answerWith(w, 200, string(a))
}

func (f *fakeServer) delete(w http.ResponseWriter, r *http.Request) {
	f.get(w, r)
	delete(f.actions, entityOf(r))
}

func (f *fakeServer) list(w http.ResponseWriter, r *http.Request) {
	rows := []json.RawMessage{}
	names := slices.SortedFunc(maps.Keys(f.actions), func(a, b string) int { return strings.Compare(b, a) })
	if i := slices.Index(names, "pkg/beta"); i >= 0 { // some order of its own
		names = slices.Concat(names[i:], names[:i])
	}
	for _, name := range names {
		if pkg := r.PathValue("pkg"); pkg == "" || strings.HasPrefix(name, pkg+"/") {
			rows = append(rows, f.actions[name])
		}
	}
	b, _ := json.Marshal(rows)
	answerWith(w, 200, string(b))
}

// invoke answers after the action's name: echo, slow, fails, breaks, array.
func (f *fakeServer) invoke(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	blocking, only := r.FormValue("blocking") == "true", r.FormValue("result") == "true"
	status, success, word, result := 200, "true", "success", string(body)
	switch r.PathValue("name") {
	case "echo":
	case "slow":
		blocking = false
	case "array":
		result, only = `[1,"two"]`, true
	case "fails":
		status, success, word, result = 502, "false", "application error", `{"error":"no <luck>"}`
	case "breaks":
		status, success, word, result = 500, "false", "whisk internal error", `{"error":"lost"}`
	default:
		refuseWith(w, 404, "The requested resource does not exist.")
		return
	}
	w.Header().Set("x-openwhisk-activation-id", fakeID)
	switch {
	case !blocking:
		answerWith(w, 202, `{"activationId":"`+fakeID+`"}`)
	case only:
		answerWith(w, status, result)
	default:
		answerWith(w, status, fakeRecord(r.PathValue("name"), word, success, result))
	}
}

func fakeRecord(name, word, success, result string) string {
	return fmt.Sprintf(`{"activationId":%q,"namespace":"guest","name":%q,"version":"0.0.1","subject":"guest","start":1700000000000,"end":1700000000042,"duration":42,`+
		`"response":{"status":%q,"success":%s,"result":%s,"size":%d},"logs":[],"annotations":[{"key":"path","value":"guest/%s"},{"key":"kind","value":"nodejs:20"},{"key":"initTime","value":30}],"publish":false}`,
		fakeID, name, word, success, result, len(result), name)
}

func (f *fakeServer) record(w http.ResponseWriter, r *http.Request, part string) {
	switch {
	case r.PathValue("id") != fakeID:
		refuseWith(w, 404, "The requested resource does not exist.")
	case part == "logs":
		answerWith(w, 200, `{"logs":["2023-11-14T22:13:20.000000001Z stdout: hello \u001b[31mred","2023-11-14T22:13:20.000000002Z stderr: ","plain"]}`)
	case part == "result":
		answerWith(w, 200, `{"result":{"z":1,"big":123456789012345678901234567890},"size":9,"status":"success","success":true}`)
	default:
		answerWith(w, 200, fakeRecord("fails", "application error", "false", `{"error":"no <luck>","n":1.50}`))
	}
}
