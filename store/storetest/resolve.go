package storetest

import (
	"fmt"
	"reflect"
	"testing"

	"hearth/store"
	"hearth/whisk"
)

func entity(name string) whisk.EntityName { return whisk.EntityName{Namespace: "ns", Name: name} }

func actionIn(pkg, name string) whisk.ActionName {
	return whisk.ActionName{Namespace: "ns", Package: pkg, Name: name}
}

func parameter(key, value string) whisk.Parameters {
	return whisk.Parameters{{Key: key, Value: []byte(value)}}
}

func entitiesPackages(t *testing.T, e store.Engine) {
	ctx := t.Context()
	es := store.NewEntities(e, store.EntitiesConfig{})
	p := &whisk.Package{
		Name: entity("p"), Version: whisk.FirstVersion, Parameters: parameter("a", `"<b>"`), Annotations: parameter("c", "null"),
		Publish: true, Updated: 5,
	}
	stored := must(es.PutPackage(ctx, p, 0))(t)
	for range 2 {
		if got := must(es.Package(ctx, p.Name))(t); !reflect.DeepEqual(got, stored) {
			t.Errorf("read %+v, want %+v", got, stored)
		}
	}
	b := &whisk.Package{Name: entity("b"), Binding: p.Name, Version: whisk.FirstVersion, Publish: true, Updated: 6}
	bound := must(es.PutPackage(ctx, b, 0))(t)
	if got := must(es.Package(ctx, b.Name))(t); !reflect.DeepEqual(got, bound) {
		t.Errorf("read %+v, want %+v", got, bound)
	}
	for _, public := range []bool{false, true} { // bindings are never public
		want := []string{"ns/b", "ns/p"}
		if public {
			want = want[1:]
		}
		var got []string
		for _, l := range must(es.Packages(ctx, "ns", public, 0, 0))(t) {
			got = append(got, l.Name.Path())
		}
		if n := must(es.CountPackages(ctx, "ns", public))(t); n != len(want) || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("public %v: listed %v, counted %d, want %v", public, got, n, want)
		}
	}
	_, err := es.PutPackage(ctx, p, 0)
	wantErr(t, "create again", err, whisk.ErrExists)
	_, err = es.PutAction(ctx, action("", "p", nil), nil, 0)
	wantErr(t, "create an action of that name", err, whisk.ErrCollection)
	_, err = es.Trigger(ctx, p.Name)
	wantErr(t, "read as a trigger", err, whisk.ErrCollection)

	a := must(es.PutAction(ctx, action("p", "a", nil), nil, 0))(t)
	wantErr(t, "delete a full package", es.DeletePackage(ctx, stored, false), whisk.ErrChanged)
	must(es.Action(ctx, a.Name))(t)
	wantErr(t, "delete with what is in it", es.DeletePackage(ctx, stored, true), nil)
	_, err = es.Package(ctx, p.Name)
	wantErr(t, "read after delete", err, whisk.ErrNotFound)
	_, err = es.Action(ctx, a.Name)
	wantErr(t, "read an action of it", err, whisk.ErrNotFound)
}

func entitiesRules(t *testing.T, e store.Engine) {
	ctx := t.Context()
	es := store.NewEntities(e, store.EntitiesConfig{})
	tr := must(es.PutTrigger(ctx, &whisk.Trigger{Name: entity("t"), Version: whisk.FirstVersion, Parameters: parameter("a", "1"), Updated: 3}, 0))(t)
	if got := must(es.Trigger(ctx, tr.Name))(t); !reflect.DeepEqual(got, tr) {
		t.Errorf("read %+v, want %+v", got, tr)
	}
	r := &whisk.Rule{Name: entity("r"), Trigger: tr.Name, Action: actionIn("p", "a"), Version: whisk.FirstVersion, Updated: 4}
	linked := *tr
	linked.Rules = []whisk.RuleLink{{Rule: r.Name, Action: r.Action, Active: true}}
	stored := must(es.PutRule(ctx, r, 0, &linked))(t)
	for range 2 {
		if got := must(es.Rule(ctx, r.Name))(t); !reflect.DeepEqual(got, stored) {
			t.Errorf("read %+v, want %+v", got, stored)
		}
		if got := must(es.Trigger(ctx, tr.Name))(t); !reflect.DeepEqual(got.Rules, linked.Rules) {
			t.Errorf("links %+v, want %+v", got.Rules, linked.Rules)
		}
	}
	_, err := es.PutRule(ctx, stored, stored.Revision, &linked) // the trigger's revision is old
	wantErr(t, "write beside a changed trigger", err, whisk.ErrChanged)
	if got := must(es.Rule(ctx, r.Name))(t); got.Revision != stored.Revision {
		t.Errorf("the rule was written though its trigger was not")
	}
	if n, m := must(es.CountRules(ctx, "ns"))(t), must(es.CountTriggers(ctx, "ns"))(t); n != 1 || m != 1 {
		t.Errorf("counted %d rules, %d triggers, want 1 and 1", n, m)
	}
	if rules, triggers := must(es.Rules(ctx, "ns", 0, 9))(t), must(es.Triggers(ctx, "ns", 0, 9))(t); len(rules) != 1 || len(triggers) != 1 {
		t.Errorf("listed %v, %v", rules, triggers)
	}
	now := *must(es.Trigger(ctx, tr.Name))(t)
	now.Rules = nil
	wantErr(t, "delete the rule", es.DeleteRule(ctx, stored, &now), nil)
	_, err = es.Rule(ctx, r.Name)
	wantErr(t, "read after delete", err, whisk.ErrNotFound)
	if got := must(es.Trigger(ctx, tr.Name))(t); got.Rules != nil {
		t.Errorf("links %+v, want none", got.Rules)
	}
	wantErr(t, "delete the trigger", es.DeleteTrigger(ctx, tr.Name, 0), nil)
}

func entitiesResolve(t *testing.T, e store.Engine) {
	ctx := t.Context()
	es := store.NewEntities(e, store.EntitiesConfig{})
	pkg := func(name, binding string, parameters whisk.Parameters) *whisk.Package {
		p := &whisk.Package{Name: entity(name), Version: whisk.FirstVersion, Parameters: parameters}
		if binding != "" {
			p.Binding = entity(binding)
		}
		return p
	}
	p := must(es.PutPackage(ctx, pkg("p", "", whisk.Parameters{{Key: "of", Value: []byte(`"p"`)}, {Key: "p", Value: []byte("1")}}), 0))(t)
	b := must(es.PutPackage(ctx, pkg("b", "p", whisk.Parameters{{Key: "of", Value: []byte(`"b"`)}, {Key: "b", Value: []byte("2")}}), 0))(t)
	must(es.PutPackage(ctx, pkg("dangling", "nowhere", nil), 0))(t)
	must(es.PutPackage(ctx, pkg("round", "round", nil), 0))(t)
	a := action("p", "a", nil)
	a.Parameters = parameter("a", "3")
	a = must(es.PutAction(ctx, a, nil, 0))(t)
	plain := must(es.PutAction(ctx, action("", "plain", nil), nil, 0))(t)

	for _, tt := range []struct {
		name       whisk.ActionName
		want       *whisk.Action
		binding    string
		parameters string
	}{
		{plain.Name, plain, "", string(plain.Parameters.Arguments())},
		{a.Name, a, "", `{"of":"p","p":1,"a":3}`},
		{actionIn("b", "a"), a, "ns/b", `{"of":"b","p":1,"b":2,"a":3}`},
	} {
		for range 2 {
			got := must(es.Resolve(ctx, tt.name))(t)
			if !reflect.DeepEqual(got.Action, tt.want) || got.BindingPath() != tt.binding || string(got.Parameters.Arguments()) != tt.parameters {
				t.Errorf("%s resolved to %s by %q with %s, want %s, %q, %s", tt.name, got.Action.Name, got.BindingPath(), got.Parameters.Arguments(),
					tt.want.Name, tt.binding, tt.parameters)
			}
		}
	}
	for name, want := range map[whisk.ActionName]error{
		actionIn("", "none"): whisk.ErrNotFound, actionIn("none", "a"): whisk.ErrNotFound, actionIn("p", "none"): whisk.ErrNotFound,
		actionIn("b", "none"): whisk.ErrNotFound, actionIn("dangling", "a"): whisk.ErrNotFound,
		actionIn("plain", "a"): whisk.ErrCollection, actionIn("", "p"): whisk.ErrCollection,
	} {
		_, err := es.Resolve(ctx, name)
		wantErr(t, name.Path(), err, want)
	}
	if _, err := es.Resolve(ctx, actionIn("round", "a")); whisk.KindOf(err) != whisk.BadRequest {
		t.Errorf("a circle of bindings: error = %v, want one of kind BadRequest", err)
	}

	// Each of the three changes shows at once.
	p.Parameters, b.Parameters, a.Parameters = parameter("p", "10"), parameter("b", "20"), parameter("a", "30")
	must(es.PutPackage(ctx, p, p.Revision))(t)
	wantArguments(t, es, actionIn("b", "a"), `{"p":10,"of":"b","b":2,"a":3}`)
	must(es.PutPackage(ctx, b, b.Revision))(t)
	wantArguments(t, es, actionIn("b", "a"), `{"p":10,"b":20,"a":3}`)
	a = must(es.PutAction(ctx, a, nil, a.Revision))(t)
	wantArguments(t, es, actionIn("b", "a"), `{"p":10,"b":20,"a":30}`)
	wantErr(t, "delete", es.DeleteAction(ctx, a.Name, 0), nil)
	_, err := es.Resolve(ctx, actionIn("b", "a"))
	wantErr(t, "resolve what is deleted", err, whisk.ErrNotFound)
}

func wantArguments(t *testing.T, es *store.Entities, name whisk.ActionName, want string) {
	t.Helper()
	if got := string(must(es.Resolve(t.Context(), name))(t).Parameters.Arguments()); got != want {
		t.Errorf("%s has parameters %s, want %s", name, got, want)
	}
}

// entitiesElsewhere writes through one and reads through another, which learns
// of it by the change log.
func entitiesElsewhere(t *testing.T, e store.Engine) {
	ctx := t.Context()
	here, there := store.NewEntities(e, store.EntitiesConfig{}), store.NewEntities(e, store.EntitiesConfig{})
	a := must(here.PutAction(ctx, action("", "a", nil), nil, 0))(t)
	old := must(there.Resolve(ctx, a.Name))(t)
	at := must(e.LastChange(ctx))(t)
	a = must(here.PutAction(ctx, a, nil, a.Revision))(t)
	if got := must(there.Resolve(ctx, a.Name))(t); got != old {
		t.Errorf("the change was seen without the change log")
	}
	if here := must(here.Resolve(ctx, a.Name))(t); here.Action.Revision != a.Revision {
		t.Errorf("who wrote reads revision %d, want %d", here.Action.Revision, a.Revision)
	}
	for _, c := range must(e.Changes(ctx, at, 9))(t) {
		there.Changed(c)
		here.Changed(c)
	}
	if got := must(there.Resolve(ctx, a.Name))(t); got.Action.Revision != a.Revision {
		t.Errorf("read revision %d after the change log told of %d", got.Action.Revision, a.Revision)
	}
	at = must(e.LastChange(ctx))(t)
	wantErr(t, "delete", here.DeleteAction(ctx, a.Name, 0), nil)
	there.ForgetAll()
	_, err := there.Resolve(ctx, a.Name)
	wantErr(t, "resolve after all is forgotten", err, whisk.ErrNotFound)
	for _, c := range must(e.Changes(ctx, at, 9))(t) {
		there.Changed(c)
	}
}
