package storetest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"reflect"
	"sync"
	"testing"

	"hearth/store"
	"hearth/whisk"
)

func action(pkg, name string, code []byte) *whisk.Action {
	a := &whisk.Action{
		Name:    whisk.ActionName{Namespace: "ns", Package: pkg, Name: name},
		Version: whisk.FirstVersion, Limits: whisk.DefaultSystemLimits().Default(), Updated: 17,
		Exec: whisk.Exec{Kind: "nodejs:20", Main: "main"},
		Parameters: whisk.Parameters{
			{Key: "html", Value: []byte(`"<a href='x'>&amp;"`)}, {Key: "big", Value: []byte(`12345678901234567890.10`)},
			{Key: "init", Value: []byte(`null`), Init: true},
		},
		Annotations: whisk.Parameters{{Key: "final", Value: []byte("true")}},
		Publish:     true,
	}
	if code != nil {
		a.Exec.Code, a.Exec.Size = sha256.Sum256(code), int64(len(code))
	}
	return a
}

func entitiesActions(t *testing.T, e store.Engine) {
	ctx := t.Context()
	es := store.NewEntities(e, store.EntitiesConfig{})
	code := []byte("function main() {}")
	a := action("p", "a", code)
	_, err := es.Action(ctx, a.Name)
	wantErr(t, "read before create", err, whisk.ErrNotFound)
	_, err = es.PutAction(ctx, a, []byte("other code"), 0)
	if err == nil {
		t.Errorf("code was stored under a digest that is not its own")
	}
	_, err = es.PutAction(ctx, a, code, 0)
	wantErr(t, "create in a package that is missing", err, whisk.ErrNotFound)
	must(es.PutPackage(ctx, &whisk.Package{Name: whisk.EntityName{Namespace: "ns", Name: "p"}, Version: whisk.FirstVersion}, 0))(t)
	stored := must(es.PutAction(ctx, a, code, 0))(t)
	if a.Revision != 0 || stored.Revision == 0 {
		t.Errorf("revisions: given %d, stored %d", a.Revision, stored.Revision)
	}
	for range 2 { // from the engine, then from the cache
		if got := must(es.Action(ctx, a.Name))(t); !reflect.DeepEqual(got, stored) {
			t.Errorf("read %+v, want %+v", got, stored)
		}
	}
	if got := must(es.Code(ctx, a.Exec.Code))(t); string(got) != string(code) {
		t.Errorf("code = %q", got)
	}
	_, err = es.PutAction(ctx, a, nil, 0)
	wantErr(t, "create again", err, whisk.ErrExists)
	_, err = es.PutAction(ctx, a, nil, stored.Revision+1)
	wantErr(t, "update by a wrong revision", err, whisk.ErrChanged)
	next := *stored
	next.Version, next.Updated = next.Version.Next(), 18
	stored = must(es.PutAction(ctx, &next, nil, stored.Revision))(t)
	if got := must(es.Action(ctx, a.Name))(t); got.Version != next.Version || got.Revision != stored.Revision {
		t.Errorf("read the old action after an update")
	}
	must(es.PutAction(ctx, action("", "b", nil), nil, 0))(t)
	pkg := "p"
	for _, tt := range []struct {
		pkg  *string
		want int
	}{{nil, 2}, {&pkg, 1}, {new(string), 1}} {
		if got := must(es.Actions(ctx, "ns", tt.pkg, 0, 0))(t); len(got) != tt.want {
			t.Errorf("listed %d actions, want %d", len(got), tt.want)
		}
		if got := must(es.CountActions(ctx, "ns", tt.pkg))(t); got != tt.want {
			t.Errorf("counted %d actions, want %d", got, tt.want)
		}
	}
	entitiesCollections(t, e, es)
	wantErr(t, "delete by a wrong revision", es.DeleteAction(ctx, a.Name, stored.Revision+1), whisk.ErrChanged)
	wantErr(t, "delete", es.DeleteAction(ctx, a.Name, stored.Revision), nil)
	_, err = es.Action(ctx, a.Name)
	wantErr(t, "read after delete", err, whisk.ErrNotFound)
	wantErr(t, "delete again", es.DeleteAction(ctx, a.Name, 0), whisk.ErrNotFound)
}

// entitiesCollections meets a trigger where an action is meant.
func entitiesCollections(t *testing.T, e store.Engine, es *store.Entities) {
	t.Helper()
	ctx := t.Context()
	d := must(e.PutDoc(ctx, doc(store.Triggers, "ns", "", "t", 1), 0))(t)
	_, err := es.Action(ctx, whisk.ActionName(d.Key))
	wantErr(t, "read a trigger", err, whisk.ErrCollection)
	_, err = es.PutAction(ctx, action("", "t", nil), nil, 0)
	wantErr(t, "create over a trigger", err, whisk.ErrCollection)
	_, err = es.PutAction(ctx, action("", "t", nil), nil, d.Revision+1)
	wantErr(t, "update a trigger", err, whisk.ErrCollection)
	wantErr(t, "delete a trigger", es.DeleteAction(ctx, whisk.ActionName(d.Key), 0), whisk.ErrCollection)
}

// entitiesFresh reads an action in many goroutines while it is written: who
// reads after a write has returned sees it or a later one.
func entitiesFresh(t *testing.T, e store.Engine) {
	es := store.NewEntities(e, store.EntitiesConfig{})
	a := must(es.PutAction(t.Context(), action("", "a", nil), nil, 0))(t)
	name := a.Name
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				if _, err := es.Action(ctx, name); err != nil && ctx.Err() == nil {
					t.Errorf("read: %v", err)
					return
				}
			}
		})
	}
	for i := range 30 {
		next := *a
		next.Exec.Main = fmt.Sprint("main", i)
		var err error
		if a, err = es.PutAction(t.Context(), &next, nil, a.Revision); err != nil {
			t.Errorf("write %d: %v", i, err)
			break
		}
		if got, err := es.Action(t.Context(), name); err != nil || got.Revision != a.Revision {
			t.Errorf("read %+v, %v after revision %d was written", got, err, a.Revision)
			break
		}
	}
	cancel()
	wg.Wait()
}
