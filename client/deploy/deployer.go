package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"hearth/client"
	"hearth/whisk"
)

// A write that another one overtook is tried again a few times.
const (
	attempts   = 3
	retryAfter = time.Second
)

// Deployer carries plans out on one server.
type Deployer struct {
	Client *client.Client
	Token  string // of the API gateway
	Space  string // of the API gateway: the key's uuid

	// Say is called with each line to show.
	Say func(line string)

	pause time.Duration // before another try; 0 is retryAfter
}

func (d *Deployer) say(format string, args ...any) { d.Say(fmt.Sprintf(format, args...)) }

// again calls do until it is not a lost race any more.
func (d *Deployer) again(ctx context.Context, do func() error) error {
	for i := 1; ; i++ {
		err := do()
		e, ok := errors.AsType[*client.Error](err)
		if !ok || e.Status != http.StatusConflict || !strings.Contains(e.Message, "Concurrent modification") || i == attempts {
			return err
		}
		select {
		case <-time.After(cmp.Or(d.pause, retryAfter)):
		case <-ctx.Done():
			return err
		}
	}
}

func (p *Plan) entity(name string) whisk.EntityName {
	return whisk.EntityName{Namespace: p.Namespace, Name: name}
}

// action returns the full name of an action of one of p's packages.
func (p *Plan) action(pkg *PackagePlan, name string) whisk.ActionName {
	n := whisk.ActionName{Namespace: p.Namespace, Name: name}
	if !pkg.isDefault() {
		n.Package = pkg.Name
	}
	return n
}

// Deploy creates or updates all that is in the plan, in the order in which one
// needs the other. It stops at the first failure; deploying again goes on.
func (d *Deployer) Deploy(ctx context.Context, p *Plan) error {
	for _, step := range []func(context.Context, *Plan) error{d.putPackages, d.putBindings, d.putActions, d.putSequences, d.putTriggers, d.putRules, d.putRoutes} {
		if err := step(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// put creates or updates one thing and says so.
func (d *Deployer) put(ctx context.Context, kind, name string, do func() error) error {
	if err := d.again(ctx, do); err != nil {
		return fmt.Errorf("unable to deploy %s '%s': %w", kind, name, err)
	}
	d.say("ok: deployed %s %s", kind, name)
	return nil
}

func (d *Deployer) putPackages(ctx context.Context, p *Plan) error {
	for i := range p.Packages {
		k := &p.Packages[i]
		if k.Body == nil {
			continue
		}
		if err := d.put(ctx, "package", k.Name, func() error { return d.putPackage(ctx, p, k.Planned) }); err != nil {
			return err
		}
	}
	return nil
}

func (d *Deployer) putPackage(ctx context.Context, p *Plan, k Planned[client.Package]) error {
	_, err := d.Client.PutPackage(ctx, p.entity(k.Name), k.Body, true)
	return err
}

func (d *Deployer) putBindings(ctx context.Context, p *Plan) error {
	for i := range p.Packages {
		for _, b := range p.Packages[i].Bindings {
			if err := d.put(ctx, "binding", b.Name, func() error { return d.putPackage(ctx, p, b) }); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *Deployer) putActions(ctx context.Context, p *Plan) error {
	for i := range p.Packages {
		for _, a := range p.Packages[i].Actions {
			if err := d.putAction(ctx, p.action(&p.Packages[i], a.Name), "action", a.Body); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *Deployer) putAction(ctx context.Context, n whisk.ActionName, kind string, body *client.Action) error {
	return d.put(ctx, kind, short(n), func() error {
		_, err := d.Client.PutAction(ctx, n, body, true)
		return err
	})
}

// short returns "[pkg/]name".
func short(n whisk.ActionName) string {
	_, name, _ := strings.Cut(n.Path(), "/")
	return name
}

// putSequences puts each sequence after those that are parts of it.
func (d *Deployer) putSequences(ctx context.Context, p *Plan) error {
	left := map[string]func() error{}
	parts := map[string][]string{}
	for i := range p.Packages {
		for _, s := range p.Packages[i].Sequences {
			n := p.action(&p.Packages[i], s.Name)
			left[n.String()] = func() error { return d.putAction(ctx, n, "sequence", s.Body) }
			parts[n.String()] = s.Body.Exec.Components
		}
	}
	for len(left) > 0 {
		names := sortedKeys(left)
		ready := slices.IndexFunc(names, func(n string) bool {
			return !slices.ContainsFunc(parts[n], func(part string) bool { return left[part] != nil })
		})
		ready = max(ready, 0) // in a circle: the server says so
		if err := left[names[ready]](); err != nil {
			return err
		}
		delete(left, names[ready])
	}
	return nil
}

func (d *Deployer) putTriggers(ctx context.Context, p *Plan) error {
	for _, t := range p.Triggers {
		if err := d.put(ctx, "trigger", t.Name, func() error { return d.putTrigger(ctx, p.entity(t.Name), t.Body) }); err != nil {
			return err
		}
	}
	return nil
}

// putTrigger puts a trigger. Feeds do not take updates of all that may have
// changed, so one that is there is told to forget the trigger, and the new one
// of the new trigger; should that fail, the trigger is deleted.
func (d *Deployer) putTrigger(ctx context.Context, n whisk.EntityName, t *client.Trigger) error {
	before, err := d.Client.Trigger(ctx, n)
	switch {
	case client.StatusOf(err) == http.StatusNotFound:
	case err != nil:
		return err
	case before.Feed() != "":
		if err := d.feed(ctx, before.Feed(), client.FeedDelete, n, nil); err != nil {
			d.say("warning: the feed of trigger '%s' could not be told to forget it: %s", n.Name, err)
		}
		if t.Feed() == "" { // an update would leave the annotation
			if err := d.Client.DeleteTrigger(ctx, n); err != nil {
				return err
			}
		}
	}
	body := *t
	if t.Feed() != "" {
		body.Parameters = nil // they are the feed's
	}
	if _, err := d.Client.PutTrigger(ctx, n, &body, true); err != nil || t.Feed() == "" {
		return err
	}
	if err := d.feed(ctx, t.Feed(), client.FeedCreate, n, t.Parameters); err != nil {
		return errors.Join(err, d.Client.DeleteTrigger(context.WithoutCancel(ctx), n))
	}
	return nil
}

// feed tells a feed of a trigger's event.
func (d *Deployer) feed(ctx context.Context, name, event string, n whisk.EntityName, params whisk.Parameters) error {
	feed, err := whisk.ParseActionName(name, n.Namespace)
	if err != nil {
		return err
	}
	inv, err := d.Client.TellFeed(ctx, feed, event, n, params)
	switch {
	case err != nil:
		return fmt.Errorf("feed '%s': %w", name, err)
	case inv.Outcome == client.Accepted:
		return fmt.Errorf("feed '%s' has not answered yet; its activation is %s", name, inv.ID)
	case inv.Outcome == client.Failed:
		return fmt.Errorf("feed '%s' answered with the error: %s", name, inv.Failure())
	}
	return nil
}

func (d *Deployer) putRules(ctx context.Context, p *Plan) error {
	for _, r := range p.Rules {
		n := p.entity(r.Name)
		err := d.put(ctx, "rule", r.Name, func() error {
			if _, err := d.Client.PutRule(ctx, n, r.Body, true); err != nil {
				return err
			}
			return d.Client.SetRule(ctx, n, client.Active) // it may be an old one, and its trigger a new one
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *Deployer) query() client.RouteQuery {
	return client.RouteQuery{AccessToken: d.Token, SpaceID: d.Space}
}

func (d *Deployer) putRoutes(ctx context.Context, p *Plan) error {
	if p.Swagger != nil {
		return d.put(ctx, "API", "of the Swagger file", func() error {
			_, err := d.Client.CreateRoute(ctx, &client.Route{Namespace: string(p.Namespace), Swagger: string(p.Swagger)}, d.query())
			return err
		})
	}
	for _, r := range p.Routes {
		q := d.query()
		q.ResponseType = r.Response
		err := d.put(ctx, "API", r.String(), func() error {
			_, err := d.Client.CreateRoute(ctx, r.Route, q)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
