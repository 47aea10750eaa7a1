package main

import (
	"testing"

	"hearth/auth"
	"hearth/store"
	"hearth/whisk"
)

// TestSeed: accounts are made once; what an operator takes away stays away.
func TestSeed(t *testing.T) {
	ctx, st, d := t.Context(), store.NewNone(), &dataDir{path: t.TempDir()}
	keys, err := openKeys(ctx, "", d, st)
	if err != nil {
		t.Fatal(err)
	}
	acc := auth.NewAccounts(keys, st, nil)
	given := auth.NewKey()
	start := func(guest *whisk.AuthKey) whisk.AuthKey {
		t.Helper()
		k, err := seedAccounts(ctx, acc, st, d, guest)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	knows := func(when string, k whisk.AuthKey, want bool) {
		t.Helper()
		if _, err := acc.Whois(ctx, k); (err == nil) != want {
			t.Errorf("%s: key is known = %t", when, err == nil)
		}
	}
	knows("with a given key", start(&given), true)
	k := start(nil)
	if k == given {
		t.Error("the given key was kept")
	}
	knows("without", k, true)
	if start(nil) != k {
		t.Error("another key after another start")
	}
	if err := acc.Delete(ctx, "guest", ""); err != nil {
		t.Fatal(err)
	}
	knows("deleted", start(nil), false)
	knows("deleted, given", start(&given), true)
}
