package flow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"hearth/whisk"
)

// errFeedAuth is what a feed answers to who may not have to do with a trigger,
// be it there or not.
var errFeedAuth = whisk.Errorf(whisk.Forbidden, "Trigger authentication request failed.")

// Feed answers the calls of the feed actions of whisk.system/alarms; sort is
// "alarm", "interval" or "once". The key in the arguments says whose trigger it
// is, whoever calls.
func (a *Alarms) Feed(ctx context.Context, sort string, c *whisk.Call) whisk.Response {
	answer, err := a.feed(ctx, sort, c.Args)
	if err != nil {
		message := whisk.MessageOf(err)
		status := whisk.ApplicationError
		if whisk.KindOf(err) == whisk.Internal {
			a.log.Error("a feed of alarms failed", "activation", c.ID, "err", err)
			status, message = whisk.WhiskError, "The alarm could not be stored or read."
		}
		return whisk.ErrorResponse(status, message)
	}
	b, err := json.Marshal(answer)
	if err != nil {
		return whisk.ErrorResponse(whisk.WhiskError, "The answer cannot be written.")
	}
	return whisk.Response{Status: whisk.Success, Result: b, Size: len(b)}
}

// feedDone is the answer to what has nothing to tell.
type feedDone struct {
	Status string `json:"status"`
}

var done = feedDone{"success"}

func (a *Alarms) feed(ctx context.Context, sort string, args json.RawMessage) (any, error) {
	var r alarmRequest
	if err := json.Unmarshal(args, &r); err != nil {
		return nil, whisk.Errorf(whisk.BadRequest, "the parameters cannot be read: %s", jsonFault(err))
	}
	r.Sort = sort
	switch {
	case r.AuthKey == "":
		return nil, whisk.Errorf(whisk.BadRequest, "no authKey parameter was provided")
	case r.TriggerName == "":
		return nil, whisk.Errorf(whisk.BadRequest, "no trigger name parameter was provided")
	}
	id, trigger, err := a.owner(ctx, &r)
	if err != nil {
		return nil, err
	}
	if r.LifecycleEvent != "DELETE" {
		if _, err := a.d.Triggers.Trigger(ctx, trigger); err != nil {
			return nil, refused(err)
		}
	}
	switch r.LifecycleEvent {
	case "CREATE":
		return done, a.create(ctx, id, trigger, &r)
	case "READ":
		return a.read(ctx, trigger)
	case "UPDATE":
		return done, a.update(ctx, id, trigger, &r)
	case "DELETE":
		return done, a.remove(ctx, trigger)
	}
	return nil, whisk.Errorf(whisk.BadRequest, "unsupported lifecycleEvent")
}

// owner returns whose key came, and the trigger of theirs.
func (a *Alarms) owner(ctx context.Context, r *alarmRequest) (*whisk.Identity, whisk.EntityName, error) {
	uuid, key, _ := strings.Cut(r.AuthKey, ":")
	id, err := a.d.Keys.Authenticate(ctx, whisk.AuthKey{UUID: uuid, Key: key})
	if err != nil {
		return nil, whisk.EntityName{}, refused(err)
	}
	name, err := whisk.ParseActionName(r.TriggerName, id.Namespace)
	if err != nil {
		return nil, whisk.EntityName{}, err
	}
	if name.Package != "" || name.Namespace != id.Namespace {
		return nil, whisk.EntityName{}, errFeedAuth
	}
	return id, whisk.EntityName{Namespace: name.Namespace, Name: name.Name}, nil
}

// refused makes one error of all that say that somebody may not, or that there
// is no such thing.
func refused(err error) error {
	switch whisk.KindOf(err) {
	case whisk.Internal, whisk.Unavailable:
		return err
	}
	return errFeedAuth
}

// unfound gives the error of an alarm that is not there its text.
func unfound(trigger whisk.EntityName, err error) error {
	if whisk.KindOf(err) == whisk.NotFound {
		return whisk.Errorf(whisk.NotFound, "could not find trigger %s in the database", trigger)
	}
	return err
}

// create takes the place of an alarm that is there already: it may be that of a
// trigger that was deleted just now.
func (a *Alarms) create(ctx context.Context, id *whisk.Identity, trigger whisk.EntityName, r *alarmRequest) error {
	now := time.Now().UnixMilli()
	p, err := r.plan(now)
	if err != nil {
		return err
	}
	const attempts = 3
	for n := 1; ; n++ {
		left, err := a.d.Store.Alarm(ctx, trigger)
		if err != nil && whisk.KindOf(err) != whisk.NotFound {
			return err
		}
		if err = a.put(ctx, id, trigger, p, left.Revision, now); n == attempts || whisk.KindOf(err) != whisk.Conflict {
			return err
		}
	}
}

// put stores the plan as the trigger's alarm, over the one of that revision.
func (a *Alarms) put(ctx context.Context, id *whisk.Identity, trigger whisk.EntityName, p *alarmPlan, ifRevision, now int64) error {
	p.UUID = id.UUID
	s, ok := p.schedule(trigger)
	if !ok {
		return fmt.Errorf("a plan of %s cannot be read", trigger.Path())
	}
	tick, ok := s.after(now)
	if !ok {
		return whisk.Errorf(whisk.BadRequest, "the first scheduled trigger fire is not until after the stop date")
	}
	plain, err := json.Marshal(p)
	if err != nil {
		return err
	}
	v := whisk.Alarm{
		Trigger: trigger, Revision: rand.Int64N(1<<62) + 1,
		AlarmState: whisk.AlarmState{Tick: tick, Due: tick, Changed: now},
	}
	if v.Body, err = a.d.Sealer.Seal(plain, alarmPurpose(trigger)); err != nil {
		return err
	}
	if err := a.d.Store.PutAlarm(ctx, v, ifRevision); err != nil {
		return err
	}
	a.poke()
	return nil
}

// update changes what r names and sets the alarm going again, whatever has
// ended it.
func (a *Alarms) update(ctx context.Context, id *whisk.Identity, trigger whisk.EntityName, r *alarmRequest) error {
	v, p, err := a.load(ctx, trigger)
	if err != nil {
		return unfound(trigger, err)
	}
	now := time.Now().UnixMilli()
	changed, err := r.over(p, now)
	if err != nil {
		return err
	}
	if !changed {
		return whisk.Errorf(whisk.BadRequest, "no updatable parameters were specified")
	}
	return a.put(ctx, id, trigger, p, v.Revision, now)
}

// remove deletes a trigger's alarm. Clients that delete the trigger first have
// deleted the alarm with it, and mean no other.
func (a *Alarms) remove(ctx context.Context, trigger whisk.EntityName) error {
	err := a.d.Store.DeleteAlarm(ctx, trigger, 0)
	if whisk.KindOf(err) != whisk.NotFound {
		return err
	}
	if _, gone := a.d.Triggers.Trigger(ctx, trigger); whisk.KindOf(gone) == whisk.NotFound {
		return nil
	}
	return unfound(trigger, err)
}

// load returns an alarm and its plan.
func (a *Alarms) load(ctx context.Context, trigger whisk.EntityName) (whisk.Alarm, *alarmPlan, error) {
	v, err := a.d.Store.Alarm(ctx, trigger)
	if err != nil {
		return v, nil, err
	}
	plain, err := a.d.Sealer.Open(v.Body, alarmPurpose(trigger))
	if err != nil {
		return v, nil, fmt.Errorf("alarm of %s: %w", trigger.Path(), errors.Join(errAlarmBody, err))
	}
	p := &alarmPlan{}
	if err := json.Unmarshal(plain, p); err != nil {
		return v, nil, fmt.Errorf("alarm of %s: %w", trigger.Path(), errors.Join(errAlarmBody, err))
	}
	return v, p, nil
}

var errAlarmBody = errors.New("what the owner wants cannot be read")

// alarmPurpose is bound to what is sealed of an alarm.
func alarmPurpose(trigger whisk.EntityName) []byte { return []byte("alarm " + trigger.Path()) }

// ResealAlarm returns the body of an alarm, sealed by from, as to seals it.
func ResealAlarm(v whisk.Alarm, from, to sealer) ([]byte, error) {
	plain, err := from.Open(v.Body, alarmPurpose(v.Trigger))
	if err != nil {
		return nil, err
	}
	return to.Seal(plain, alarmPurpose(v.Trigger))
}

// feedConfig and feedStatus are the answer to READ.
type feedConfig struct {
	Name            string          `json:"name"`
	Namespace       whisk.Namespace `json:"namespace"`
	Payload         json.RawMessage `json:"payload"`
	Cron            string          `json:"cron,omitempty"`
	Timezone        string          `json:"timezone,omitempty"`
	Strict          bool            `json:"strict"`
	Minutes         int64           `json:"minutes,omitempty"`
	Date            json.RawMessage `json:"date,omitempty"`
	DeleteAfterFire string          `json:"deleteAfterFire,omitempty"`
	StartDate       json.RawMessage `json:"startDate,omitempty"`
	StopDate        json.RawMessage `json:"stopDate,omitempty"`
	MaxTriggers     int64           `json:"maxTriggers,omitempty"`
}

type feedStatus struct {
	Active         bool        `json:"active"`
	DateChanged    int64       `json:"dateChanged"`
	DateChangedISO string      `json:"dateChangedISO"`
	Reason         *feedReason `json:"reason,omitempty"`
}

type feedReason struct {
	Kind       string `json:"kind"`
	StatusCode int    `json:"statusCode,omitempty"`
	Message    string `json:"message"`
}

func (a *Alarms) read(ctx context.Context, trigger whisk.EntityName) (any, error) {
	v, p, err := a.load(ctx, trigger)
	if err != nil {
		return nil, unfound(trigger, err)
	}
	config := feedConfig{
		Name: trigger.Name, Namespace: trigger.Namespace, Payload: p.Payload, Cron: p.Cron, Timezone: p.Timezone, Strict: p.strict(),
		Minutes: p.Minutes, Date: p.Date, DeleteAfterFire: p.DeleteAfterFire, StartDate: p.StartDate, StopDate: p.StopDate, MaxTriggers: p.MaxTriggers,
	}
	if config.Payload == nil {
		config.Payload = json.RawMessage("{}")
	}
	status := feedStatus{
		Active: v.Due != 0, DateChanged: v.Changed, DateChangedISO: time.UnixMilli(v.Changed).UTC().Format(time.RFC3339),
	}
	if v.Reason != "" {
		status.Reason = &feedReason{Kind: "AUTO", StatusCode: v.Status, Message: v.Reason}
	}
	return struct {
		Config feedConfig `json:"config"`
		Status feedStatus `json:"status"`
	}{config, status}, nil
}
