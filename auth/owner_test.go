package auth

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

func TestOwner(t *testing.T) {
	a, st := newTest(t, testConfig())
	if id, err := a.Owner(t.Context(), "guest"); err != ErrNoOwner {
		t.Fatalf("an unknown namespace: %v, %v", id, err)
	}
	st.limits["guest"] = whisk.NamespaceLimits{InvocationsPerMinute: new(int64(7))}
	k := mustCreate(t, a, "guest", "guest") // and so the memory of none is void
	id, err := a.Owner(t.Context(), "guest")
	if err != nil || id.UUID != k.UUID || id.Namespace != "guest" || id.Limits.InvocationsPerMinute != 7 {
		t.Fatalf("= %+v, %v", id, err)
	}
	n := st.readCount()
	for range 100 {
		if again, err := a.Owner(t.Context(), "guest"); again != id || err != nil {
			t.Fatalf("= %+v, %v", again, err)
		}
	}
	st.set(func() { st.fail = errStoreAway })
	if _, err := a.Owner(t.Context(), "guest"); err != nil || st.readCount() != n {
		t.Errorf("warm: %v after %d store calls", err, st.readCount()-n)
	}
	if _, err := a.Owner(t.Context(), "other"); whisk.KindOf(err) != whisk.Unavailable || !errors.Is(err, errStoreAway) {
		t.Errorf("with the store away: %v", err)
	}
}

func TestOwnerMovesOn(t *testing.T) {
	a, st := newTest(t, testConfig())
	first, second := mustCreate(t, a, "first", "shared"), mustCreate(t, a, "second", "shared")
	block := func(k whisk.AuthKey, blocked bool) {
		st.set(func() {
			c := st.creds[k.UUID]
			c.Blocked = blocked
			st.creds[k.UUID] = c
		})
		a.Invalidate(k.UUID)
	}
	owner := func() string {
		id, err := a.Owner(t.Context(), "shared")
		if err != nil && err != ErrNoOwner {
			t.Fatal(err)
		}
		if err != nil {
			return ""
		}
		return id.UUID
	}
	for i, c := range []struct {
		change func()
		want   string
	}{
		{func() {}, first.UUID},
		{func() { block(first, true) }, second.UUID},
		{func() { block(first, false) }, second.UUID}, // no reason to change
		{func() { block(second, true) }, first.UUID},
		{func() { block(first, true) }, ""},
		{func() { block(second, false) }, second.UUID},
		{func() { st.set(func() { delete(st.creds, second.UUID) }); a.Invalidate(second.UUID) }, ""},
		{func() { block(first, false) }, first.UUID},
		{func() { a.InvalidateNamespace("shared") }, first.UUID},
		{func() { a.InvalidateAll() }, first.UUID},
	} {
		c.change()
		if got := owner(); got != c.want {
			t.Errorf("step %d: owner %q, want %q", i, got, c.want)
		}
	}
}

func TestOwnerFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.Identities, cfg.Unproven = 8*cacheShards, 4*cacheShards
		a, st := newTest(t, cfg)
		mustCreate(t, a, "guest", "guest")
		if _, err := a.Owner(t.Context(), "guest"); err != nil {
			t.Fatal(err)
		}
		for i := range 1000 {
			if _, err := a.Owner(t.Context(), whisk.Namespace(fmt.Sprint("ns", i))); err != ErrNoOwner {
				t.Fatal(err)
			}
		}
		if n := len(a.owners.none); n > cfg.Unproven {
			t.Errorf("%d namespaces are remembered to have no owner, at most %d may be", n, cfg.Unproven)
		}
		n := st.readCount()
		if _, err := a.Owner(t.Context(), "guest"); err != nil || st.readCount() != n {
			t.Errorf("the known one: %v after %d store calls", err, st.readCount()-n)
		}
		if _, err := a.Owner(t.Context(), "ns999"); err != ErrNoOwner || st.readCount() != n {
			t.Errorf("one that was asked for: %v after %d store calls", err, st.readCount()-n)
		}
		time.Sleep(cfg.UnprovenTTL)
		if _, err := a.Owner(t.Context(), "ns999"); err != ErrNoOwner || st.readCount() == n {
			t.Errorf("the same later: %v after %d store calls", err, st.readCount()-n)
		}
	})
}
