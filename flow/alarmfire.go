package flow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"

	"hearth/whisk"
)

// Why alarms end, in the words of OpenWhisk's provider.
const (
	endOnce     = "Automatically disabled after firing once"
	endCron     = "Automatically disabled after firing last scheduled cron trigger"
	endInterval = "Automatically disabled after firing last scheduled interval trigger"
	endMax      = "Automatically disabled after reaching max triggers"
	endStatus   = "Automatically disabled after receiving a %d status code when firing the trigger"
	endBody     = "Automatically disabled because its settings cannot be read"
)

// tend fires an alarm that is due, and says when it is due again.
func (a *Alarms) tend(ctx context.Context, head *whisk.Alarm) {
	ctx, cancel := context.WithTimeout(ctx, a.cfg.StoreTimeout)
	defer cancel()
	v, p, err := a.load(ctx, head.Trigger)
	switch {
	case whisk.KindOf(err) == whisk.NotFound, err == nil && (v.Revision != head.Revision || v.Tick != head.Tick || v.Due == 0):
		return // somebody else was at it
	case errors.Is(err, errAlarmBody):
		a.log.Error("an alarm cannot be read", "trigger", head.Trigger, "err", err)
		a.end(ctx, &v, 0, endBody)
		return
	case err != nil:
		a.retry(ctx, head, err)
		return
	}
	if p.Sort == alarmOnce && v.Fired > 0 { // it deletes now
		a.clear(ctx, &v, p)
		return
	}
	step, ok := a.step(&v, p)
	if !ok {
		a.end(ctx, &v, 0, endBody)
		return
	}
	switch err := a.fire(ctx, &v, p, step); {
	case err == nil:
		a.m.fired.Inc()
		a.settled(v.Trigger)
		if step.Next.Due == 0 {
			a.m.ended.Inc()
			a.log.Info("an alarm has ended", "trigger", v.Trigger, "why", step.Next.Reason)
		}
	case errors.Is(err, whisk.ErrChanged):
	default:
		a.unfired(ctx, &v, err)
	}
}

// step returns the step from the tick at hand; false: the plan cannot be read.
func (a *Alarms) step(v *whisk.Alarm, p *alarmPlan) (*whisk.AlarmStep, bool) {
	s, ok := p.schedule(v.Trigger)
	if !ok {
		return nil, false
	}
	now := time.Now().UnixMilli()
	next := v.AlarmState
	next.Fired++
	tick, more := s.following(v.Tick, now, a.cfg.MakeUp)
	if direct, ok := s.after(v.Tick); more && ok && direct != tick {
		a.m.skipped.Inc()
		a.log.Warn("ticks of an alarm that were missed long ago are left out", "trigger", v.Trigger,
			"from", time.UnixMilli(direct).UTC(), "until", time.UnixMilli(tick).UTC())
	}
	switch {
	case p.Sort == alarmOnce && (p.DeleteAfterFire == "true" || p.DeleteAfterFire == "rules"):
		next.Tick++ // a tick that fires nothing: to delete
		next.Due = now
	case p.MaxTriggers > 0 && next.Fired >= p.MaxTriggers:
		next.Due, next.Changed, next.Reason = 0, now, endMax
	case more:
		next.Tick, next.Due = tick, tick
	default:
		next.Due, next.Changed, next.Reason = 0, now, map[string]string{alarmOnce: endOnce, alarmCron: endCron, alarmInterval: endInterval}[p.Sort]
	}
	return &whisk.AlarmStep{Trigger: v.Trigger, Revision: v.Revision, Tick: v.Tick, Token: newToken(), Next: next}, true
}

func newToken() int64 { return rand.Int64N(1<<62) + 1 }

// fire fires the trigger in the name of the alarm's owner.
func (a *Alarms) fire(ctx context.Context, v *whisk.Alarm, p *alarmPlan, step *whisk.AlarmStep) error {
	id, err := a.d.Keys.Identity(ctx, p.UUID)
	if err != nil {
		return err
	}
	if id.Namespace != v.Trigger.Namespace {
		return errFeedAuth
	}
	t, err := a.d.Triggers.Trigger(ctx, v.Trigger)
	if err != nil {
		return err
	}
	if err := a.d.Throttle.Fire(id); err != nil {
		return err
	}
	_, err = a.d.Fires.Fire(ctx, whisk.Fire{
		Identity: id, TransactionID: fmt.Sprintf("sid_alarm_%x", step.Token), Trigger: t, Step: step,
		Payload: p.Payload, Args: argsOf(t, p), Unstored: id.Unstored(),
	})
	return err
}

// alarmHeaders are the headers that actions find in their arguments, as with any
// fire.
const alarmHeaders = `"__ow_headers":{"accept":"application/json","content-type":"application/json"}`

// argsOf returns what the actions are invoked with: an object.
func argsOf(t *whisk.Trigger, p *alarmPlan) []byte {
	return whisk.MergeObjects(whisk.MergeObjects(t.Parameters.Arguments(), []byte("{"+alarmHeaders+"}")), p.Payload)
}

// statusOf maps what a fire over HTTP would have been answered.
var statusOf = map[whisk.Kind]int{
	whisk.BadRequest: http.StatusBadRequest, whisk.Unauthenticated: http.StatusUnauthorized, whisk.Forbidden: http.StatusForbidden,
	whisk.NotFound: http.StatusNotFound, whisk.Conflict: http.StatusConflict, whisk.TooLarge: http.StatusRequestEntityTooLarge,
	whisk.Throttled: http.StatusTooManyRequests,
}

// unfired disables an alarm whose fire can never succeed, deletes one whose
// trigger is gone, and has others tried again.
func (a *Alarms) unfired(ctx context.Context, v *whisk.Alarm, err error) {
	status := statusOf[whisk.KindOf(err)]
	if errors.Is(err, whisk.ErrCollection) { // something else has the trigger's name
		status = http.StatusNotFound
	}
	switch status {
	case http.StatusNotFound:
		a.orphaned(ctx, v)
		return
	case http.StatusTooManyRequests:
		if a.tries(v) < a.cfg.Throttled {
			a.retry(ctx, v, err)
			return
		}
	case 0, http.StatusConflict:
		a.retry(ctx, v, err)
		return
	}
	a.end(ctx, v, status, fmt.Sprintf(endStatus, status))
}

func (a *Alarms) tries(v *whisk.Alarm) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if f := a.failed[v.Trigger]; f.tick == v.Tick {
		return f.tries
	}
	return 0
}

// settled forgets what was wrong with an alarm.
func (a *Alarms) settled(trigger whisk.EntityName) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.failed, trigger)
}

// retry lets an alarm rest. Its tick is not lost.
func (a *Alarms) retry(ctx context.Context, v *whisk.Alarm, err error) {
	if ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled) {
		return // the process stops
	}
	a.m.retried.Inc()
	a.mu.Lock()
	f := a.failed[v.Trigger]
	if f.tick != v.Tick {
		f = failing{tick: v.Tick}
	}
	f.tries++
	rest := min(a.cfg.RetryMin*time.Duration(f.tries)*time.Duration(f.tries), a.cfg.RetryMax)
	f.until = time.Now().Add(rest)
	a.failed[v.Trigger] = f
	a.mu.Unlock()
	if f.tries == 1 {
		level := slog.LevelWarn
		if whisk.KindOf(err) == whisk.Throttled {
			level = slog.LevelDebug // its owner's affair, and theirs to repeat
		}
		a.log.Log(ctx, level, "an alarm could not be fired and will be tried again", "trigger", v.Trigger, "err", err)
	}
}

// end disables an alarm; status is that of the fire that is the reason, if one is.
func (a *Alarms) end(ctx context.Context, v *whisk.Alarm, status int, reason string) {
	next := v.AlarmState
	next.Due, next.Changed, next.Status, next.Reason = 0, time.Now().UnixMilli(), status, reason
	step := whisk.AlarmStep{Trigger: v.Trigger, Revision: v.Revision, Tick: v.Tick, Token: newToken(), Next: next}
	if _, err := a.d.Queue.Step(ctx, step, nil, nil); err != nil {
		a.retry(ctx, v, err)
		return
	}
	a.m.ended.Inc()
	a.settled(v.Trigger)
	a.log.Info("an alarm was disabled", "trigger", v.Trigger, "why", reason)
}

// orphaned deletes an alarm whose trigger is gone.
func (a *Alarms) orphaned(ctx context.Context, v *whisk.Alarm) {
	if err := a.d.Store.DeleteAlarm(ctx, v.Trigger, v.Revision); err != nil && whisk.KindOf(err) == whisk.Internal {
		a.retry(ctx, v, err)
		return
	}
	a.settled(v.Trigger)
}

// clear deletes the trigger of an alarm that has fired once, its rules if that
// was asked for, and last the alarm, so that it is done again if it breaks off.
func (a *Alarms) clear(ctx context.Context, v *whisk.Alarm, p *alarmPlan) {
	t, err := a.d.Triggers.Trigger(ctx, v.Trigger)
	if err == nil && p.DeleteAfterFire == "rules" {
		for _, link := range t.Rules {
			r, err := a.d.Triggers.Rule(ctx, link.Rule)
			if err == nil && r.Trigger == v.Trigger {
				err = a.d.Triggers.DeleteRule(ctx, r)
			}
			if err != nil && whisk.KindOf(err) != whisk.NotFound {
				a.retry(ctx, v, err)
				return
			}
		}
	}
	if err == nil {
		err = a.d.Triggers.DeleteTrigger(ctx, v.Trigger, t.Revision)
	}
	if k := whisk.KindOf(err); err != nil && k != whisk.NotFound && !errors.Is(err, whisk.ErrCollection) {
		a.retry(ctx, v, err)
		return
	}
	a.orphaned(ctx, v)
}
