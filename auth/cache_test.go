package auth

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

func TestWarmHitAsksNoStore(t *testing.T) {
	a, st := newTest(t, testConfig())
	k := mustCreate(t, a, "guest", "guest")
	if _, err := a.Authenticate(t.Context(), k); err != nil {
		t.Fatal(err)
	}
	n := st.readCount()
	for range 100 {
		if _, err := a.Authenticate(t.Context(), k); err != nil {
			t.Fatal(err)
		}
	}
	if got := st.readCount(); got != n {
		t.Errorf("%d store calls for warm hits", got-n)
	}
}

func TestFlood(t *testing.T) {
	cfg := testConfig()
	cfg.Identities, cfg.Unproven = 64*cacheShards, 4*cacheShards
	a, st := newTest(t, cfg)
	var good []whisk.AuthKey
	for range 50 {
		k := mustCreate(t, a, "guest", "guest")
		good = append(good, k)
		if _, err := a.Authenticate(t.Context(), k); err != nil {
			t.Fatal(err)
		}
	}
	for range 5000 {
		if _, err := a.Authenticate(t.Context(), NewKey()); err != ErrInvalid {
			t.Fatal(err)
		}
	}
	n := st.readCount()
	for i := range 5000 { // wrong keys for known users
		k := good[i%len(good)]
		k.Key = NewKey().Key
		if _, err := a.Authenticate(t.Context(), k); err != ErrInvalid {
			t.Fatal(err)
		}
	}
	for _, k := range good {
		if _, err := a.Authenticate(t.Context(), k); err != nil {
			t.Fatal(err)
		}
	}
	if got := st.readCount(); got != n {
		t.Errorf("%d store calls for known users", got-n)
	}
	if p, u := a.cache.sizes(); p != len(good) || u > cfg.Unproven {
		t.Errorf("cache has %d proven, %d unproven, want %d, at most %d", p, u, len(good), cfg.Unproven)
	}
}

func TestProvenBound(t *testing.T) {
	cfg := testConfig()
	cfg.Identities = 2 * cacheShards
	a, _ := newTest(t, cfg)
	for range 200 {
		if _, err := a.Authenticate(t.Context(), mustCreate(t, a, "guest", "guest")); err != nil {
			t.Fatal(err)
		}
	}
	if p, _ := a.cache.sizes(); p > cfg.Identities {
		t.Errorf("%d proven entries, want at most %d", p, cfg.Identities)
	}
}

func TestLifetimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		a, st := newTest(t, cfg)
		k := mustCreate(t, a, "guest", "guest")
		is := func(step string, want error) {
			t.Helper()
			if _, err := a.Authenticate(t.Context(), k); err != want {
				t.Errorf("%s: err = %v, want %v", step, err, want)
			}
		}
		is("new", nil)
		c := st.creds[k.UUID]
		delete(st.creds, k.UUID)
		is("deleted elsewhere, cached", nil)
		time.Sleep(cfg.IdentityTTL)
		is("deleted elsewhere, expired", ErrInvalid)
		st.creds[k.UUID] = c
		is("back, negative entry", ErrInvalid)
		time.Sleep(cfg.UnprovenTTL)
		is("back, negative entry expired", nil)
		c.Blocked = true
		st.creds[k.UUID] = c
		a.Invalidate(k.UUID)
		is("blocked and invalidated", ErrInvalid)
		c.Blocked = false
		st.creds[k.UUID] = c
		a.Invalidate(k.UUID)
		is("unblocked and invalidated", nil)
		st.limits["guest"] = whisk.NamespaceLimits{FiresPerMinute: new(int64)}
		a.InvalidateNamespace("guest")
		id, err := a.Authenticate(t.Context(), k)
		if err != nil || id.Limits.FiresPerMinute != 0 {
			t.Errorf("new limits: %+v, %v", id, err)
		}
	})
}

func TestStoreAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		a, st := newTest(t, cfg)
		k := mustCreate(t, a, "guest", "guest")
		if _, err := a.Authenticate(t.Context(), k); err != nil {
			t.Fatal(err)
		}
		st.fail = errStoreAway
		for range 10 {
			time.Sleep(cfg.IdentityTTL)
			if _, err := a.Authenticate(t.Context(), k); err != nil {
				t.Fatalf("a known key with the store away: %v", err)
			}
		}
		_, err := a.Authenticate(t.Context(), NewKey())
		if whisk.KindOf(err) != whisk.Unavailable || !errors.Is(err, errStoreAway) {
			t.Errorf("an unknown key with the store away: %v", err)
		}
		if strings.Contains(whisk.MessageOf(err), "store away") {
			t.Errorf("the user sees the cause: %q", whisk.MessageOf(err))
		}
	})
}

// A change during a lookup must not be undone by what the lookup read before.
func TestInvalidateDuringLookup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, st := newTest(t, testConfig())
		k := mustCreate(t, a, "guest", "guest")
		st.gate = make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = a.Authenticate(t.Context(), k) })
		synctest.Wait() // it is in the store
		a.Invalidate(k.UUID)
		close(st.gate)
		wg.Wait()
		st.set(func() { delete(st.creds, k.UUID) })
		if _, err := a.Authenticate(t.Context(), k); err != ErrInvalid {
			t.Errorf("err = %v, want %v", err, ErrInvalid)
		}
	})
}

func TestSingleFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.Lookups = 2
		a, st := newTest(t, cfg)
		k := mustCreate(t, a, "guest", "guest")
		st.reads, st.gate = 0, make(chan struct{})
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if _, err := a.Authenticate(t.Context(), k); err != nil {
					t.Error(err)
				}
			})
		}
		for range 20 {
			wg.Go(func() { _, _ = a.Authenticate(t.Context(), NewKey()) })
		}
		synctest.Wait()
		if got := st.readCount(); got != cfg.Lookups {
			t.Errorf("%d store calls at a time, want %d", got, cfg.Lookups)
		}
		close(st.gate)
		wg.Wait()
		if got := st.readCount(); got != 21 {
			t.Errorf("%d store calls, want 21", got)
		}
		// A store that hangs costs the lookup's time, no more.
		st.gate = make(chan struct{})
		began := time.Now()
		if _, err := a.Authenticate(t.Context(), NewKey()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("err = %v", err)
		}
		if took := time.Since(began); took != cfg.LookupTimeout {
			t.Errorf("took %v, want %v", took, cfg.LookupTimeout)
		}
	})
}
