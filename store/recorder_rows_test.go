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

// lossyEngine loses the answers of commits that it carries out, and keeps
// the records.
type lossyEngine struct {
	*None
	mu      sync.Mutex // guards all below
	lose    int
	records map[whisk.ActivationID]*whisk.Activation
}

func (l *lossyEngine) Commit(ctx context.Context, ops []Op) ([]Result, error) {
	results, err := l.None.Commit(ctx, ops)
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range ops {
		if rec := ops[i].Record; rec != nil && results[i].OK && l.records[rec.ID] == nil {
			l.records[rec.ID] = rec
		}
	}
	if l.lose > 0 {
		l.lose--
		return nil, errAway
	}
	return results, err
}

func (l *lossyEngine) Activation(_ context.Context, _ whisk.Namespace, id whisk.ActivationID) (*whisk.Activation, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if rec := l.records[id]; rec != nil {
		return rec, nil
	}
	return nil, whisk.ErrNotFound
}

// TestRecorderRepetition loses the answer of each commit once: what callers
// are told is right all the same.
func TestRecorderRepetition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &lossyEngine{None: NewNone(), records: map[whisk.ActivationID]*whisk.Activation{}}
		r := NewRecorder(e, RecorderConfig{})
		start(t, r)
		ctx := t.Context()
		row := func() QueueRow { return QueueRow{ID: whisk.NewActivationID(), Namespace: "ns", Holder: 7} }
		ended := func(id whisk.ActivationID) *whisk.Activation {
			a := someRecord()
			a.ID, a.Namespace, a.End, a.Response = id, "ns", 5, whisk.ErrorResponse(whisk.WhiskError, "cancelled")
			return a
		}
		a, b, c := row(), row(), row()
		for _, step := range []struct {
			name string
			do   func() (bool, error)
			want bool
		}{
			{"enqueue", func() (bool, error) { return true, r.Enqueue(ctx, a) }, true},
			{"start", func() (bool, error) { return r.Start(ctx, a.ID, 3, 7, time.Minute) }, true},
			{"requeue", func() (bool, error) { return true, r.Requeue(ctx, a.ID, 3, 7) }, true},
			{"release", func() (bool, error) { return true, r.Release(ctx, a.ID, 7) }, true},
			{"cancel", func() (bool, error) { return r.Cancel(ctx, a.ID, ended(a.ID)) }, true},
			{"enqueue another", func() (bool, error) { return true, r.Enqueue(ctx, b) }, true},
			{"start it", func() (bool, error) { return r.Start(ctx, b.ID, 4, 7, time.Minute) }, true},
			{"cancel it", func() (bool, error) { return r.Cancel(ctx, b.ID, ended(b.ID)) }, false},
			{"give it up", func() (bool, error) {
				dead := ended(b.ID)
				dead.Dead = true
				done := make(chan error, 1)
				r.Record(dead, func(err error) { done <- err })
				return true, <-done
			}, true},
			{"cancel what has ended", func() (bool, error) {
				other := ended(b.ID)
				other.End = 6
				return r.Cancel(ctx, b.ID, other)
			}, false},
			{"drive it again", func() (bool, error) { return true, r.Redrive(ctx, b.ID, c) }, true},
		} {
			e.mu.Lock()
			e.lose = 1
			e.mu.Unlock()
			if ok, err := step.do(); ok != step.want || err != nil {
				t.Errorf("%s: %v, %v, want %v", step.name, ok, err, step.want)
			}
		}
		rows, err := e.QueueRows(ctx, 0, 10)
		if err != nil || len(rows) != 1 || rows[0].ID != c.ID {
			t.Errorf("left: %v, %v, want the row that was driven again", rows, err)
		}
	})
}

// TestRecorderLostRedrive loses the answer of a commit that found no dead
// letter: somebody else was faster, and nothing is queued.
func TestRecorderLostRedrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &lossyEngine{None: NewNone(), records: map[whisk.ActivationID]*whisk.Activation{}, lose: 1}
		r := NewRecorder(e, RecorderConfig{})
		start(t, r)
		err := r.Redrive(t.Context(), whisk.NewActivationID(), QueueRow{ID: whisk.NewActivationID(), Namespace: "ns"})
		if !errors.Is(err, whisk.ErrNotFound) {
			t.Errorf("error %v, want %v", err, whisk.ErrNotFound)
		}
	})
}

// TestRecorderRefusals has rows changed by who may not.
func TestRecorderRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRecorder(NewNone(), RecorderConfig{})
		start(t, r)
		ctx := t.Context()
		row := QueueRow{ID: whisk.NewActivationID(), Namespace: "ns", Holder: 7}
		rec := someRecord()
		rec.ID = row.ID
		var errs []error
		errs = append(errs, r.Enqueue(ctx, row), r.Release(ctx, row.ID, 8), r.Redrive(ctx, row.ID, row))
		if want := []error{nil, whisk.ErrChanged, whisk.ErrNotFound}; !slices.EqualFunc(errs, want, errors.Is) {
			t.Errorf("errors %v, want %v", errs, want)
		}
		if ok, err := r.Start(ctx, row.ID, 1, 8, time.Second); ok || err != nil {
			t.Errorf("start by another: %v, %v", ok, err)
		}
		if ok, err := r.Cancel(ctx, whisk.NewActivationID(), rec); ok || err == nil {
			t.Errorf("cancel with the record of another id: %v, %v, want an error", ok, err)
		}
	})
}

// TestRecorderAttempts hands over records of several attempts while earlier
// ones are pending: none takes the place of another, and none can be read
// before it stands.
func TestRecorderAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &lossyEngine{None: NewNone(), records: map[whisk.ActivationID]*whisk.Activation{}}
		r := NewRecorder(e, RecorderConfig{Linger: time.Second})
		start(t, r)
		row := QueueRow{ID: whisk.NewActivationID(), Namespace: "ns", Attempt: 1}
		if err := r.Enqueue(t.Context(), row); err != nil {
			t.Fatal(err)
		}
		first, second := someRecord(), someRecord()
		first.ID, first.Attempt, first.Again = row.ID, 1, 50
		second.ID, second.Attempt = row.ID, 2
		again := *first
		answers := 0
		for _, a := range []*whisk.Activation{first, &again, second} {
			r.Record(a, func(err error) {
				if err == nil {
					answers++
				}
			})
			if _, err := r.Activation(t.Context(), "ns", row.ID); !errors.Is(err, whisk.ErrNotFound) {
				t.Errorf("attempt %d can be read while it is pending: %v", a.Attempt, err)
			}
		}
		pass(time.Minute)
		if answers != 3 || e.records[row.ID] == nil {
			t.Errorf("%d answers, record %v; want 3 and the second attempt's", answers, e.records[row.ID])
		}
		if rows, err := e.QueueRows(t.Context(), 0, 10); err != nil || len(rows) != 0 {
			t.Errorf("left: %v, %v", rows, err)
		}
		if got := r.m.again.Get(); got != 1 {
			t.Errorf("%d attempts were counted that another follows, want 1", got)
		}
	})
}
