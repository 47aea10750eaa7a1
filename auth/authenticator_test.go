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
