package process_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hearth/invoker/sandbox/process"
	"hearth/invoker/sandbox/sandboxtest"
	"hearth/whisk"
)

// TestKilledDriver: what an invoker that was killed left behind ends, and is
// removed by the next one.
func TestKilledDriver(t *testing.T) {
	if dir := os.Getenv("HEARTH_TEST_DRIVER_DIR"); dir != "" {
		holdSandbox(t, dir)
		return
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledDriver$")
	cmd.Env = append(os.Environ(), "HEARTH_TEST_DRIVER_DIR="+dir, "TMPDIR="+t.TempDir())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var v struct {
		Pids []int
		Home string
	}
	if err := json.NewDecoder(out).Decode(&v); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	d, err := process.New(process.DefaultConfig(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for _, pid := range v.Pids {
		waitGone(t, fmt.Sprintf("/proc/%d/cwd", pid))
	}
	waitGone(t, v.Home)
}

// waitGone waits until a file is gone, or, a process being a zombie, cannot be
// read any more.
func waitGone(t *testing.T, path string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if _, err := os.Readlink(path); err != nil && !strings.Contains(err.Error(), "invalid") {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s is still there", path)
		}
	}
}

// holdSandbox makes a sandbox with processes, tells about them and waits to be
// killed.
func holdSandbox(t *testing.T, dir string) {
	d, err := process.New(process.DefaultConfig(dir))
	if err != nil {
		t.Fatal(err)
	}
	b := sandboxtest.NewBox(t, d, specOf(t, d, "go"))
	b.MustLoad(script(`read -r l; setsid sleep 300 >/dev/null 2>&1 3>&- & echo "{\"pids\":[$$,$!],\"home\":\"$HOME\"}" >&3; cat >/dev/null`), sandboxtest.With{Binary: true})
	fmt.Println(b.MustCall(`{}`, sandboxtest.With{}))
	select {}
}

// TestCloseDestroys: Close ends the sandboxes that are left.
func TestCloseDestroys(t *testing.T) {
	dir := t.TempDir()
	d, err := process.New(process.DefaultConfig(dir))
	if err != nil {
		t.Fatal(err)
	}
	b, v := lookAround(t, d)
	if err := d.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if !b.IsBroken() {
		t.Error("the sandbox is not broken")
	}
	if _, err := os.Stat(v.Home); !os.IsNotExist(err) {
		t.Errorf("the folder %s is still there: %v", v.Home, err)
	}
	if _, err := d.Create(t.Context(), specOf(t, d, whisk.Blackbox)); err == nil {
		t.Error("a closed driver creates sandboxes")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*", "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestOneDriverPerFolder: two would remove each other's sandboxes.
func TestOneDriverPerFolder(t *testing.T) {
	cfg := process.DefaultConfig(t.TempDir())
	a, err := process.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := process.New(cfg); err == nil {
		t.Error("a second driver works in the same folder")
		_ = b.Close()
	}
	lookAround(t, a)
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	b, err := process.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	_ = b.Close()
}

// TestSweep: as root, what a killed driver left in the fallback folder goes
// with the next driver there, whatever its folder.
func TestSweep(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root falls back to another folder")
	}
	hidden := t.TempDir() // nobody passes through to it
	fallback, err := os.MkdirTemp("/var/tmp", "hearth-fallback-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(fallback) })
	if err := os.Chmod(fallback, 0o755); err != nil {
		t.Fatal(err)
	}
	stale := filepath.Join(fallback, "work-stale", "sandboxes", "x")
	if err := os.MkdirAll(stale, 0o700); err != nil {
		t.Fatal(err)
	}
	var drivers []*process.Driver
	for _, name := range []string{"a", "b"} {
		cfg := process.DefaultConfig(filepath.Join(hidden, name))
		cfg.FallbackDir = fallback
		d, err := process.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		drivers = append(drivers, d)
	}
	if _, err := os.Stat(stale); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", stale, err)
	}
	for _, d := range drivers {
		lookAround(t, d) // the other's sweep has left this one alone
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	if left, _ := os.ReadDir(fallback); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
