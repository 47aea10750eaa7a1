package invoker

import (
	"bytes"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metrics"

	"hearth/whisk"
)

func TestMetrics(t *testing.T) {
	set := metrics.NewSet()
	inBubble(t, func(c *Config, _ *fakeDriver) { c.Metrics = set }, func(r *rig) {
		r.done(r.call(newTestCall("a", `{}`)))
		r.done(r.call(newTestCall("a", `{"out":"7"}`)))
		r.done(r.call(newTestCall("a", `{"ms":70000}`)))
		r.done(r.call(newTestCall("b", `{"out":"{\"error\":1}"}`)))
		nowhere := newTestCall("a", `{}`)
		nowhere.Target.Exec.Kind = "cobol:1"
		r.done(r.call(nowhere))
		var b bytes.Buffer
		set.WritePrometheus(&b)
		for _, want := range []string{
			`invoker_starts_total{start="cold"} 3`,
			`invoker_starts_total{start="warm"} 1`,
			`invoker_starts_total{start="prewarm"} 0`,
			`invoker_errors_total{class="application"} 1`,
			`invoker_errors_total{class="developer"} 2`,
			`invoker_errors_total{class="whisk"} 1`,
			`invoker_timeouts_total 1`,
			`invoker_sandboxes{state="warm"} 1`,
			`invoker_memory_bytes{of="capacity"} 536870912`,
			`invoker_memory_bytes{of="busy"} 0`,
			`invoker_journal_records 5`,
			`invoker_phase_seconds_count{phase="wait"} 4`,
			`invoker_phase_seconds_count{phase="create"} 3`,
			`invoker_phase_seconds_count{phase="init"} 3`,
			`invoker_phase_seconds_count{phase="run"} 4`,
		} {
			if !strings.Contains(b.String(), want+"\n") {
				t.Errorf("no %s", want)
			}
		}
		if t.Failed() {
			t.Log(b.String())
		}
	})
}

func TestHello(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		h := r.v.Hello()
		if h.ID != "inv0" || h.Incarnation == "" || len(h.Runtimes) != 1 || len(h.Images) != 1 ||
			h.Isolation != "none: it is a fake" || h.Load != (whisk.Load{CapacityMB: 512, QueueLimit: 4}) {
			t.Errorf("hello = %+v", h)
		}
	})
}

func TestConfigValidate(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Config)
		ok     bool
	}{
		{"default", func(*Config) {}, true},
		{"no queue", func(c *Config) { c.QueueLimit = 0 }, true},
		{"no id", func(c *Config) { c.ID = "" }, false},
		{"no directory", func(c *Config) { c.Dir = "" }, false},
		{"no memory", func(c *Config) { c.MemoryMB = 0 }, false},
		{"negative queue", func(c *Config) { c.QueueLimit = -1 }, false},
		{"no journal", func(c *Config) { c.Journal.MaxBytes = 0 }, false},
		{"never idle", func(c *Config) { c.IdleTimeout = 0 }, false},
	} {
		cfg := DefaultConfig()
		cfg.ID, cfg.Dir = "i", "d"
		c.change(&cfg)
		if err := cfg.Validate(); (err == nil) != c.ok {
			t.Errorf("%s: Validate = %v, want ok %v", c.name, err, c.ok)
		}
	}
}
