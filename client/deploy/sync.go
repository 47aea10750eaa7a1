package deploy

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"hearth/client"
	"hearth/whisk"
)

// page is how many rows of a list are asked for at once: the most that servers
// give.
const page = 200

// maxPages bounds a list: a namespace with more is not for one project.
const maxPages = 500

// listAll lists a whole collection.
func listAll[T any](list func(skip, limit int) ([]T, error)) ([]T, error) {
	var out []T
	for range maxPages {
		rows, err := list(len(out), page)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
		if len(rows) < page {
			return out, nil
		}
	}
	return nil, errors.New("the namespace holds too much to list")
}

// Sync deploys a managed plan and then deletes what is stale.
func (d *Deployer) Sync(ctx context.Context, p *Plan) error {
	if p.mark.Project == "" {
		return errors.New("only a managed project can be synchronised")
	}
	if err := d.Deploy(ctx, p); err != nil {
		return err
	}
	stale, err := d.Stale(ctx, p)
	if err != nil {
		return err
	}
	return d.Undeploy(ctx, stale)
}

// Stale returns what carries the mark of a managed plan's project from an
// earlier sync and is not in the plan any more.
func (d *Deployer) Stale(ctx context.Context, p *Plan) (*Plan, error) {
	stale, err := d.find(ctx, p.Namespace, func(m managed) bool { return m.Project == p.Project && m.Hash != p.mark.Hash })
	if err != nil {
		return nil, err
	}
	stale.without(p)
	return stale, nil
}

// Find returns what carries a project's mark on the server, and the APIs that
// run actions of it. Of packages, triggers and rules the plan has what lists
// tell.
func (d *Deployer) Find(ctx context.Context, ns whisk.Namespace, project string) (*Plan, error) {
	p, err := d.find(ctx, ns, func(m managed) bool { return m.Project == project })
	if err != nil {
		return nil, err
	}
	p.Project = project
	list, err := d.apis(ctx, d.query())
	if err != nil {
		return nil, err
	}
	for _, api := range list {
		for _, path := range sortedKeys(api.Doc.Paths) {
			all := api.Doc.Paths[path].Operations()
			for _, verb := range sortedKeys(all) {
				if p.owns(all[verb].Target) {
					r := &client.Route{BasePath: api.Doc.BasePath, Path: path, Method: strings.ToUpper(verb)}
					if api.Doc.Info != nil {
						r.APIName = api.Doc.Info.Title
					}
					p.Routes = append(p.Routes, RoutePlan{r, responseType(all[verb].Target.URL), all[verb].Target})
				}
			}
		}
	}
	return p, nil
}

// responseType returns the extension of a web action's URL.
func responseType(url string) string {
	_, ext, _ := strings.Cut(url[strings.LastIndexByte(url, '/')+1:], ".")
	return ext
}

// owns reports whether an API's target is an action or sequence of the plan.
func (p *Plan) owns(t *client.Target) bool {
	return t != nil && slices.ContainsFunc(p.Packages, func(k PackagePlan) bool { return k.owns(t) })
}

func (k *PackagePlan) owns(t *client.Target) bool {
	return k.Name == cmp.Or(t.Package, defaultPackage) && (find(k.Actions, t.Action) != nil || find(k.Sequences, t.Action) != nil)
}

// find gathers what is marked as wanted says.
func (d *Deployer) find(ctx context.Context, ns whisk.Namespace, wanted func(managed) bool) (*Plan, error) {
	p := &Plan{Namespace: cmp.Or(ns, "_")}
	packages := map[string]*PackagePlan{}
	in := func(name string) *PackagePlan {
		if packages[name] == nil {
			packages[name] = &PackagePlan{Planned: Planned[client.Package]{Name: name}}
		}
		return packages[name]
	}
	list, err := listAll(func(skip, limit int) ([]client.Package, error) { return d.Client.Packages(ctx, ns, skip, limit) })
	if err != nil {
		return nil, err
	}
	for i := range list {
		switch k := &list[i]; {
		case !wanted(managedBy(k.Annotations)):
		case k.IsBinding():
			in(defaultPackage).Bindings = append(in(defaultPackage).Bindings, Planned[client.Package]{k.Name, k})
		default:
			in(k.Name).Body = k
		}
	}
	actions, err := listAll(func(skip, limit int) ([]client.Action, error) { return d.Client.Actions(ctx, ns, "", skip, limit) })
	if err != nil {
		return nil, err
	}
	for i := range actions {
		if a := &actions[i]; wanted(managedBy(a.Annotations)) {
			_, pkg, _ := strings.Cut(a.Namespace, "/")
			if pkg == "" {
				pkg = defaultPackage
			}
			to := &in(pkg).Actions
			if kind, _ := whisk.Parameters(a.Annotations).Get("exec"); string(kind) == `"`+whisk.Sequence+`"` {
				to = &in(pkg).Sequences
			}
			*to = append(*to, Planned[client.Action]{a.Name, a})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(packages)) {
		p.Packages = append(p.Packages, *packages[name])
	}
	return p, d.findEvents(ctx, p, wanted)
}

// findEvents adds triggers and rules to what find has gathered.
func (d *Deployer) findEvents(ctx context.Context, p *Plan, wanted func(managed) bool) error {
	triggers, err := listAll(func(skip, limit int) ([]client.Trigger, error) {
		return d.Client.Triggers(ctx, p.Namespace, skip, limit)
	})
	if err != nil {
		return err
	}
	for i := range triggers {
		if t := &triggers[i]; wanted(managedBy(t.Annotations)) {
			p.Triggers = append(p.Triggers, Planned[client.Trigger]{t.Name, t})
		}
	}
	rules, err := listAll(func(skip, limit int) ([]client.Rule, error) {
		return d.Client.Rules(ctx, p.Namespace, skip, limit)
	})
	if err != nil {
		return err
	}
	for _, r := range rules {
		if wanted(managedBy(r.Annotations)) {
			p.Rules = append(p.Rules, Planned[client.RuleBody]{r.Name, &client.RuleBody{Trigger: r.Trigger.String(), Action: r.Action.String(), Annotations: r.Annotations}})
		}
	}
	return nil
}

// without removes from p what is in the other plan as well.
func (p *Plan) without(other *Plan) {
	named := map[string]bool{}
	for i := range other.Packages {
		k := &other.Packages[i]
		named["package "+k.Name] = true
		for _, b := range k.Bindings {
			named["package "+b.Name] = true
		}
		for _, a := range slices.Concat(k.Actions, k.Sequences) {
			named["action "+short(other.action(k, a.Name))] = true
		}
	}
	for _, t := range other.Triggers {
		named["trigger "+t.Name] = true
	}
	for _, r := range other.Rules {
		named["rule "+r.Name] = true
	}
	p.Triggers = slices.DeleteFunc(p.Triggers, func(t Planned[client.Trigger]) bool { return named["trigger "+t.Name] })
	p.Rules = slices.DeleteFunc(p.Rules, func(r Planned[client.RuleBody]) bool { return named["rule "+r.Name] })
	for i := range p.Packages {
		k := &p.Packages[i]
		if named["package "+k.Name] {
			k.Body = nil
		}
		k.Bindings = slices.DeleteFunc(k.Bindings, func(b Planned[client.Package]) bool { return named["package "+b.Name] })
		kept := func(a Planned[client.Action]) bool { return named["action "+short(p.action(k, a.Name))] }
		k.Actions, k.Sequences = slices.DeleteFunc(k.Actions, kept), slices.DeleteFunc(k.Sequences, kept)
	}
}
