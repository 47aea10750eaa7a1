package router

import (
	"context"
	"time"

	"hearth/whisk"
)

// Pauses between two offers of a failure record to a recorder that is full.
const (
	commitRetryMin = 20 * time.Millisecond
	commitRetryMax = time.Second
)

// settle finds out how a call ended whose connection broke, or makes an end.
// It asks the invoker of the same id, through whichever connection it has
// rejoined with, for RedialWait after it was last known to run the call and
// until the deadline at the most. A call that is found waiting is given up
// too: its Go may still be on its way.
func (r *Router) settle(ctx context.Context, m *member, c *whisk.Call, deadline time.Time) *whisk.Activation {
	until := time.Now().Add(r.cfg.RedialWait)
	tick := time.NewTicker(r.cfg.LookupEvery)
	defer tick.Stop()
	for time.Now().Before(until) && ctx.Err() == nil {
		cur := r.member(m.hello.ID)
		if cur != nil {
			state, rec, err := r.lookup(ctx, cur, c.ID)
			switch {
			case err != nil:
			case state == whisk.FinishedCall && rec != nil && rec.ID == c.ID:
				r.m.done.Inc()
				r.record(cur.invoker, rec)
				r.waiting.wake(maxPasses, 0)
				return rec
			case state == whisk.RunningCall:
				until = time.Now().Add(r.cfg.RedialWait)
				if deadline.Before(until) {
					until = deadline
				}
			case state == whisk.UnknownCall && cur.hello.Incarnation != m.hello.Incarnation:
				return r.fail(ctx, c, msgLost) // it died with the process that had it
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	if cur := r.member(m.hello.ID); cur != nil {
		cur.invoker.Cancel(c.ID)
	}
	return r.fail(ctx, c, msgLost)
}

func (r *Router) lookup(ctx context.Context, m *member, id whisk.ActivationID) (whisk.CallState, *whisk.Activation, error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.RedialWait)
	defer cancel()
	return m.invoker.Lookup(ctx, id)
}

// fail ends a call in a failure record and returns the record that stands:
// another one if the invoker's own was stored before. Nobody else has this
// record, so it is not answered with before it is committed: while the store
// is away the call has no end, and its client is promised one or told nothing.
func (r *Router) fail(ctx context.Context, c *whisk.Call, message string) *whisk.Activation {
	r.m.failed.Inc()
	r.waiting.wake(maxPasses, 0)
	rec := c.Failure(message, time.Now())
	r.log.Warn("call failed", "activation", c.ID, "action", c.Target.Name.Path(), "reason", message)

	ctx, cancel := r.lastMoment(ctx)
	defer cancel()
	if err := r.commit(ctx, rec); err != nil {
		r.m.dropped.Inc()
		r.log.Error("failure record was not stored", "activation", c.ID, "err", err)
		return rec
	}
	if c.Unstored {
		return rec
	}
	stands, err := r.recorder.Activation(ctx, c.Namespace, c.ID)
	if err != nil || stands == nil {
		return rec
	}
	if stands.Response.Status != rec.Response.Status || stands.End != rec.End {
		r.m.duplicate.Inc()
	}
	return stands
}

// lastMoment returns a context that outlives ctx by StoreWait: what has to be
// written is written also when the server is stopping.
func (r *Router) lastMoment(ctx context.Context) (context.Context, context.CancelFunc) {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		t := time.NewTimer(r.cfg.StoreWait)
		defer t.Stop()
		select {
		case <-t.C:
			cancel()
		case <-late.Done():
		}
	})
	return late, func() { stop(); cancel() }
}

// commit returns nil when the record is committed, and offers it again for as
// long as the recorder has no room for it.
func (r *Router) commit(ctx context.Context, rec *whisk.Activation) error {
	for pause := commitRetryMin; ; pause = min(2*pause, commitRetryMax) {
		committed := make(chan error, 1)
		r.recorder.Record(rec, func(err error) { committed <- err })
		var err error
		select {
		case err = <-committed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if whisk.KindOf(err) != whisk.Unavailable {
			return err
		}
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return err
		}
	}
}
