package store

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

func TestRecorderBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		big := func() *whisk.Activation {
			a := someRecord()
			a.Logs = []string{string(make([]byte, 10_000))}
			return a
		}
		for _, tt := range []struct {
			name string
			cfg  RecorderConfig
			rec  func() *whisk.Activation
			room int
		}{
			{"count", RecorderConfig{MaxPending: 3}, someRecord, 3},
			{"bytes", RecorderConfig{MaxPendingBytes: 25_000}, big, 2},
			{"one that is too big goes alone", RecorderConfig{MaxPendingBytes: 10}, big, 1},
		} {
			r := NewRecorder(newFakeEngine(), tt.cfg)
			full, stored := 0, 0
			for range 5 {
				r.Record(tt.rec(), func(err error) {
					switch {
					case errors.Is(err, ErrFull):
						full++
					case err == nil:
						stored++
					}
				})
			}
			if err := r.Enqueue(t.Context(), QueueRow{ID: whisk.NewActivationID(), Payload: make([]byte, 9_000)}); !errors.Is(err, ErrFull) {
				t.Errorf("%s: enqueue when full: %v", tt.name, err)
			}
			stop := start(t, r)
			pass(time.Second)
			if full != 5-tt.room || stored != tt.room || r.m.dropped.Get() != uint64(full) {
				t.Errorf("%s: %d refused, %d stored, %d counted as dropped; want room for %d of 5", tt.name, full, stored, r.m.dropped.Get(), tt.room)
			}
			if err := r.Enqueue(t.Context(), QueueRow{ID: whisk.NewActivationID()}); err != nil {
				t.Errorf("%s: enqueue when there is room again: %v", tt.name, err)
			}
			if err := stop(); err != nil {
				t.Errorf("%s: Run: %v", tt.name, err)
			}
		}
	})
}

func TestRecorderBatchBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeEngine()
		r := NewRecorder(f, RecorderConfig{MaxBatch: 4, MaxBatchBytes: 2000, Linger: time.Hour})
		for range 10 {
			r.Record(someRecord(), nil) // of 768 bytes, as it is counted
		}
		stop := start(t, r)
		pass(time.Millisecond)
		if got := f.sizes(); !slices.Equal(got, []int{2, 2, 2, 2, 2}) {
			t.Errorf("commits of %v ops, want five of 2", got)
		}
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestRecorderOpErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRecorder(newFakeEngine(), RecorderConfig{})
		start(t, r)
		var bad, good error = nil, errAway
		r.Record(&whisk.Activation{Namespace: "ns"}, func(err error) { bad = err })
		r.Record(someRecord(), func(err error) { good = err })
		if _, err := r.Start(t.Context(), whisk.ActivationID{}, 1, 0, time.Second); err == nil {
			t.Errorf("an op without an id is started")
		}
		if bad == nil || good != nil {
			t.Errorf("answers %v and %v, want an error for the first alone", bad, good)
		}
	})
}

func TestRecorderStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeEngine()
		r := NewRecorder(f, RecorderConfig{Linger: time.Hour})
		stop := start(t, r)
		answers := []error{}
		done := func(err error) { answers = append(answers, err) }
		r.Record(someRecord(), done)
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
		r.Record(someRecord(), done)
		if len(f.records) != 1 || len(answers) != 2 || answers[0] != nil || !errors.Is(answers[1], ErrStopped) {
			t.Errorf("%d records, answers %v; want the pending one flushed and the later refused", len(f.records), answers)
		}
		if err := r.Enqueue(t.Context(), QueueRow{ID: whisk.NewActivationID()}); !errors.Is(err, ErrStopped) {
			t.Errorf("enqueue after the end: %v", err)
		}
	})
}

func TestRecorderStopsWithoutDatabase(t *testing.T) {
	for _, tt := range []struct {
		name string
		took time.Duration
	}{{"failing", 0}, {"hanging", time.Hour}} {
		synctest.Test(t, func(t *testing.T) {
			f := newFakeEngine()
			f.took, f.fail = tt.took, func(int) error { return errAway }
			r := NewRecorder(f, RecorderConfig{MaxBatch: 2, FlushTimeout: 3 * time.Second})
			stop := start(t, r)
			var answers []error
			for range 5 {
				r.Record(someRecord(), func(err error) { answers = append(answers, err) })
			}
			var wg sync.WaitGroup
			wg.Go(func() {
				if err := r.Enqueue(t.Context(), QueueRow{ID: whisk.NewActivationID()}); !errors.Is(err, ErrStopped) {
					t.Errorf("%s: enqueue: %v", tt.name, err)
				}
			})
			pass(10 * time.Second)
			began := time.Now()
			if err := stop(); err == nil {
				t.Errorf("%s: Run ended without an error", tt.name)
			}
			if took := time.Since(began); took != 3*time.Second {
				t.Errorf("%s: Run went on for %v, want 3s", tt.name, took)
			}
			wg.Wait()
			if len(answers) != 5 || slices.ContainsFunc(answers, func(err error) bool { return !errors.Is(err, ErrStopped) }) {
				t.Errorf("%s: answers %v, want 5 times %v", tt.name, answers, ErrStopped)
			}
		})
	}
}

func TestRecorderQueueErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRecorder(NewNone(), RecorderConfig{})
		start(t, r)
		ctx := t.Context()
		row := QueueRow{ID: whisk.NewActivationID(), Namespace: "ns"}
		other := whisk.NewActivationID()
		ok, errs := []bool{}, []error{}
		note := func(b bool, err error) { ok, errs = append(ok, b), append(errs, err) }
		note(true, r.Enqueue(ctx, row))
		note(false, r.Enqueue(ctx, row))
		note(r.Start(ctx, row.ID, 1, 0, time.Second))
		note(r.Start(ctx, row.ID, 2, 0, time.Second))
		note(r.Start(ctx, other, 2, 0, time.Second))
		note(false, r.Requeue(ctx, row.ID, 2, 0))
		note(true, r.Requeue(ctx, row.ID, 1, 0))
		note(true, r.StartNew(ctx, QueueRow{ID: other}, time.Second))
		note(true, r.StartNew(ctx, QueueRow{ID: other}, time.Second))
		want := []error{nil, whisk.ErrExists, nil, nil, nil, whisk.ErrChanged, nil, nil, nil}
		for i := range want {
			if !errors.Is(errs[i], want[i]) {
				t.Errorf("step %d: error %v, want %v", i, errs[i], want[i])
			}
		}
		if !slices.Equal(ok[2:5], []bool{true, false, false}) {
			t.Errorf("starts: %v", ok[2:5])
		}
		gone, cancel := context.WithCancel(ctx)
		cancel()
		if err := r.Enqueue(gone, QueueRow{ID: whisk.NewActivationID()}); !errors.Is(err, context.Canceled) {
			t.Errorf("enqueue for a caller that has left: %v", err)
		}
	})
}
