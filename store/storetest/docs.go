package storetest

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"hearth/store"
	"hearth/whisk"
)

func doc(c store.Collection, ns whisk.Namespace, pkg, name string, updated int64) store.Doc {
	return store.Doc{
		Key: store.Key{Namespace: ns, Package: pkg, Name: name}, Collection: c, Updated: updated,
		Body: []byte(`{"of":"` + name + `"}`),
	}
}

func docRevisions(t *testing.T, e store.Engine) {
	ctx := t.Context()
	d := doc(store.Actions, "ns", "", "a", 7)
	_, err := e.Doc(ctx, d.Key)
	wantErr(t, "read before create", err, whisk.ErrNotFound)
	wantErr(t, "delete before create", e.DeleteDoc(ctx, d.Key, 0), whisk.ErrNotFound)
	_, err = e.PutDoc(ctx, d, 3)
	wantErr(t, "update before create", err, whisk.ErrChanged)

	first := must(e.PutDoc(ctx, d, 0))(t)
	if first.Revision <= 0 {
		t.Errorf("first revision = %d, want above 0", first.Revision)
	}
	_, err = e.PutDoc(ctx, d, 0)
	wantErr(t, "create again", err, whisk.ErrExists)
	rule := d
	rule.Collection = store.Rules
	_, err = e.PutDoc(ctx, rule, 0)
	wantErr(t, "create in another collection", err, whisk.ErrExists)

	d.Body, d.Updated = []byte{0, 0xff, '\''}, 8
	second := must(e.PutDoc(ctx, d, first.Revision))(t)
	if second.Revision <= first.Revision {
		t.Errorf("revision %d follows %d", second.Revision, first.Revision)
	}
	got := must(e.Doc(ctx, d.Key))(t)
	if got.Revision != second.Revision || got.Updated != 8 || string(got.Body) != string(d.Body) || got.Key != d.Key || got.Collection != store.Actions {
		t.Errorf("read %+v, want %+v", got, second)
	}
	_, err = e.PutDoc(ctx, d, first.Revision)
	wantErr(t, "update by an old revision", err, whisk.ErrChanged)
	wantErr(t, "delete by an old revision", e.DeleteDoc(ctx, d.Key, first.Revision), whisk.ErrChanged)
	wantErr(t, "delete", e.DeleteDoc(ctx, d.Key, second.Revision), nil)
	_, err = e.Doc(ctx, d.Key)
	wantErr(t, "read after delete", err, whisk.ErrNotFound)

	third := must(e.PutDoc(ctx, d, 0))(t)
	if third.Revision <= second.Revision {
		t.Errorf("revision %d after delete and create, want above %d", third.Revision, second.Revision)
	}
	wantErr(t, "delete whatever revision", e.DeleteDoc(ctx, d.Key, 0), nil)

	empty := doc(store.Triggers, "ns", "", "empty", 1)
	empty.Body = nil
	must(e.PutDoc(ctx, empty, 0))(t)
	if got := must(e.Doc(ctx, empty.Key))(t); len(got.Body) != 0 {
		t.Errorf("body = %q, want none", got.Body)
	}
}

func docList(t *testing.T, e store.Engine) {
	ctx := t.Context()
	for _, d := range []store.Doc{
		doc(store.Actions, "ns", "", "a1", 10), doc(store.Actions, "ns", "p", "a2", 30), doc(store.Actions, "ns", "p", "a3", 20),
		doc(store.Packages, "ns", "", "p", 40), doc(store.Triggers, "ns", "", "t", 5), doc(store.Actions, "other", "", "a1", 50),
		doc(store.Actions, "ns", "", "b-tie", 10), doc(store.Actions, "ns", "", "Case", 1), doc(store.Actions, "ns", "", "case", 2),
	} {
		must(e.PutDoc(ctx, d, 0))(t)
	}
	pkg := func(s string) *string { return &s }
	for _, tt := range []struct {
		name string
		q    store.DocQuery
		want []string
		n    int
	}{
		{"actions", store.DocQuery{Collection: store.Actions, Namespace: "ns"}, []string{"a2", "a3", "a1", "b-tie", "case", "Case"}, 6},
		{"all", store.DocQuery{Namespace: "ns"}, []string{"p", "a2", "a3", "a1", "b-tie", "t", "case", "Case"}, 8},
		{"package", store.DocQuery{Collection: store.Actions, Namespace: "ns", Package: pkg("p")}, []string{"a2", "a3"}, 2},
		{"default package", store.DocQuery{Collection: store.Actions, Namespace: "ns", Package: pkg("")}, []string{"a1", "b-tie", "case", "Case"}, 4},
		{"no such package", store.DocQuery{Collection: store.Actions, Namespace: "ns", Package: pkg("q")}, nil, 0},
		{"skip and limit", store.DocQuery{Collection: store.Actions, Namespace: "ns", Skip: 1, Limit: 2}, []string{"a3", "a1"}, 6},
		{"skip all", store.DocQuery{Collection: store.Actions, Namespace: "ns", Skip: 9, Limit: 2}, nil, 6},
		{"no such namespace", store.DocQuery{Collection: store.Actions, Namespace: "nowhere"}, nil, 0},
	} {
		var got []string
		for _, d := range must(e.Docs(ctx, tt.q))(t) {
			got = append(got, d.Name)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: listed %v, want %v", tt.name, got, tt.want)
		}
		if n := must(e.CountDocs(ctx, tt.q))(t); n != tt.n {
			t.Errorf("%s: counted %d, want %d", tt.name, n, tt.n)
		}
	}
}

// docRace has writers change one document by its revision: each revision may
// be followed by one write only.
func docRace(t *testing.T, e store.Engine) {
	ctx := t.Context()
	const writers, rounds = 4, 10
	d := must(e.PutDoc(ctx, doc(store.Actions, "ns", "", "a", 0), 0))(t)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for done := 0; done < rounds; {
				cur, err := e.Doc(ctx, d.Key)
				if err != nil {
					t.Errorf("writer %d: %v", w, err)
					return
				}
				cur.Updated++
				if _, err := e.PutDoc(ctx, cur, cur.Revision); err == nil {
					done++
				} else if !errors.Is(err, whisk.ErrChanged) {
					t.Errorf("writer %d: %v", w, err)
					return
				}
			}
		})
	}
	wg.Wait()
	if got := must(e.Doc(ctx, d.Key))(t).Updated; got != writers*rounds {
		t.Errorf("counted %d updates, want %d", got, writers*rounds)
	}
}
