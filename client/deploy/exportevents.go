package deploy

import (
	"context"
	"encoding/json"
	"strings"

	"hearth/client"
	"hearth/whisk"
)

func (e *Export) events(ctx context.Context, d *Deployer, p *Plan) error {
	for _, t := range p.Triggers {
		got, err := d.Client.Trigger(ctx, p.entity(t.Name))
		if err != nil {
			return err
		}
		m := &Trigger{Feed: got.Feed(), Annotations: e.annotations(got.Annotations), Inputs: e.inputs(t.Name, got.Parameters)}
		if m.Feed != "" {
			m.Inputs = e.feedInputs(ctx, d, p.entity(t.Name), got)
		}
		to := e.in(e.first())
		if to.Triggers == nil {
			to.Triggers = map[string]*Trigger{}
		}
		to.Triggers[t.Name] = m
	}
	for _, r := range p.Rules {
		got, err := d.Client.Rule(ctx, p.entity(r.Name))
		if err != nil {
			return err
		}
		if e.own == "" {
			e.own = whisk.Namespace(got.Namespace)
		}
		name := e.first()
		to := e.in(name)
		if to.Rules == nil {
			to.Rules = map[string]*Rule{}
		}
		to.Rules[r.Name] = &Rule{Trigger: got.Trigger.Name, Action: e.relative(got.Action.String(), name), Annotations: e.annotations(got.Annotations)}
	}
	return nil
}

// feedInputs asks a feed what it knows of a trigger.
func (e *Export) feedInputs(ctx context.Context, d *Deployer, n whisk.EntityName, t *client.Trigger) map[string]*Input {
	feed, err := whisk.ParseActionName(t.Feed(), e.ns)
	if err != nil {
		return nil
	}
	inv, err := d.Client.TellFeed(ctx, feed, client.FeedRead, n, nil)
	if err != nil || inv.Outcome != client.Succeeded {
		e.warn("the feed of trigger %s did not tell its inputs", n.Name)
		return nil
	}
	var record struct {
		Response struct {
			Result struct {
				Config map[string]json.RawMessage `json:"config"`
			} `json:"result"`
		} `json:"response"`
	}
	if json.Unmarshal(inv.Body, &record) != nil {
		return nil
	}
	var ps []whisk.Parameter
	for _, k := range sortedKeys(record.Response.Result.Config) {
		if name := feedInput(feed, k); name != "" {
			ps = append(ps, whisk.Parameter{Key: name, Value: record.Response.Result.Config[k]})
		}
	}
	return e.inputs(n.Name, ps)
}

// feedInput returns the name of the parameter by which a feed is told what it
// shows as a field of its config, "" if that is none.
func feedInput(feed whisk.ActionName, field string) string {
	switch {
	case field == "startDate": // when it began, not when it is to begin
		return ""
	case feed.Namespace != "whisk.system" || feed.Package != "alarms":
		return field
	case field == "name" || field == "namespace": // the trigger's
		return ""
	case field == "payload":
		return "trigger_payload"
	}
	return field
}

func (e *Export) routes(p *Plan) {
	for _, r := range p.Routes {
		for i := range p.Packages {
			k := &p.Packages[i]
			if !k.owns(r.target) {
				continue
			}
			to := e.in(k.Name)
			if to.APIs == nil {
				to.APIs = APIs{}
			}
			deepen(deepen(deepen(to.APIs, r.Route.APIName), r.Route.BasePath), r.Route.Path)[r.target.Action] = Method{Method: strings.ToLower(r.Route.Method), Response: r.Response}
		}
	}
}

// deepen returns the map at key, made if it is not there.
func deepen[V any](m map[string]map[string]V, key string) map[string]V {
	if m[key] == nil {
		m[key] = map[string]V{}
	}
	return m[key]
}
