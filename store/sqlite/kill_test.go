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

// child writes until it is killed, and says on its standard output what has
// been acknowledged: a word and an id.
type child struct {
	*store.Recorder
	cancel context.CancelFunc // when nobody listens
}

func writeUntilKilled(dir string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // whoever was to kill it is gone
	defer cancel()
	d, err := Open(ctx, DefaultConfig(filepath.Join(dir, "hearth.db")))
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	c := &child{store.NewRecorder(d, store.RecorderConfig{Linger: time.Millisecond}), cancel}
	var workers sync.WaitGroup
	for _, work := range []func(context.Context, int) error{c.blocking, c.blocking, c.blocking, c.queued, c.queued, c.queued, c.retried, c.cancelled} {
		workers.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if err := work(ctx, i); err != nil {
					return
				}
			}
		})
	}
	err = c.Run(ctx)
	workers.Wait()
	return err
}

func (c *child) say(what string, id whisk.ActivationID) {
	if _, err := os.Stdout.WriteString(what + " " + id.String() + "\n"); err != nil {
		c.cancel()
	}
}

// end commits a record and says so.
func (c *child) end(what string, a *whisk.Activation) error {
	stored := make(chan error, 1)
	c.Record(a, func(err error) { stored <- err })
	err := <-stored
	if err == nil {
		c.say(what, a.ID)
	}
	return err
}

func childRecord(i int) *whisk.Activation {
	a := benchRecord(i)
	a.Namespace, a.Name = "ns", fmt.Sprint("name", i%100)
	return a
}

// enqueue commits a row for a record and says so.
func (c *child) enqueue(ctx context.Context, a *whisk.Activation, attempt int) error {
	err := c.Enqueue(ctx, store.QueueRow{ID: a.ID, Namespace: "ns", Holder: 1, Attempt: attempt, Payload: make([]byte, 300)})
	if err == nil {
		c.say("row", a.ID)
	}
	return err
}

func (c *child) blocking(_ context.Context, i int) error { return c.end("record", childRecord(i)) }

// queued runs a call from the queue; every third never ends.
func (c *child) queued(ctx context.Context, i int) error {
	a := childRecord(i)
	if err := c.enqueue(ctx, a, 0); err != nil {
		return err
	}
	if ok, err := c.Start(ctx, a.ID, int64(i)+1, 1, time.Minute); err != nil || !ok || i%3 == 0 {
		return err
	}
	return c.end("record", a)
}

// retried has a call fail twice, and gives every second one another life.
func (c *child) retried(ctx context.Context, i int) error {
	a := childRecord(i)
	if err := c.enqueue(ctx, a, 1); err != nil {
		return err
	}
	first, last := *a, *a
	first.Attempt, first.Again = 1, 1
	last.Attempt, last.Dead = 2, true
	if err := c.end("again", &first); err != nil {
		return err
	}
	if err := c.end("dead", &last); err != nil || i%2 == 0 {
		return err
	}
	next := whisk.NewActivationID()
	if err := c.Redrive(ctx, a.ID, store.QueueRow{ID: next, Namespace: "ns", Payload: []byte("again")}); err != nil {
		return err
	}
	c.say("redriven", a.ID)
	c.say("row", next)
	return nil
}

func (c *child) cancelled(ctx context.Context, i int) error {
	a := childRecord(i)
	if err := c.enqueue(ctx, a, 0); err != nil {
		return err
	}
	if ok, err := c.Cancel(ctx, a.ID, a); err != nil || !ok {
		return err
	}
	c.say("record", a.ID)
	return nil
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
			acked[id] = what // of one id what was said last holds
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
	lost := 0
	for id, what := range acked {
		_, err := d.Activation(t.Context(), "ns", id)
		row, rowErr := d.QueueRow(t.Context(), "ns", id)
		_, deadErr := d.DeadLetter(t.Context(), "ns", id)
		record, queued, dead := err == nil, rowErr == nil, deadErr == nil
		good := record != queued // one of the two, whatever was said last
		switch what {
		case "record":
			good = good && record && !dead
		case "again":
			good = good && (record || row.Attempt == 2)
		case "dead": // it may have been driven again, which nobody has been told yet
			good = good && record
		case "redriven":
			good = good && record && !dead
		}
		if !good {
			lost++
			t.Errorf("acknowledged %s %s: has record %v, row %v, dead letter %v", what, id, record, queued, dead)
		}
	}
	t.Logf("%d acknowledged, %d lost", len(acked), lost)
}
