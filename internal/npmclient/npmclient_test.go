package npmclient

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	limit = 2 * time.Minute // from the start of Hearth to the last test's end
	key   = "9d6c2f1b-4f0e-4a53-9a0e-2f4c3d1b7a68:npmOnlyNpmOnlyNpmOnlyNpmOnlyNpmOnlyNpmOnlyNpmOnlyNpmOnlyNpmOnly0"
)

func TestNPMClient(t *testing.T) {
	if _, err := os.Stat(filepath.Join("node_modules", "openwhisk", "package.json")); err != nil {
		t.Fatalf("the npm package openwhisk is not installed (%v): run scripts/test, or npm ci --ignore-scripts in internal/npmclient", err)
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatalf("%v: run scripts/test, which installs it", err)
	}
	bin := buildHearth(t)
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()

	host := hearthUp(ctx, t, bin)
	cmd := exec.CommandContext(ctx, node, "--test", "client.test.mjs")
	cmd.Env = append(withoutProxies(os.Environ()), "HEARTH_TEST_HOST="+host, "HEARTH_TEST_KEY="+key)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("node --test: %v\n%s", err, out)
	}
	if !bytes.Contains(out, []byte("pass 5")) {
		t.Errorf("not all tests ran:\n%s", out)
	}
}

// withoutProxies drops the settings by which the client would reach this
// machine through a proxy.
func withoutProxies(env []string) []string {
	out := env[:0:0]
	for _, e := range env {
		name, _, _ := strings.Cut(e, "=")
		if n := strings.ToLower(name); n != "proxy" && !strings.HasSuffix(n, "_proxy") && !strings.HasPrefix(name, "__OW_") {
			out = append(out, e)
		}
	}
	return out
}

func buildHearth(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "hearth")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "hearth/cmd/hearth")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return bin
}

// hearthUp starts a platform that the test's end stops, and returns its address.
func hearthUp(ctx context.Context, t *testing.T, bin string) string {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	var log bytes.Buffer
	up := exec.Command(bin, "up", "--addr", "127.0.0.1:0", "--ops-addr", "127.0.0.1:0", "--no-throttle", "--guest-key", key, "--data", data)
	up.Stdout, up.Stderr = &log, &log
	if err := up.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- up.Wait() }()
	t.Cleanup(func() {
		_ = up.Process.Signal(os.Interrupt)
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("hearth up ended with %v", err)
			}
		case <-time.After(time.Minute):
			_ = up.Process.Kill()
			<-ended
			t.Error("hearth up did not stop within a minute")
		}
		if t.Failed() {
			t.Logf("log of hearth up:\n%s", log.String())
		}
	})

	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for {
		var ready struct {
			PID int
			API string
		}
		b, err := os.ReadFile(filepath.Join(data, "endpoints.json"))
		if err == nil && json.Unmarshal(b, &ready) == nil && ready.PID == up.Process.Pid {
			return ready.API
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("hearth up ended before it was ready: %v", err)
		case <-ctx.Done():
			t.Fatal("hearth up was not ready in time")
		case <-poll.C:
		}
	}
}
