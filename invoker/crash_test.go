package invoker

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"hearth/invoker/journal"
	"hearth/invoker/sandbox"
	"hearth/whisk"
)

const crashDir = "HEARTH_TEST_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		crashChild(dir)
		return
	}
	os.Exit(m.Run())
}

// crashChild calls an invoker as fast as it can and prints a line for each
// reply it has seen, until it is killed.
func crashChild(dir string) {
	cfg := testConfig(dir)
	d := &fakeDriver{run: nap, live: make(map[*fakeBox]bool), capacity: cfg.MemoryMB}
	v, err := New(cfg, []sandbox.Driver{d})
	if err != nil {
		fmt.Println("error", err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var g sync.WaitGroup
	g.Go(func() { _ = v.Run(ctx) })
	for i := range 4 {
		g.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				ch := make(chan whisk.Reply, 4)
				if err := v.Call(newTestCall(fmt.Sprint("a", i), `{"n":1}`), func(x whisk.Reply) { ch <- x }); err != nil {
					return
				}
				x := <-ch
				if x.Kind != whisk.Done {
					continue
				}
				if n%3 == 0 {
					fmt.Printf("acked %s\n", x.Record.ID)
					v.Ack(x.Record.ID)
					continue
				}
				fmt.Printf("done %s\n", x.Record.ID)
			}
		})
	}
	g.Wait()
}

// Every record whose reply was seen is there after kill -9.
func TestKilledInvokerKeepsAnsweredRecords(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		dir := t.TempDir()
		ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
		defer cancel()
		cmd := exec.CommandContext(ctx, exe)
		cmd.Env = append(os.Environ(), crashDir+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var done []whisk.ActivationID
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			word, text, _ := strings.Cut(lines.Text(), " ")
			id, err := whisk.ParseActivationID(text)
			if err != nil {
				continue // cut by the kill
			}
			if word == "done" {
				done = append(done, id)
			}
			if n == 1000 {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		_ = cmd.Wait() // killed

		jcfg := testConfig(dir).Journal
		jcfg.Dir = filepath.Join(dir, "journal")
		j, err := journal.Open(jcfg)
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		recs, err := j.Unacked(1<<20, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		there := map[whisk.ActivationID]bool{}
		for _, r := range recs {
			there[r.ID] = true
		}
		lost := 0
		for _, id := range done {
			if !there[id] {
				lost++
			}
		}
		if lost > 0 || len(done) < 300 || j.Damaged() > 0 {
			t.Errorf("%d of %d answered records are lost, %d damaged", lost, len(done), j.Damaged())
		}
	}
}
