package auth

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"hearth/whisk"
)

// op is one step of a test of accounts; what it answers is compared.
type op struct {
	do   func() (any, error)
	want string // of the answer, or of the error's text for the user
}

func runOps(t *testing.T, ops []op) {
	t.Helper()
	for i, o := range ops {
		got, err := o.do()
		text := fmt.Sprint(got)
		if err != nil {
			if text = whisk.MessageOf(err); text == "" {
				text = "internal: " + err.Error()
			}
		}
		if text != o.want {
			t.Errorf("step %d: %q, want %q", i, text, o.want)
		}
	}
}

func none(err error) (any, error) { return "ok", err }

func TestAccounts(t *testing.T) {
	a, st := newTest(t, testConfig())
	acc := NewAccounts(a.cfg.Keys, st, a)
	ctx := t.Context()
	k1, k2, k3 := NewKey(), NewKey(), NewKey()
	create := func(subject string, ns whisk.Namespace, k *whisk.AuthKey, revoke bool) func() (any, error) {
		return func() (any, error) {
			got, err := acc.Create(ctx, whisk.AccountRequest{Subject: subject, Namespace: ns, Key: k, Revoke: revoke})
			if err == nil && k != nil && got != *k {
				t.Errorf("created %v, want %v", got, *k)
			}
			return "ok", err
		}
	}
	enter := func(k whisk.AuthKey) func() (any, error) {
		return func() (any, error) {
			id, err := a.Authenticate(ctx, k)
			if err != nil {
				return nil, err
			}
			return id.Subject + "@" + string(id.Namespace), nil
		}
	}
	block := func(subject string, on bool) func() (any, error) {
		return func() (any, error) { return none(acc.Block(ctx, subject, on)) }
	}
	del := func(subject string, ns whisk.Namespace) func() (any, error) {
		return func() (any, error) { return none(acc.Delete(ctx, subject, ns)) }
	}
	names := func(list []whisk.Account, err error) (any, error) {
		var out []string
		for _, x := range list {
			out = append(out, x.Subject+"@"+string(x.Namespace))
		}
		return strings.Join(out, " "), err
	}
	subject := func(s string) func() (any, error) { return func() (any, error) { return names(acc.Subject(ctx, s)) } }
	keys := func(ns whisk.Namespace) func() (any, error) {
		return func() (any, error) { return names(acc.Keys(ctx, ns)) }
	}
	whois := func(k whisk.AuthKey) func() (any, error) {
		return func() (any, error) {
			x, err := acc.Whois(ctx, k)
			return x.Subject + "@" + string(x.Namespace), err
		}
	}
	wrong := k1
	wrong.Key = NewKey().Key
	runOps(t, []op{
		{create("four", "", nil, false), "Subject name must be at least 5 characters"},
		{create("alice/x", "", nil, false), "The namespace contains illegal characters."},
		{create("alice", " ", nil, false), "Namespace must not be empty"},
		{create("alice", "", &whisk.AuthKey{UUID: "x", Key: k1.Key}, false), "authorization id is not a valid UUID"},
		{create("alice", "", &whisk.AuthKey{UUID: k1.UUID, Key: "short"}, false), "authorization key must be at least 64 characters long"},
		{create("alice", "", &whisk.AuthKey{UUID: k1.UUID, Key: k1.Key + "x"}, false), "authorization key must be 64 printable characters without spaces"},
		{enter(k1), ErrInvalid.Message},
		{create(" alice ", "", &k1, false), "ok"},
		{enter(k1), "alice@alice"}, // though it was just unknown
		{create("alice", "", nil, false), "Namespace already exists"},
		{create("alice", "shared", &k1, false), "authorization id is already in use"},
		{create("bobby", "shared", &k1, false), "authorization id is already in use"},
		{create("alice", "shared", &k2, false), "ok"},
		{create("bobby", "shared", &k3, false), "ok"},
		{subject("alice"), "alice@alice alice@shared"},
		{subject("nobody"), "missing"},
		{keys("shared"), "alice@shared bobby@shared"},
		{keys("nowhere"), ""},
		{whois(k2), "alice@shared"},
		{whois(wrong), "Subject id is not recognized"},
		{whois(whisk.AuthKey{}), "Subject id is not recognized"},
		{block("nobody", true), "missing"},
		{block("alice", true), "ok"},
		{block("alice", true), "ok"},
		{enter(k1), ErrInvalid.Message},
		{enter(k2), ErrInvalid.Message},
		{enter(k3), "bobby@shared"},
		{whois(k1), "Subject id is not recognized"},
		{keys("shared"), "bobby@shared"},
		{subject("alice"), "alice@alice alice@shared"},
		{create("alice", "third", nil, false), "The subject you want to edit is blocked"},
		{create("alice", "", nil, true), "The subject you want to edit is blocked"},
		{block("alice", false), "ok"},
		{enter(k1), "alice@alice"},
		{create("alice", "", nil, true), "ok"}, // revokes k1
		{enter(k1), ErrInvalid.Message},
		{subject("alice"), "alice@alice alice@shared"},
		{create("alice", "third", &k1, true), "ok"}, // there was none to revoke
		{del("alice", "fourth"), `Namespace "fourth" does not exist for "alice"`},
		{del("alice", "shared"), "ok"},
		{enter(k2), ErrInvalid.Message},
		{del("alice", ""), "ok"},
		{enter(k1), ErrInvalid.Message},
		{del("alice", ""), "missing"},
		{subject("alice"), "missing"},
		{func() (any, error) { return acc.Namespaces(ctx) }, "[shared]"},
	})
}

func TestAccountKeys(t *testing.T) {
	a, st := newTest(t, testConfig())
	acc := NewAccounts(a.cfg.Keys, st, nil)
	k1, k2 := NewKey(), NewKey()
	for _, k := range []whisk.AuthKey{k1, k2} { // two keys for one namespace, which Create would refuse
		if err := acc.Ensure(t.Context(), "alice", "alice", k); err != nil {
			t.Fatal(err)
		}
	}
	list, err := acc.Subject(t.Context(), "alice")
	if err != nil || len(list) != 2 || (list[0].Key != k1 && list[1].Key != k1) {
		t.Errorf("keys = %v, %v", list, err)
	}
	if _, err := acc.Create(t.Context(), whisk.AccountRequest{Subject: "alice", Revoke: true}); whisk.MessageOf(err) != "Namespace is not unique" {
		t.Errorf("revoke one of two: %v", err)
	}
	st.fail = errStoreAway
	if _, err := acc.Create(t.Context(), whisk.AccountRequest{Subject: "alice"}); !errors.Is(err, errStoreAway) {
		t.Errorf("store away: %v", err)
	}
}

func TestEnsure(t *testing.T) {
	a, st := newTest(t, testConfig())
	acc := NewAccounts(a.cfg.Keys, st, a)
	given, other := NewKey(), NewKey()
	for _, tc := range []struct {
		name    string
		subject string
		ns      whisk.Namespace
		key     whisk.AuthKey
		want    whisk.Kind
		ok      bool
	}{
		{"given", "guest", "guest", given, 0, true},
		{"given again", "guest", "guest", given, 0, true},
		{"another", "guest", "guest", other, 0, true},
		{"same uuid, other key", "guest", "guest", whisk.AuthKey{UUID: given.UUID, Key: NewKey().Key}, 0, true},
		{"same uuid, other namespace", "guest", "other", given, whisk.Conflict, false},
		{"same uuid, other subject", "other", "guest", given, whisk.Conflict, false},
		{"bad namespace", "guest", "a/b", given, whisk.BadRequest, false},
		{"63 characters", "guest", "guest", whisk.AuthKey{UUID: given.UUID, Key: given.Key[1:]}, whisk.BadRequest, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := acc.Ensure(t.Context(), tc.subject, tc.ns, tc.key)
			if (err == nil) != tc.ok || whisk.KindOf(err) != tc.want {
				t.Fatalf("err = %v, want kind %v", err, tc.want)
			}
			if err != nil {
				return
			}
			if _, err := a.Authenticate(t.Context(), tc.key); err != nil {
				t.Errorf("the key: %v", err)
			}
			if s, err := a.APIKey(t.Context(), tc.key.UUID); err != nil || s != tc.key.Compact() {
				t.Errorf("APIKey: %v", err)
			}
		})
	}
	if _, err := a.APIKey(t.Context(), NewKey().UUID); err != ErrInvalid {
		t.Errorf("APIKey of nobody: %v", err)
	}
	if err := acc.Block(t.Context(), "guest", true); err != nil {
		t.Fatal(err)
	}
	if err := acc.Ensure(t.Context(), "guest", "guest", NewKey()); err != nil {
		t.Fatal(err)
	}
	given.Key = NewKey().Key
	if err := acc.Ensure(t.Context(), "guest", "guest", given); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Authenticate(t.Context(), given); err != ErrInvalid {
		t.Errorf("a blocked key was let in: %v", err)
	}
}

func TestNamespaceLimits(t *testing.T) {
	a, st := newTest(t, testConfig())
	acc := NewAccounts(a.cfg.Keys, st, a)
	k := mustCreate(t, a, "guest", "guest")
	ctx := t.Context()
	perMinute := func() (any, error) {
		id, err := a.Authenticate(ctx, k)
		if err != nil {
			return nil, err
		}
		return fmt.Sprint(id.Limits.InvocationsPerMinute, id.Limits.FiresPerMinute, id.Overrides.AllowedKinds), nil
	}
	set := func(l whisk.NamespaceLimits) func() (any, error) {
		return func() (any, error) { return none(acc.SetLimits(ctx, "guest", l)) }
	}
	bounds := func() (any, error) { // whether calls take bounds along
		id, err := a.Authenticate(ctx, k)
		return err == nil && id.Bounds != nil, err
	}
	size := whisk.ByteSize(7)
	five, six, minus := int64(5), int64(6), int64(-1)
	runOps(t, []op{
		{perMinute, "60 60 []"},
		{func() (any, error) { return acc.Limits(ctx, "guest") }, "missing"},
		{func() (any, error) { return none(acc.DeleteLimits(ctx, "guest")) }, "missing"},
		{set(whisk.NamespaceLimits{InvocationsPerMinute: &minus}), "invocationsPerMinute must not be negative"},
		{set(whisk.NamespaceLimits{AllowedKinds: []string{""}}), "allowedKinds has a kind of 0 bytes"},
		{func() (any, error) { return none(acc.SetLimits(ctx, "a/b", whisk.NamespaceLimits{})) }, "The namespace contains illegal characters."},
		{set(whisk.NamespaceLimits{InvocationsPerMinute: &five, AllowedKinds: []string{"nodejs:20"}}), "ok"},
		{perMinute, "5 60 [nodejs:20]"},
		{set(whisk.NamespaceLimits{FiresPerMinute: &six}), "ok"},
		{perMinute, "5 6 [nodejs:20]"},
		{bounds, "false"},
		{set(whisk.NamespaceLimits{TruncationSize: &size}), "ok"},
		{bounds, "true"},
		{func() (any, error) { return none(acc.DeleteLimits(ctx, "guest")) }, "ok"},
		{perMinute, "60 60 []"},
		{bounds, "false"},
	})
}
