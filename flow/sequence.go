package flow

import (
	"encoding/json"

	"hearth/whisk"
)

// OpenWhisk's texts, verbatim: clients match on them.
const (
	msgSequenceTooLong = "Too many actions in the sequence."
	msgSequenceMissing = "Sequence component does not exist."
	msgSequenceFailed  = "Sequence failed."
)

func msgSequenceLate(id whisk.ActivationID) string {
	return "Timeout reached when retrieving activation " + id.String() + " for sequence component."
}

// sequence runs the components of c in turn, each with the result of the one
// before it, until one has an error. atoms counts those that are no sequences,
// over all sequences nested in each other. An error means that nothing has
// started.
func (t *tree) sequence(c *whisk.Call, atoms *int) (*whisk.Activation, error) {
	p := t.enter(c)
	defer t.leave()
	r := whisk.Response{Result: json.RawMessage("{}"), Size: len("{}")}
	payload := passedOn(c.Args)
	for _, name := range c.Target.Exec.Components {
		if *atoms >= t.f.cfg.SequenceLength || t.exhausted() {
			return t.end(p, whisk.ErrorResponse(whisk.ApplicationError, msgSequenceTooLong)), nil
		}
		found, err := t.f.find(t.f.runs, c.UUID, name)
		if err != nil {
			return t.end(p, t.unresolved(p, name, err)), nil
		}
		next := t.child(p, found.Call(payload))
		rec, err := t.component(next, atoms)
		switch {
		case err != nil && !t.begun:
			return nil, err
		case err != nil:
			return t.end(p, t.brokenOff(p, next, err, msgSequenceLate(next.ID), msgSequenceFailed)), nil
		}
		p.add(rec)
		if r = rec.Response; failed(r) {
			break
		}
		payload = passedOn(r.Result)
	}
	return t.end(p, r), nil
}

// component runs one component of a sequence.
func (t *tree) component(c *whisk.Call, atoms *int) (*whisk.Activation, error) {
	switch {
	case c.Target.Exec.Kind == whisk.Sequence:
		return t.sequence(c, atoms)
	case c.Target.Conductor:
		*atoms++
		return t.composition(c, &counts{})
	}
	*atoms++
	return t.step(c)
}

// unresolved returns the response of a sequence that has no such component, or
// none that the caller may invoke.
func (t *tree) unresolved(p *parent, name whisk.ActionName, err error) whisk.Response {
	switch whisk.KindOf(err) {
	case whisk.NotFound, whisk.Conflict, whisk.Forbidden, whisk.Unauthenticated:
		return whisk.ErrorResponse(whisk.ApplicationError, msgSequenceMissing)
	}
	t.unfound(p, name, err)
	return whisk.ErrorResponse(whisk.WhiskError, msgSequenceFailed)
}

// unfound logs why a component could not be found if that is the platform's
// affair.
func (t *tree) unfound(p *parent, name whisk.ActionName, err error) {
	if k := whisk.KindOf(err); k == whisk.Internal || k == whisk.Unavailable {
		t.f.log.Warn("a component could not be looked up", "activation", p.call.ID, "component", name.Path(), "err", err)
	}
}

// failed reports whether a result ends a sequence.
func failed(r whisk.Response) bool {
	_, has := whisk.Field(r.Result, "error")
	return has
}
