package store

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

func someRows(n int) []QueueRow {
	rows := make([]QueueRow, n)
	for i := range rows {
		rows[i] = QueueRow{ID: whisk.NewActivationID(), Namespace: "ns", Payload: []byte("sealed")}
	}
	return rows
}

func TestCommitGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeEngine()
		f.took = 100 * time.Millisecond
		r := NewRecorder(f, RecorderConfig{Linger: time.Hour})
		start(t, r)
		lone := someRecord()
		r.Record(lone, nil)
		synctest.Wait()
		began, rec := time.Now(), someRecord()
		if err := r.Commit(t.Context(), []*whisk.Activation{rec}, someRows(3)); err != nil {
			t.Fatal(err)
		}
		if got := f.sizes(); !slices.Equal(got, []int{5}) {
			t.Errorf("commits of %v ops, want one of 5", got)
		}
		if took := time.Since(began); took != f.took {
			t.Errorf("took %v, want %v: no lingering", took, f.took)
		}
		if f.records[rec.ID] != rec || f.commits[0][4].Record != rec {
			t.Error("the record is not there, or not after the rows")
		}
		if n, b := r.load(); n != 0 || b != 0 || len(r.records) != 0 {
			t.Errorf("left: %d ops, %d bytes, %d records", n, b, len(r.records))
		}
	})
}

func TestCommitGroupRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeEngine()
		f.took = time.Second
		r := NewRecorder(f, RecorderConfig{MaxPending: 2})
		start(t, r)
		if err := r.Commit(t.Context(), nil, someRows(3)); err != nil { // a group may go a bit beyond the bound
			t.Error(err)
		}
		r.Record(someRecord(), nil)
		r.Record(someRecord(), nil)
		if err := r.Commit(t.Context(), []*whisk.Activation{someRecord()}, someRows(1)); err != ErrFull {
			t.Errorf("err = %v, want ErrFull", err)
		}
		pass(2 * time.Second)
		if got := f.sizes(); !slices.Equal(got, []int{3, 2}) {
			t.Errorf("commits of %v ops, want [3 2]", got)
		}
	})
}

func TestCommitGroupLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeEngine()
		f.fail = func(int) error { return errAway }
		r := NewRecorder(f, RecorderConfig{RetryMin: time.Second})
		start(t, r)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		rec := someRecord()
		if err := r.Commit(ctx, []*whisk.Activation{rec}, someRows(2)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("err = %v, want the deadline", err)
		}
		f.mu.Lock()
		f.fail = nil
		f.mu.Unlock()
		pass(time.Minute)
		if len(f.records) != 0 || len(r.records) != 0 {
			t.Error("what nobody waits for any more was committed")
		}
		if err := r.Commit(t.Context(), []*whisk.Activation{rec}, nil); err != nil || f.records[rec.ID] != rec {
			t.Errorf("once more: %v", err)
		}
	})
}
