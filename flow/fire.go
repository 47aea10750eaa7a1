package flow

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"hearth/whisk"
)

// Fire invokes the actions of a trigger's active rules, non-blocking, in the
// name of who fires it, and returns the id of the trigger's record. That and the
// rows of the actions are durable by then, together. Without an active rule
// nothing happens and the id is zero. What keeps one rule from its action stands
// in the record; an error says that nothing was invoked, as far as is known. With
// [whisk.ErrChanged] the alarm is not at that tick any more.
func (f *Flow) Fire(ctx context.Context, e whisk.Fire) (whisk.ActivationID, error) {
	active := false
	for i := range e.Trigger.Rules {
		active = active || e.Trigger.Rules[i].Active
	}
	if !active && e.Step == nil {
		return whisk.ActivationID{}, nil
	}
	if !f.gate.enter() {
		return whisk.ActivationID{}, errStopping
	}
	defer f.gate.leave()
	if !active {
		return whisk.ActivationID{}, f.commitFire(ctx, e.Step, nil, nil)
	}
	began := time.Now()
	v := volley{f: f, Fire: e, began: began}
	rec := v.record()
	for i := range e.Trigger.Rules {
		rec.Logs = append(rec.Logs, v.invoke(ctx, &e.Trigger.Rules[i]))
	}
	if err := f.commitFire(ctx, e.Step, rec, v.rows); err != nil {
		cause := errors.Unwrap(err)
		refused := err == whisk.ErrChanged || whisk.KindOf(cause) == whisk.Unavailable
		for _, it := range v.items {
			it.ended()
			f.withdraw(it, refused)
		}
		return whisk.ActivationID{}, err
	}
	f.m.fires.Inc()
	f.m.submitted.Add(len(v.items))
	for _, it := range v.items {
		f.accept(it)
	}
	return rec.ID, nil
}

// commitFire makes what comes of a fire durable.
func (f *Flow) commitFire(ctx context.Context, step *whisk.AlarmStep, rec *whisk.Activation, rows []whisk.QueueRow) (err error) {
	// A client that leaves now must not leave rows that nobody here knows of.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.cfg.StoreTimeout)
	defer cancel()
	done := true
	if step == nil {
		err = f.queue.Commit(ctx, []*whisk.Activation{rec}, rows)
	} else {
		done, err = f.queue.Step(ctx, *step, rec, rows)
	}
	if err != nil {
		f.m.storeErrors.Inc()
		return &whisk.Error{Kind: whisk.Unavailable, Message: "The trigger cannot be fired now, try again later.", Err: err}
	}
	if !done {
		return whisk.ErrChanged
	}
	return nil
}

// volley is one fire on its way.
type volley struct {
	whisk.Fire
	f     *Flow
	began time.Time
	items []*item
	rows  []whisk.QueueRow // of the items
	bytes int64            // of the rows
}

// record returns the trigger's record, without what became of the rules.
func (v *volley) record() *whisk.Activation {
	t, id := v.Trigger, v.Identity
	result := v.Payload
	if len(result) == 0 {
		result = json.RawMessage("{}")
	}
	return &whisk.Activation{
		ID: whisk.NewActivationID(), Namespace: id.Namespace, Name: t.Name.Name, Version: t.Version, Subject: id.Subject,
		Start: v.began.UnixMilli(), Unstored: v.Unstored,
		Response: whisk.Response{Status: whisk.Success, Result: result, Size: len(result)},
	}
}

// invoke prepares the row for the action of a rule and returns the line about
// it. The action throttle is charged before anything is looked at, as it is for
// any invoke.
func (v *volley) invoke(ctx context.Context, link *whisk.RuleLink) string {
	if !link.Active {
		return ruleLine(link, whisk.ActivationID{}, whisk.ApplicationError,
			"Rule '"+link.Rule.Path()+"' is inactive, action '"+link.Action.Path()+"' was not activated.")
	}
	release, err := v.f.throttle.Invocation(v.Identity)
	if err == nil {
		var it *item
		if it, err = v.item(ctx, link.Action, once(release)); err == nil {
			return ruleLine(link, it.id, whisk.Success, "")
		}
		release()
	}
	status, message := whisk.ApplicationError, whisk.MessageOf(err)
	switch whisk.KindOf(err) {
	case whisk.Internal:
		v.f.log.Error("a rule's action could not be invoked", "rule", link.Rule.Path(), "err", err)
		status, message = whisk.WhiskError, "There was an internal server error."
	case whisk.Unavailable:
		status = whisk.WhiskError
	}
	return ruleLine(link, whisk.ActivationID{}, status, message)
}

// item adds the item and the row for a call of the action.
func (v *volley) item(ctx context.Context, name whisk.ActionName, ended func()) (*item, error) {
	id := v.Identity
	found, err := v.f.find(ctx, id.UUID, name)
	if err != nil {
		return nil, err
	}
	if err := found.CheckPayload(v.Args); err != nil {
		return nil, err
	}
	c := found.Call(v.Args)
	c.ID, c.TransactionID, c.Unstored = whisk.NewActivationID(), v.TransactionID, id.Unstored()
	c.Namespace, c.Subject, c.UUID, c.Bounds = id.Namespace, id.Subject, id.UUID, id.BoundsOf(c.Target.Limits)
	row, err := v.f.row(c, v.began)
	if err != nil {
		return nil, err
	}
	// One fire holds no more than one namespace may in the backlog.
	if v.bytes += int64(len(row.Payload)); v.bytes > v.f.cfg.MaxBytes/2 && len(v.rows) > 0 {
		return nil, whisk.ErrOverloaded
	}
	it := v.f.newItem(c, v.began, true, ended)
	if err := v.f.reserve(it); err != nil {
		return nil, err
	}
	v.items, v.rows = append(v.items, it), append(v.rows, v.f.claimed(row, it))
	return it, nil
}

// ruleLine is the line about a rule in the record of its trigger's fire.
func ruleLine(link *whisk.RuleLink, id whisk.ActivationID, status whisk.Status, message string) string {
	line := struct {
		Rule         string       `json:"rule"`
		Action       string       `json:"action"`
		StatusCode   whisk.Status `json:"statusCode"`
		Success      bool         `json:"success"`
		ActivationID string       `json:"activationId,omitempty"`
		Error        string       `json:"error,omitempty"`
	}{Rule: link.Rule.Path(), Action: link.Action.Path(), StatusCode: status, Success: status == whisk.Success, Error: message}
	if !id.IsZero() {
		line.ActivationID = id.String()
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(line) // strings always encode
	return strings.TrimSuffix(b.String(), "\n")
}
