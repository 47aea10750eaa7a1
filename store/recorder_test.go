package store

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"hearth/whisk"
)

var errAway = errors.New("the database is away")

func TestRecorderGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeEngine()
		f.took = 100 * time.Millisecond
		r := NewRecorder(f, RecorderConfig{Linger: 20 * time.Millisecond})
		stop := start(t, r)
		answered := 0
		done := func(err error) {
			if err != nil {
				t.Errorf("done: %v", err)
			}
			answered++
		}
		for range 5 { // these linger and share a commit
			r.Record(someRecord(), done)
			pass(time.Millisecond)
		}
		synctest.Wait()
		if got := f.sizes(); len(got) != 0 {
			t.Errorf("commits before the linger is over: %v", got)
		}
		pass(50 * time.Millisecond) // now the first commit is under way
		for range 7 {
			r.Record(someRecord(), done)
		}
		pass(300 * time.Millisecond)
		if got := f.sizes(); !slices.Equal(got, []int{5, 7}) || answered != 12 {
			t.Errorf("commits of %v ops, %d answered; want [5 7] and 12", got, answered)
		}
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// TestRecorderBusy has records come in a steady stream, then a few.
func TestRecorderBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeEngine()
		r := NewRecorder(f, RecorderConfig{Linger: 20 * time.Millisecond, BusyLinger: 100 * time.Millisecond})
		stop := start(t, r)
		for range 130 {
			for range 4 {
				r.Record(someRecord(), nil)
			}
			pass(time.Millisecond)
		}
		pass(time.Second)
		for range 20 { // at once, but then no more
			r.Record(someRecord(), nil)
		}
		pass(21 * time.Millisecond)
		sizes := f.sizes()
		if len(sizes) != 3 || sizes[0] < 390 || sizes[0] > 410 || sizes[0]+sizes[1] != 520 || sizes[2] != 20 {
			t.Errorf("commits of %v ops, want about [400 120 20]", sizes)
		}
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestRecorderWaitersDoNotLinger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeEngine()
		r := NewRecorder(f, RecorderConfig{Linger: time.Hour})
		start(t, r)
		rec := someRecord()
		r.Record(rec, nil)
		synctest.Wait()
		began := time.Now()
		if err := r.Enqueue(t.Context(), QueueRow{ID: whisk.NewActivationID()}); err != nil {
			t.Fatal(err)
		}
		if got := f.sizes(); !slices.Equal(got, []int{2}) {
			t.Errorf("commits of %v ops, want one of 2", got)
		}
		r.Record(someRecord(), nil)
		list, err := r.Activations(t.Context(), ActivationQuery{Namespace: "ns"})
		if err != nil || len(list) != 2 {
			t.Errorf("listed %d records, %v, want 2", len(list), err)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("took %v, want no lingering", took)
		}
	})
}

func TestRecorderReadsPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeEngine()
		f.took = time.Second
		r := NewRecorder(f, RecorderConfig{ReadWait: 100 * time.Millisecond})
		start(t, r)
		rec, hidden, late := someRecord(), someRecord(), someRecord()
		hidden.Unstored = true
		first := *late
		first.Start = 99
		f.records[late.ID] = &first
		for _, a := range []*whisk.Activation{rec, hidden, late} {
			r.Record(a, nil)
		}
		for _, wait := range []time.Duration{0, 500 * time.Millisecond, 2 * time.Second} {
			pass(wait) // waiting, then being committed, then committed
			if got, err := r.Activation(t.Context(), "ns", rec.ID); err != nil || got.ID != rec.ID {
				t.Errorf("after %v: %v, %v", wait, got, err)
			}
			if _, err := r.Activation(t.Context(), "other", rec.ID); !errors.Is(err, whisk.ErrNotFound) {
				t.Errorf("after %v: through another namespace: %v", wait, err)
			}
			if got, err := r.Activation(t.Context(), "ns", late.ID); err != nil || got.Start != 99 {
				t.Errorf("after %v: a pending record stands before the first one: %v, %v", wait, got, err)
			}
			if wait == 0 {
				if _, err := r.Activation(t.Context(), "ns", hidden.ID); !errors.Is(err, whisk.ErrNotFound) {
					t.Errorf("an unstored record can be read: %v", err)
				}
			}
		}
		r.Record(someRecord(), nil)
		began := time.Now()
		if _, err := r.Activations(t.Context(), ActivationQuery{Namespace: "ns"}); err != nil || time.Since(began) != 100*time.Millisecond {
			t.Errorf("the list took %v, %v; want to wait for 100ms and go on", time.Since(began), err)
		}
	})
}

func TestRecorderRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeEngine()
		f.fail = func(attempt int) error {
			if attempt <= 3 {
				return errAway
			}
			return nil
		}
		r := NewRecorder(f, RecorderConfig{Linger: -1})
		start(t, r)
		var got []error
		r.Record(someRecord(), func(err error) { got = append(got, err) })
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		defer cancel()
		if err := r.Enqueue(ctx, QueueRow{ID: whisk.NewActivationID()}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("enqueue: %v, want the caller's deadline", err)
		}
		pass(10 * time.Second)
		if !slices.Equal(got, []error{nil}) {
			t.Errorf("answers = %v, want one nil", got)
		}
		last := f.commits[len(f.commits)-1]
		for _, c := range f.commits[3:] {
			for _, o := range c {
				if o.Kind == OpEnqueue {
					t.Errorf("a row was committed though its caller had left before the attempt")
				}
			}
		}
		if len(last) != 1 {
			t.Errorf("the last commit has %d ops", len(last))
		}
		if n, b := r.load(); n != 0 || b != 0 {
			t.Errorf("%d ops and %d bytes are pending", n, b)
		}
	})
}

func TestRecorderRetryIsNoDuplicate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeEngine()
		rec := someRecord()
		f.fail = func(attempt int) error {
			if attempt == 1 { // it was committed, but the answer was lost
				f.records[rec.ID] = rec
				return errAway
			}
			return nil
		}
		r := NewRecorder(f, RecorderConfig{})
		start(t, r)
		var got error = errAway
		r.Record(rec, func(err error) { got = err })
		pass(time.Second)
		if got != nil || r.Duplicates() != 0 {
			t.Errorf("answer %v, %d duplicates; want nil and 0", got, r.Duplicates())
		}
	})
}

func TestRecorderMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := metrics.NewSet()
		r := NewRecorder(newFakeEngine(), RecorderConfig{Metrics: set})
		r.Record(someRecord(), nil)
		r.Record(someRecord(), nil)
		var before, after bytes.Buffer
		set.WritePrometheus(&before)
		start(t, r)
		pass(time.Second)
		set.WritePrometheus(&after)
		for _, want := range []string{"store_commit_ops_sum 2\n", "store_commit_seconds_count 1\n", "store_records_total 2\n",
			"store_duplicates_total 0\n", "store_dropped_total 0\n", "store_pending_ops 0\n", "store_pending_bytes 0\n"} {
			if !strings.Contains(after.String(), want) {
				t.Errorf("metrics lack %q:\n%s", want, after.String())
			}
		}
		if want := "store_pending_ops 2\n"; !strings.Contains(before.String(), want) {
			t.Errorf("metrics lack %q:\n%s", want, before.String())
		}
	})
}

func TestRecorderDuplicates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeEngine()
		r := NewRecorder(f, RecorderConfig{})
		start(t, r)
		rec := someRecord()
		again := *rec
		answers := 0
		done := func(err error) {
			if err == nil {
				answers++
			}
		}
		r.Record(rec, done)
		r.Record(&again, done) // while the first is pending
		pass(time.Second)
		r.Record(&again, done) // when it is stored
		pass(time.Second)
		if answers != 3 || r.Duplicates() != 2 || f.records[rec.ID] != rec {
			t.Errorf("%d answers, %d duplicates, first kept: %v; want 3, 2, true", answers, r.Duplicates(), f.records[rec.ID] == rec)
		}
		if n, b := r.load(); n != 0 || b != 0 {
			t.Errorf("%d ops and %d bytes are pending", n, b)
		}
	})
}
