package bench

import (
	"context"
	"strings"

	"hearth/client"
	"hearth/whisk"
)

// drains reports whether a case is over when all records are there.
func (c *Case) drains() bool { return c.Do == DoSubmit || c.Do == DoFire }

// queues reports whether nobody waits for a case's calls.
func (c *Case) queues() bool { return c.drains() || c.Do == DoAccept }

// trigger makes a trigger with a rule for each of the case's actions.
func (st *stage) trigger(ctx context.Context, p *prepared) error {
	p.trigger = triggerOf(p.actions)
	if _, err := p.api.PutTrigger(ctx, p.trigger, &client.Trigger{}, true); err != nil {
		return err
	}
	for _, a := range p.actions {
		body := &client.RuleBody{Trigger: "/_/" + p.trigger.Name, Action: "/_/" + a.Name}
		if _, err := p.api.PutRule(ctx, ruleOf(a), body, true); err != nil {
			return err
		}
	}
	return nil
}

// triggerOf names the trigger of a case's actions.
func triggerOf(actions []whisk.ActionName) whisk.EntityName {
	return whisk.EntityName{Name: strings.TrimSuffix(actions[0].Name, "-0") + "-trigger"}
}

func ruleOf(a whisk.ActionName) whisk.EntityName { return whisk.EntityName{Name: a.Name + "-rule"} }

// removeTrigger takes the trigger and its rules from a server that is to
// outlive us.
func (p *prepared) removeTrigger(ctx context.Context) (errs []error) {
	if p.trigger.IsZero() || len(p.procs) > 0 {
		return nil
	}
	for _, a := range p.actions {
		if err := p.api.DeleteRule(ctx, ruleOf(a)); client.StatusOf(err) != 404 {
			errs = append(errs, err)
		}
	}
	if err := p.api.DeleteTrigger(ctx, p.trigger); client.StatusOf(err) != 404 {
		errs = append(errs, err)
	}
	return errs
}
