package auth

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

func TestAuthenticate(t *testing.T) {
	a, st := newTest(t, testConfig())
	good := mustCreate(t, a, "guest", "guest")
	blocked := mustCreate(t, a, "villain", "villain")
	st.set(func() {
		c := st.creds[blocked.UUID]
		c.Blocked = true
		st.creds[blocked.UUID] = c
		five := int64(5)
		st.limits["guest"] = whisk.NamespaceLimits{InvocationsPerMinute: &five, AllowedKinds: []string{"nodejs:20"}}
	})
	wrong := good
	wrong.Key = strings.Repeat("x", keyLength)
	for _, tc := range []struct {
		name string
		key  whisk.AuthKey
		want error
	}{
		{"good", good, nil},
		{"good again", good, nil},
		{"wrong key", wrong, ErrInvalid},
		{"good after wrong", good, nil},
		{"blocked", blocked, ErrInvalid},
		{"unknown", NewKey(), ErrInvalid},
		{"empty", whisk.AuthKey{}, ErrInvalid},
		{"short key", whisk.AuthKey{UUID: good.UUID, Key: good.Key[:63]}, ErrInvalid},
		{"long key", whisk.AuthKey{UUID: good.UUID, Key: good.Key + "x"}, ErrInvalid},
		{"long uuid", whisk.AuthKey{UUID: good.UUID + "0", Key: good.Key}, ErrInvalid},
	} {
		t.Run(tc.name, func(t *testing.T) {
			id, err := a.Authenticate(t.Context(), tc.key)
			if err != tc.want {
				t.Fatalf("err = %v, want %v", err, tc.want)
			}
			if err != nil {
				return
			}
			if id.Namespace != "guest" || id.Subject != "guest" || id.UUID != good.UUID {
				t.Errorf("identity = %+v", id)
			}
			if id.Limits.InvocationsPerMinute != 5 || id.Limits.FiresPerMinute != 60 {
				t.Errorf("limits = %+v", id.Limits)
			}
		})
	}
	if k := whisk.KindOf(ErrInvalid); k != whisk.Unauthenticated {
		t.Errorf("kind = %v", k)
	}
}

func TestStoreHoldsNoKey(t *testing.T) {
	a, st := newTest(t, testConfig())
	k := mustCreate(t, a, "guest", "guest")
	c := st.creds[k.UUID]
	for _, b := range [][]byte{c.MAC, c.Sealed} {
		if bytes.Contains(b, []byte(k.Key[:8])) || strings.Contains(hex.EncodeToString(b), k.Key[:8]) {
			t.Error("the key is in the credential")
		}
	}
	if len(c.MAC) != 32 {
		t.Errorf("MAC has %d bytes", len(c.MAC))
	}
	// Another master key knows nobody.
	cfg := testConfig()
	cfg.Master[0]++
	b, err := New(cfg, st)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Authenticate(t.Context(), k); err != ErrInvalid {
		t.Errorf("other master key: err = %v, want %v", err, ErrInvalid)
	}
	// One credential's MAC and sealed key are worth nothing in another.
	other := NewKey()
	c.UUID = other.UUID
	st.creds[other.UUID] = c
	if _, err := a.Authenticate(t.Context(), whisk.AuthKey{UUID: other.UUID, Key: k.Key}); err != ErrInvalid {
		t.Errorf("moved MAC: err = %v, want %v", err, ErrInvalid)
	}
	if _, err := a.APIKey(t.Context(), other.UUID); !errors.Is(err, ErrSealed) {
		t.Errorf("moved sealed key: err = %v, want %v", err, ErrSealed)
	}
}

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

func TestCreate(t *testing.T) {
	a, st := newTest(t, testConfig())
	given := NewKey()
	for _, tc := range []struct {
		name    string
		subject string
		ns      whisk.Namespace
		key     *whisk.AuthKey
		want    whisk.Kind
		ok      bool
	}{
		{"random", "guest", "guest", nil, 0, true},
		{"given", "guest", "guest", &given, 0, true},
		{"given again", "guest", "guest", &given, 0, true},
		{"same uuid, other key", "guest", "guest", &whisk.AuthKey{UUID: given.UUID, Key: NewKey().Key}, 0, true},
		{"same uuid, other namespace", "guest", "other", &given, whisk.Conflict, false},
		{"no subject", " ", "guest", nil, whisk.BadRequest, false},
		{"bad namespace", "guest", "a/b", nil, whisk.BadRequest, false},
		{"63 characters", "guest", "guest", &whisk.AuthKey{UUID: given.UUID, Key: given.Key[1:]}, whisk.BadRequest, false},
		{"no uuid", "guest", "guest", &whisk.AuthKey{UUID: "1", Key: given.Key}, whisk.BadRequest, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k, err := a.Create(t.Context(), tc.subject, tc.ns, tc.key)
			if (err == nil) != tc.ok || whisk.KindOf(err) != tc.want {
				t.Fatalf("err = %v, want kind %v", err, tc.want)
			}
			if err != nil {
				return
			}
			if tc.key != nil && k != *tc.key {
				t.Errorf("key = %v", k)
			}
			if _, err := a.Authenticate(t.Context(), k); err != nil {
				t.Errorf("the created key: %v", err)
			}
			if s, err := a.APIKey(t.Context(), k.UUID); err != nil || s != k.Compact() {
				t.Errorf("APIKey: %v", err)
			}
		})
	}
	if _, err := a.APIKey(t.Context(), NewKey().UUID); err != ErrInvalid {
		t.Errorf("APIKey of nobody: %v", err)
	}
	st.fail = errStoreAway
	if _, err := a.Create(t.Context(), "guest", "guest", nil); !errors.Is(err, errStoreAway) {
		t.Errorf("store away: %v", err)
	}
}

func TestValidate(t *testing.T) {
	if _, err := New(DefaultConfig(), newFakeStore()); err == nil {
		t.Error("no master key: no error")
	}
	for name, change := range map[string]func(*Config){
		"identities": func(c *Config) { c.Identities = 0 },
		"ttl":        func(c *Config) { c.IdentityTTL = -1 },
		"lookups":    func(c *Config) { c.Lookups = 0 },
		"limits":     func(c *Config) { c.Limits = whisk.SystemLimits{} },
	} {
		cfg := testConfig()
		change(&cfg)
		if cfg.Validate() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	st := newFakeStore()
	a, err := New(testConfig(), st)
	if err != nil {
		b.Fatal(err)
	}
	k, err := a.Create(b.Context(), "guest", "guest", nil)
	if err != nil {
		b.Fatal(err)
	}
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Authenticate(ctx, k); err != nil {
			b.Fatal(err)
		}
	}
}
