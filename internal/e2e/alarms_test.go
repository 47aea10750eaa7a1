package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestAlarms: a trigger with an alarm of /whisk.system/alarms, as wsk makes it,
// has its rule's action invoked once for each tick, though the process is killed
// with SIGKILL again and again and stays down for some ticks.
func TestAlarms(t *testing.T) {
	kills := size(2, 30)
	p := start(t, "--no-throttle")
	p.create("tick", "nodejs:default", `const main = (p) => p;`, nil)
	ok := func(what string, a answer) answer {
		t.Helper()
		if a.status != 200 {
			t.Fatalf("%s: status %d: %s", what, a.status, a.body)
		}
		return a
	}
	ok("trigger", p.do("PUT", "triggers/clock", map[string]any{"annotations": []any{map[string]any{"key": "feed", "value": "/whisk.system/alarms/alarm"}}}))
	ok("rule", p.do("PUT", "rules/ticking", map[string]any{"trigger": "/_/clock", "action": "/_/tick"}))
	feed := func(event string, params map[string]any) map[string]any {
		t.Helper()
		for k, v := range map[string]any{"lifecycleEvent": event, "triggerName": "/_/clock", "authKey": guestUUID + ":" + guestKey} {
			params[k] = v
		}
		a := ok(event, p.do("POST", "/whisk.system/actions/alarms/alarm?blocking=true", params))
		_, result := response(t, a.decode(t))
		m, _ := result.(map[string]any)
		return m
	}
	feed("CREATE", map[string]any{"cron": "* * * * * *", "trigger_payload": map[string]any{"of": "the alarm"}})
	began := time.Now()
	for range kills {
		<-time.After(1700 * time.Millisecond)
		p.kill()
		<-time.After(1300 * time.Millisecond)
		p.launch()
	}
	<-time.After(1500 * time.Millisecond)
	status, _ := feed("READ", map[string]any{})["status"].(map[string]any)
	if status["active"] != true {
		t.Errorf("status %v", status)
	}
	feed("DELETE", map[string]any{})
	took := time.Since(began)

	fires, runs := p.count("clock"), 0
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline) && runs < fires; <-time.After(100 * time.Millisecond) {
		runs = p.count("tick")
	}
	if want := int(took / time.Second); fires < want || fires > want+1 || runs != fires {
		t.Errorf("%d fires and %d runs in %v", fires, runs, took)
	}
	var last []struct{ ActivationID string }
	if err := json.Unmarshal(p.do("GET", "activations?name=tick&limit=1", nil).body, &last); err != nil || len(last) != 1 {
		t.Fatalf("no run is listed: %v", err)
	}
	if _, result := response(t, p.record(last[0].ActivationID, time.Second)); !strings.Contains(fmt.Sprint(result), "of:the alarm") {
		t.Errorf("a run was given %v", result)
	}
}

// count returns how many activations there are of that name.
func (p *platform) count(name string) int {
	p.t.Helper()
	var v struct{ Activations int }
	a := p.do("GET", "activations?count=true&name="+name, nil)
	if err := json.Unmarshal(a.body, &v); err != nil {
		p.t.Fatalf("count: status %d: %s", a.status, a.body)
	}
	return v.Activations
}

// TestSystemPackages: actions of whisk.system do what their annotations say, for
// everybody.
func TestSystemPackages(t *testing.T) {
	p := start(t, "--no-throttle")
	for _, pkg := range []string{"utils", "samples"} {
		var doc struct{ Actions []struct{ Name string } }
		if err := json.Unmarshal(p.do("GET", "/whisk.system/packages/"+pkg, nil).body, &doc); err != nil || len(doc.Actions) < 9 {
			t.Fatalf("package %s: %v, %d actions", pkg, err, len(doc.Actions))
		}
		for _, a := range doc.Actions {
			p.sample(pkg + "/" + a.Name)
		}
	}
}

// sample invokes an action of whisk.system with its sample, if that does not
// depend on where and when it runs.
func (p *platform) sample(path string) {
	p.t.Helper()
	var doc struct {
		Annotations []struct {
			Key   string
			Value any
		}
	}
	if err := json.Unmarshal(p.do("GET", "/whisk.system/actions/"+path, nil).body, &doc); err != nil {
		p.t.Fatal(err)
	}
	notes := map[string]any{}
	for _, a := range doc.Annotations {
		notes[a.Key] = a.Value
	}
	in, given := notes["sampleInput"]
	switch name := path[strings.IndexByte(path, '/')+1:]; {
	case notes["description"] == nil, notes["sampleOutput"] == nil:
		p.t.Errorf("%s has no description, or no sample output", path)
		return
	case name == "hosturl", name == "curl", name == "countdown", name == "invoke", name == "trigger", !given:
		return
	}
	a := p.do("POST", "/whisk.system/actions/"+path+"?blocking=true&result=true", in)
	if want := notes["sampleOutput"]; a.status != 200 || fmt.Sprint(a.decode(p.t)) != fmt.Sprint(want) {
		p.t.Errorf("%s of %v: status %d: %s, want %v", path, in, a.status, a.body, want)
	}
}
