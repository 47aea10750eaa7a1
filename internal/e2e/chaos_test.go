package e2e

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"hearth/internal/pgtest"
)

// cluster is some routers and invokers over one PostgreSQL.
type cluster struct {
	t        *testing.T
	database *pgtest.Server
	routers  []*member[*platform]
	invokers []*member[*node]
}

// member is a process that chaos may take away for a while.
type member[P any] struct {
	mu sync.RWMutex // held for writing while the process is away
	p  P
}

func startCluster(t *testing.T, routers, invokers int) *cluster {
	t.Helper()
	c := &cluster{t: t, database: pgtest.Start(t, pgtest.Config{})}
	dsn := c.database.DSN(nil)
	key := filepath.Join(t.TempDir(), "master.key")
	if err := os.WriteFile(key, fmt.Appendf(nil, "%064x\n", 0xfeed), 0o600); err != nil {
		t.Fatal(err)
	}
	dsnFile := filepath.Join(filepath.Dir(key), "dsn")
	if err := os.WriteFile(dsnFile, []byte(dsn), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"--no-throttle", "--store", "postgres", "--store-dsn-file", dsnFile, "--master-key-file", key}
	for i := range invokers {
		addr := socket(t)
		args = append(args, "--invoker", addr)
		c.invokers = append(c.invokers, &member[*node]{p: startNode(t, "--listen", addr, "--id", fmt.Sprint("invoker", i))})
	}
	for range routers {
		c.routers = append(c.routers, &member[*platform]{p: startAs(t, "router", args...)})
	}
	return c
}

// anyRouter returns a router that is there, to be used until done is called.
func (c *cluster) anyRouter() (p *platform, done func()) {
	for i := rand.IntN(len(c.routers)); ; i = (i + 1) % len(c.routers) {
		if m := c.routers[i]; m.mu.TryRLock() {
			return m.p, m.mu.RUnlock
		}
		<-time.After(time.Millisecond)
	}
}

// strike takes one process, chosen at random, away for up to two seconds.
func (c *cluster) strike() string {
	away := time.Duration(rand.IntN(2000)) * time.Millisecond
	switch n := rand.IntN(2*len(c.routers) + len(c.invokers) + 1); {
	case n < len(c.routers):
		m := c.routers[n]
		_ = m.p.cmd.Process.Kill() // in the middle of what its clients have asked
		m.mu.Lock()
		defer m.mu.Unlock()
		m.p.kill()
		<-time.After(away)
		m.p.launch()
		return "router killed"
	case n < 2*len(c.routers):
		m := c.routers[n-len(c.routers)]
		_ = m.p.cmd.Process.Signal(syscall.SIGSTOP)
		<-time.After(away)
		_ = m.p.cmd.Process.Signal(syscall.SIGCONT)
		return "router paused"
	case n < 2*len(c.routers)+len(c.invokers):
		m := c.invokers[n-2*len(c.routers)]
		m.p.kill()
		<-time.After(away)
		m.p.launch(c.t)
		return "invoker killed"
	}
	c.database.Kill(c.t)
	<-time.After(away)
	c.database.Start(c.t)
	return "database killed"
}

// TestChaos: two routers and two invokers over PostgreSQL take non-blocking
// invokes from 8 clients (100,000 of them) while routers, invokers and the
// database are killed with SIGKILL, or stand still, and come back, at random.
// Every 202 has exactly one record; what had not started ran; what had started
// ran once.
func TestChaos(t *testing.T) {
	c := startCluster(t, 2, 2)
	marks := marksFile(t)
	// What breaks off with both its router and its invoker fails when the time
	// of its run is over, so let that be short.
	c.routers[0].p.create("mark", "nodejs:default", leaveMark, map[string]any{"memory": 128, "timeout": 2000})

	accepted := map[string]bool{}
	var mu sync.Mutex
	refused, unknown, struck := 0, 0, 0
	want := size(2_000, 100_000)
	ctx, cancel := context.WithTimeout(context.Background(), 45*time.Minute)
	defer cancel()
	began := time.Now()
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for ctx.Err() == nil {
				p, done := c.anyRouter()
				a, err := p.try(ctx, "POST", "actions/mark?blocking=false", map[string]any{"marks": marks})
				done()
				mu.Lock()
				switch {
				case err != nil:
					unknown++
				case a.status == 202:
					accepted[a.id()] = true
				default:
					refused++
				}
				enough := len(accepted) >= want && struck >= size(6, 60)
				mu.Unlock()
				if enough {
					return
				}
				if err != nil || a.status != 202 {
					<-time.After(20 * time.Millisecond)
				}
			}
		})
	}
	load := make(chan struct{})
	go func() { clients.Wait(); close(load) }()
	strikes := map[string]int{}
	for over := false; !over; {
		select {
		case <-load:
			over = true
		case <-time.After(time.Duration(500+rand.IntN(2500)) * time.Millisecond):
			what := c.strike()
			mu.Lock()
			strikes[what]++
			struck++
			mu.Unlock()
		}
	}
	took := time.Since(began)
	if len(accepted) < want {
		t.Fatalf("%d invokes accepted in %v, want %d", len(accepted), took, want)
	}
	t.Logf("accepted %d in %v; refused %d, unknown %d; %v", len(accepted), took.Round(time.Second), refused, unknown, strikes)
	c.check(accepted, marks, strikes)
}

// brokenOff are the reasons of failures after a start.
var brokenOff = []string{"The platform lost sight of the action while it was running.", "Failed to provision resources to run the action."}

// check compares what was accepted with the records and with what ran.
func (c *cluster) check(accepted map[string]bool, marks string, strikes map[string]int) {
	t, p := c.t, c.routers[0].p
	failed, settled := c.outcomes(accepted)
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
	listed := map[string]int{}
	for _, id := range p.allIDs() {
		listed[id]++
	}
	half := 0
	for id := range accepted {
		if listed[id] != 1 {
			t.Errorf("%s is listed %d times, want once", id, listed[id])
		}
		switch why, ok := failed[id]; {
		case !ok && ran[id] != 1:
			t.Errorf("%s succeeded and ran %d times", id, ran[id])
		case ok && !slices.Contains(brokenOff, why):
			t.Errorf("%s failed: %s", id, why)
		case ok && ran[id] == 1:
			half++
		}
	}
	kills := strikes["router killed"] + strikes["invoker killed"] + strikes["router paused"] + strikes["database killed"]
	if most := 32 * (kills + 1); len(failed) > most { // no more than ran at each
		t.Errorf("%d activations broke off in %d strikes, want at most %d", len(failed), kills, most)
	}
	t.Logf("%d records after another %v: %d broke off after their start, of which %d had run to the end", len(accepted), settled.Round(time.Second), len(failed), half)
}

// outcomes waits for the records of all ids and returns why those failed that
// did not succeed.
func (c *cluster) outcomes(ids map[string]bool) (failed map[string]string, took time.Duration) {
	t, began := c.t, time.Now()
	failed = map[string]string{}
	todo := make(chan string)
	var mu sync.Mutex
	var readers sync.WaitGroup
	for i := range 8 {
		readers.Go(func() {
			p := c.routers[i%len(c.routers)].p
			for id := range todo {
				rec, err := p.await(id, 5*time.Minute)
				mu.Lock()
				if err != nil {
					t.Error(err)
				} else if status, result := response(t, rec); status != "success" {
					failed[id] = fmt.Sprint(result.(map[string]any)["error"])
				}
				mu.Unlock()
			}
		})
	}
	for id := range ids {
		todo <- id
	}
	close(todo)
	readers.Wait()
	return failed, time.Since(began)
}

// TestPaused: a router stands still for half a minute while it holds rows of
// the queue; another one runs them; then it goes on. No code runs twice, and
// every id has one record.
func TestPaused(t *testing.T) {
	c := startCluster(t, 2, 1)
	marks := marksFile(t)
	first, second := c.routers[0].p, c.routers[1].p
	const slowMark = `
const fs = require('fs');
function main(p) {
  fs.appendFileSync(p.marks, process.env.__OW_ACTIVATION_ID + '\n');
  return new Promise(done => setTimeout(() => done({ ok: true }), 100));
}`
	first.create("mark", "nodejs:default", slowMark, map[string]any{"memory": 256, "timeout": 5000})
	accepted := map[string]bool{}
	for range 300 { // more than can run at once, so that many are held
		a := first.do("POST", "actions/mark?blocking=false", map[string]any{"marks": marks})
		if a.status != 202 {
			t.Fatalf("status %d: %s", a.status, a.body)
		}
		accepted[a.id()] = true
	}
	if err := first.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	<-time.After(30 * time.Second)
	b, err := os.ReadFile(marks)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d of %d had run when the router went on", bytes.Count(b, []byte("\n")), len(accepted))
	if err := first.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	for id := range accepted {
		if _, err := second.await(id, 5*time.Minute); err != nil {
			t.Error(err)
		}
	}
	c.check(accepted, marks, map[string]int{"router paused": 1})
}

// TestStoreAway: while the database is away warm calls go on and calls that
// nobody waits for are refused; when it is back, every record is there.
func TestStoreAway(t *testing.T) {
	c := startCluster(t, 2, 1)
	p, other := c.routers[0].p, c.routers[1].p
	p.create("echo", "nodejs:default", `const main = p => ({ n: p.n })`, nil)
	for _, r := range []*platform{p, other} { // what is cached stands
		if a := r.invoke("echo", map[string]any{"n": 0}); a.status != 200 {
			t.Fatalf("status %d: %s", a.status, a.body)
		}
	}
	c.database.Kill(t)
	answered := map[string]bool{}
	for n := range 200 {
		r := []*platform{p, other}[n%2]
		a := r.invoke("echo", map[string]any{"n": n})
		if _, result := response(t, a.decode(t)); a.status != 200 || result.(map[string]any)["n"] != float64(n) {
			t.Fatalf("call %d without a database: status %d: %s", n, a.status, a.body)
		}
		answered[a.id()] = true
	}
	if a := p.do("POST", "actions/echo", map[string]any{"n": 1}); a.status != 503 {
		t.Errorf("a call that nobody waits for was answered %d without a database: %s", a.status, a.body)
	}
	c.database.Start(t)
	for id := range answered {
		if status, _ := response(t, other.record(id, time.Minute)); status != "success" {
			t.Errorf("%s: %s", id, status)
		}
	}
	if a := p.do("POST", "actions/echo", map[string]any{"n": 1}); a.status != 202 {
		t.Errorf("with the database back: status %d: %s", a.status, a.body)
	}
}
