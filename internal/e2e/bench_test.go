package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"hearth/bench"

	"hearth/internal/binary"
)

// TestBenchRunsAllScenarios runs every scenario small: each has its rows, all
// that is measured is answered well, and nothing is left running or lying
// around.
func TestBenchRunsAllScenarios(t *testing.T) {
	bin, temp := benchDirs(t)
	out := filepath.Join(temp, "out")
	cmd := exec.Command(bin, "bench", "run", "all", "--quick", "--report", out)
	cmd.Env = append(os.Environ(), "TMPDIR="+temp)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("bench run: %v\n%s", err, tail(said.String(), 4000))
	}
	f, err := os.Open(filepath.Join(out, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	report, err := bench.ReadReport(f)
	if err != nil {
		t.Fatal(err)
	}
	scenarios, err := bench.Scenarios()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range scenarios {
		if !slices.ContainsFunc(report.Rows, func(r bench.Row) bool { return r.Scenario == s.Name }) {
			t.Errorf("no row of %s", s.Name)
		}
	}
	for _, r := range report.Rows {
		switch {
		case r.NA == "needs triggers", r.NA == "left out of a quick run":
		case r.NA != "":
			// A quick run may end before a rare kind of start was seen.
			t.Logf("%s, %s: n/a: %s", r.Scenario, r.Name, r.NA)
			if strings.Contains(r.NA, "failed") {
				t.Errorf("%s, %s: %s", r.Scenario, r.Name, r.NA)
			}
		case len(r.Rounds) != 1:
			t.Errorf("%s, %s: %d rounds, want 1", r.Scenario, r.Name, len(r.Rounds))
		case r.Result != nil && r.Result.ErrorCount() > 0:
			t.Errorf("%s, %s: failed requests: %v", r.Scenario, r.Name, r.Result.Errors)
		}
	}
	for _, name := range []string{"report.txt", "report.html"} {
		if b, err := os.ReadFile(filepath.Join(out, name)); err != nil || !bytes.Contains(b, []byte("one-vs-hundred")) {
			t.Errorf("%s: %v, or a scenario is not in it", name, err)
		}
	}
	nothingLeft(t, bin, temp, 0)
}

// TestBenchCleansUp: however bench ends, nothing that it started stays.
func TestBenchCleansUp(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL} {
		t.Run(sig.String(), func(t *testing.T) {
			bin, temp := benchDirs(t)
			cmd := exec.Command(bin, "bench", "run", "split", "--duration", "1m", "--settle", "1m")
			cmd.Env = append(os.Environ(), "TMPDIR="+temp)
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			waitFor(t, "bench to have started its server and floor", func() bool { return len(running(bin)) >= 5 })
			_ = cmd.Process.Signal(sig)
			_ = cmd.Wait()
			nothingLeft(t, bin, temp, sig)
		})
	}
}

// benchDirs returns a copy of the program that is this test's alone, so that
// its processes can be told from others', and a folder for temporary files
// that sandboxes' users can get to.
func benchDirs(t *testing.T) (bin, temp string) {
	t.Helper()
	built, err := binary.Build()
	if err != nil {
		t.Fatal(err)
	}
	if temp, err = os.MkdirTemp("", "hb-"); err != nil { // sockets' paths must be short
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(temp) })
	if err := os.Chmod(temp, 0o711); err != nil {
		t.Fatal(err)
	}
	bin = filepath.Join(t.TempDir(), "hearth")
	if err := os.Link(built, bin); err != nil {
		text, rerr := os.ReadFile(built)
		if rerr != nil {
			t.Fatal(rerr)
		}
		if err := os.WriteFile(bin, text, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return bin, temp
}

// running returns the processes that were started from a program, by path.
func running(bin string) []string {
	procs, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	var list []string
	for _, p := range procs {
		b, err := os.ReadFile(p)
		if err != nil {
			continue
		}
		if args := strings.Split(string(b), "\x00"); args[0] == bin {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(p)))
			list = append(list, strconv.Itoa(pid)+" "+strings.Join(args[1:], " "))
		}
	}
	return list
}

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited 30 s for %s", what)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// nothingLeft waits until no process of the program is there. Files stay only
// if bench was killed.
func nothingLeft(t *testing.T, bin, temp string, sig syscall.Signal) {
	t.Helper()
	waitFor(t, "all processes to end", func() bool { return len(running(bin)) == 0 })
	if sig == syscall.SIGKILL {
		return
	}
	left, _ := filepath.Glob(filepath.Join(temp, "hearth-*"))
	if len(left) > 0 {
		b, _ := json.Marshal(left)
		t.Errorf("files are left: %s", b)
	}
}
