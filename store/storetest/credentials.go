package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"hearth/store"
	"hearth/whisk"
)

func putCredentials(t *testing.T, e store.Engine, cs ...store.Credential) {
	t.Helper()
	for _, c := range cs {
		err := e.ChangeSubject(t.Context(), c.Subject, func([]store.Credential) ([]store.Credential, []string, error) {
			return []store.Credential{c}, nil, nil
		})
		wantErr(t, "put credential "+c.UUID, err, nil)
	}
}

func credentials(t *testing.T, e store.Engine) {
	ctx := t.Context()
	c := store.Credential{UUID: "u-1", Subject: "ann", Namespace: "ns", MAC: []byte{1, 0, 2}, Sealed: []byte{3, 0xff}}
	_, err := e.Credential(ctx, c.UUID)
	wantErr(t, "read before create", err, whisk.ErrNotFound)
	with := func(uuid, subject string, ns whisk.Namespace) store.Credential {
		c := c
		c.UUID, c.Subject, c.Namespace = uuid, subject, ns
		return c
	}
	putCredentials(t, e, with("u-2", "bob", "ns"), c, with("u-3", "ann", "other"), with("u-4", "bob", "a b"))
	if got := must(e.Credential(ctx, "u-1"))(t); fmt.Sprint(got) != fmt.Sprint(c) {
		t.Errorf("read %v, want %v", got, c)
	}
	c.Blocked, c.MAC = true, []byte{9}
	putCredentials(t, e, c)
	if got := must(e.Credential(ctx, "u-1"))(t); fmt.Sprint(got) != fmt.Sprint(c) {
		t.Errorf("read %v after a change, want %v", got, c)
	}
	for _, tt := range []struct {
		what string
		got  []store.Credential
		want []string
	}{
		{"ns", must(e.Credentials(ctx, "ns"))(t), []string{"u-1", "u-2"}},
		{"nowhere", must(e.Credentials(ctx, "nowhere"))(t), nil},
		{"ann", must(e.SubjectCredentials(ctx, "ann"))(t), []string{"u-1", "u-3"}},
		{"bob", must(e.SubjectCredentials(ctx, "bob"))(t), []string{"u-4", "u-2"}},
		{"nobody", must(e.SubjectCredentials(ctx, "nobody"))(t), nil},
	} {
		if got := uuids(tt.got); !slices.Equal(got, tt.want) {
			t.Errorf("of %s: %v, want %v", tt.what, got, tt.want)
		}
	}
	if got := must(e.Namespaces(ctx))(t); !slices.Equal(got, []whisk.Namespace{"a b", "ns", "other"}) {
		t.Errorf("namespaces = %q", got)
	}
}

func uuids(cs []store.Credential) []string {
	var out []string
	for _, c := range cs {
		out = append(out, c.UUID)
	}
	return out
}

// credentialChanges changes several credentials at once, or none.
func credentialChanges(t *testing.T, e store.Engine) {
	ctx := t.Context()
	of := func(subject string, names ...string) (out []store.Credential) {
		for _, n := range names {
			out = append(out, store.Credential{UUID: n, Subject: subject, Namespace: whisk.Namespace("ns-" + n), MAC: []byte{1}})
		}
		return out
	}
	putCredentials(t, e, of("ann", "u-1", "u-2")...)
	putCredentials(t, e, of("bob", "u-9")...)
	boom := errors.New("boom")
	for _, tt := range []struct {
		name string
		put  []store.Credential
		del  []string
		err  error
		want error
	}{
		{"another subject's uuid", of("ann", "u-3", "u-9"), []string{"u-1"}, nil, whisk.ErrExists},
		{"another subject's credential", of("bob", "u-3"), nil, nil, whisk.ErrExists},
		{"decided against", of("ann", "u-3"), []string{"u-1"}, boom, boom},
		{"nothing", nil, []string{"u-0", "u-9"}, nil, nil}, // neither is ann's
	} {
		err := e.ChangeSubject(ctx, "ann", func(have []store.Credential) ([]store.Credential, []string, error) {
			if got := uuids(have); !slices.Equal(got, []string{"u-1", "u-2"}) {
				t.Errorf("%s: has %v", tt.name, got)
			}
			return tt.put, tt.del, tt.err
		})
		wantErr(t, tt.name, err, tt.want)
		if got := uuids(append(must(e.SubjectCredentials(ctx, "ann"))(t), must(e.SubjectCredentials(ctx, "bob"))(t)...)); !slices.Equal(got, []string{"u-1", "u-2", "u-9"}) {
			t.Errorf("%s: now %v", tt.name, got)
		}
	}
	err := e.ChangeSubject(ctx, "ann", func([]store.Credential) ([]store.Credential, []string, error) {
		return of("ann", "u-2", "u-3"), []string{"u-1"}, nil
	})
	wantErr(t, "change", err, nil)
	if got := uuids(must(e.SubjectCredentials(ctx, "ann"))(t)); !slices.Equal(got, []string{"u-2", "u-3"}) {
		t.Errorf("after the change: %v", got)
	}
	_, err = e.Credential(ctx, "u-1")
	wantErr(t, "read after delete", err, whisk.ErrNotFound)
}

// credentialRace has many add a credential to a subject that has none: one may.
func credentialRace(t *testing.T, e store.Engine) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			err := e.ChangeSubject(t.Context(), "ann", func(have []store.Credential) ([]store.Credential, []string, error) {
				if len(have) > 0 {
					return nil, nil, whisk.ErrExists
				}
				return []store.Credential{{UUID: fmt.Sprint("u-", i), Subject: "ann", Namespace: "ns"}}, nil, nil
			})
			if err != nil && !errors.Is(err, whisk.ErrExists) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := must(e.SubjectCredentials(t.Context(), "ann"))(t); len(got) != 1 {
		t.Errorf("%d credentials, want 1", len(got))
	}
}

func limits(t *testing.T, e store.Engine) {
	ctx := t.Context()
	read := func() whisk.NamespaceLimits { t.Helper(); return must(e.NamespaceLimits(ctx, "ns"))(t) }
	if got := read(); !got.IsZero() {
		t.Errorf("limits of a namespace without any = %+v", got)
	}
	five, off := int64(5), false
	wantErr(t, "set", e.ChangeLimits(ctx, "ns", func(l whisk.NamespaceLimits) (whisk.NamespaceLimits, error) {
		if !l.IsZero() {
			t.Errorf("before: %+v", l)
		}
		l.InvocationsPerMinute, l.AllowedKinds = &five, []string{"nodejs:20"}
		return l, nil
	}), nil)
	wantErr(t, "add", e.ChangeLimits(ctx, "ns", func(l whisk.NamespaceLimits) (whisk.NamespaceLimits, error) {
		l.StoreActivations = &off
		return l, nil
	}), nil)
	wantErr(t, "refused", e.ChangeLimits(ctx, "ns", func(whisk.NamespaceLimits) (whisk.NamespaceLimits, error) {
		return whisk.NamespaceLimits{}, whisk.ErrNotFound
	}), whisk.ErrNotFound)
	got := read()
	if got.InvocationsPerMinute == nil || *got.InvocationsPerMinute != 5 || !slices.Equal(got.AllowedKinds, []string{"nodejs:20"}) ||
		got.StoreActivations == nil || *got.StoreActivations || got.FiresPerMinute != nil {
		t.Errorf("read %+v", got)
	}
	wantErr(t, "delete", e.ChangeLimits(ctx, "ns", func(whisk.NamespaceLimits) (whisk.NamespaceLimits, error) {
		return whisk.NamespaceLimits{}, nil
	}), nil)
	if got := read(); !got.IsZero() {
		t.Errorf("after delete: %+v", got)
	}
}

func notes(t *testing.T, e store.Engine) {
	ctx := t.Context()
	if got := must(e.Note(ctx, "n"))(t); got != nil {
		t.Errorf("before: %q", got)
	}
	for _, v := range []string{"one", "", "two"} {
		wantErr(t, "put", e.PutNote(ctx, "n", []byte(v)), nil)
		if got := must(e.Note(ctx, "n"))(t); string(got) != v {
			t.Errorf("note = %q, want %q", got, v)
		}
	}
}
