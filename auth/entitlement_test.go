package auth

import (
	"context"
	"errors"
	"strings"
	"testing"

	"hearth/whisk"
)

// fakeResources holds packages, and actions that are where they seem to be.
type fakeResources struct {
	packages map[string]*whisk.Package
	actions  map[string]*whisk.Action
	fail     error
}

func (f *fakeResources) Package(_ context.Context, n whisk.EntityName) (*whisk.Package, error) {
	if f.fail != nil {
		return nil, f.fail
	}
	if p, ok := f.packages[n.Path()]; ok {
		return p, nil
	}
	if _, ok := f.actions[n.Path()]; ok {
		return nil, whisk.ErrCollection
	}
	return nil, whisk.ErrNotFound
}

func (f *fakeResources) Resolve(ctx context.Context, n whisk.ActionName) (*whisk.Resolved, error) {
	r := &whisk.Resolved{}
	for n.Package != "" {
		p, err := f.Package(ctx, packageOf(n))
		if err != nil {
			return nil, err
		}
		if p.Binding.IsZero() {
			r.Package = p
			break
		}
		if r.Binding == nil {
			r.Binding = p
		}
		n.Namespace, n.Package = p.Binding.Namespace, p.Binding.Name
	}
	a, ok := f.actions[n.Path()]
	if !ok {
		return nil, whisk.ErrNotFound
	}
	r.Action = a
	return r, f.fail
}

// newRights returns what ann and bob have:
//
//	ann/a  ann/open (published: a)  ann/shut (a)  ann/seq (of ann/a)
//	bob/b  bob/toOpen -> ann/open  bob/toShut -> ann/shut  bob/toOwn -> bob/own (a)
//	bob/toNone -> ann/none  bob/toTwo -> bob/toOpen  bob/toAction -> ann/a
func newRights() (*Entitlement, *fakeResources) {
	f := &fakeResources{packages: map[string]*whisk.Package{}, actions: map[string]*whisk.Action{}}
	name := func(path string) whisk.EntityName {
		ns, n, _ := strings.Cut(path, "/")
		return whisk.EntityName{Namespace: whisk.Namespace(ns), Name: n}
	}
	for path, binding := range map[string]string{
		"ann/open": "", "ann/shut": "", "ann/annBinds": "ann/open", "bob/own": "", "bob/toOpen": "ann/open", "bob/toShut": "ann/shut",
		"bob/toOwn": "bob/own", "bob/toNone": "ann/none", "bob/toTwo": "bob/toOpen", "bob/toAction": "ann/a", "bob/toBinding": "ann/annBinds",
	} {
		p := &whisk.Package{Name: name(path), Publish: path == "ann/open" || path == "ann/annBinds"}
		if binding != "" {
			p.Binding = name(binding)
		}
		f.packages[path] = p
	}
	for _, path := range []string{"ann/a", "ann/open/a", "ann/shut/a", "bob/b", "bob/own/a"} {
		n, err := whisk.ParseActionName(path, "")
		if err != nil {
			panic(err)
		}
		f.actions[path] = &whisk.Action{Name: n}
	}
	return NewEntitlement(f, nil), f
}

func TestActionRights(t *testing.T) {
	e, f := newRights()
	denied := func(path string) error { return whisk.NotAuthorized(path) }
	var ok error
	binding := whisk.Errorf(whisk.BadRequest, "Operation not permitted on package binding.")
	for _, tt := range []struct {
		who, name           string
		read, change, erase error // to read and to activate are one
	}{
		{"ann", "ann/a", ok, ok, ok},
		{"ann", "ann/none", whisk.ErrNotFound, ok, whisk.ErrNotFound},
		{"ann", "ann/open/a", ok, ok, ok},
		{"ann", "ann/open/none", whisk.ErrNotFound, ok, whisk.ErrNotFound},
		{"ann", "ann/none/a", whisk.ErrNotFound, whisk.ErrNotFound, whisk.ErrNotFound},
		{"ann", "ann/a/a", whisk.ErrCollection, whisk.ErrCollection, whisk.ErrCollection},
		{"bob", "ann/a", denied("ann/a"), denied("ann/a"), denied("ann/a")},
		{"bob", "ann/none", denied("ann/none"), denied("ann/none"), denied("ann/none")},
		{"bob", "ann/open/a", ok, denied("ann/open/a"), denied("ann/open/a")},
		{"bob", "ann/open/none", whisk.ErrNotFound, denied("ann/open/none"), denied("ann/open/none")},
		{"bob", "ann/shut/a", denied("ann/shut"), denied("ann/shut/a"), denied("ann/shut/a")},
		{"bob", "ann/shut/none", denied("ann/shut"), denied("ann/shut/none"), denied("ann/shut/none")},
		{"bob", "ann/none/a", denied("ann/none"), denied("ann/none/a"), denied("ann/none/a")},
		{"bob", "ann/a/a", denied("ann/a"), denied("ann/a/a"), denied("ann/a/a")},
		{"bob", "ann/annBinds/a", denied("ann/annBinds"), denied("ann/annBinds/a"), denied("ann/annBinds/a")},
		{"bob", "bob/toOpen/a", ok, binding, binding},
		{"bob", "bob/toOpen/none", whisk.ErrNotFound, binding, binding},
		{"bob", "bob/toOwn/a", ok, binding, binding},
		{"bob", "bob/toTwo/a", ok, binding, binding},
		{"bob", "bob/toShut/a", denied("bob/toShut"), binding, binding},
		{"bob", "bob/toNone/a", denied("bob/toNone"), binding, binding},
		{"bob", "bob/toAction/a", denied("bob/toAction"), binding, binding},
		{"bob", "bob/toBinding/a", denied("bob/toBinding"), binding, binding},
		{"ann", "bob/toOpen/a", denied("bob/toOpen"), denied("bob/toOpen/a"), denied("bob/toOpen/a")},
	} {
		id := &whisk.Identity{Namespace: whisk.Namespace(tt.who)}
		n, err := whisk.ParseActionName(tt.name, "")
		if err != nil {
			t.Fatal(err)
		}
		same := func(what string, got, want error) {
			t.Helper()
			if whisk.KindOf(got) != whisk.KindOf(want) || whisk.MessageOf(got) != whisk.MessageOf(want) {
				t.Errorf("%s, %s of %s: %v, want %v", what, tt.name, tt.who, got, want)
			}
		}
		for _, right := range []whisk.Right{whisk.Read, whisk.Activate} {
			r, err := e.Action(t.Context(), id, right, n)
			same("read", err, tt.read)
			if err == nil && r.Action == nil {
				t.Errorf("%s has no action", tt.name)
			}
		}
		same("change", e.Change(t.Context(), id, n), tt.change)
		_, err = e.Action(t.Context(), id, whisk.Delete, n)
		same("delete", err, tt.erase)
	}
	f.fail = errStoreAway
	for _, who := range []whisk.Namespace{"ann", "bob"} {
		_, err := e.Action(t.Context(), &whisk.Identity{Namespace: who}, whisk.Read, whisk.ActionName{Namespace: "ann", Package: "open", Name: "a"})
		if !errors.Is(err, errStoreAway) {
			t.Errorf("%s with the store away: %v", who, err)
		}
	}
}

func TestComponentRights(t *testing.T) {
	e, f := newRights()
	names := func(paths ...string) (out []whisk.ActionName) {
		for _, p := range paths {
			n, err := whisk.ParseActionName(p, "")
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, n)
		}
		return out
	}
	id := &whisk.Identity{Namespace: "bob"}
	seq := whisk.ActionName{Namespace: "bob", Name: "seq"}
	for _, tt := range []struct {
		components []whisk.ActionName
		want       string
	}{
		{names("bob/b", "bob/none", "ann/open/a", "ann/open/none", "bob/toOpen/a"), ""},
		{names("bob/b", "ann/z", "ann/a", "ann/z"), "The supplied authentication is not authorized to access 'ann/a, ann/z'."},
		{names("ann/shut/a"), "The supplied authentication is not authorized to access 'ann/shut'."},
		{names("bob/none/a"), "The requested resource does not exist."},
	} {
		f.actions["bob/seq"] = &whisk.Action{Name: seq, Exec: whisk.Exec{Kind: whisk.Sequence, Components: tt.components}}
		_, err := e.Action(t.Context(), id, whisk.Activate, seq)
		if whisk.MessageOf(err) != tt.want {
			t.Errorf("%v: %v, want %q", tt.components, err, tt.want)
		}
		if _, err := e.Action(t.Context(), id, whisk.Read, seq); err != nil {
			t.Errorf("%v cannot be read: %v", tt.components, err)
		}
	}
}

func TestActionFor(t *testing.T) {
	a, st := newTest(t, testConfig())
	k := mustCreate(t, a, "subject", "bob")
	rights, _ := newRights()
	e := NewEntitlement(rights.resources, a)
	name := whisk.ActionName{Namespace: "bob", Name: "b"}
	if r, err := e.ActionFor(t.Context(), k.UUID, name); err != nil || r.Action.Name != name {
		t.Errorf("own: %v, %v", r, err)
	}
	if _, err := e.ActionFor(t.Context(), NewKey().UUID, name); !errors.Is(err, ErrInvalid) {
		t.Errorf("unknown credential: %v", err)
	}
	st.set(func() {
		c := st.creds[k.UUID]
		c.Blocked = true
		st.creds[k.UUID] = c
	})
	a.Invalidate(k.UUID)
	if _, err := e.ActionFor(t.Context(), k.UUID, name); !errors.Is(err, ErrInvalid) {
		t.Errorf("blocked credential: %v", err)
	}
}
