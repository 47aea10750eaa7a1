package api

import (
	"context"
	"errors"
	"slices"
	"time"

	"hearth/whisk"
)

// ruleBody is a rule's PUT body: what is nil was not given.
type ruleBody struct {
	entityBody
	trigger, action *whisk.ActionName
}

func parseRule(raw []byte, l *whisk.SystemLimits, own whisk.Namespace) (*ruleBody, error) {
	b := &ruleBody{}
	name := func(to **whisk.ActionName) func([]byte) error {
		return func(v []byte) error {
			n, err := parseName(v, own)
			*to = &n
			return err
		}
	}
	err := readFields(raw, append(b.fields(l), field{"trigger", name(&b.trigger)}, field{"action", name(&b.action)}))
	if err != nil {
		return nil, err
	}
	return b, b.checkSizes(l)
}

// putRule answers PUT of a rule, which changes its trigger too.
func (s *Server) putRule(q *request, name whisk.EntityName) (reply, error) {
	overwrite, err := q.query.boolean("overwrite", false)
	if err != nil {
		return reply{}, err
	}
	raw, err := q.readJSON(s.cfg.Limits.EntitySize)
	if err != nil {
		return reply{}, err
	}
	body, err := parseRule(raw, q.limits, name.Namespace)
	if err != nil {
		return reply{}, err
	}
	if err := s.checkRuleRights(q, body); err != nil {
		return reply{}, err
	}
	ctx, cancel := q.writing()
	defer cancel()
	first, err := found(s.deps.Entities.Rule(ctx, name))
	if err != nil {
		return reply{}, err
	}
	if first != nil && !overwrite {
		return reply{}, whisk.ErrExists
	}
	var (
		r      *whisk.Rule
		active bool
	)
	err = retried(func() error {
		stored, err := found(s.deps.Entities.Rule(ctx, name))
		if err != nil {
			return err
		}
		if !sameRevision(first, stored) { // this one is a conflict
			return errRuleChanged
		}
		r, active, err = s.storeRule(ctx, name, body, stored)
		return err
	})
	if errors.Is(err, errRuleChanged) {
		err = whisk.ErrChanged
	}
	if err != nil {
		return reply{}, notCreated(err, overwrite)
	}
	return ruleReply(r, active)
}

var errRuleChanged = errors.New("the rule has changed")

func sameRevision(a, b *whisk.Rule) bool {
	return a == nil && b == nil || a != nil && b != nil && a.Revision == b.Revision
}

// checkRuleRights returns nil if the caller may use what the body names.
func (s *Server) checkRuleRights(q *request, body *ruleBody) error {
	var denied []string
	if t := body.trigger; t != nil && !q.owns(t.Namespace) {
		denied = append(denied, t.Path())
	}
	if a := body.action; a != nil {
		if a.Package == "" && !q.owns(a.Namespace) {
			denied = append(denied, a.Path())
		} else if err := s.deps.Rights.Components(q.Context(), q.identity, []whisk.ActionName{*a}); err != nil {
			return err
		}
	}
	if denied != nil {
		slices.Sort(denied)
		return whisk.NotAuthorized(denied...)
	}
	return nil
}

// storeRule lays the body over the stored rule, nil if there is none, and writes
// it with the triggers that it changes.
func (s *Server) storeRule(ctx context.Context, name whisk.EntityName, body *ruleBody, stored *whisk.Rule) (*whisk.Rule, bool, error) {
	r := &whisk.Rule{Name: name}
	active := true
	var before *whisk.Trigger
	if stored != nil {
		c := *stored
		r = &c
		var err error
		if before, err = s.triggerOf(ctx, stored); err != nil {
			return nil, false, err
		}
		active = isActive(before, name)
	} else if body.trigger == nil || body.action == nil {
		return nil, false, whisk.Errorf(whisk.BadRequest, "rule requires a valid trigger and a valid action")
	}
	trigger := whisk.ActionName{Namespace: r.Trigger.Namespace, Name: r.Trigger.Name}
	if body.trigger != nil {
		trigger = *body.trigger
	}
	if body.action != nil {
		r.Action = *body.action
	}
	after, err := s.checkRule(ctx, trigger, r.Action)
	if err != nil {
		return nil, false, err
	}
	r.Trigger = after.Name
	body.over(nil, &r.Annotations, &r.Version, &r.Publish, stored != nil)
	r.Updated = time.Now().UnixMilli()
	changed := []*whisk.Trigger{linked(after, whisk.RuleLink{Rule: name, Action: r.Action, Active: active})}
	if before != nil && before.Name != after.Name && linkOf(before, name) >= 0 {
		changed = append(changed, unlinked(before, name))
	}
	r, err = s.deps.Entities.PutRule(ctx, r, r.Revision, changed...)
	return r, active, err
}

// checkRule returns the trigger of a rule if it and the action exist.
func (s *Server) checkRule(ctx context.Context, trigger, action whisk.ActionName) (*whisk.Trigger, error) {
	var t *whisk.Trigger
	err := error(whisk.ErrNotFound) // nothing in a package is a trigger
	if trigger.Package == "" {
		t, err = s.deps.Entities.Trigger(ctx, whisk.EntityName{Namespace: trigger.Namespace, Name: trigger.Name})
	}
	if err != nil {
		return nil, badReference("trigger", trigger, err)
	}
	if _, err := s.deps.Entities.Resolve(ctx, action); err != nil {
		return nil, badReference("action", action, err)
	}
	return t, nil
}

// badReference is the error of a rule's trigger or action that cannot be had.
func badReference(what string, name whisk.ActionName, err error) error {
	switch whisk.KindOf(err) {
	case whisk.NotFound:
		return whisk.Errorf(whisk.BadRequest, "%s %s does not exist", what, name)
	case whisk.Conflict:
		return whisk.Errorf(whisk.BadRequest, "%s", whisk.ErrCollection.Message)
	}
	return err
}
