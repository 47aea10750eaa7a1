package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"hearth/bench"
)

// benchCommand runs one command line and returns what it printed.
func benchCommand(args ...string) (stdout string, err error) {
	var out, said bytes.Buffer
	err = run(context.Background(), append([]string{"bench"}, args...), strings.NewReader(""), &out, &said)
	return out.String(), err
}

func TestBenchList(t *testing.T) {
	out, err := benchCommand("list")
	if err != nil || !strings.Contains(out, "blocking-one-action") || !strings.Contains(out, "node-proxy") {
		t.Errorf("list: %v\n%s", err, out)
	}
	out, err = benchCommand("list", "split")
	if err != nil || !strings.Contains(out, "p50 ≤ 1.4 × floor two") {
		t.Errorf("list split: %v\n%s", err, out)
	}
	if _, err := benchCommand("list", "nonesuch"); exitCode(err) != exitUsage {
		t.Errorf("list nonesuch: %v, want a usage error", err)
	}
}

func TestBenchUsage(t *testing.T) {
	for _, args := range [][]string{
		{"run"},
		{"run", "nonesuch"},
		{"run", "idle", "--rounds", "0"},
		{"run", "idle", "--host", "http://127.0.0.1:1", "--auth", "nokey"},
		{"load"},
		{"load", "http://x/", "--action", "y"},
		{"load", "ftp://x/"},
		{"load", "http://x/", "--arrival", "poisson"},
		{"load", "http://x/", "--arrival", "sometimes"},
		{"load", "http://x/", "--echo"},
		{"load", "http://x/", "--body", "a", "--size", "100"},
		{"load", "http://x/", "--zipf", "1"},
		{"load", "http://x/", "--watch", "a=b"},
		{"load", "http://x/", "-H", "no colon"},
	} {
		if _, err := benchCommand(args...); exitCode(err) != exitUsage {
			t.Errorf("bench %q: exit code %d (%v), want %d", args, exitCode(err), err, exitUsage)
		}
	}
}

func TestBenchLoad(t *testing.T) {
	var calls atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/throttle" && calls.Add(1) > 5:
			w.WriteHeader(http.StatusTooManyRequests)
		case r.URL.Path == "/broken":
			http.Error(w, "out of coffee", http.StatusTeapot)
		default:
			_, _ = io.Copy(w, r.Body)
		}
	}))
	defer srv.Close()
	dir := filepath.Join(t.TempDir(), "out")
	out, err := benchCommand("load", srv.URL, "-n", "50", "-c", "4", "--size", "200", "--echo", "--report", dir)
	if err != nil || !strings.Contains(out, "50") || strings.Contains(out, "failed:") {
		t.Errorf("load: %v\n%s", err, out)
	}
	for _, name := range []string{"report.txt", "report.json", "report.html"} {
		if st, err := os.Stat(filepath.Join(dir, name)); err != nil || st.Size() == 0 {
			t.Errorf("%s: %v, or it is empty", name, err)
		}
	}
	if out, err := benchCommand("compare", filepath.Join(dir, "report.json"), filepath.Join(dir, "report.json")); err != nil || !strings.Contains(out, "p99") {
		t.Errorf("compare: %v\n%s", err, out)
	}
	if _, err := benchCommand("compare", dir, dir); err == nil {
		t.Error("compare of two folders: no error")
	}
	if _, err := benchCommand("load", srv.URL+"/throttle", "-n", "1000"); err == nil || !strings.Contains(err.Error(), "--no-throttle") || calls.Load() > 10 {
		t.Errorf("throttled: %v after %d calls, want advice at once", err, calls.Load())
	}
	if out, err := benchCommand("load", srv.URL+"/broken", "-n", "5"); err == nil || !strings.Contains(out, "out of coffee") {
		t.Errorf("broken: %v\n%s\nwant what the server said", err, out)
	}
}

// TestBenchLoadActions: each action of a mix is invoked, with the account's key.
func TestBenchLoadActions(t *testing.T) {
	var one, two atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, key, _ := r.BasicAuth()
		switch r.URL.RequestURI() {
		case "/api/v1/namespaces/_/actions/one?blocking=true&result=true":
			one.Add(1)
		case "/api/v1/namespaces/other/actions/pkg/two?blocking=true&result=true":
			two.Add(1)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
		if user != "u" || key != "k" {
			w.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = io.Copy(w, r.Body)
	}))
	defer srv.Close()
	t.Setenv("WSK_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
	out, err := benchCommand("load", "--apihost", srv.URL, "--auth", "u:k", "--action", "one", "--action", "/other/pkg/two", "--zipf", "1", "-n", "60", "--size", "64", "--echo")
	if err != nil || one.Load() <= two.Load() || two.Load() == 0 || one.Load()+two.Load() != 60 {
		t.Errorf("%d and %d calls, %v\n%s", one.Load(), two.Load(), err, out)
	}
}

func TestReadTrace(t *testing.T) {
	file := filepath.Join(t.TempDir(), "trace")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("# seconds\n0.5\n\n 0 \n1e-3\n")
	got, err := readTrace(file)
	if err != nil || fmt.Sprint(got) != "[0s 1ms 500ms]" {
		t.Errorf("readTrace = %v, %v", got, err)
	}
	for _, bad := range []string{"x", "-1", "NaN", "1e300", "1 2"} {
		write(bad)
		if _, err := readTrace(file); err == nil {
			t.Errorf("readTrace of %q: no error", bad)
		}
	}
}

// TestEchoLoop: the Go action answers each request with its value.
func TestEchoLoop(t *testing.T) {
	big := `{"pad":"` + strings.Repeat("x", 200_000) + `"}`
	var out bytes.Buffer
	in := `{"value":{"a":1},"activation_id":"x"}` + "\n" + `{"value":` + big + "}\n"
	if err := echoLoop(strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	if want := `{"a":1}` + "\n" + big + "\n"; out.String() != want {
		t.Errorf("%.60q…, want %.60q…", out.String(), want)
	}
	if err := echoLoop(strings.NewReader("{}\n"), io.Discard); err == nil {
		t.Error("no error for a request without a value")
	}
}

// TestBenchReportNotes: a report says how it came about.
func TestBenchReportNotes(t *testing.T) {
	r := benchRun{suite: bench.QuickSuiteConfig()}
	r.suite.Host = "http://x"
	b, err := json.Marshal(r.notes())
	if err != nil || !bytes.Contains(b, []byte("quick")) || !bytes.Contains(b, []byte("http://x")) {
		t.Errorf("notes %s, %v", b, err)
	}
}
