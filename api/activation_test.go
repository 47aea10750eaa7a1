package api

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"hearth/whisk"
)

func id(n int) whisk.ActivationID {
	v, err := whisk.ParseActivationID(fmt.Sprintf("%032x", n))
	if err != nil {
		panic(err)
	}
	return v
}

var someLimits = whisk.Limits{Timeout: 100, Memory: 128, Logs: 0, Concurrency: 1}

const someAnnotations = `{"key":"limits","value":{"timeout":100,"memory":128,"logs":0,"concurrency":1}}`

// TestRecords holds a record's document, row, result and logs.
func TestRecords(t *testing.T) {
	base := whisk.Activation{
		ID: id(1), Namespace: "alice", Name: "a", Version: whisk.Version{Major: 1, Minor: 2, Patch: 3}, Subject: "al \"ice\"",
		Start: 100, End: 120, Duration: 15, Logs: []string{"t stdout: a\tb", "t stderr: \x1b[0m"},
		Response: whisk.Response{Result: json.RawMessage(`{"x": 1.0}`), Size: 10},
	}
	for _, c := range []struct {
		name                    string
		change                  func(*whisk.Activation)
		annotations, row, extra string
		result                  string
	}{
		{"warm", func(a *whisk.Activation) {
			a.Facts = whisk.Facts{Path: "alice/a", Kind: "k", Limits: &someLimits, Sandbox: whisk.Warm, Wait: 7, Init: 9}
		}, `[{"key":"path","value":"alice/a"},{"key":"kind","value":"k"},` + someAnnotations + `,{"key":"timeout","value":false},{"key":"waitTime","value":7}]`,
			`"start":100,"end":120,"duration":20,"statusCode":0`, `"start":100,"end":120,"duration":15,`,
			`{"result":{"x": 1.0},"size":10,"status":"success","success":true}`},
		{"cold, through a binding, in a flow", func(a *whisk.Activation) {
			a.Facts = whisk.Facts{Path: "b/p/a", Kind: "k", Limits: &someLimits, Sandbox: whisk.Cold, Binding: "alice/bp", InFlow: true, TimedOut: true}
			a.Cause = id(2)
			a.Response = whisk.ErrorResponse(whisk.DeveloperError, "e")
		}, `[{"key":"path","value":"b/p/a"},{"key":"kind","value":"k"},` + someAnnotations + `,{"key":"timeout","value":true},{"key":"waitTime","value":0},{"key":"initTime","value":0},{"key":"binding","value":"alice/bp"},{"key":"causedBy","value":"sequence"}]`,
			`"start":100,"end":120,"duration":20,"statusCode":2,"cause":"` + id(2).String() + `"`, `"start":100,"end":120,"duration":15,"cause":"` + id(2).String() + `",`,
			`{"result":{"error":"e"},"size":13,"status":"action developer error","success":false}`},
		{"prewarm", func(a *whisk.Activation) {
			a.Facts = whisk.Facts{Path: "alice/a", Kind: "k", Limits: &someLimits, Sandbox: whisk.Prewarm, Init: 4}
		}, `[{"key":"path","value":"alice/a"},{"key":"kind","value":"k"},` + someAnnotations + `,{"key":"timeout","value":false},{"key":"waitTime","value":0},{"key":"initTime","value":4}]`,
			`"start":100,"end":120,"duration":20,"statusCode":0`, `"start":100,"end":120,"duration":15,`,
			`{"result":{"x": 1.0},"size":10,"status":"success","success":true}`},
		{"could not be fetched", func(a *whisk.Activation) {
			a.Facts = whisk.Facts{Path: "alice/a", Kind: "unknown", InFlow: true}
			a.Response.Status = whisk.WhiskError
		}, `[{"key":"path","value":"alice/a"},{"key":"kind","value":"unknown"},{"key":"causedBy","value":"sequence"}]`,
			`"start":100,"end":120,"duration":20,"statusCode":3`, `"start":100,"end":120,"duration":15,`,
			`{"result":{"x": 1.0},"size":10,"status":"whisk internal error","success":false}`},
		{"sequence", func(a *whisk.Activation) {
			a.Facts = whisk.Facts{Path: "alice/a", Kind: "sequence", Limits: &someLimits, Wait: 7}
		}, `[{"key":"path","value":"alice/a"},{"key":"kind","value":"sequence"},` + someAnnotations + `,{"key":"waitTime","value":7},{"key":"topmost","value":true}]`,
			`"start":100,"end":120,"duration":20,"statusCode":0`, `"start":100,"end":120,"duration":15,`,
			`{"result":{"x": 1.0},"size":10,"status":"success","success":true}`},
		{"inner composition of which nothing ran", func(a *whisk.Activation) {
			a.Facts = whisk.Facts{Path: "alice/a", Kind: "sequence", InFlow: true, Conductor: true}
			a.Cause = id(2)
		}, `[{"key":"path","value":"alice/a"},{"key":"kind","value":"sequence"},{"key":"waitTime","value":0},{"key":"topmost","value":false},{"key":"conductor","value":true},{"key":"causedBy","value":"sequence"}]`,
			`"start":100,"end":120,"duration":20,"statusCode":0,"cause":"` + id(2).String() + `"`, `"start":100,"end":120,"duration":15,"cause":"` + id(2).String() + `",`,
			`{"result":{"x": 1.0},"size":10,"status":"success","success":true}`},
		{"trigger", func(a *whisk.Activation) { a.End, a.Duration, a.Logs, a.Response = 0, 0, nil, whisk.Response{} },
			`[]`, `"start":100`, `"start":100,`, `{"status":"success","success":true}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			rec := base
			c.change(&rec)
			w.records = []*whisk.Activation{&rec}
			logs := `["t stdout: a\tb","t stderr: \u001b[0m"]`
			if rec.Logs == nil {
				logs = `[]`
			}
			one := id(1).String()
			doc := `{"activationId":"` + one + `","namespace":"alice","name":"a","version":"1.2.3","subject":"al \"ice\"",` + c.extra +
				`"response":` + c.result + `,"logs":` + logs + `,"annotations":` + c.annotations + `,"publish":false}`
			row := `{"namespace":"alice","name":"a","version":"1.2.3","publish":false,"annotations":` + c.annotations +
				`,"activationId":"` + one + `",` + c.row + `}`
			for target, want := range map[string]string{
				"/" + one: doc, "/" + one + "/result": c.result, "/" + one + "/logs": `{"logs":` + logs + `}`,
				"?docs=true": "[" + doc + "]", "": "[" + row + "]", "/?limit=5": "[" + row + "]",
			} {
				a := w.do("GET", "_/activations"+target, "")
				if a.status != 200 || a.body != want {
					t.Errorf("GET %s = %d\n got %s\nwant %s", target, a.status, a.body, want)
				}
				if !json.Valid([]byte(a.body)) {
					t.Errorf("GET %s is no JSON", target)
				}
			}
		})
	}
}

func TestListActivations(t *testing.T) {
	for query, want := range map[string]whisk.ActivationQuery{
		"":                             {Limit: 30, Brief: true},
		"limit=0":                      {Limit: 200, Brief: true},
		"limit=200&skip=7":             {Limit: 200, Skip: 7, Brief: true},
		"name=%20":                     {Limit: 30, Brief: true},
		"name=a":                       {Limit: 30, Brief: true, Name: "a"},
		"name=p%2Fa%20b":               {Limit: 30, Brief: true, Name: "p/a b"},
		"name=p/a+b":                   {Limit: 30, Brief: true, Name: "p/a b"},
		"since=5&upto=1700000000000":   {Limit: 30, Brief: true, Since: 5, Upto: 1700000000000},
		"since=-5":                     {Limit: 30, Brief: true},
		"docs=true&limit=3":            {Limit: 3},
		"n%61me=x&docs=off&public=yes": {Limit: 30, Brief: true, Name: "x"},
		"count=true&limit=5&name=x":    {Brief: true, Name: "x"},
	} {
		w := newWorld(t)
		if a := w.do("GET", "_/activations?"+query, ""); a.status != 200 {
			t.Errorf("%s = %d %s", query, a.status, a.body)
			continue
		}
		want.Namespace = "alice"
		if len(w.queries) != 1 || w.queries[0] != want {
			t.Errorf("%s asked %+v, want %+v", query, w.queries, want)
		}
	}
	w := newWorld(t)
	w.records = make([]*whisk.Activation, 12)
	for query, want := range map[string]string{
		"count=true": `{"activations":12}`, "count=true&skip=10": `{"activations":2}`, "count=true&skip=20": `{"activations":0}`,
		"count=true&upto=0": `{"activations":0}`, "upto=-1": `[]`, "docs=true&upto=0": `[]`,
	} {
		if a := w.do("GET", "_/activations?"+query, ""); a.body != want {
			t.Errorf("%s = %s, want %s", query, a.body, want)
		}
	}
}

// TestListRecords: full records come some at a time, each once.
func TestListRecords(t *testing.T) {
	for _, c := range []struct{ have, limit, want int }{{0, 30, 0}, {9, 30, 9}, {5, 30, 5}, {10, 30, 10}, {11, 30, 11}, {40, 30, 30}, {40, 10, 10}, {25, 0, 25}} {
		w := newWorld(t)
		for i := range c.have {
			rec := &whisk.Activation{ID: id(i + 1), Namespace: "alice", Name: "a", Logs: []string{strings.Repeat("x", 1000)}}
			w.records = append(w.records, rec)
		}
		a := w.do("GET", fmt.Sprintf("_/activations?docs=true&limit=%d", c.limit), "")
		var rows []struct{ ActivationID whisk.ActivationID }
		if err := json.Unmarshal([]byte(a.body), &rows); err != nil {
			t.Fatalf("%+v: %v", c, err)
		}
		if len(rows) != c.want {
			t.Errorf("%+v: %d rows", c, len(rows))
		}
		for i, r := range rows {
			if r.ActivationID != id(i+1) {
				t.Errorf("%+v: row %d is %s", c, i, r.ActivationID)
			}
		}
		for _, q := range w.queries {
			if q.Limit > recordsAtOnce {
				t.Errorf("%d records asked for at once", q.Limit)
			}
		}
	}
}

// TestListShifts: rows that come again are left out.
func TestListShifts(t *testing.T) {
	w := newWorld(t)
	pages := [][]int{{1, 2, 3}, {3, 4, 5}, {6}}
	l := list[int, int]{
		atOnce: 3,
		fetch: func(int, int) ([]int, error) {
			p := pages[0]
			pages = pages[1:]
			return p, nil
		},
		key: func(i int) int { return i }, size: func(int) int64 { return 1 },
		append: func(b []byte, i int) []byte { return fmt.Append(b, i) },
	}
	q := &request{budget: &w.server.budget}
	rep, err := l.reply(q, page{limit: 9})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := rep.stream(&out); err != nil || out.String() != "[1,2,3,4,5,6]" {
		t.Errorf("got %s, %v", out.String(), err)
	}
	if q.reserved != 1024 {
		t.Errorf("%d bytes are reserved, want the room for one page's text", q.reserved)
	}
}

func TestNamespaces(t *testing.T) {
	w := newWorld(t)
	for _, target := range []string{"/api/v1/namespaces", "/api/v1/namespaces/"} {
		if a := w.do("GET", target, ""); a.status != 200 || a.body != `["alice"]` {
			t.Errorf("GET %s = %d %s", target, a.status, a.body)
		}
	}
	const plain = `"minActionMemory":128,"maxActionMemory":512,"minActionLogs":0,"maxActionLogs":10,"minActionTimeout":100,"maxActionTimeout":300000,"minActionConcurrency":1,"maxActionConcurrency":64,"maxParameterSize":"1048576 B","maxActionInstances":30}`
	const rates = `{"invocationsPerMinute":60,"concurrentInvocations":30,"firesPerMinute":60,`
	if a := w.do("GET", "alice/limits", ""); a.body != rates+plain {
		t.Errorf("limits = %s", a.body)
	}
	yes := true
	w.ids[aliceKey].Overrides = whisk.NamespaceLimits{AllowedKinds: []string{"nodejs:20"}, StoreActivations: &yes}
	if a := w.do("GET", "_/limits", ""); a.body != rates+`"allowedKinds":["nodejs:20"],"storeActivations":true,`+plain {
		t.Errorf("limits = %s", a.body)
	}
	for target, want := range map[string]string{
		"_/packages": "[]", "_/packages/": "[]", "bob/packages?public=true": "[]", "_/triggers?limit=0&skip=0": "[]", "_/rules": "[]",
		"_/rules?count=true": `{"rules":0}`, "_/actions": "[]",
	} {
		if a := w.do("GET", target, ""); a.status != 200 || a.body != want {
			t.Errorf("GET %s = %d %s, want %s", target, a.status, a.body, want)
		}
	}
}

func TestInfo(t *testing.T) {
	w := newWorld(t)
	if a := w.do("GET", "/ping", "", anonymous); a.body != "pong" || !strings.HasPrefix(a.header.Get("Content-Type"), "text/plain") {
		t.Errorf("ping = %q %v", a.body, a.header)
	}
	for _, target := range []string{"/api/v1", "/api/v1/"} {
		a := w.do("GET", target, "", anonymous)
		want := `{"description":"OpenWhisk API","api_version":"1.0.0","api_version_path":"v1","build":"2026-01-01T00:00:00Z","buildno":"hearth","swagger_paths":{"ui":"/docs","api-docs":"/api-docs"}}`
		if a.status != 200 || a.body != want {
			t.Errorf("GET %s = %d %s", target, a.status, a.body)
		}
	}
	a := w.do("GET", "/", "", anonymous)
	mustEqual(t, "description", a.json(t, "description"), "OpenWhisk")
	mustEqual(t, "api_paths", a.json(t, "api_paths"), []string{"/api/v1"})
	mustEqual(t, "support", a.json(t, "support", "github"), "https://github.com/apache/openwhisk/issues")
	mustEqual(t, "limits", a.json(t, "limits"), map[string]int64{
		"actions_per_minute": 60, "triggers_per_minute": 60, "concurrent_actions": 30, "sequence_length": 50,
		"default_min_action_duration": 100, "default_max_action_duration": 300000,
		"default_min_action_memory": 128 << 20, "default_max_action_memory": 512 << 20,
		"default_min_action_logs": 0, "default_max_action_logs": 10 << 20,
		"min_action_duration": 100, "max_action_duration": 300000,
		"min_action_memory": 128 << 20, "max_action_memory": 512 << 20,
		"min_action_logs": 0, "max_action_logs": 10 << 20,
	})
	mustEqual(t, "python", a.json(t, "runtimes", "python"), []whisk.Runtime{{Kind: "python:3", Image: "p3", Default: true}})
}

func TestConfig(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Config){
		"budget": func(c *Config) { c.BodyBudget = c.Limits.EntitySize },
		"build":  func(c *Config) { c.Build = "v1" },
		"limits": func(c *Config) { c.Limits.ListMax = 0 },
	} {
		c := DefaultConfig()
		change(&c)
		if _, err := New(c, newWorld(t).server.deps); err == nil {
			t.Errorf("bad %s passes", name)
		}
	}
	if _, err := New(DefaultConfig(), Deps{}); err == nil {
		t.Error("missing dependencies pass")
	}
}

func TestMetrics(t *testing.T) {
	w := newWorld(t)
	w.mustPut("a", plainBody)
	w.do("POST", "_/actions/a?blocking=true", "")
	w.do("POST", "_/actions/a", "")
	w.do("GET", "_/actions/b", "")
	w.do("GET", "/never/heard/of", "")
	var b strings.Builder
	w.server.metrics.set.WritePrometheus(&b)
	lines := strings.Split(b.String(), "\n")
	for _, want := range []string{
		`api_requests_total{route="invoke",status="200"} 1`, `api_requests_total{route="invoke",status="202"} 1`,
		`api_requests_total{route="action_put",status="200"} 1`, `api_requests_total{route="action_get",status="404"} 1`,
		`api_requests_total{route="other",status="404"} 1`, `api_body_bytes 0`, `api_request_seconds_count{route="invoke"} 2`,
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("no line %s", want)
		}
	}
}
