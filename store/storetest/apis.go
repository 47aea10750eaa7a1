package storetest

import (
	"encoding/json"
	"reflect"
	"testing"

	"hearth/store"
	"hearth/whisk"
)

func entitiesAPIs(t *testing.T, e store.Engine) {
	ctx := t.Context()
	here, there := store.NewEntities(e, store.EntitiesConfig{}), store.NewEntities(e, store.EntitiesConfig{})
	_, err := here.APIs(ctx, "ns")
	wantErr(t, "read before any", err, whisk.ErrNotFound)
	given := &whisk.APIs{Namespace: "ns", Updated: 17, List: []whisk.API{{
		BasePath: "/", Title: "<API>", Document: json.RawMessage(`{"swagger":"2.0","x":"<&>","n":12345678901234567890}`), CORS: whisk.CORSOpen,
		Routes: []whisk.Route{{Path: "/{a}", Method: "GET", Action: whisk.ActionName{Namespace: "ns", Package: "p", Name: "a"},
			Extension: ".http", WholePath: true, As: "POST", Header: []whisk.Header{{Name: "A", Value: "b"}}}},
	}, {BasePath: "/b", Document: json.RawMessage(`{}`), Routes: []whisk.Route{}}}}
	stored := must(here.PutAPIs(ctx, given, 0))(t)
	for range 2 { // from the engine, then from the cache
		if got := must(here.APIs(ctx, "ns"))(t); !reflect.DeepEqual(got, stored) || got.Revision == 0 {
			t.Errorf("read %+v, want %+v", got, stored)
		}
	}
	_, err = here.PutAPIs(ctx, given, 0)
	wantErr(t, "create again", err, whisk.ErrExists)
	_, err = here.PutAPIs(ctx, given, stored.Revision+1)
	wantErr(t, "write by a wrong revision", err, whisk.ErrChanged)
	must(there.APIs(ctx, "ns"))(t)
	must(here.PutAction(ctx, action("", "apis", nil), nil, 0))(t) // no name of an entity is in the way
	if n := must(here.CountActions(ctx, "ns", nil))(t); n != 1 {
		t.Errorf("counted %d actions, want 1", n)
	}

	after := must(e.LastChange(ctx))(t)
	stored = must(here.PutAPIs(ctx, &whisk.APIs{Namespace: "ns", List: stored.List[:1]}, stored.Revision))(t)
	for _, c := range must(e.Changes(ctx, after, 10))(t) {
		there.Changed(c)
	}
	if got := must(there.APIs(ctx, "ns"))(t); len(got.List) != 1 {
		t.Errorf("elsewhere there are %d APIs after a change, want 1", len(got.List))
	}
	_, err = here.PutAPIs(ctx, &whisk.APIs{Namespace: "ns"}, stored.Revision+1)
	wantErr(t, "delete by a wrong revision", err, whisk.ErrChanged)
	must(here.PutAPIs(ctx, &whisk.APIs{Namespace: "ns"}, stored.Revision))(t)
	_, err = here.APIs(ctx, "ns")
	wantErr(t, "read when none are left", err, whisk.ErrNotFound)
	if none := must(here.PutAPIs(ctx, &whisk.APIs{Namespace: "ns"}, 0))(t); none.Revision != 0 {
		t.Errorf("none have revision %d", none.Revision)
	}
}
