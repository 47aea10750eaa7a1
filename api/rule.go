package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"hearth/whisk"
)

// rules are the stored rules, as [entities] are.
type rules interface {
	Rule(ctx context.Context, name whisk.EntityName) (*whisk.Rule, error)
	// PutRule stores the rule, and the triggers that gain or lose its link, all
	// of them or none: whisk.ErrChanged if a trigger is not as it was read.
	PutRule(ctx context.Context, r *whisk.Rule, ifRevision int64, triggers ...*whisk.Trigger) (*whisk.Rule, error)
	DeleteRule(ctx context.Context, r *whisk.Rule, triggers ...*whisk.Trigger) error
	Rules(ctx context.Context, ns whisk.Namespace, skip, limit int) ([]*whisk.Rule, error)
	CountRules(ctx context.Context, ns whisk.Namespace) (int, error)
}

// listRules answers GET …/rules: documents without status, which only a rule's
// trigger knows.
func (s *Server) listRules(q *request, ns whisk.Namespace) (reply, error) {
	return countOr(q, "rules",
		func(ctx context.Context) (int, error) { return s.deps.Entities.CountRules(ctx, ns) },
		list[*whisk.Rule, whisk.EntityName]{
			fetch: func(skip, limit int) ([]*whisk.Rule, error) {
				return s.deps.Entities.Rules(q.Context(), ns, skip, limit)
			},
			key:    func(r *whisk.Rule) whisk.EntityName { return r.Name },
			size:   func(r *whisk.Rule) int64 { return 1024 + r.Annotations.Size() },
			append: func(b []byte, r *whisk.Rule) []byte { return append(appendRule(append(b, '{'), r), '}') },
		})
}

func (s *Server) fetchRule(q *request, name whisk.EntityName) (reply, error) {
	r, err := s.deps.Entities.Rule(q.Context(), name)
	if err != nil {
		return reply{}, err
	}
	t, err := s.triggerOf(q.Context(), r)
	if err != nil {
		return reply{}, err
	}
	return ruleReply(r, isActive(t, name))
}

// deleteRule deletes the rule and its trigger's link to it, whatever its status.
func (s *Server) deleteRule(q *request, name whisk.EntityName) (reply, error) {
	ctx, cancel := q.writing()
	defer cancel()
	var r *whisk.Rule
	err := retried(func() (err error) {
		if r, err = s.deps.Entities.Rule(ctx, name); err != nil {
			return err
		}
		t, err := s.triggerOf(ctx, r)
		if err != nil {
			return err
		}
		if t == nil || linkOf(t, name) < 0 {
			return s.deps.Entities.DeleteRule(ctx, r)
		}
		return s.deps.Entities.DeleteRule(ctx, r, unlinked(t, name))
	})
	if err != nil {
		return reply{}, err
	}
	return ruleReply(r, false)
}

// setRule answers POST of a rule: it becomes active or inactive, or stays it.
func (s *Server) setRule(q *request, name whisk.EntityName) (reply, error) {
	raw, err := q.readJSON(q.limits.PayloadSize)
	if err != nil {
		return reply{}, err
	}
	active, err := parseStatus(raw)
	if err != nil {
		return reply{}, err
	}
	ctx, cancel := q.writing()
	defer cancel()
	err = retried(func() error {
		r, err := s.deps.Entities.Rule(ctx, name)
		if err != nil {
			return err
		}
		t, err := s.triggerOf(ctx, r)
		switch {
		case err != nil || isActive(t, name) == active:
			return err
		case t == nil:
			return whisk.Errorf(whisk.NotFound, "Only rules with existing triggers can be activated")
		}
		_, err = s.deps.Entities.PutTrigger(ctx, linked(t, whisk.RuleLink{Rule: name, Action: r.Action, Active: active}), t.Revision)
		return err
	})
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusOK}, nil
}

// parseStatus reads the body that says what a rule is to be.
func parseStatus(raw []byte) (active bool, err error) {
	if len(raw) == 0 {
		return false, whisk.Errorf(whisk.BadRequest, "Request entity expected but not supplied")
	}
	if !whisk.IsObject(raw) {
		return false, malformed("JSON object expected.")
	}
	v, given := lastFields(raw, "status")["status"]
	if !given {
		return false, malformed("key not found: status")
	}
	text, _ := textOf(v)
	if text != ruleStatus(true) && text != ruleStatus(false) {
		return false, malformed("'" + text + "' is not a recognized rule state, must be one of ['active', 'inactive']")
	}
	return text == ruleStatus(true), nil
}

// retried calls f again where something has changed between its reads and its
// write: a trigger changes with each of its rules, which is nobody's conflict.
func retried(f func() error) error {
	const attempts = 5
	for n := 1; ; n++ {
		if err := f(); !errors.Is(err, whisk.ErrChanged) || n == attempts {
			return err
		}
	}
}

// triggerOf returns the trigger of a rule, nil if it is gone.
func (s *Server) triggerOf(ctx context.Context, r *whisk.Rule) (*whisk.Trigger, error) {
	t, err := found(s.deps.Entities.Trigger(ctx, r.Trigger))
	if errors.Is(err, whisk.ErrCollection) {
		return nil, nil
	}
	return t, err
}

func linkOf(t *whisk.Trigger, rule whisk.EntityName) int {
	return slices.IndexFunc(t.Rules, func(l whisk.RuleLink) bool { return l.Rule == rule })
}

// isActive reports what the trigger, which may be nil, says of a rule.
func isActive(t *whisk.Trigger, rule whisk.EntityName) bool {
	if t == nil {
		return false
	}
	i := linkOf(t, rule)
	return i >= 0 && t.Rules[i].Active
}

// linked returns the trigger with the link, in place of the rule's former one.
func linked(t *whisk.Trigger, link whisk.RuleLink) *whisk.Trigger {
	out := unlinked(t, link.Rule)
	at, _ := slices.BinarySearchFunc(out.Rules, link.Rule.Path(), func(l whisk.RuleLink, path string) int {
		return strings.Compare(l.Rule.Path(), path)
	})
	out.Rules = slices.Insert(out.Rules, at, link)
	return out
}

// unlinked returns the trigger without the rule's link.
func unlinked(t *whisk.Trigger, rule whisk.EntityName) *whisk.Trigger {
	out := *t
	out.Rules = slices.DeleteFunc(slices.Clone(t.Rules), func(l whisk.RuleLink) bool { return l.Rule == rule })
	return &out
}

func ruleStatus(active bool) string {
	if active {
		return "active"
	}
	return "inactive"
}

func ruleReply(r *whisk.Rule, active bool) (reply, error) {
	b := appendRule([]byte{'{'}, r)
	return ok(append(appendText(b, "status", ruleStatus(active)), '}'))
}

// appendRule appends the fields of a rule's document.
func appendRule(b []byte, r *whisk.Rule) []byte {
	b = appendEntity(b, r.Name, r.Version, r.Publish, r.Annotations, r.Updated)
	b = appendName(appendKey(b, "trigger"), whisk.ActionName{Namespace: r.Trigger.Namespace, Name: r.Trigger.Name})
	return appendName(appendKey(b, "action"), r.Action)
}
