package journal

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

func testRecord(i int) *whisk.Activation {
	result := fmt.Sprintf(`{ "n": %d, "big": 12345678901234567890, "html": "<&>" }`, i)
	return &whisk.Activation{
		ID: whisk.ActivationID{1, byte(i >> 8), byte(i)}, Namespace: "guest", Name: "a", Version: whisk.FirstVersion,
		Start: 1, End: 2, Duration: 1,
		Response: whisk.Response{Result: []byte(result), Size: len(result)},
		Logs:     []string{"2026-01-01T00:00:00.000000000Z stdout: <line> \x00HJ\x01"},
		Facts:    whisk.Facts{Path: "guest/a", Kind: "fake:1", Limits: &whisk.Limits{Timeout: 1, Memory: 2}},
	}
}

func testConfig(dir string) Config {
	return Config{Dir: dir, MaxBytes: 64 << 10, SegmentBytes: 4 << 10, FsyncInterval: time.Second}
}

func open(t *testing.T, cfg Config) *Journal {
	t.Helper()
	j, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

func appendAll(t *testing.T, j *Journal, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if err := j.Append(testRecord(i)); err != nil {
			t.Fatalf("append %d: %v", i, err)
		}
	}
}

// unacked returns the numbers of the records that j offers.
func unacked(t *testing.T, j *Journal) []int {
	t.Helper()
	recs, err := j.Unacked(1000, time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	out := []int{}
	for _, r := range recs {
		i := int(r.ID[1])<<8 | int(r.ID[2])
		want := testRecord(i)
		if !bytes.Equal(r.Response.Result, want.Response.Result) || r.Logs[0] != want.Logs[0] || *r.Facts.Limits != *want.Facts.Limits {
			t.Errorf("record %d = %+v, want %+v", i, r, want)
		}
		out = append(out, i)
	}
	return out
}

func segments(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestRecordsSurviveReopening(t *testing.T) {
	cfg := testConfig(t.TempDir())
	j := open(t, cfg)
	appendAll(t, j, 0, 40)
	for i := range 40 {
		if i%4 != 0 {
			j.Ack(testRecord(i).ID)
		}
	}
	want := "[0 4 8 12 16 20 24 28 32 36]"
	for life := range 3 {
		if got := fmt.Sprint(unacked(t, j)); got != want {
			t.Errorf("life %d: unacked = %s, want %s", life, got, want)
		}
		if rec, err := j.Record(testRecord(8).ID); err != nil || rec == nil {
			t.Errorf("life %d: record = %v, %v", life, rec, err)
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
		j = open(t, cfg)
	}
	for i := range 40 {
		j.Ack(testRecord(i).ID)
	}
	j.tidy()
	if n := len(segments(t, cfg.Dir)); n != 0 || j.Size() != 0 || j.Len() != 0 {
		t.Errorf("%d segments, %d bytes, %d records are left", n, j.Size(), j.Len())
	}
}

func TestOnlyOldRecordsAreOffered(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		j := open(t, testConfig(dir))
		appendAll(t, j, 0, 2)
		time.Sleep(10 * time.Second)
		appendAll(t, j, 2, 4)
		recs, err := j.Unacked(10, time.Now().Add(-5*time.Second))
		if err != nil || len(recs) != 2 {
			t.Errorf("offered %d, %v; want 2", len(recs), err)
		}
		if recs, _ := j.Unacked(1, time.Now()); len(recs) != 1 || recs[0].ID != testRecord(0).ID {
			t.Errorf("offered %v, want the oldest", recs)
		}
		j.Close()
		j = open(t, testConfig(dir))
		if recs, _ := j.Unacked(10, time.Now().Add(-5*time.Second)); len(recs) != 4 {
			t.Errorf("offered %d after reopening, want 4", len(recs))
		}
	})
}

func TestFullAndClosed(t *testing.T) {
	j := open(t, testConfig(t.TempDir()))
	n := 0
	for ; !j.Full(); n++ {
		appendAll(t, j, n, n+1)
	}
	var err error
	for ; err == nil; n++ {
		err = j.Append(testRecord(n))
	}
	if !errors.Is(err, ErrFull) || j.Size() > 2*j.cfg.MaxBytes {
		t.Errorf("append = %v at %d bytes", err, j.Size())
	}
	for i := range n {
		j.Ack(testRecord(i).ID)
	}
	if j.Full() {
		t.Errorf("still full at %d bytes", j.Size())
	}
	appendAll(t, j, n, n+1)
	j.Close()
	if err := j.Append(testRecord(n + 1)); !errors.Is(err, ErrClosed) {
		t.Errorf("append after close = %v", err)
	}
	bad := testRecord(1)
	bad.Response.Result = []byte("{\x00}")
	if err := j.Append(bad); !errors.Is(err, ErrUnfit) {
		t.Errorf("append of no JSON = %v", err)
	}
}

func TestOneProcessAtATime(t *testing.T) {
	cfg := testConfig(t.TempDir())
	j := open(t, cfg)
	if _, err := Open(cfg); err == nil {
		t.Error("a second Open = nil, want an error")
	}
	j.Close()
	open(t, cfg)
}

// One record that nobody acknowledges must not keep all later segments.
func TestStuckRecordIsMoved(t *testing.T) {
	cfg := testConfig(t.TempDir())
	j := open(t, cfg)
	appendAll(t, j, 0, 1)
	for i := 1; i < 2000; i++ {
		appendAll(t, j, i, i+1)
		j.Ack(testRecord(i).ID)
		if i%20 == 0 {
			j.tidy()
		}
	}
	if j.Size() > cfg.MaxBytes {
		t.Errorf("size = %d, want at most %d", j.Size(), cfg.MaxBytes)
	}
	for range 2 {
		if got := fmt.Sprint(unacked(t, j)); got != "[0]" {
			t.Errorf("unacked = %s, want [0]", got)
		}
		j.Close()
		j = open(t, cfg)
	}
}

func TestConcurrentAppends(t *testing.T) {
	cfg := testConfig(t.TempDir())
	cfg.MaxBytes = 16 << 20
	j := open(t, cfg)
	var g sync.WaitGroup
	for w := range 16 {
		g.Go(func() {
			for i := w * 50; i < w*50+50; i++ {
				if err := j.Append(testRecord(i)); err != nil {
					t.Error(err)
				}
				if rec, err := j.Record(testRecord(i).ID); rec == nil || err != nil {
					t.Errorf("record %d after append = %v, %v", i, rec, err)
				}
				if i%2 == 0 {
					j.Ack(testRecord(i).ID)
				}
				if i%10 == 0 {
					j.tidy()
					j.sync()
				}
			}
		})
	}
	g.Wait()
	for range 2 {
		if got := len(unacked(t, j)); got != 400 {
			t.Errorf("%d unacked, want 400", got)
		}
		j.Close()
		j = open(t, cfg)
	}
}
