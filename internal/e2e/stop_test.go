package e2e

import (
	"context"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"hearth/internal/binary"
)

// TestStopped: hearth up is stopped by a signal under load and started again.
// Whatever had started ends, the rest runs later, and nothing runs twice. A run
// that outlives --drain is stopped, and who waits for it is told.
func TestStopped(t *testing.T) {
	marks := marksFile(t)
	p := start(t, "--no-throttle", "--memory", "1024")
	p.create("mark", "nodejs:default", leaveMark, map[string]any{"memory": 128})
	p.create("long", "nodejs:default", `const main = () => new Promise(done => setTimeout(done, 50_000));`, nil)
	got := newReceived()
	for range size(1, 6) {
		ctx, cancel := context.WithCancel(context.Background())
		loaded := make(chan struct{})
		go func() { got.load(ctx, p, marks); close(loaded) }()
		<-time.After(time.Second + time.Duration(rand.IntN(1000))*time.Millisecond)
		p.stop()
		cancel()
		<-loaded
		p.launch()
	}
	if broken := got.check(t, p, marks); broken > 0 {
		t.Errorf("%d runs were broken off", broken)
	}

	p.stop()
	p.args = append(p.args, "--drain", "4s")
	p.launch()
	promised := p.do("POST", "actions/long", nil)
	type outcome struct {
		answer
		err error
	}
	waiting := make(chan outcome)
	go func() {
		a, err := p.try(context.Background(), "POST", "actions/long?blocking=true", nil)
		waiting <- outcome{a, err}
	}()
	for p.gauge("invoker_running_calls") < 2 {
		<-time.After(20 * time.Millisecond)
	}
	began := time.Now()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	w := <-waiting
	if w.err != nil || w.status != http.StatusInternalServerError {
		t.Errorf("who waited for a run that was stopped got %d %s (%v)", w.status, w.body, w.err)
	}
	binary.Await(t, p.cmd)
	p.cmd = nil
	t.Logf("stopped after %v", time.Since(began))
	p.launch()
	for _, id := range []string{promised.id(), w.id()} {
		if status, result := response(t, p.record(id, 10*time.Second)); status != "whisk internal error" {
			t.Errorf("%s: %s %v", id, status, result)
		}
	}
}

// TestDiskFull: the disk with the data folder fills up under load and has room
// again, several times, and then the platform is killed. Calls are refused or
// wait meanwhile; every id that a client received has one record.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("hearth-e2e", dir, "tmpfs", 0, "size=48m"); err != nil {
		t.Skipf("no small disk to fill: mount: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	marks := marksFile(t)
	p := startIn(t, filepath.Join(dir, "data"), "up", "--no-throttle", "--memory", "1024")
	p.create("mark", "nodejs:default", leaveMark, map[string]any{"memory": 128})
	got := newReceived()
	ctx, cancel := context.WithCancel(context.Background())
	loaded := make(chan struct{})
	go func() { got.load(ctx, p, marks); close(loaded) }()
	for range size(1, 4) {
		<-time.After(1500 * time.Millisecond)
		fill(t, filepath.Join(dir, "filler"), 3*time.Second)
	}
	<-time.After(time.Second)
	p.kill()
	cancel()
	<-loaded
	p.launch()
	got.check(t, p, marks)
}

// fill takes all the disk's room for a while.
func fill(t *testing.T, path string, d time.Duration) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 4<<10)
	for end := time.Now().Add(d); time.Now().Before(end); {
		if _, err := f.Write(b); err != nil {
			<-time.After(5 * time.Millisecond)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}
