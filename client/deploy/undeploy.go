package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"hearth/client"
	"hearth/whisk"
)

// Undeploy deletes all that is in the plan, in the reverse order; what is not
// there is passed over. A package must be empty then: what else is in it stays
// and is an error.
func (d *Deployer) Undeploy(ctx context.Context, p *Plan) error {
	if err := d.deleteRoutes(ctx, p); err != nil {
		return err
	}
	for _, r := range p.Rules {
		if err := d.remove(ctx, "rule", r.Name, func() error { return d.Client.DeleteRule(ctx, p.entity(r.Name)) }); err != nil {
			return err
		}
	}
	for _, t := range p.Triggers {
		if err := d.remove(ctx, "trigger", t.Name, func() error { return d.deleteTrigger(ctx, p.entity(t.Name)) }); err != nil {
			return err
		}
	}
	for _, sequences := range []bool{true, false} {
		for i := range p.Packages {
			k := &p.Packages[i]
			kind, list := "action", k.Actions
			if sequences {
				kind, list = "sequence", k.Sequences
			}
			for _, a := range list {
				n := p.action(k, a.Name)
				if err := d.remove(ctx, kind, short(n), func() error { return d.Client.DeleteAction(ctx, n) }); err != nil {
					return err
				}
			}
		}
	}
	return d.deletePackages(ctx, p)
}

func (d *Deployer) deletePackages(ctx context.Context, p *Plan) error {
	for i := range p.Packages {
		k := &p.Packages[i]
		if k.Body != nil {
			if err := d.remove(ctx, "package", k.Name, func() error { return d.Client.DeletePackage(ctx, p.entity(k.Name)) }); err != nil {
				return err
			}
		}
		for _, b := range k.Bindings {
			if err := d.remove(ctx, "binding", b.Name, func() error { return d.Client.DeletePackage(ctx, p.entity(b.Name)) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// remove deletes one thing, if it is there, and says so.
func (d *Deployer) remove(ctx context.Context, kind, name string, do func() error) error {
	err := d.again(ctx, do)
	switch {
	case client.StatusOf(err) == http.StatusNotFound:
		return nil
	case err != nil:
		return fmt.Errorf("unable to undeploy %s '%s': %w", kind, name, err)
	}
	d.say("ok: undeployed %s %s", kind, name)
	return nil
}

// deleteTrigger tells the trigger's feed, if there is one, and deletes it.
func (d *Deployer) deleteTrigger(ctx context.Context, n whisk.EntityName) error {
	t, err := d.Client.Trigger(ctx, n)
	if err != nil {
		return err
	}
	if t.Feed() != "" {
		if err := d.feed(ctx, t.Feed(), client.FeedDelete, n, nil); err != nil {
			d.say("warning: the feed of trigger '%s' could not be told to forget it: %s", n.Name, err)
		}
	}
	return d.Client.DeleteTrigger(ctx, n)
}

func (d *Deployer) deleteRoutes(ctx context.Context, p *Plan) error {
	var all []client.RouteQuery
	if p.Swagger != nil {
		var s client.Swagger
		if err := json.Unmarshal(p.Swagger, &s); err != nil {
			return err
		}
		q := d.query()
		q.BasePath = s.BasePath
		all = append(all, q)
	}
	for _, r := range p.Routes {
		q := d.query()
		q.BasePath, q.Path, q.Method = r.Route.BasePath, r.Route.Path, r.Route.Method
		all = append(all, q)
	}
	for _, q := range all {
		there, err := d.apis(ctx, q)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(there, func(a client.API) bool { return hasRoute(a.Doc, q) }) {
			continue
		}
		name := strings.TrimSpace(q.BasePath + q.Path + " " + q.Method)
		if err := d.remove(ctx, "API", name, func() error { return d.Client.DeleteRoutes(ctx, q) }); err != nil {
			return err
		}
	}
	return nil
}

// apis lists APIs that have a description. A server without a gateway has none.
func (d *Deployer) apis(ctx context.Context, q client.RouteQuery) ([]client.API, error) {
	list, err := d.Client.APIs(ctx, q)
	switch client.StatusOf(err) {
	case http.StatusNotFound, http.StatusBadGateway:
		return nil, nil
	}
	return slices.DeleteFunc(list, func(a client.API) bool { return a.Doc == nil }), err
}

// hasRoute reports whether an API has what q selects.
func hasRoute(doc *client.Swagger, q client.RouteQuery) bool {
	if q.Path == "" {
		return true
	}
	path, ok := doc.Paths[q.Path]
	return ok && path.Operations()[strings.ToLower(q.Method)] != nil
}
