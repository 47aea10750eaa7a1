package bench

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func TestProcess(t *testing.T) {
	p, err := startProcess("sh", []string{"/bin/sh", "-c", "echo hello; echo oops >&2; echo listening here; cat"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if addr, err := p.listening(t.Context()); err != nil || addr != "here" {
		t.Errorf("listening = %q, %v", addr, err)
	}
	if err := p.alive(); err != nil {
		t.Error(err)
	}
	if pgid, err := syscall.Getpgid(p.pid()); err != nil || pgid != p.pid() {
		t.Errorf("process group %d, %v, want its own, %d", pgid, err, p.pid())
	}
	if err := p.stop(); err != nil {
		t.Error(err)
	}
	if err := p.alive(); err == nil || !strings.Contains(err.Error(), "oops") {
		t.Errorf("alive after stop: %v, want what it printed last", err)
	}
}

func TestStubbornProcess(t *testing.T) {
	p, err := startProcess("sh", []string{"/bin/sh", "-c", "trap '' TERM; echo listening x; while :; do read x || sleep 1; done"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.listening(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.patience = time.Millisecond
	if err := p.stop(); err == nil {
		t.Error("no word of having killed it")
	}
	if err := syscall.Kill(p.pid(), 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the process is still there: %v", err)
	}
}

func TestProcessThatEnds(t *testing.T) {
	p, err := startProcess("sh", []string{"/bin/sh", "-c", "echo no way >&2; exit 3"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.listening(t.Context()); err == nil || !strings.Contains(err.Error(), "no way") {
		t.Errorf("listening: %v, want why it ended", err)
	}
	if _, err := startProcess("nothing", []string{"/nonexistent"}, nil); err == nil {
		t.Error("no error for a program that is not there")
	}
}

func result(p50 time.Duration, n int) *Result {
	h := NewHistogram()
	for range n {
		h.Record(p50)
	}
	return &Result{Count: int64(n), Completed: int64(n), Elapsed: time.Second, Latency: h, CPU: map[string]time.Duration{"hearth": time.Duration(n) * time.Microsecond, Sandboxes: time.Duration(n) * time.Microsecond}}
}

// TestRows: figures become rows, held against floors, other cases, other
// figures and plain bounds.
func TestRows(t *testing.T) {
	sc, err := ParseScenario([]byte(`{"name":"x","cases":[
		{"name":"base","figures":[{"what":"rate"}]},
		{"name":"a","figures":[
			{"what":"p50","over":"floor one","atMost":1.4},
			{"what":"rate","over":"case base","atLeast":0.9},
			{"what":"p99","over":"p50","atMost":5},
			{"what":"cpu hearth","less":"base","atMost":12},
			{"what":"cpu","name":"CPU"},
			{"what":"rss"},
			{"what":"cpu router","over":"floor go-echo"}]},
		{"name":"gone","figures":[{"what":"p50"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	ms := time.Millisecond
	base, a := []*Result{result(ms, 100), result(ms, 100)}, []*Result{result(3*ms, 80), result(3*ms, 85)}
	for _, r := range a {
		r.CPU["hearth"] = time.Duration(r.Completed) * 11 * time.Microsecond
	}
	st := &stage{Suite: &Suite{}, sc: sc, skipped: map[string]string{"gone": "needs wings"}, results: map[string][]*Result{
		"case base": base, "case a": a, "floor one under a": {result(2*ms, 1), result(3*ms, 1)},
	}}
	rows := st.rows()
	type summary struct {
		name, floor, target, verdict, na string
		ratio                            float64
	}
	want := []summary{
		{"base, rate", "", "", "", "", 0},
		{"a, p50", "one", "≤ 1.4 × one", "holds", "", 1.25},
		{"a, rate", "base", "≥ 0.9 × base", "misses", "", 0.825},
		{"a, p99", "p50", "≤ 5 × p50", "holds", "", 1},
		{"a, cpu hearth", "", "≤ 12 µs/call", "holds", "", 0},
		{"a, CPU", "", "", "", "", 0},
		{"a, rss", "", "", "", "the server does not tell", 0},
		{"a, cpu router", "", "", "", "the server does not tell", 0},
		{"gone, p50", "", "", "", "needs wings", 0},
	}
	if len(rows) != len(want) {
		t.Fatalf("%d rows, want %d", len(rows), len(want))
	}
	for i, r := range rows {
		got := summary{r.Name, r.Floor, r.Target, r.holds(), r.NA, math.Round(r.Ratio*1000) / 1000}
		if got != want[i] {
			t.Errorf("row %d: %+v, want %+v", i, got, want[i])
		}
	}
	if got := rows[4].Rounds; !slices.Equal(got, []float64{10, 10}) {
		t.Errorf("CPU above the base's: %v, want 10 µs in both rounds", got)
	}
	if rows[1].Result == nil || rows[1].Result.Count != 165 || rows[2].Result != nil {
		t.Error("a case's first row carries the rounds as one result, the others none")
	}
}

func TestValue(t *testing.T) {
	r := result(2*time.Millisecond, 50)
	r.Bytes, r.Errors, r.Starts = 3e6, map[string]int64{"5xx": 2}, map[string]int64{"cold": 1, "warm": 3}
	r.RSS = map[string]int64{"hearth": 10 << 20, Sandboxes: 5 << 20}
	r.Keys = map[string]*Histogram{"cold": r.Latency}
	for what, want := range map[string]float64{
		"rate": 50, "bytes": 3, "p50": 2000, "p99.9": 2000, "max": 2000, "mean": 2000, "errors": 2, "colds": 25,
		"cpu": 2, "cpu hearth": 1, "rss": 15, "rss hearth": 10, "cold p50": 2, "p50 ms": 2, "busy": 0.01,
	} {
		if got := r.value(what); math.Abs(got/want-1) > 0.01 {
			t.Errorf("%s = %v, want %v", what, got, want)
		}
	}
	for _, what := range []string{"cpu router", "rss router", "init p50", "wait p50"} {
		if got := r.value(what); !math.IsNaN(got) {
			t.Errorf("%s = %v, want none", what, got)
		}
	}
	for what := range figureUnits {
		_ = new(Result).value(what) // an empty one must not panic
	}
}

// fakePlatform answers like an OpenWhisk server whose actions echo.
func fakePlatform(t *testing.T, invoke http.HandlerFunc) (host string, deleted *atomic.Int64) {
	deleted = new(atomic.Int64)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{}`)) })
	mux.HandleFunc("PUT /api/v1/namespaces/_/actions/{name}", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{}`)) })
	mux.HandleFunc("DELETE /api/v1/namespaces/_/actions/{name}", func(w http.ResponseWriter, _ *http.Request) {
		deleted.Add(1)
		_, _ = w.Write([]byte(`{}`))
	})
	mux.HandleFunc("POST /api/v1/namespaces/_/actions/{name}", invoke)
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv.URL, deleted
}

func echoBody(w http.ResponseWriter, r *http.Request) {
	b, _ := readBody(r, nil)
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b)
}

func runOn(t *testing.T, host, scenario string) ([]Row, error) {
	t.Helper()
	sc, err := ParseScenario([]byte(scenario))
	if err != nil {
		t.Fatal(err)
	}
	cfg := QuickSuiteConfig()
	cfg.Exe, cfg.Host, cfg.Key, cfg.Settle, cfg.Duration = "/nonexistent", host, "u:k", 0, 20*time.Millisecond
	s, err := NewSuite(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s.Run(t.Context(), []*Scenario{sc})
}

// TestSuiteOnHost measures a server that was there before, and leaves nothing
// on it.
func TestSuiteOnHost(t *testing.T) {
	host, deleted := fakePlatform(t, echoBody)
	rows, err := runOn(t, host, `{"name":"x","cases":[
		{"name":"a","actions":3,"figures":[{"what":"p50"}]},
		{"name":"own","server":{"store":"none"},"figures":[{"what":"p50"}]},
		{"name":"root","do":"api","figures":[{"what":"rate"},{"what":"cpu"}]}]}`)
	if err != nil {
		t.Fatal(err)
	}
	if r := rows[0]; r.NA != "" || len(r.Rounds) != 1 {
		t.Errorf("row %+v, want one round", r)
	}
	if r := rows[1]; !strings.Contains(r.NA, "--store none") {
		t.Errorf("n/a %q, want that it needs another server", r.NA)
	}
	if rows[2].NA != "" || rows[3].NA == "" {
		t.Errorf("n/a %q and %q: another machine's rate is known, its CPU is not", rows[2].NA, rows[3].NA)
	}
	if n := deleted.Load(); n != 3 {
		t.Errorf("%d actions deleted, want 3", n)
	}
}

func TestSuiteStopsWhenThrottled(t *testing.T) {
	var calls atomic.Int64
	host, deleted := fakePlatform(t, func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) > 5 {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		echoBody(w, r)
	})
	_, err := runOn(t, host, `{"name":"x","cases":[{"name":"a","figures":[{"what":"p50"}]}]}`)
	if !errors.Is(err, ErrThrottled) {
		t.Errorf("error %v, want ErrThrottled", err)
	}
	if n := calls.Load(); n > 7 {
		t.Errorf("%d calls after the first refusal", n-6)
	}
	if deleted.Load() != 1 {
		t.Error("the action is left behind")
	}
}

// TestSuiteTellsFailures: a case that only fails has a row that says why, and a
// kind that a server lacks leaves the others alone.
func TestSuiteTellsFailures(t *testing.T) {
	host, _ := fakePlatform(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("result") == "true" && r.ContentLength < 10 {
			echoBody(w, r) // the first touch of the action
			return
		}
		http.Error(w, "out of coffee", http.StatusServiceUnavailable)
	})
	rows, err := runOn(t, host, `{"name":"x","cases":[{"name":"a","figures":[{"what":"p50"}]}]}`)
	if err != nil || !strings.Contains(rows[0].NA, "5xx") || !strings.Contains(rows[0].NA, "out of coffee") {
		t.Errorf("n/a %q, %v, want the class and the first answer", rows[0].NA, err)
	}
}

func TestSuiteNeeds(t *testing.T) {
	s := &Suite{cfg: SuiteConfig{Say: func(string) {}}}
	rows, err := s.Run(context.Background(), []*Scenario{{Name: "x", Title: "A fan", Needs: "triggers"}})
	if err != nil || len(rows) != 1 || rows[0].NA != "needs triggers" {
		t.Errorf("rows %+v, %v", rows, err)
	}
}

func TestSuiteConfig(t *testing.T) {
	good := DefaultSuiteConfig()
	good.Exe = "x"
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*SuiteConfig){
		"no program":  func(c *SuiteConfig) { c.Exe = "" },
		"no rounds":   func(c *SuiteConfig) { c.Rounds = 0 },
		"no duration": func(c *SuiteConfig) { c.Duration = 0 },
		"no key":      func(c *SuiteConfig) { c.Host = "http://x" },
	} {
		c := good
		spoil(&c)
		if _, err := NewSuite(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
