package router

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hearth/whisk"
)

// Texts of failure records. They are OpenWhisk's where it has one.
const (
	msgNoCode   = "Action could not be found or may have been deleted."
	msgLost     = "Failed to provision resources to run the action."
	msgDeadline = "The platform got no answer from the action's invoker in time."
	msgAged     = "The platform found no room to run the action in time."
	msgStopped  = "The platform was stopped while the action was running."
)

// errMoved says that an invoker does not have the call and has not started it,
// so that it may be offered elsewhere.
var errMoved = errors.New("not taken")

// Invoke runs the call on an invoker and returns its record, which has then
// been given to the recorder. patience bounds the wait for an invoker with
// room; a NoQueue call waits for none.
//
// An error means that the call never started and has no record: it wraps
// [whisk.ErrOverloaded], also when ctx ended before the call started. ctx is
// the server's, not the request's: when it ends, a started call ends in a
// failure record.
func (r *Router) Invoke(ctx context.Context, c *whisk.Call, patience time.Duration) (*whisk.Activation, error) {
	begun := time.Now()
	rec, err := r.offer(ctx, c, begun, nil)
	return r.stay(ctx, c, begun, patience, rec, err)
}

// stay waits for room if nobody took the call.
func (r *Router) stay(ctx context.Context, c *whisk.Call, begun time.Time, patience time.Duration, rec *whisk.Activation, err error) (*whisk.Activation, error) {
	if err == errMoved && !c.NoQueue && patience > 0 {
		rec, err = r.wait(ctx, c, begun, patience)
	}
	if err == errMoved {
		err = whisk.ErrOverloaded
	}
	if err != nil {
		r.m.overloaded.Inc()
	}
	return rec, err
}

// Follow is Invoke for one who may leave before the call has ended. Most calls
// end before that, and cost no goroutine of their own. With [whisk.ErrLeft] the
// call goes on, l.Then will be given its outcome, and l's time may not have come:
// a call that has to wait for room goes on elsewhere at once.
func (r *Router) Follow(ctx context.Context, c *whisk.Call, patience time.Duration, l whisk.Leave) (*whisk.Activation, error) {
	begun := time.Now()
	from := leaving{at: l.At, done: l.Done}
	rec, err := r.offer(ctx, c, begun, &from)
	switch {
	case err == whisk.ErrLeft:
		go func() {
			rec, err := from.left.follow(ctx, nil)
			l.Then(r.again(ctx, c, begun, patience, rec, err))
		}()
		return nil, err
	case err == errMoved && !c.NoQueue && patience > 0:
		go func() { l.Then(r.stay(ctx, c, begun, patience, nil, errMoved)) }()
		return nil, whisk.ErrLeft
	}
	return r.stay(ctx, c, begun, 0, rec, err)
}

// again offers a call anew that was left at an invoker which then gave it back.
func (r *Router) again(ctx context.Context, c *whisk.Call, begun time.Time, patience time.Duration, rec *whisk.Activation, err error) (*whisk.Activation, error) {
	if err == errMoved {
		late := *c // the call as given may still be read by who gave it back
		late.Waited += time.Since(begun)
		c = &late
		rec, err = r.offer(ctx, c, begun, nil)
	}
	return r.stay(ctx, c, begun, patience, rec, err)
}

// leaving is when a call's caller goes away, and what it left there.
type leaving struct {
	at   time.Time
	done <-chan struct{}
	left *following
}

// wait holds a call that all candidates refused until one has room.
func (r *Router) wait(ctx context.Context, c *whisk.Call, begun time.Time, patience time.Duration) (*whisk.Activation, error) {
	w := r.waiting.enter(int64(len(c.Args) + len(c.Env)))
	if w == nil {
		return nil, errMoved
	}
	defer func() { r.waiting.wake(r.waiting.leave(w), w.seq) }()

	over := time.NewTimer(patience - time.Since(begun))
	defer over.Stop()
	retry := time.NewTicker(r.cfg.RetryEvery)
	defer retry.Stop()
	for {
		passes := 0
		select {
		case passes = <-w.woken:
		case <-retry.C:
			if !r.waiting.first(w) {
				continue
			}
			passes = r.waiting.leave(w)
		case <-over.C:
			return nil, errMoved
		case <-ctx.Done():
			return nil, stopped(ctx)
		}
		late := *c // the call as given may still be read by those who refused it
		late.Waited += time.Since(begun)
		rec, err := r.offer(ctx, &late, begun, nil)
		if err != errMoved {
			return rec, err
		}
		r.waiting.again(w)
		r.waiting.wake(passes, w.seq)
	}
}

func stopped(ctx context.Context) error {
	return fmt.Errorf("%w: %w", whisk.ErrOverloaded, context.Cause(ctx))
}

// offer asks the candidates in turn. errMoved: none took the call.
func (r *Router) offer(ctx context.Context, c *whisk.Call, begun time.Time, l *leaving) (*whisk.Activation, error) {
	var room [maxTries]*member
	v, key, now := r.view.Load(), c.Target.Name.Path(), time.Now()
	candidates := v.candidates(room[:0], c.Target, key, now, r.cfg.Tries)
	if len(candidates) == 0 {
		if m := r.refuser(v, c.Target, key, now); m != nil {
			r.m.impossible.Inc()
			candidates = append(candidates, m)
		}
	}
	for _, m := range candidates {
		if err := ctx.Err(); err != nil {
			return nil, stopped(ctx)
		}
		if rec, err := r.attempt(ctx, m, c, begun, l); err != errMoved {
			return rec, err
		}
	}
	return nil, errMoved
}

// attempt hands the call to the member and follows it to its end, or until it
// is left. errMoved: the member does not have it and has not started it.
func (r *Router) attempt(ctx context.Context, m *member, c *whisk.Call, begun time.Time, l *leaving) (*whisk.Activation, error) {
	m.hold(c.Target.Limits.Memory)
	f := newFollowing(r, m, c, begun)
	if err := m.invoker.Call(c, f.deliver); err != nil {
		f.release()
		return nil, errMoved
	}
	return f.follow(ctx, l)
}

// runTime is how long a call may take from its start to its record.
func (r *Router) runTime(c *whisk.Call) time.Duration {
	return 2*c.Target.Limits.TimeoutDuration() + r.cfg.StartGrace
}

// timer returns a running timer, an old one where there is one.
func (r *Router) timer(d time.Duration) *time.Timer {
	if t, ok := r.timers.Get().(*time.Timer); ok {
		t.Reset(d)
		return t
	}
	return time.NewTimer(d)
}

func (r *Router) putTimer(t *time.Timer) {
	t.Stop() // nothing can be received from it any more
	r.timers.Put(t)
}
