package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"hearth/internal/binary"
)

// leaveMark appends its activation id to a file, so that a run leaves a mark
// that no crash of the platform can take back.
const leaveMark = `
const fs = require('fs');
function main(p) {
  fs.appendFileSync(p.marks, process.env.__OW_ACTIVATION_ID + '\n');
  return new Promise(done => setTimeout(() => done({ ok: true }), Math.random() * 10));
}`

// received collects the ids that clients were given.
type received struct {
	mu       sync.Mutex
	finished map[string]bool // answered with a record
	promised map[string]bool // answered 202
	failed   map[string]bool // answered with the record of a failure of the platform
	unknown  int             // calls whose connection broke
}

func newReceived() *received {
	return &received{finished: map[string]bool{}, promised: map[string]bool{}, failed: map[string]bool{}}
}

// load makes blocking and non-blocking invokes until ctx ends.
func (r *received) load(ctx context.Context, p *platform, marks string) {
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for ctx.Err() == nil {
				blocking := w%2 == 0
				a, err := p.try(ctx, "POST", fmt.Sprintf("actions/mark?blocking=%t", blocking), map[string]any{"marks": marks})
				r.mu.Lock()
				switch {
				case err != nil:
					r.unknown++
				case a.status == 202:
					r.promised[a.id()] = true
				case a.status == 200:
					r.finished[a.id()] = true
				case a.id() != "":
					r.failed[a.id()] = true
				}
				r.mu.Unlock()
				if err != nil {
					return // the platform is gone
				}
			}
		})
	}
	wg.Wait()
}

// settle lets the load go on for some time, and until both kinds of calls have
// been answered since: on a busy machine the first cold starts take a while.
func (r *received) settle(t *testing.T, d time.Duration) {
	t.Helper()
	answered := func() (int, int) {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.finished), len(r.promised)
	}
	finished, promised := answered()
	<-time.After(d)
	for deadline := time.Now().Add(time.Minute); ; {
		f, p := answered()
		if f > finished && p > promised {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("a minute of load brought %d records and %d promises", f-finished, p-promised)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// TestKilled: hearth up is killed with SIGKILL under load and started again,
// several times. Every id that a client received has one record, work that was
// promised and not started runs, and nothing runs twice.
func TestKilled(t *testing.T) {
	marks := marksFile(t)
	p := start(t, "--no-throttle", "--memory", "1024")
	p.create("mark", "nodejs:default", leaveMark, map[string]any{"memory": 128})
	got := newReceived()
	for range size(2, 12) {
		ctx, cancel := context.WithCancel(context.Background())
		loaded := make(chan struct{})
		go func() { got.load(ctx, p, marks); close(loaded) }()
		got.settle(t, time.Second+time.Duration(rand.IntN(1500))*time.Millisecond)
		p.kill()
		cancel()
		<-loaded
		p.launch()
	}
	got.check(t, p, marks)
}

// marksFile returns a file that every sandbox's user may append to.
func marksFile(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "hearth-marks-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	marks := filepath.Join(dir, "marks")
	if err := os.Chmod(dir, 0o755); err != nil { // sandboxes have a uid of their own
		t.Fatal(err)
	}
	if err := os.WriteFile(marks, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(marks, 0o666); err != nil {
		t.Fatal(err)
	}
	return marks
}

// check compares what clients received with what the platform says now, and
// returns how many promises ended in a failure of the platform.
func (r *received) check(t *testing.T, p *platform, marks string) (broken int) {
	t.Helper()
	t.Logf("received %d records, %d failures and %d promises; %d calls unknown", len(r.finished), len(r.failed), len(r.promised), r.unknown)
	if len(r.finished) == 0 || len(r.promised) == 0 {
		t.Fatal("the load did nothing")
	}
	for id := range r.promised {
		status, result := response(t, p.record(id, 2*time.Minute))
		if status != "success" {
			broken++ // started, and its invoker was killed
			if status != "whisk internal error" {
				t.Errorf("%s: %s %v", id, status, result)
			}
		}
	}
	for id := range r.finished {
		if status, result := response(t, p.record(id, 10*time.Second)); status != "success" {
			t.Errorf("%s was answered with success; its record says %s %v", id, status, result)
		}
	}
	for id := range r.failed {
		if status, result := response(t, p.record(id, 10*time.Second)); status == "success" {
			t.Errorf("%s was answered with a failure; its record says %s %v", id, status, result)
		}
	}
	ran := map[string]int{}
	b, err := os.ReadFile(marks)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(b) {
		ran[string(bytes.TrimSpace(line))]++
	}
	for id, n := range ran {
		if n > 1 {
			t.Errorf("%s ran %d times", id, n)
		}
	}
	seen := map[string]int{}
	for _, id := range p.ids() {
		seen[id]++
	}
	for id, n := range seen {
		if n > 1 {
			t.Errorf("%s is listed %d times", id, n)
		}
	}
	for _, ids := range []map[string]bool{r.finished, r.failed, r.promised} {
		for id := range ids {
			if seen[id] != 1 {
				t.Errorf("%s is listed %d times, want once", id, seen[id])
			}
			if status := p.record(id, time.Second)["response"].(map[string]any)["status"]; status == "success" && ran[id] != 1 {
				t.Errorf("%s succeeded and left %d marks", id, ran[id])
			}
		}
	}
	// At each kill at most the running sandboxes' calls may have broken off.
	if most := size(2, 12) * 16; broken > most {
		t.Errorf("%d promises broke off, want at most %d", broken, most)
	}
	t.Logf("%d of %d promises had started when the platform was killed; %d runs, %d records", broken, len(r.promised), len(ran), len(seen))
	return broken
}

// TestSecondInstance: a data folder belongs to one process.
func TestSecondInstance(t *testing.T) {
	p := start(t)
	bin, err := binary.Build()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command(t, bin, "up", "--data", p.dir, "--addr", "127.0.0.1:0", "--ops-addr", "127.0.0.1:0")
	if err == nil || !bytes.Contains(out, []byte("another hearth is running on")) {
		t.Errorf("second instance: %v\n%s", err, out)
	}
	b, _ := json.Marshal(p.do("GET", "actions", nil).status)
	if string(b) != "200" {
		t.Errorf("the first instance answers %s", b)
	}
}
