package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hearth/internal/binary"
)

const (
	guestUUID = "23bc46b1-71f6-4ed5-8c54-816aa4f8c502"
	guestKey  = "e2eOnlyE2eOnlyE2eOnlyE2eOnlyE2eOnlyE2eOnlyE2eOnlyE2eOnlyE2eOnly0"
)

// full says that the proof is wanted at full size.
var full = os.Getenv("HEARTH_PROVE") != ""

// size returns the size of a test: small in the suite, large as a proof.
func size(small, large int) int {
	if full {
		return large
	}
	return small
}

func TestMain(m *testing.M) { os.Exit(binary.Run(m)) }

// platform is one running `hearth up`.
type platform struct {
	t    *testing.T
	dir  string // --data
	role string // "" is up
	args []string
	cmd  *exec.Cmd
	log  *bytes.Buffer
	base string // http://127.0.0.1:port
	ops  string
	http *http.Client
}

// start runs `hearth up` on a data folder of its own and waits until it is
// ready. The test's end stops it and fails if it does not stop cleanly.
func start(t *testing.T, args ...string) *platform { return startAs(t, "up", args...) }

func startAs(t *testing.T, role string, args ...string) *platform {
	t.Helper()
	return startIn(t, filepath.Join(t.TempDir(), "data"), role, args...)
}

func startIn(t *testing.T, dir, role string, args ...string) *platform {
	t.Helper()
	p := &platform{t: t, dir: dir, role: role, args: args}
	p.http = &http.Client{Timeout: 90 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	p.launch()
	t.Cleanup(func() {
		if p.cmd != nil {
			p.stop()
		}
		if t.Failed() {
			t.Logf("log of hearth %s:\n%s", role, tail(p.log.String(), 8000))
		}
	})
	return p
}

func tail(s string, n int) string {
	if len(s) > n {
		return "…" + s[len(s)-n:]
	}
	return s
}

func (p *platform) launch() {
	p.t.Helper()
	if p.log == nil {
		p.log = &bytes.Buffer{}
	}
	role := p.role
	if role == "" {
		role = "up"
	}
	args := []string{role, "--data", p.dir, "--addr", "127.0.0.1:0", "--ops-addr", "127.0.0.1:0",
		"--guest-key", guestUUID + ":" + guestKey}
	var ends binary.Endpoints
	p.cmd, ends = binary.Start(p.t, p.log, p.dir, append(args, p.args...)...)
	p.base, p.ops = ends.API, ends.Ops
}

// stop ends the process as an operator would.
func (p *platform) stop() {
	p.t.Helper()
	binary.Interrupt(p.t, p.cmd)
	p.cmd = nil
}

// gauge reads one metric.
func (p *platform) gauge(name string) (v float64) {
	p.t.Helper()
	resp, err := p.http.Get(p.ops + "/metrics")
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if text, ok := strings.CutPrefix(line, name+" "); ok {
			if _, err := fmt.Sscan(text, &v); err != nil {
				p.t.Fatalf("metric %s: %v", name, err)
			}
			return v
		}
	}
	p.t.Fatalf("no metric %s", name)
	return 0
}

// kill ends the process with SIGKILL.
func (p *platform) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
	p.cmd = nil
}

// answer is one HTTP answer.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) id() string { return a.header.Get("X-Openwhisk-Activation-Id") }

func (a answer) decode(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	decode(t, a, &v)
	return v
}

func decode(t *testing.T, a answer, v any) {
	t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("status %d, not what was expected: %.200q", a.status, a.body)
	}
}

// try makes one call; an error means that no whole answer came.
func (p *platform) try(ctx context.Context, method, path string, body any) (answer, error) {
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return answer{}, err
		}
		in = bytes.NewReader(b)
	}
	if !strings.HasPrefix(path, "/") { // else it begins with a namespace
		path = "/_/" + path
	}
	req, err := http.NewRequestWithContext(ctx, method, p.base+"/api/v1/namespaces"+path, in)
	if err != nil {
		return answer{}, err
	}
	req.SetBasicAuth(guestUUID, guestKey)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := p.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	return answer{resp.StatusCode, resp.Header, b}, err
}

func (p *platform) do(method, path string, body any) answer {
	p.t.Helper()
	a, err := p.try(context.Background(), method, path, body)
	if err != nil {
		p.t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

// create makes or replaces an action.
func (p *platform) create(name, kind, code string, limits map[string]any) {
	p.t.Helper()
	exec := map[string]any{"kind": kind, "code": code}
	if kind == "blackbox" {
		exec["image"] = "openwhisk/dockerskeleton"
	}
	a := p.do("PUT", "actions/"+name+"?overwrite=true", map[string]any{"exec": exec, "limits": limits})
	if a.status != 200 {
		p.t.Fatalf("create %s: status %d: %s", name, a.status, a.body)
	}
}

// invoke makes a blocking invoke.
func (p *platform) invoke(name string, params any) answer {
	p.t.Helper()
	return p.do("POST", "actions/"+name+"?blocking=true", params)
}

// record waits for an activation's record; records are written in batches.
func (p *platform) record(id string, patience time.Duration) map[string]any {
	p.t.Helper()
	rec, err := p.await(id, patience)
	if err != nil {
		p.t.Fatal(err)
	}
	return rec
}

// await is record for goroutines of a test, and for a platform that may fail to
// answer.
func (p *platform) await(id string, patience time.Duration) (rec map[string]any, err error) {
	for deadline := time.Now().Add(patience); ; {
		a, err := p.try(context.Background(), "GET", "activations/"+id, nil)
		if err == nil && a.status == 200 {
			err = json.Unmarshal(a.body, &rec)
			return rec, err
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("no record of %s after %s: status %d: %s, %v", id, patience, a.status, a.body, err)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// response digs out a record's response.
func response(t *testing.T, record map[string]any) (status string, result any) {
	t.Helper()
	r, ok := record["response"].(map[string]any)
	if !ok {
		t.Fatalf("record has no response: %v", record)
	}
	status, _ = r["status"].(string)
	return status, r["result"]
}

func logLines(record map[string]any) string {
	rows, _ := record["logs"].([]any)
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprintln(&b, r)
	}
	return b.String()
}

// allIDs is ids for when records may still come, of calls whose answer was
// lost: they would shift the pages of a list.
func (p *platform) allIDs() []string {
	p.t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); ; {
		before := p.do("GET", "activations?count=true", nil)
		ids := p.ids()
		after := p.do("GET", "activations?count=true", nil)
		if bytes.Equal(before.body, after.body) || time.Now().After(deadline) {
			return ids
		}
	}
}

// ids lists all activations, newest first.
func (p *platform) ids() []string {
	p.t.Helper()
	var out []string
	for {
		a := p.do("GET", fmt.Sprintf("activations?limit=200&skip=%d", len(out)), nil)
		var rows []struct{ ActivationID string }
		if err := json.Unmarshal(a.body, &rows); err != nil {
			p.t.Fatalf("list: status %d: %s", a.status, a.body)
		}
		for _, r := range rows {
			out = append(out, r.ActivationID)
		}
		if len(rows) < 200 {
			return out
		}
	}
}
