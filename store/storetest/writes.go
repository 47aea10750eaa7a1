package storetest

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"hearth/store"
	"hearth/whisk"
)

func put(d store.Doc, ifRevision int64) store.Write {
	return store.Write{Kind: store.WritePut, Doc: d, IfRevision: ifRevision}
}

func onKey(kind store.WriteKind, d store.Doc, ifRevision int64) store.Write {
	return store.Write{Kind: kind, Doc: store.Doc{Key: d.Key}, IfRevision: ifRevision}
}

func docWrites(t *testing.T, e store.Engine) {
	ctx := t.Context()
	pkg, a, b := doc(store.Packages, "ns", "", "p", 1), doc(store.Actions, "ns", "p", "a", 2), doc(store.Actions, "ns", "p", "b", 3)
	got := must(e.WriteDocs(ctx, []store.Write{put(pkg, 0), onKey(store.WriteNeed, pkg, 0), put(a, 0), put(b, 0)}))(t)
	if got[0].Revision <= 0 || got[2].Revision <= got[0].Revision || got[3].Revision <= got[2].Revision {
		t.Fatalf("revisions %d, %d, %d, want growing ones", got[0].Revision, got[2].Revision, got[3].Revision)
	}
	pkg.Revision, a.Revision, b.Revision = got[0].Revision, got[2].Revision, got[3].Revision
	other := doc(store.Rules, "ns", "", "r", 4)
	for _, tt := range []struct {
		name   string
		writes []store.Write
		want   error
	}{
		{"exists", []store.Write{put(other, 0), put(a, 0)}, whisk.ErrExists},
		{"changed", []store.Write{put(other, 0), put(a, a.Revision+1)}, whisk.ErrChanged},
		{"delete changed", []store.Write{put(other, 0), onKey(store.WriteDelete, a, a.Revision+1)}, whisk.ErrChanged},
		{"delete twice", []store.Write{onKey(store.WriteDelete, a, 0), onKey(store.WriteDelete, a, 0)}, whisk.ErrNotFound},
		{"need what is missing", []store.Write{put(a, a.Revision), onKey(store.WriteNeed, other, 0)}, whisk.ErrNotFound},
		{"need what is changed", []store.Write{put(other, 0), onKey(store.WriteNeed, a, a.Revision+1)}, whisk.ErrChanged},
		{"need what is deleted", []store.Write{onKey(store.WriteDelete, pkg, 0), onKey(store.WriteNeed, pkg, 0)}, whisk.ErrNotFound},
		{"not empty", []store.Write{onKey(store.WriteDelete, a, 0), onKey(store.WriteEmpty, pkg, 0)}, whisk.ErrChanged},
		{"twice by one revision", []store.Write{put(a, a.Revision), put(a, a.Revision)}, whisk.ErrChanged},
	} {
		_, err := e.WriteDocs(ctx, tt.writes)
		wantErr(t, tt.name, err, tt.want)
		for _, d := range []store.Doc{pkg, a, b} {
			if now := must(e.Doc(ctx, d.Key))(t); now.Revision != d.Revision {
				t.Errorf("%s: %s has revision %d, want %d as before", tt.name, d.Key, now.Revision, d.Revision)
			}
		}
		_, err = e.Doc(ctx, other.Key)
		wantErr(t, tt.name+": read what was not to be", err, whisk.ErrNotFound)
	}
	must(e.WriteDocs(ctx, []store.Write{
		onKey(store.WriteDelete, a, a.Revision), onKey(store.WriteDelete, b, b.Revision),
		onKey(store.WriteEmpty, pkg, 0), onKey(store.WriteDelete, pkg, pkg.Revision),
	}))(t)
	if n := must(e.CountDocs(ctx, store.DocQuery{Namespace: "ns"}))(t); n != 0 {
		t.Errorf("%d documents are left, want none", n)
	}
}

// docWritesRace has writers fill a package while it is deleted again and again:
// nothing may be left in a package that is gone.
func docWritesRace(t *testing.T, e store.Engine) {
	ctx := t.Context()
	pkg := doc(store.Packages, "ns", "", "p", 1)
	must(e.PutDoc(ctx, pkg, 0))(t)
	var wg sync.WaitGroup
	for _, name := range []string{"a", "b", "c"} {
		wg.Go(func() {
			a := doc(store.Actions, "ns", "p", name, 1)
			for range 15 {
				_, err := e.WriteDocs(ctx, []store.Write{put(a, 0), onKey(store.WriteNeed, pkg, 0)})
				if err != nil && !errors.Is(err, whisk.ErrNotFound) && !errors.Is(err, whisk.ErrExists) {
					t.Errorf("create: %v", err)
				}
				if err := e.DeleteDoc(ctx, a.Key, 0); err != nil && !errors.Is(err, whisk.ErrNotFound) {
					t.Errorf("delete: %v", err)
				}
			}
		})
	}
	for range 15 {
		_, err := e.WriteDocs(ctx, []store.Write{onKey(store.WriteEmpty, pkg, 0), onKey(store.WriteDelete, pkg, 0)})
		if err == nil {
			if n := must(e.CountDocs(ctx, store.DocQuery{Namespace: "ns"}))(t); n != 0 {
				t.Errorf("%d documents are in a package that is gone", n)
			}
			_, err = e.PutDoc(ctx, pkg, 0)
		}
		if err != nil && !errors.Is(err, whisk.ErrChanged) {
			t.Errorf("delete and create the package: %v", err)
		}
	}
	wg.Wait()
}

func docPublic(t *testing.T, e store.Engine) {
	ctx := t.Context()
	hidden, shown := doc(store.Packages, "ns", "", "hidden", 1), doc(store.Packages, "ns", "", "shown", 2)
	shown.Public = true
	must(e.WriteDocs(ctx, []store.Write{put(hidden, 0), put(shown, 0)}))(t)
	q := store.DocQuery{Collection: store.Packages, Namespace: "ns", Public: true}
	if got := must(e.Docs(ctx, q))(t); len(got) != 1 || got[0].Name != "shown" || !got[0].Public {
		t.Errorf("public: %+v", got)
	}
	if n := must(e.CountDocs(ctx, q))(t); n != 1 {
		t.Errorf("counted %d public ones, want 1", n)
	}
	d := must(e.Doc(ctx, shown.Key))(t)
	d.Public = false
	must(e.PutDoc(ctx, d, d.Revision))(t)
	if n := must(e.CountDocs(ctx, q))(t); n != 0 {
		t.Errorf("counted %d public ones after it was hidden, want 0", n)
	}
}

func changes(t *testing.T, e store.Engine) {
	ctx := t.Context()
	if n := must(e.LastChange(ctx))(t); n != 0 {
		t.Errorf("the last change of an empty store is %d, want 0", n)
	}
	if got := must(e.Changes(ctx, 0, 10))(t); len(got) != 0 {
		t.Errorf("changes of an empty store: %v", got)
	}
	a := must(e.PutDoc(ctx, doc(store.Actions, "ns", "p", "a", 1), 0))(t)
	credential := func(put []store.Credential, del []string) store.Decide {
		return func([]store.Credential) ([]store.Credential, []string, error) { return put, del, nil }
	}
	c := store.Credential{UUID: "u", Subject: "ann", Namespace: "ns"}
	wantErr(t, "put credential", e.ChangeSubject(ctx, c.Subject, credential([]store.Credential{c}, nil)), nil)
	wantErr(t, "put limits", e.ChangeLimits(ctx, "ns", func(l whisk.NamespaceLimits) (whisk.NamespaceLimits, error) { return l, nil }), nil)
	wantErr(t, "delete", e.DeleteDoc(ctx, a.Key, 0), nil)
	wantErr(t, "delete credential", e.ChangeSubject(ctx, c.Subject, credential(nil, []string{c.UUID})), nil)

	all := must(e.Changes(ctx, 0, 10))(t)
	var got []string
	for _, c := range all {
		got = append(got, c.Kind+" "+c.Key)
	}
	want := []string{"actions ns/p/a", "credentials u", "limits ns", "actions ns/p/a", "credentials u"}
	if !slices.Equal(got, want) {
		t.Fatalf("changes %q, want %q", got, want)
	}
	if !slices.IsSortedFunc(all, func(a, b store.Change) int { return int(a.Seq - b.Seq) }) || all[0].Seq != a.Revision {
		t.Errorf("numbers %v, want growing ones from the revision %d", all, a.Revision)
	}
	last := all[len(all)-1].Seq
	if n := must(e.LastChange(ctx))(t); n != last {
		t.Errorf("last change %d, want %d", n, last)
	}
	if part := must(e.Changes(ctx, all[1].Seq, 2))(t); !slices.Equal(part, all[2:4]) {
		t.Errorf("two changes behind the second: %v, want %v", part, all[2:4])
	}
	if none := must(e.Changes(ctx, last, 2))(t); len(none) != 0 {
		t.Errorf("changes behind the last: %v", none)
	}
	_, err := e.Changes(ctx, last+1, 2)
	wantErr(t, "a number that is still to come", err, store.ErrChangesLost)
}
