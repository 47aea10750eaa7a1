package sqlite

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

	"hearth/store"
	"hearth/whisk"
)

// childVariable names the folder in which this test binary, started again,
// writes until it is killed.
const childVariable = "HEARTH_TEST_STORE_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVariable); dir != "" {
		if err := writeUntilKilled(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// writeUntilKilled says on its standard output what has been acknowledged:
// "row" or "record", and an id.
func writeUntilKilled(dir string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // whoever was to kill it is gone
	defer cancel()
	d, err := Open(ctx, DefaultConfig(filepath.Join(dir, "hearth.db")))
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	r := store.NewRecorder(d, store.RecorderConfig{Linger: time.Millisecond})
	say := func(what string, id whisk.ActivationID) {
		if _, err := os.Stdout.WriteString(what + " " + id.String() + "\n"); err != nil {
			cancel()
		}
	}
	var workers sync.WaitGroup
	for w := range 8 {
		workers.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				id := whisk.NewActivationID()
				if w < 4 { // a non-blocking call; every third never ends
					err := r.Enqueue(ctx, store.QueueRow{ID: id, Namespace: "ns", Payload: make([]byte, 300)})
					if err != nil {
						return
					}
					say("row", id)
					if ok, err := r.Start(ctx, id, int64(i)+1, 0, time.Minute); err != nil || !ok || i%3 == 0 {
						continue
					}
				}
				stored := make(chan error, 1)
				a := benchRecord(i)
				a.ID, a.Namespace, a.Name = id, "ns", fmt.Sprint("name", w, i%100)
				r.Record(a, func(err error) { stored <- err })
				if <-stored == nil {
					say("record", id)
				}
			}
		})
	}
	err = r.Run(ctx)
	workers.Wait()
	return err
}

// TestKill kills a writer amid its commits, again and again: what it had
// acknowledged is there.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	acked := map[whisk.ActivationID]string{}
	for round := range 3 {
		lines := writeAndKill(t, dir, 150+round*77)
		for _, l := range lines {
			what, text, _ := strings.Cut(l, " ")
			id, err := whisk.ParseActivationID(text)
			if err != nil {
				t.Fatalf("the child said %q", l)
			}
			acked[id] = what // a record comes after its row
		}
		checkAcked(t, dir, acked)
	}
}

// writeAndKill kills the child after so many lines and returns all it said.
func writeAndKill(t *testing.T, dir string, after int) []string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), childVariable+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for s := bufio.NewScanner(out); s.Scan(); {
		if lines = append(lines, s.Text()); len(lines) == after {
			if err := cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	err = cmd.Wait()
	if len(lines) < after {
		t.Fatalf("the child said %d lines and ended: %v", len(lines), err)
	}
	return lines
}

func checkAcked(t *testing.T, dir string, acked map[whisk.ActivationID]string) {
	t.Helper()
	d := open(t, dir)
	defer func() { _ = d.Close() }()
	var verdict string
	if err := d.writer.QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity check: %q, %v", verdict, err)
	}
	rows, err := d.QueueRows(t.Context(), 0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	hasRow := map[whisk.ActivationID]bool{}
	for _, r := range rows {
		hasRow[r.ID] = true
	}
	lost := 0
	for id, what := range acked {
		_, err := d.Activation(t.Context(), "ns", id)
		hasRecord := err == nil
		if hasRecord == hasRow[id] || what == "record" && !hasRecord {
			lost++
			t.Errorf("acknowledged %s %s: has record %v, row %v", what, id, hasRecord, hasRow[id])
		}
	}
	t.Logf("%d acknowledged, %d lost, %d rows left", len(acked), lost, len(rows))
}
