package auth

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

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
	cfg.Keys = testKeys(2)
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

func TestValidate(t *testing.T) {
	if _, err := New(DefaultConfig(), newFakeStore()); err == nil {
		t.Error("no keys: no error")
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
	k := NewKey()
	if err := NewAccounts(a.cfg.Keys, st, a).Ensure(b.Context(), "guest", "guest", k); err != nil {
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
