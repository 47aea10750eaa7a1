package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"hearth/whisk"
)

// fakeRecords is a store as a janitor sees it, over the leases of None.
type fakeRecords struct {
	*None
	mu      sync.Mutex              // guards all below, but took and fail, which do not change
	old     map[whisk.Namespace]int // records to expire
	letters int
	took    time.Duration // by each call that deletes
	fail    func(call string) error

	calls  []string
	before map[string]time.Time // by call, the last one's
}

func newFakeRecords(old map[whisk.Namespace]int, letters int) *fakeRecords {
	return &fakeRecords{None: NewNone(), old: old, letters: letters, before: map[string]time.Time{}}
}

func (f *fakeRecords) call(what string, before time.Time) error {
	f.mu.Lock()
	f.calls = append(f.calls, what)
	f.before[what] = before
	f.mu.Unlock()
	time.Sleep(f.took)
	if f.fail != nil {
		return f.fail(what)
	}
	return nil
}

func (f *fakeRecords) RecordNamespaces(context.Context) ([]whisk.Namespace, error) {
	var out []whisk.Namespace
	for ns := range f.old {
		out = append(out, ns)
	}
	slices.Sort(out)
	return out, f.call("namespaces", time.Time{})
}

func (f *fakeRecords) ExpireActivations(_ context.Context, ns whisk.Namespace, before time.Time, most int) (int, error) {
	if err := f.call("records of "+string(ns), before); err != nil {
		return 0, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n := min(most, f.old[ns])
	f.old[ns] -= n
	return n, nil
}

func (f *fakeRecords) ExpireDeadLetters(_ context.Context, before time.Time, most int) (int, error) {
	if err := f.call("letters", before); err != nil {
		return 0, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n := min(most, f.letters)
	f.letters -= n
	return n, nil
}

// seen returns the calls so far.
func (f *fakeRecords) seen() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

func (f *fakeRecords) left(ns whisk.Namespace) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.old[ns]
}

func (f *fakeRecords) SweepCode(_ context.Context, before time.Time) (int, error) {
	return 3, f.call("code", before)
}

func runJanitor(t *testing.T, cfg JanitorConfig, f expirer) (stop func()) {
	t.Helper()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	j := newJanitor(cfg, f)
	ended := make(chan error, 1)
	go func() { ended <- j.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	}
}

func TestJanitor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeRecords(map[whisk.Namespace]int{"a": 1200, "b": 3, "forever": 9, "short": 500}, 7)
		for ns, text := range map[whisk.Namespace]string{"forever": "0", "short": "1h"} {
			kept, err := whisk.ParseRetention(text)
			if err != nil {
				t.Fatal(err)
			}
			_ = f.ChangeLimits(t.Context(), ns, func(l whisk.NamespaceLimits) (whisk.NamespaceLimits, error) {
				l.Retention = &kept
				return l, nil
			})
		}
		cfg := DefaultJanitorConfig()
		cfg.Metrics = metrics.NewSet()
		defer runJanitor(t, cfg, f)()
		pass(cfg.Every - time.Second)
		if len(f.seen()) != 0 {
			t.Errorf("calls before the first round: %v", f.seen())
		}
		began := time.Now().Add(time.Second)
		pass(time.Minute)
		want := "namespaces, records of a, records of a, records of a, records of b, records of short, records of short, letters, code"
		if got := strings.Join(f.seen(), ", "); got != want {
			t.Errorf("calls: %s\nwant: %s", got, want)
		}
		for call, kept := range map[string]time.Duration{"records of a": cfg.RecordsKept, "records of short": time.Hour, "letters": cfg.DeadKept, "code": cfg.CodeKept} {
			f.mu.Lock()
			got := f.before[call]
			f.mu.Unlock()
			if got.Add(kept).Sub(began).Abs() > time.Second {
				t.Errorf("%s before %v, want %v before %v", call, got, kept, began)
			}
		}
		var text bytes.Buffer
		cfg.Metrics.WritePrometheus(&text)
		for _, want := range []string{"store_records_expired_total 1703\n", "store_dead_letters_expired_total 7\n", "store_code_swept_total 3\n",
			"store_janitor_rounds_total 1\n", "store_janitor_failures_total 0\n"} {
			if !strings.Contains(text.String(), want) {
				t.Errorf("metrics lack %q:\n%s", want, text.String())
			}
		}
	})
}

// TestJanitorKeepsForEver deletes nothing that is kept for ever.
func TestJanitorKeepsForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeRecords(map[whisk.Namespace]int{"a": 5}, 7)
		cfg := DefaultJanitorConfig()
		cfg.RecordsKept, cfg.DeadKept = 0, 0
		defer runJanitor(t, cfg, f)()
		pass(cfg.Every + time.Minute)
		if !slices.Equal(f.seen(), []string{"namespaces", "code"}) {
			t.Errorf("calls: %v", f.seen())
		}
	})
}

// TestJanitorRests leaves the store in peace between batches for longer than
// they take.
func TestJanitorRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeRecords(map[whisk.Namespace]int{"a": 10 * 500}, 0)
		f.took = 100 * time.Millisecond
		cfg := DefaultJanitorConfig()
		defer runJanitor(t, cfg, f)()
		pass(cfg.Every + 100*time.Millisecond) // and RecordNamespaces has answered
		pass(2500*time.Millisecond - time.Millisecond)
		if left := f.left("a"); left != 5*500 {
			t.Errorf("%d records are left, want 5 batches of 500 gone, one every half second", left)
		}
	})
}

// TestJanitorLeads has one of two at work, and the other when that one stops.
func TestJanitorLeads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeRecords(map[whisk.Namespace]int{"a": 20 * 500}, 0)
		f.took = 100 * time.Millisecond // so that the first round is under way when the second janitor asks
		cfg := DefaultJanitorConfig()
		stopFirst := runJanitor(t, cfg, f)
		pass(50 * time.Millisecond)
		other := newFakeRecords(map[whisk.Namespace]int{"a": 1}, 0)
		other.None = f.None
		defer runJanitor(t, cfg, other)()
		pass(cfg.Every + time.Second)
		if len(f.seen()) == 0 || len(other.seen()) != 0 {
			t.Errorf("calls of the first %v, of the second %v", f.seen(), other.seen())
		}
		stopFirst() // amid its round
		if left := f.left("a"); left == 0 {
			t.Errorf("the first had ended its round")
		}
		pass(cfg.Every)
		if len(other.seen()) == 0 {
			t.Errorf("nobody goes on with the work of who stopped")
		}
	})
}

func TestJanitorFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeRecords(map[whisk.Namespace]int{"a": 5, "b": 5}, 1)
		f.fail = func(call string) error {
			if call == "records of a" {
				return errAway
			}
			return nil
		}
		cfg := DefaultJanitorConfig()
		j := newJanitor(cfg, f)
		if err := j.round(t.Context()); !errors.Is(err, errAway) {
			t.Errorf("round: %v, want %v", err, errAway)
		}
		if want := []string{"namespaces", "records of a", "records of b", "letters", "code"}; !slices.Equal(f.seen(), want) {
			t.Errorf("calls %v, want %v: what fails does not keep it from the rest", f.seen(), want)
		}
		if f.left("b") != 0 {
			t.Errorf("%d are left", f.left("b"))
		}
	})
}

func TestJanitorConfig(t *testing.T) {
	for i, change := range []func(*JanitorConfig){
		func(c *JanitorConfig) { c.RecordsKept = -1 }, func(c *JanitorConfig) { c.Batch = 0 }, func(c *JanitorConfig) { c.CodeKept = 0 },
		func(c *JanitorConfig) { c.Every = 0 }, func(c *JanitorConfig) { c.Timeout = 0 },
	} {
		cfg := DefaultJanitorConfig()
		change(&cfg)
		if cfg.Validate() == nil {
			t.Errorf("change %d: %s is valid", i, fmt.Sprintf("%+v", cfg))
		}
	}
}
