package flow

import (
	"encoding/json"

	"hearth/whisk"
)

// OpenWhisk's texts, verbatim: clients match on them.
const (
	msgCompositionTooLong = "Too many actions in the composition."
	msgCompositionFailed  = "Activation failure during composition."
)

func msgCompositionLate(id whisk.ActivationID) string {
	return "Timeout reached when retrieving activation " + id.String() + " during composition."
}

func msgUnparsed(value string) string {
	return "Failed to parse action name from json value " + value + " during composition."
}

func msgNotFound(name whisk.ActionName) string {
	return "Failed to resolve action with name '" + name.Path() + "' during composition."
}

func msgNotEntitled(name whisk.ActionName) string {
	return "Failed entitlement check for action with name '" + name.Path() + "' during composition."
}

// counts are what a composition and those nested in it have run, which is
// bounded for all together: n components and 2n+1 runs of conductors.
type counts struct{ components, conductors int }

// composition runs the conductor c and the components that it asks for, in
// turn, until it asks for none. An error means that nothing has started.
func (t *tree) composition(c *whisk.Call, n *counts) (*whisk.Activation, error) {
	p := t.enter(c)
	defer t.leave()
	p.memory = c.Target.Limits.Memory
	conductor := *c.Target // its runs are plain ones
	conductor.Conductor, conductor.Parameters = false, nil
	payload, state := c.Args, json.RawMessage(nil)
	for {
		if n.conductors > 2*t.f.cfg.SequenceLength || t.exhausted() {
			return t.end(p, whisk.ErrorResponse(whisk.ApplicationError, msgCompositionTooLong)), nil
		}
		n.conductors++
		run := t.child(p, &whisk.Call{Target: &conductor})
		run.Args, run.Env = c.Target.Parameters.Bind(withState(payload, state))
		rec, err := t.step(run)
		switch {
		case err != nil && !t.begun:
			return nil, err
		case err != nil:
			return t.end(p, t.brokenOff(p, run, err, msgCompositionLate(run.ID), msgCompositionFailed)), nil
		}
		p.add(rec)
		v := parseVerdict(rec.Response.Result)
		if v.action == nil {
			return t.end(p, v.response(rec.Response)), nil
		}
		var broken *whisk.Response
		if payload, broken = t.next(p, v, n); broken != nil {
			return t.end(p, *broken), nil
		}
		state = v.state
	}
}

// next runs the component that the conductor asks for and returns the payload
// of the conductor's next run; or the response that ends the composition.
func (t *tree) next(p *parent, v verdict, n *counts) (json.RawMessage, *whisk.Response) {
	name, ok := componentName(v.action, p.call.Namespace)
	switch {
	case !ok:
		return errorPayload(msgUnparsed(compact(v.action))), nil
	case n.components >= t.f.cfg.SequenceLength:
		return errorPayload(msgCompositionTooLong), nil
	}
	found, err := t.f.find(t.f.runs, p.call.UUID, name)
	switch {
	case err == nil:
	case whisk.KindOf(err) == whisk.Forbidden || whisk.KindOf(err) == whisk.Unauthenticated:
		return errorPayload(msgNotEntitled(name)), nil
	default:
		t.unfound(p, name, err)
		return errorPayload(msgNotFound(name)), nil
	}
	c := t.child(p, found.Call(v.params))
	var rec *whisk.Activation
	switch {
	case c.Target.Conductor:
		rec, err = t.composition(c, n)
	case c.Target.Exec.Kind == whisk.Sequence:
		n.components++
		rec, err = t.sequence(c, new(int))
	default:
		n.components++
		rec, err = t.step(c)
	}
	if err != nil {
		r := t.brokenOff(p, c, err, msgCompositionLate(c.ID), msgCompositionFailed)
		return nil, &r
	}
	p.add(rec)
	return rec.Response.Result, nil
}

func errorPayload(message string) json.RawMessage {
	return whisk.ErrorResponse(whisk.ApplicationError, message).Result
}
