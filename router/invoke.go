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
	rec, err := r.offer(ctx, c, begun)
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
		rec, err := r.offer(ctx, &late, begun)
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
func (r *Router) offer(ctx context.Context, c *whisk.Call, begun time.Time) (*whisk.Activation, error) {
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
		if rec, err := r.attempt(ctx, m, c, begun); err != errMoved {
			return rec, err
		}
	}
	return nil, errMoved
}

// attempt hands the call to the member and follows it to its end. errMoved:
// the member does not have it and has not started it.
func (r *Router) attempt(ctx context.Context, m *member, c *whisk.Call, begun time.Time) (*whisk.Activation, error) {
	mb := c.Target.Limits.Memory
	m.hold(mb)
	defer m.hold(-mb)
	f := newFollowing(r, m, c, begun)
	if err := m.invoker.Call(c, f.deliver); err != nil {
		return nil, errMoved
	}
	timer := r.timer(min(r.runTime(c), r.cfg.MaxAge))
	defer r.putTimer(timer)
	for {
		select {
		case rep := <-f.replies:
			if rec, over, err := f.take(ctx, rep); over {
				return rec, err
			}
		case now := <-timer.C:
			left, text := f.overdue(now)
			if left <= 0 {
				m.invoker.Cancel(c.ID)
				return r.fail(ctx, c, text), nil
			}
			timer.Reset(left)
		case <-ctx.Done():
			started := !f.withdraw()
			m.invoker.Cancel(c.ID)
			if started {
				return r.fail(ctx, c, msgStopped), nil
			}
			return nil, stopped(ctx)
		}
	}
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
