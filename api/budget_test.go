package api

import (
	"testing"

	"hearth/whisk"
)

// Large pieces of one namespace leave room for others.
func TestBudgetShare(t *testing.T) {
	const mega = 1 << 20
	var b budget
	b.setMax(12*mega, 2*mega)
	by := func(ns whisk.Namespace) *request {
		return &request{budget: &b, identity: &whisk.Identity{Namespace: ns}}
	}
	reserve := func(q *request, n int64, want error) {
		t.Helper()
		before := b.used.Load()
		if err := q.reserve(n); err != want {
			t.Errorf("reserve %d for %s: %v", n, q.identity.Namespace, err)
		}
		if want != nil && b.used.Load() != before {
			t.Errorf("what was refused is held")
		}
	}
	first, second, other := by("alice"), by("alice"), by("bob")
	reserve(first, 4*mega, nil)
	reserve(second, 3*mega, whisk.ErrOverloaded)
	for range 16 {
		reserve(second, mega/16, nil) // small
	}
	reserve(second, 2*mega, nil)
	reserve(other, 5*mega, nil)
	reserve(other, mega/16, whisk.ErrOverloaded) // nothing is left at all
	first.unreserve(4 * mega)
	reserve(second, 3*mega, nil)
	for _, q := range []*request{first, second, other, {budget: &b}} {
		q.unreserveAll()
	}
	if b.used.Load() != 0 || len(b.shares) != 0 {
		t.Errorf("%d bytes are held, and shares of %v", b.used.Load(), b.shares)
	}
}
