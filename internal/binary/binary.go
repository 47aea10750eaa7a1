// Package binary builds the real hearth and runs it as a server, for tests
// that speak to it as a user would.
package binary

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

const (
	startPatience = 30 * time.Second // from the start of a process to its endpoints
	stopPatience  = 60 * time.Second // from SIGINT to its end
)

// built is what Build made, for all tests of a process.
var built struct {
	once sync.Once
	path string // "" until it was asked for
	err  error
}

// Build builds hearth once for the process and returns where it is.
func Build() (string, error) {
	built.once.Do(func() {
		dir, err := os.MkdirTemp("", "hearth-test-")
		if err != nil {
			built.err = err
			return
		}
		built.path = filepath.Join(dir, "hearth")
		cmd := exec.Command("go", "build", "-o", built.path, "hearth/cmd/hearth")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("build: %w\n%s", err, out)
		}
	})
	return built.path, built.err
}

// Run runs a package's tests and removes what Build made. TestMain calls it.
func Run(m *testing.M) int {
	code := m.Run()
	if built.path != "" {
		_ = os.RemoveAll(filepath.Dir(built.path))
	}
	return code
}

// Endpoints are what a server writes into its data folder when it is ready.
type Endpoints struct {
	PID      int
	API, Ops string // http://127.0.0.1:port
}

// Start starts hearth as a server with the data folder dir, args[0] being its
// role, and waits until it is ready. Its output goes to log.
func Start(t testing.TB, log io.Writer, dir string, args ...string) (*exec.Cmd, Endpoints) {
	t.Helper()
	bin, err := Build()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(startPatience)
	for {
		var e Endpoints
		b, err := os.ReadFile(filepath.Join(dir, "endpoints.json"))
		if err == nil && json.Unmarshal(b, &e) == nil && e.PID == cmd.Process.Pid {
			return cmd, e
		}
		if time.Now().After(deadline) {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			t.Fatalf("hearth %s is not ready after %s:\n%s", args[0], startPatience, log)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// Interrupt ends a process as an operator would, and waits for its end.
func Interrupt(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	_ = cmd.Process.Signal(os.Interrupt)
	Await(t, cmd)
}

// Await waits for a process that was told to stop. Any end but a clean one is
// an error of the test.
func Await(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("%s ended with %v", cmd.Args[0], err)
		}
	case <-time.After(stopPatience):
		_ = cmd.Process.Kill()
		<-ended
		t.Errorf("%s did not stop within %s", cmd.Args[0], stopPatience)
	}
}
