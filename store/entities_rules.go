package store

import (
	"context"
	"errors"

	"hearth/whisk"
)

// Trigger returns a trigger: [whisk.ErrNotFound]; [whisk.ErrCollection] if the
// name is another collection's.
func (e *Entities) Trigger(ctx context.Context, name whisk.EntityName) (*whisk.Trigger, error) {
	return find[whisk.Trigger](ctx, e, entityKey(name))
}

// PutTrigger writes a trigger as [Entities.PutAction] does an action.
func (e *Entities) PutTrigger(ctx context.Context, t *whisk.Trigger, ifRevision int64) (*whisk.Trigger, error) {
	out := *t
	var err error
	if out.Parameters, err = e.sealed(t.Name.Namespace, t.Parameters); err != nil {
		return nil, err
	}
	d, err := encodeTrigger(&out)
	if err != nil {
		return nil, err
	}
	stored, err := e.write(ctx, Write{Kind: WritePut, Doc: d, IfRevision: ifRevision})
	if err != nil {
		return nil, e.conflict(ctx, Triggers, d.Key, err)
	}
	out.Revision = stored[0].Revision
	return &out, nil
}

// DeleteTrigger is [Entities.DeleteAction] for a trigger. The alarm that it has
// goes with it, but none that a new trigger of the name is given meanwhile.
func (e *Entities) DeleteTrigger(ctx context.Context, name whisk.EntityName, ifRevision int64) error {
	alarm, err := e.engine.Alarm(ctx, name)
	if err != nil && !errors.Is(err, whisk.ErrNotFound) {
		return err
	}
	if err := e.remove(ctx, Triggers, entityKey(name), ifRevision); err != nil || alarm.Revision == 0 {
		return err
	}
	// The trigger is gone whatever comes of this: an alarm that is left finds out
	// at its next tick.
	_ = e.engine.DeleteAlarm(ctx, name, alarm.Revision)
	return nil
}

// Triggers lists triggers, last updated first. Limit 0 is no limit.
func (e *Entities) Triggers(ctx context.Context, ns whisk.Namespace, skip, limit int) ([]*whisk.Trigger, error) {
	return all[whisk.Trigger](ctx, e, DocQuery{Collection: Triggers, Namespace: ns, Skip: skip, Limit: limit})
}

// CountTriggers counts the triggers of a namespace.
func (e *Entities) CountTriggers(ctx context.Context, ns whisk.Namespace) (int, error) {
	return e.engine.CountDocs(ctx, DocQuery{Collection: Triggers, Namespace: ns})
}

// Rule returns a rule: [whisk.ErrNotFound]; [whisk.ErrCollection] if the name is
// another collection's.
func (e *Entities) Rule(ctx context.Context, name whisk.EntityName) (*whisk.Rule, error) {
	return find[whisk.Rule](ctx, e, entityKey(name))
}

// PutRule writes a rule as [Entities.PutAction] does an action, together with
// the triggers that gain or lose its link: all of them or none. Each trigger
// must still have the revision that it is given with, else [whisk.ErrChanged].
func (e *Entities) PutRule(ctx context.Context, r *whisk.Rule, ifRevision int64, triggers ...*whisk.Trigger) (*whisk.Rule, error) {
	d, err := encodeRule(r)
	if err != nil {
		return nil, err
	}
	writes, err := e.putTriggers(triggers)
	if err != nil {
		return nil, err
	}
	stored, err := e.write(ctx, append([]Write{{Kind: WritePut, Doc: d, IfRevision: ifRevision}}, writes...)...)
	if err != nil {
		return nil, e.conflict(ctx, Rules, d.Key, err)
	}
	out := *r
	out.Revision = stored[0].Revision
	return &out, nil
}

// DeleteRule deletes a rule of that revision and writes the triggers that lose
// its link, as PutRule does.
func (e *Entities) DeleteRule(ctx context.Context, r *whisk.Rule, triggers ...*whisk.Trigger) error {
	writes, err := e.putTriggers(triggers)
	if err != nil {
		return err
	}
	remove := Write{Kind: WriteDelete, Doc: Doc{Key: entityKey(r.Name)}, IfRevision: r.Revision}
	_, err = e.write(ctx, append([]Write{remove}, writes...)...)
	return err
}

func (e *Entities) putTriggers(triggers []*whisk.Trigger) ([]Write, error) {
	var writes []Write
	for _, t := range triggers {
		sealed := *t
		var err error
		if sealed.Parameters, err = e.sealed(t.Name.Namespace, t.Parameters); err != nil {
			return nil, err
		}
		d, err := encodeTrigger(&sealed)
		if err != nil {
			return nil, err
		}
		writes = append(writes, Write{Kind: WritePut, Doc: d, IfRevision: t.Revision})
	}
	return writes, nil
}

// Rules lists rules, last updated first. Limit 0 is no limit.
func (e *Entities) Rules(ctx context.Context, ns whisk.Namespace, skip, limit int) ([]*whisk.Rule, error) {
	return all[whisk.Rule](ctx, e, DocQuery{Collection: Rules, Namespace: ns, Skip: skip, Limit: limit})
}

// CountRules counts the rules of a namespace.
func (e *Entities) CountRules(ctx context.Context, ns whisk.Namespace) (int, error) {
	return e.engine.CountDocs(ctx, DocQuery{Collection: Rules, Namespace: ns})
}
