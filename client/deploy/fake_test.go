package deploy

import (
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
	"time"

	"hearth/client"
	"hearth/whisk"
)

// fake keeps entities as a server does, in the namespace guest, by their paths
// "actions/pkg/name".
type fake struct {
	mu     sync.Mutex
	docs   map[string]map[string]any
	told   []string // what feeds were told
	asked  []string // "METHOD path", of writes
	apis   map[string]any
	refuse map[string]int // status by "METHOD path"
	races  int            // writes that lose a race before one is taken
}

func newFake(t *testing.T) (*fake, *Deployer, *strings.Builder) {
	t.Helper()
	f := &fake{docs: map[string]map[string]any{}, refuse: map[string]int{}}
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	cfg := client.DefaultConfig()
	cfg.Host, cfg.Key = s.URL, whisk.AuthKey{UUID: "u", Key: "k"}
	c, err := client.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	var said strings.Builder
	return f, &Deployer{Client: c, Token: "T", Space: "u", pause: time.Nanosecond, Say: func(line string) { said.WriteString(line + "\n") }}, &said
}

func reply(w http.ResponseWriter, status int, v any) {
	b, _ := json.Marshal(v)
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	path := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/api/v1/namespaces/_/"), "/api/v1/")
	if r.Method != http.MethodGet {
		f.asked = append(f.asked, r.Method+" "+path)
	}
	if status := f.refuse[r.Method+" "+path]; status != 0 {
		reply(w, status, map[string]string{"error": "refused", "code": "t"})
		return
	}
	if r.Method == http.MethodPut && f.races > 0 {
		f.races--
		reply(w, 409, map[string]string{"error": "Concurrent modification to resource detected.", "code": "t"})
		return
	}
	var body map[string]any
	b, _ := io.ReadAll(r.Body)
	_ = json.Unmarshal(b, &body)
	_, there := f.docs[path]
	switch {
	case strings.HasPrefix(path, "web/"):
		f.gateway(w, r, body)
	case r.Method == http.MethodGet && !strings.Contains(path, "/"):
		f.list(w, path)
	case r.Method == http.MethodPut:
		f.put(w, path, body)
	case r.Method == http.MethodPost && strings.Contains(r.URL.Path, "/actions/"):
		f.told = append(f.told, fmt.Sprintf("%s %s %v", body["lifecycleEvent"], body["triggerName"], body["cron"]))
		if body["cron"] == "bad" {
			reply(w, 502, map[string]any{"activationId": "i", "response": map[string]any{"status": "application error", "result": map[string]any{"error": "bad cron"}}})
			return
		}
		reply(w, 200, map[string]any{"activationId": "i", "response": map[string]any{"result": map[string]any{"config": map[string]any{
			"name": "tick", "namespace": "guest", "cron": "1 * * * *", "startDate": 7, "payload": map[string]any{"a": 1},
		}}}})
	case !there:
		reply(w, 404, map[string]string{"error": "gone", "code": "t"})
	case r.Method == http.MethodDelete:
		defer delete(f.docs, path)
		fallthrough
	default:
		reply(w, 200, f.docs[path])
	}
}

func (f *fake) put(w http.ResponseWriter, path string, body map[string]any) {
	parts := strings.Split(path, "/")
	doc := f.docs[path]
	if doc == nil {
		doc = map[string]any{"version": "0.0.1"}
	}
	maps.Copy(doc, body)
	doc["namespace"], doc["name"] = strings.Join(append([]string{"guest"}, parts[1:len(parts)-1]...), "/"), parts[len(parts)-1]
	if e, ok := doc["exec"].(map[string]any); ok {
		doc["annotations"] = append(listOf(doc["annotations"]), map[string]any{"key": "exec", "value": e["kind"]})
		e["binary"] = strings.HasPrefix(fmt.Sprint(e["code"]), "UEsD")
	}
	if parts[0] == "rules" {
		for _, key := range []string{"trigger", "action"} {
			s := strings.Replace(doc[key].(string), "/_/", "/guest/", 1)
			at := strings.LastIndexByte(s, '/')
			doc[key] = map[string]any{"path": s[1:at], "name": s[at+1:]}
		}
	}
	f.docs[path] = doc
	reply(w, 200, doc)
}

func listOf(v any) []any {
	l, _ := v.([]any)
	return slices.DeleteFunc(l, func(v any) bool { return v.(map[string]any)["key"] == "exec" })
}

func (f *fake) list(w http.ResponseWriter, collection string) {
	rows := []any{}
	for _, path := range slices.Sorted(maps.Keys(f.docs)) {
		if strings.HasPrefix(path, collection+"/") {
			rows = append(rows, f.docs[path])
		}
	}
	reply(w, 200, rows)
}

// gateway keeps one API.
func (f *fake) gateway(w http.ResponseWriter, r *http.Request, body map[string]any) {
	switch r.Method {
	case http.MethodPost:
		doc := body["apidoc"].(map[string]any)
		if f.apis == nil {
			f.apis = map[string]any{"basePath": doc["gatewayBasePath"], "info": map[string]any{"title": doc["apiName"]}, "paths": map[string]any{}}
		}
		action := doc["action"].(map[string]any)
		pkg, name, ok := strings.Cut(action["name"].(string), "/")
		if !ok {
			pkg, name = "", pkg
		}
		f.apis["paths"].(map[string]any)[doc["gatewayPath"].(string)] = map[string]any{strings.ToLower(doc["gatewayMethod"].(string)): map[string]any{
			"operationId": "o", "x-openwhisk": map[string]any{"namespace": "guest", "package": pkg, "action": name, "url": "https://h/api/v1/web/guest/p/" + name + ".http"},
		}}
		reply(w, 200, map[string]any{"apidoc": f.apis})
	case http.MethodGet:
		if f.apis == nil {
			reply(w, 200, map[string]any{"apis": []any{}})
			return
		}
		reply(w, 200, map[string]any{"apis": []any{map[string]any{"value": map[string]any{"apidoc": f.apis}}}})
	case http.MethodDelete:
		f.apis = nil
		reply(w, 200, map[string]any{})
	}
}

// names returns what is on the server.
func (f *fake) names() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(slices.Sorted(maps.Keys(f.docs)), " ")
}
