package bench

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestScenarios: the files that come with Hearth can be read, have names of
// their own, and hold the targets that PERFORMANCE.md reports.
func TestScenarios(t *testing.T) {
	list, err := Scenarios()
	if err != nil {
		t.Fatal(err)
	}
	var names, targets []string
	for _, s := range list {
		if slices.Contains(names, s.Name) {
			t.Errorf("two scenarios are called %s", s.Name)
		}
		names = append(names, s.Name)
		if s.Title == "" || s.About == "" {
			t.Errorf("%s: no title, or nothing about it", s.Name)
		}
		for _, c := range s.Cases {
			for _, f := range c.Figures {
				if f.AtMost != nil || f.AtLeast != nil {
					targets = append(targets, s.Name+" "+c.Name+": "+f.String())
				}
			}
		}
	}
	for _, want := range []string{
		"blocking-one-action c=1: p50 ≤ 1.4 × floor one",
		"blocking-one-action c=64: rate ≥ 0.7 × floor one",
		"blocking-one-action c=64: rate (node behind a proxy) ≥ 1.3 × floor node-proxy",
		"split unix c=1: p50 ≤ 1.4 × floor two",
		"split unix c=64: rate ≥ 0.7 × floor two",
		"split tls c=1: p50 ≤ 1.4 × floor two",
		"split tls c=64: rate ≥ 0.7 × floor two",
		"split unix c=1: router's CPU ≤ 2.5 × floor go-echo",
		"one-vs-hundred hundred: rate ≥ 0.9 × case one",
		"p99-at-70 at 70%: p99 ≤ 5 × p50",
		"records kept: rate ≥ 0.8 × case dropped",
		"records kept: CPU per record ≤ 12",
		"idle hearth up: rss ≤ 60",
		"payload-sizes 1 MB: bytes ≥ 0.5 × floor one",
	} {
		if !slices.Contains(targets, want) {
			t.Errorf("no target %q among\n%s", want, strings.Join(targets, "\n"))
		}
	}
}

func TestExpand(t *testing.T) {
	s, err := ParseScenario([]byte(`{"name":"x","cases":[
		{"name":"a","kinds":["nodejs","go"],"ladder":[1,4,16],"figures":[{"what":"p50","over":"floor one-{kind}"}]},
		{"name":"b","payloads":[1024,1048576],"load":{"concurrency":2}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range s.Cases {
		got = append(got, c.Name)
	}
	want := []string{"a nodejs c=1", "a nodejs c=4", "a nodejs c=16", "a go c=1", "a go c=4", "a go c=16", "b 1 KB", "b 1 MB"}
	if !slices.Equal(got, want) {
		t.Errorf("cases %q, want %q", got, want)
	}
	if c := s.Cases[3]; c.Kind != "go" || c.Load.Concurrency != 1 || c.Figures[0].Over != "floor one-go" || c.step != 1 || c.rung {
		t.Errorf("case %s: %+v", c.Name, c)
	}
	if !s.Cases[1].rung || s.Cases[0].rung || s.Cases[2].rung {
		t.Error("only what lies between the ends of a ladder is left out of quick runs")
	}
	if c := s.Cases[7]; c.Payload != 1<<20 || c.Load.Concurrency != 2 {
		t.Errorf("case %s: payload %d, concurrency %d", c.Name, c.Payload, c.Load.Concurrency)
	}
}

// The calls of a trace come when they are due, however many that are at once.
func TestTraceIsOpen(t *testing.T) {
	s, err := ParseScenario([]byte(`{"name":"x","cases":[{"name":"a","trace":{"functions":5,"rate":10,"flatten":0.5,"speedup":20,"longestMS":500}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if l := s.Cases[0].Load; l.Arrival != "trace" || l.Concurrency != 0 {
		t.Errorf("load %+v, want a trace without a bound of its own", l)
	}
}

func TestParseScenarioRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"no JSON":            `cases`,
		"unknown field":      `{"name":"x","casus":[]}`,
		"text after":         `{"name":"x","needs":"y"} {}`,
		"no name":            `{"cases":[{}]}`,
		"a name with spaces": `{"name":"a b","cases":[{}]}`,
		"no cases":           `{"name":"x"}`,
		"twins":              `{"name":"x","cases":[{},{}]}`,
		"unknown work":       `{"name":"x","cases":[{"do":"sing"}]}`,
		"unknown kind":       `{"name":"x","cases":[{"kind":"cobol"}]}`,
		"unknown floor":      `{"name":"x","cases":[{"on":"floor cellar"}]}`,
		"unknown place":      `{"name":"x","cases":[{"on":"moon"}]}`,
		"unknown figure":     `{"name":"x","cases":[{"figures":[{"what":"charm"}]}]}`,
		"over no floor":      `{"name":"x","cases":[{"figures":[{"what":"p50","over":"floor cellar"}]}]}`,
		"over no case":       `{"name":"x","cases":[{"figures":[{"what":"p50","over":"case y"}]}]}`,
		"over nothing known": `{"name":"x","cases":[{"figures":[{"what":"p50","over":"rainbow"}]}]}`,
		"less no case":       `{"name":"x","cases":[{"figures":[{"what":"p50","less":"y"}]}]}`,
		"rate of a later":    `{"name":"x","cases":[{"name":"a","load":{"arrival":"poisson","rateOf":{"case":"b","times":1}}},{"name":"b"}]}`,
		"no rate":            `{"name":"x","cases":[{"load":{"arrival":"poisson"}}]}`,
		"unknown store":      `{"name":"x","cases":[{"server":{"store":"tape"}}]}`,
		"unknown split":      `{"name":"x","cases":[{"server":{"split":"pigeon"}}]}`,
		"small payload":      `{"name":"x","cases":[{"payload":1}]}`,
		"endless submits":    `{"name":"x","cases":[{"do":"submit"}]}`,
		"bad trace":          `{"name":"x","cases":[{"trace":{"functions":5}}]}`,
	} {
		if s, err := ParseScenario([]byte(text)); err == nil {
			t.Errorf("%s: no error, got %+v", name, s)
		}
	}
}

func TestFindScenarios(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mine.json")
	if err := os.WriteFile(file, []byte(`{"name":"mine","cases":[{"do":"api"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := FindScenarios([]string{"idle", file, "split"})
	if err != nil || len(list) != 3 || list[0].Name != "idle" || list[1].Name != "mine" || list[2].Name != "split" {
		t.Errorf("FindScenarios = %v, %v", list, err)
	}
	for _, bad := range []string{"nonesuch", file + ".json", t.TempDir() + "/"} {
		if _, err := FindScenarios([]string{bad}); err == nil {
			t.Errorf("FindScenarios(%q): no error", bad)
		}
	}
}

func TestLoadPlan(t *testing.T) {
	got := Load{Arrival: Poisson, Rate: 5, Share: 0.5}.plan(4*time.Second, time.Second, 7)
	if got.Duration != 2*time.Second || got.Warmup != time.Second || got.Seed != 7 || got.Rate != 5 {
		t.Errorf("plan = %+v", got)
	}
	if got := (Load{Arrival: Closed, Count: 3, Concurrency: 1}).plan(time.Second, 0, 0); got.Duration != 0 || got.Count != 3 {
		t.Errorf("plan with a count = %+v", got)
	}
}

func FuzzParseScenario(f *testing.F) {
	entries, err := scenarioFiles.ReadDir("scenarios")
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range entries {
		text, err := scenarioFiles.ReadFile("scenarios/" + e.Name())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"name":"x","cases":[{"ladder":[0,-1],"kinds":[""]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := ParseScenario(text)
		if err != nil {
			return
		}
		if _, err := json.Marshal(s); err != nil {
			t.Errorf("a scenario that cannot be written: %v", err)
		}
	})
}
