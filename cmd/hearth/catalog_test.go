package main

import (
	"context"
	"log/slog"
	"testing"

	"hearth/store"
	"hearth/whisk"
)

func newInstaller(engine store.Engine) *installer {
	return &installer{
		entities: store.NewEntities(engine, store.EntitiesConfig{}), notes: engine,
		limits: whisk.DefaultSystemLimits().Default(), log: slog.New(slog.DiscardHandler),
	}
}

func testCatalog(t *testing.T, nodejs string) *catalog {
	t.Helper()
	c, err := newCatalog(nodejs)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (in *installer) mustInstall(t *testing.T, c *catalog) {
	t.Helper()
	if err := in.install(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

func TestCatalogInstall(t *testing.T) {
	engine := store.NewNone()
	in := newInstaller(engine)
	last := func() int64 {
		n, err := engine.LastChange(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	c := testCatalog(t, "nodejs:20")
	in.mustInstall(t, c)
	if got, want := last(), int64(len(c.packages)+len(c.actions)); got != want || want < 30 {
		t.Errorf("%d changes, want %d", got, want)
	}
	again := newInstaller(engine) // the next start
	at := last()
	again.mustInstall(t, testCatalog(t, "nodejs:20"))
	if last() != at {
		t.Errorf("the second installation wrote %d entities", last()-at)
	}

	// A crash before the note was written: everything is taken for ours.
	if err := engine.PutNote(t.Context(), catalogNote, []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	again.mustInstall(t, c)
	if last() != at {
		t.Errorf("an installation without a note wrote %d entities", last()-at)
	}

	// The next version of node: all of ours is written, what an operator
	// changed or deleted is left.
	ctx, name := t.Context(), whisk.ActionName{Namespace: systemNamespace, Package: "utils", Name: "echo"}
	echo, err := in.entities.Action(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	changed := *echo
	changed.Annotations = changed.Annotations.Set("mine", []byte("true"))
	entities := store.NewEntities(engine, store.EntitiesConfig{})
	if _, err := entities.PutAction(ctx, &changed, nil, echo.Revision); err != nil {
		t.Fatal(err)
	}
	cat := name
	cat.Name = "cat"
	if err := entities.DeleteAction(ctx, cat, 0); err != nil {
		t.Fatal(err)
	}
	slack, err := entities.Package(ctx, whisk.EntityName{Namespace: systemNamespace, Name: "slack"})
	if err != nil {
		t.Fatal(err)
	}
	if err := entities.DeletePackage(ctx, slack, true); err != nil {
		t.Fatal(err)
	}
	newInstaller(engine).mustInstall(t, testCatalog(t, "nodejs:22"))
	wantKind(t, entities, "utils/echo", "nodejs:20")
	wantKind(t, entities, "utils/cat", "")
	wantKind(t, entities, "slack/post", "")
	wantKind(t, entities, "utils/sort", "nodejs:22")
	wantKind(t, entities, "samples/cat", "nodejs:22")
	if n, err := entities.Package(ctx, whisk.EntityName{Namespace: systemNamespace, Name: "utils"}); err != nil || n.Version != firstVersion {
		t.Errorf("package utils: %+v, %v: it had not to be written", n, err)
	}
}

func wantKind(t *testing.T, e *store.Entities, path, kind string) {
	t.Helper()
	name, err := whisk.ParseActionName("/whisk.system/"+path, "")
	if err != nil {
		t.Fatal(err)
	}
	e.ForgetAll()
	a, err := e.Action(t.Context(), name)
	switch {
	case kind == "" && whisk.KindOf(err) != whisk.NotFound:
		t.Errorf("%s is there again: %v", path, err)
	case kind != "" && err != nil:
		t.Errorf("%s: %v", path, err)
	case kind != "" && a.Exec.Kind != kind:
		t.Errorf("%s is of kind %s, want %s", path, a.Exec.Kind, kind)
	}
}

// Without nodejs there is what the platform answers itself; the rest follows.
func TestCatalogWithoutNode(t *testing.T) {
	engine := store.NewNone()
	in := newInstaller(engine)
	c := testCatalog(t, "")
	for _, a := range c.actions {
		if a.Exec.Kind != whisk.Builtin {
			t.Errorf("%s is of kind %s", a.Name, a.Exec.Kind)
		}
	}
	in.mustInstall(t, c)
	in.mustInstall(t, testCatalog(t, "nodejs:20"))
	wantKind(t, store.NewEntities(engine, store.EntitiesConfig{}), "utils/echo", "nodejs:20")
}

// racing is a store in which another router installs first.
type racing struct {
	catalogStore
	before func()
}

func (r *racing) PutBatch(ctx context.Context, b store.Batch) ([]int64, error) {
	if f := r.before; f != nil {
		r.before = nil
		f()
	}
	return r.catalogStore.PutBatch(ctx, b)
}

func TestCatalogRace(t *testing.T) {
	engine := store.NewNone()
	in, other := newInstaller(engine), newInstaller(engine)
	c := testCatalog(t, "nodejs:20")
	in.entities = &racing{in.entities, func() { other.mustInstall(t, c) }}
	in.mustInstall(t, c)
	if n, _ := engine.LastChange(t.Context()); n != int64(len(c.packages)+len(c.actions)) {
		t.Errorf("%d changes: something was written twice", n)
	}
}
