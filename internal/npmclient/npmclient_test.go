package npmclient

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"hearth/internal/binary"
)

const (
	limit = 4 * time.Minute // from the start of Hearth to the last test's end
	key   = "9d6c2f1b-4f0e-4a53-9a0e-2f4c3d1b7a68:npmOnlyNpmOnlyNpmOnlyNpmOnlyNpmOnlyNpmOnlyNpmOnlyNpmOnlyNpmOnly0"

	nodeModules = "../../runtimes/nodejs/node_modules" // what scripts/setup offers nodejs actions
)

func TestMain(m *testing.M) { os.Exit(binary.Run(m)) }

// files are the tests in JavaScript, and all says how many they hold.
var (
	files = []string{"client.test.mjs", "entities.test.mjs", "composer.test.mjs"}
	all   = regexp.MustCompile(`(?m)^\S+ pass 19$`)
)

func TestNPMClient(t *testing.T) {
	for _, name := range []string{"openwhisk", "openwhisk-composer"} {
		if _, err := os.Stat(filepath.Join("node_modules", name, "package.json")); err != nil {
			t.Fatalf("the npm package %s is not installed (%v): run scripts/test, or npm ci --ignore-scripts in internal/npmclient", name, err)
		}
	}
	if _, err := os.Stat(filepath.Join(nodeModules, "openwhisk", "package.json")); err != nil {
		t.Fatalf("compositions have no npm module openwhisk to require (%v): run scripts/setup test", err)
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatalf("%v: run scripts/test, which installs it", err)
	}
	host := hearthUp(t)
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, append([]string{"--test"}, files...)...)
	cmd.Env = append(withoutProxies(os.Environ()), "HEARTH_TEST_HOST="+host, "HEARTH_TEST_KEY="+key, "WSK_CONFIG_FILE="+os.DevNull)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("node --test: %v\n%s", err, out)
	}
	if !all.Match(out) {
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

// hearthUp starts a platform that the test's end stops, and returns its address.
func hearthUp(t *testing.T) string {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	var log bytes.Buffer
	cmd, ends := binary.Start(t, &log, data, "up", "--addr", "127.0.0.1:0", "--ops-addr", "127.0.0.1:0", "--no-throttle", "--guest-key", key, "--node-modules", nodeModules, "--data", data)
	t.Cleanup(func() {
		binary.Interrupt(t, cmd)
		if t.Failed() {
			t.Logf("log of hearth up:\n%s", log.String())
		}
	})
	return ends.API
}
