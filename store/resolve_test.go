package store

import (
	"errors"
	"reflect"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"hearth/whisk"
)

// TestResolveModel writes packages, bindings and actions in any order through
// one Entities: what it resolves is at all times what one that has cached
// nothing does, and another that follows the change log agrees.
func TestResolveModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ctx := t.Context()
		engine := NewNone()
		e, follower := NewEntities(engine, EntitiesConfig{CacheBytes: 20_000}), NewEntities(engine, EntitiesConfig{})
		seen := int64(0)
		names := rapid.SampledFrom([]string{"x", "y", "z"})
		var all []whisk.ActionName
		for _, pkg := range []string{"", "x", "y", "z"} {
			for _, a := range []string{"x", "y", "z"} {
				all = append(all, whisk.ActionName{Namespace: "ns", Package: pkg, Name: a})
			}
		}
		for range rapid.IntRange(1, 15).Draw(t, "steps") {
			at := whisk.EntityName{Namespace: "ns", Name: names.Draw(t, "name")}
			value := whisk.Parameters{{Key: names.Draw(t, "key"), Value: []byte(rapid.SampledFrom([]string{"1", "2"}).Draw(t, "value"))}}
			switch rapid.IntRange(0, 4).Draw(t, "kind") {
			case 0, 1:
				p := &whisk.Package{Name: at, Parameters: value}
				old, err := e.Package(ctx, at)
				if err == nil {
					p.Revision = old.Revision
				}
				if rapid.Bool().Draw(t, "bound") {
					p.Binding = whisk.EntityName{Namespace: "ns", Name: names.Draw(t, "provider")}
				}
				_, _ = e.PutPackage(ctx, p, p.Revision)
			case 2:
				if p, err := e.Package(ctx, at); err == nil {
					_ = e.DeletePackage(ctx, p, rapid.Bool().Draw(t, "force"))
				}
			case 3:
				a := &whisk.Action{Name: rapid.SampledFrom(all).Draw(t, "action"), Parameters: value}
				old, err := e.Action(ctx, a.Name)
				if err == nil {
					a.Revision = old.Revision
				}
				_, _ = e.PutAction(ctx, a, nil, a.Revision)
			case 4:
				_ = e.DeleteAction(ctx, rapid.SampledFrom(all).Draw(t, "action"), 0)
			}
			changes, err := engine.Changes(ctx, seen, 1000)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range changes {
				follower.Changed(c)
				seen = c.Seq
			}
			fresh := NewEntities(engine, EntitiesConfig{})
			for _, n := range all {
				want, wantErr := fresh.Resolve(ctx, n)
				for who, es := range map[string]*Entities{"who writes": e, "who follows": follower} {
					got, err := es.Resolve(ctx, n)
					if whisk.KindOf(err) != whisk.KindOf(wantErr) || whisk.MessageOf(err) != whisk.MessageOf(wantErr) || !reflect.DeepEqual(got, want) {
						t.Fatalf("%s: %s resolves to %+v, %v; want %+v, %v", who, n, got, err, want, wantErr)
					}
				}
			}
		}
	})
}

// What is not there is looked for once, until something changes.
func TestAbsent(t *testing.T) {
	ctx := t.Context()
	engine := &slowDocs{None: NewNone()}
	e := NewEntities(engine, EntitiesConfig{})
	missing := whisk.ActionName{Namespace: "ns", Package: "p", Name: "a"}
	reads := func(what string, want int) {
		t.Helper()
		before := engine.count()
		for range 3 {
			if _, err := e.Resolve(ctx, missing); !errors.Is(err, whisk.ErrNotFound) {
				t.Errorf("%s: %v", what, err)
			}
			if _, err := e.APIs(ctx, "ns"); !errors.Is(err, whisk.ErrNotFound) {
				t.Errorf("APIs %s: %v", what, err)
			}
		}
		if got := engine.count() - before; got != want {
			t.Errorf("%s: %d reads, want %d", what, got, want)
		}
	}
	reads("at first", 2)
	reads("then", 0)
	putAction(t, e, namedAction("other"), 0)
	reads("after a change", 2)
	e.ForgetAll()
	reads("after a loss of changes", 2)
	// Seen in passing by another way, and only then told of.
	p := &whisk.Package{Name: whisk.EntityName{Namespace: "ns", Name: "p"}}
	p, err := NewEntities(engine, EntitiesConfig{}).PutPackage(ctx, p, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Package(ctx, p.Name); err != nil {
		t.Fatal(err)
	}
	e.Changed(Change{Seq: p.Revision, Kind: string(Packages), Key: "ns/p"})
	reads("with its package", 2)
	for n := range 2 * maxAbsent {
		e.absent.add(Key{Namespace: "ns", Name: strconv.Itoa(n)}, e.absent.begin())
		if len(e.absent.keys) > maxAbsent {
			t.Fatal("without bounds")
		}
	}
}

func TestNoneChangesArePruned(t *testing.T) {
	n, ctx := NewNone(), t.Context()
	for i := range 2*noneChanges + 1 {
		if _, err := n.PutDoc(ctx, Doc{Key: Key{Namespace: "ns", Name: strconv.Itoa(i)}, Collection: Actions}, 0); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := n.Changes(ctx, noneChanges-1, 2); !errors.Is(err, ErrChangesLost) {
		t.Errorf("changes that were dropped: %v, %v", got, err)
	}
	if got, err := n.Changes(ctx, noneChanges, 2); err != nil || len(got) != 2 || got[0].Seq != noneChanges+1 {
		t.Errorf("the oldest changes: %v, %v", got, err)
	}
}
