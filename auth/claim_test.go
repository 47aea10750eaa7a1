package auth

import (
	"errors"
	"testing"

	"hearth/whisk"
)

func TestClaim(t *testing.T) {
	st, ctx := newFakeStore(), t.Context()
	acc := NewAccounts(testKeys(1), st, nil)
	if _, err := acc.Create(ctx, whisk.AccountRequest{Subject: "alice"}); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		key  byte
		want error
	}{
		{"another than the keys'", 2, ErrOtherKey}, {"the keys'", 1, nil}, {"again", 1, nil}, {"another", 2, ErrOtherKey},
	} {
		if err := testKeys(tc.key).Claim(ctx, st); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.want)
		}
	}
	if err := testKeys(2).Claim(ctx, newFakeStore()); err != nil {
		t.Errorf("an empty store: %v", err)
	}
}

func TestReseal(t *testing.T) {
	st, ctx := newFakeStore(), t.Context()
	acc := NewAccounts(testKeys(1), st, nil)
	key, err := acc.Create(ctx, whisk.AccountRequest{Subject: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	if err := acc.Block(ctx, "alice", true); err != nil {
		t.Fatal(err)
	}
	c, err := testKeys(2).Reseal(testKeys(1), st.creds[key.UUID])
	if err != nil || !c.Blocked || c.Namespace != "alice" {
		t.Fatalf("resealed: %+v, %v", c, err)
	}
	st.creds[key.UUID] = c
	acc = NewAccounts(testKeys(2), st, nil)
	if err := acc.Block(ctx, "alice", false); err != nil {
		t.Fatal(err)
	}
	if x, err := acc.Whois(ctx, key); err != nil || x.Subject != "alice" {
		t.Errorf("under the new key: %v, %v", x, err)
	}
	if list, err := acc.Subject(ctx, "alice"); err != nil || list[0].Key != key {
		t.Errorf("its key: %v, %v", list, err)
	}
	if _, err := testKeys(3).Reseal(testKeys(1), c); !errors.Is(err, ErrSealed) {
		t.Errorf("from a wrong key: %v", err)
	}
}
