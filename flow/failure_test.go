package flow

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

// pickyRecorder answers with its errors first, one for each record.
type pickyRecorder struct {
	*world
	errs []error
}

func (r *pickyRecorder) Record(rec *whisk.Activation, done func(error)) {
	if len(r.errs) > 0 {
		err := r.errs[0]
		r.errs = r.errs[1:]
		done(err)
		return
	}
	r.world.Record(rec, done)
}

func TestSettle(t *testing.T) {
	full := &whisk.Error{Kind: whisk.Unavailable, Message: "full"}
	for _, tc := range []struct {
		name   string
		errs   []error
		stored int
	}{
		{"at once", nil, 3},
		{"full", []error{full, full, full, full, full}, 3},
		{"unstorable", []error{full, errors.New("cannot be encoded")}, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				f := New(testConfig(), Deps{Recorder: &pickyRecorder{w, tc.errs}})
				recs := []*whisk.Activation{
					newCall("ns", 0).Failure("a", time.Now()),
					newCall("ns", 0).Failure("b", time.Now()),
					newCall("ns", 0).Failure("c", time.Now()),
				}
				if err := f.settle(t.Context(), recs); err != nil {
					t.Fatal(err)
				}
				if got := len(w.records); got != tc.stored {
					t.Errorf("%d records, want %d", got, tc.stored)
				}
			})
		})
	}
}

func TestSettleEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.away = true
		f := New(testConfig(), Deps{Recorder: w})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := f.settle(ctx, []*whisk.Activation{newCall("ns", 0).Failure("a", time.Now())})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("err = %v", err)
		}
	})
}

// Failure records wait for the store; the row stays until then.
func TestFailureWithStoreAway(t *testing.T) {
	cfg := testConfig()
	cfg.MaxAge = time.Minute
	bubble(t, cfg, 0, func(t *testing.T, w *world, l *life) {
		c, n := newCall("ns", 1), &counter{}
		l.submit(t, c, n)
		w.set(func() { w.away = true })
		time.Sleep(10 * time.Minute)
		n.want(t, 0)
		if w.row(c.ID) == nil {
			t.Error("the row is gone")
		}
		w.back()
		time.Sleep(time.Minute)
		w.wantRecord(t, c.ID, whisk.WhiskError, msgAged)
		n.want(t, 1)
		l.wantClean(t)
	})
}

func TestAttempts(t *testing.T) {
	bubble(t, testConfig(), 1, func(t *testing.T, w *world, l *life) {
		l.v.set(func() { l.v.fail = errors.New("something odd") })
		c, n := newCall("ns", 1), &counter{}
		l.submit(t, c, n)
		time.Sleep(time.Minute)
		w.wantRecord(t, c.ID, whisk.WhiskError, msgNotRun)
		if got := w.count("start"); got != l.cfg.Attempts {
			t.Errorf("%d attempts, want %d", got, l.cfg.Attempts)
		}
		n.want(t, 1)

		l.v.set(func() { l.v.fail = nil })
		l.keys = fakeKeys{err: &whisk.Error{Kind: whisk.Unauthenticated}}
		c, n = newCall("ns", 1), &counter{}
		c.Target.WantsKey = true
		l.submit(t, c, n)
		time.Sleep(time.Minute)
		w.wantRecord(t, c.ID, whisk.WhiskError, msgNoKey)
		n.want(t, 1)
		l.wantClean(t)
	})
}

func TestValidate(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Config){
		"max age": func(c *Config) { c.MaxAge = 0 },
		"workers": func(c *Config) { c.Workers = 0 },
		"rows":    func(c *Config) { c.MaxRows = 1 },
		"busy":    func(c *Config) { c.BusyMax = c.BusyMin - 1 },
	} {
		cfg := DefaultConfig()
		change(&cfg)
		if cfg.Validate() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// instant answers at once.
type instant struct{}

func (instant) Invoke(_ context.Context, c *whisk.Call, _ time.Duration) (*whisk.Activation, error) {
	return c.Record(), nil
}

func (i instant) Follow(ctx context.Context, c *whisk.Call, patience time.Duration, _ whisk.Leave) (*whisk.Activation, error) {
	return i.Invoke(ctx, c, patience)
}

func BenchmarkInvoke(b *testing.B) {
	f := New(testConfig(), Deps{Invoker: instant{}})
	c := newCall("ns", 0)
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Invoke(ctx, c, time.Minute, func() {}); err != nil {
			b.Fatal(err)
		}
	}
}
