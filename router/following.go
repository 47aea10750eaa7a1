package router

import (
	"context"
	"sync/atomic"
	"time"

	"hearth/whisk"
)

// following is where a call stands that one invoker was handed.
//
//	handed over ──► NeedCode ──Code──► (handed over)
//	     │                                  │
//	     ├──► Queued ──► Ready ──Go──► started
//	     │                                  │
//	     └──────────── Busy, Done, Lost ◄───┘
//
// The invoker's replies come to deliver, on the invoker's goroutines. It answers
// Ready itself, so that a sandbox that has come free is not kept waiting for
// the goroutine that follows the call; that one wakes for what only it can do.
type following struct {
	r       *Router
	m       *member
	c       *whisk.Call
	begun   time.Time // of the Invoke
	replies chan whisk.Reply
	ended   bool // a reply that ends the call was delivered; only deliver uses it

	stand atomic.Uint32
	since atomic.Int64 // ns after begun when the call could last have started
}

// Where a call stands. A call that waits for this router may be cancelled or
// moved; one that may run counts as started.
const (
	mayRun    uint32 = iota
	waits            // queued, ready or without code
	withdrawn        // it waited, and this router gave it up: no Go any more
)

// replyRoom is how many replies are held unread. An invoker that keeps to the
// protocol sends two that are passed on; what a broken one sends beyond is
// dropped, but for the one that ends the call.
const replyRoom = 4

func newFollowing(r *Router, m *member, c *whisk.Call, begun time.Time) *following {
	f := &following{r: r, m: m, c: c, begun: begun, replies: make(chan whisk.Reply, replyRoom)}
	f.since.Store(int64(time.Since(begun)))
	return f
}

// deliver takes the invoker's replies. It never blocks.
func (f *following) deliver(rep whisk.Reply) {
	switch rep.Kind {
	case whisk.Queued:
		f.r.m.queued.Inc()
		f.stand.CompareAndSwap(mayRun, waits)
	case whisk.Ready:
		if !f.ended {
			f.proceed()
		}
	case whisk.Busy, whisk.Done, whisk.Lost:
		if !f.ended {
			f.ended = true
			f.replies <- rep // its place was kept free below
		}
	default:
		if !f.ended && len(f.replies) < replyRoom-1 {
			f.replies <- rep
		}
	}
}

// proceed lets a ready call start, unless it was withdrawn.
func (f *following) proceed() {
	f.since.Store(int64(time.Since(f.begun)))
	if f.stand.CompareAndSwap(waits, mayRun) || f.stand.Load() == mayRun {
		f.m.invoker.Go(f.c.ID)
	}
}

// withdraw keeps a waiting call from starting. It returns false if the call may
// run already.
func (f *following) withdraw() bool {
	return f.stand.CompareAndSwap(waits, withdrawn) || f.stand.Load() == withdrawn
}

// follow takes the invoker's replies to the end of the call there, or until it
// is left: then follow can be called again. errMoved: the invoker does not have
// the call and has not started it.
func (f *following) follow(ctx context.Context, l *leaving) (*whisk.Activation, error) {
	r, due := f.r, f.begun.Add(min(f.r.runTime(f.c), f.r.cfg.MaxAge))
	var gone <-chan struct{}
	wake := due
	if l != nil {
		gone = l.done
		if l.at.Before(due) {
			wake = l.at
		}
	}
	timer := r.timer(time.Until(wake))
	defer r.putTimer(timer)
	for {
		select {
		case rep := <-f.replies:
			if rec, over, err := f.take(ctx, rep); over {
				f.release()
				return rec, err
			}
			continue
		case <-gone:
		case now := <-timer.C:
			if l == nil || now.Before(l.at) {
				left, text := f.overdue(now)
				if left <= 0 {
					f.m.invoker.Cancel(f.c.ID)
					f.release()
					return r.fail(ctx, f.c, text), nil
				}
				if l != nil {
					left = min(left, l.at.Sub(now))
				}
				timer.Reset(left)
				continue
			}
		case <-ctx.Done():
			started := !f.withdraw()
			f.m.invoker.Cancel(f.c.ID)
			f.release()
			if started {
				return r.fail(ctx, f.c, msgStopped), nil
			}
			return nil, stopped(ctx)
		}
		l.left = f
		return nil, whisk.ErrLeft
	}
}

// release ends the claim on the invoker's memory.
func (f *following) release() { f.m.hold(-f.c.Target.Limits.Memory) }

// overdue returns how long the call may still take where it stands now; if that
// is no time, also why it has failed, and then it will not start any more.
func (f *following) overdue(now time.Time) (left time.Duration, text string) {
	if f.stand.Load() == waits {
		if left = f.r.cfg.MaxAge - now.Sub(f.begun); left > 0 {
			return left, ""
		}
		if f.withdraw() {
			return 0, msgAged
		}
	}
	return f.deadline().Sub(now), msgDeadline
}

// deadline is when a call that has started must have ended.
func (f *following) deadline() time.Time {
	return f.begun.Add(time.Duration(f.since.Load()) + f.r.runTime(f.c))
}

// take acts on a reply. over: the call has ended here, with the record, or
// with errMoved or another error if it never started.
func (f *following) take(ctx context.Context, rep whisk.Reply) (rec *whisk.Activation, over bool, err error) {
	r, id := f.r, f.c.ID
	f.m.learn(rep.Load, time.Now())
	switch rep.Kind {
	case whisk.Done:
		if rep.Record == nil || rep.Record.ID != id {
			r.m.malformed.Inc()
			r.log.Error("invoker answered with another call's record", "invoker", f.m.hello.ID, "activation", id)
			return r.settle(ctx, f.m, f.c, f.deadline()), true, nil
		}
		r.m.done.Inc()
		r.record(f.m.invoker, rep.Record)
		r.waiting.wake(maxPasses, 0)
		return rep.Record, true, nil
	case whisk.Busy:
		r.m.busy.Inc()
		return nil, true, errMoved
	case whisk.Lost:
		r.m.lost.Inc()
		if f.withdraw() {
			return nil, true, errMoved
		}
		return r.settle(ctx, f.m, f.c, f.deadline()), true, nil
	case whisk.NeedCode:
		return f.send(ctx)
	default:
		r.m.malformed.Inc()
		r.log.Error("invoker answered nonsense", "invoker", f.m.hello.ID, "activation", id, "reply", int(rep.Kind))
	}
	return nil, false, nil
}

// send answers NeedCode.
func (f *following) send(ctx context.Context) (rec *whisk.Activation, over bool, err error) {
	r := f.r
	r.m.needCode.Inc()
	f.stand.CompareAndSwap(mayRun, waits)
	code, err := r.code(ctx, f.c.Target.Exec.Code)
	if err != nil {
		f.withdraw()
		f.m.invoker.Cancel(f.c.ID)
		r.log.Error("fetching code", "action", f.c.Target.Name.Path(), "activation", f.c.ID, "err", err)
		if notThere(err) {
			return r.fail(ctx, f.c, msgNoCode), true, nil
		}
		return nil, true, whisk.ErrOverloaded // nothing ran: it may be asked again
	}
	f.since.Store(int64(time.Since(f.begun)))
	if f.stand.CompareAndSwap(waits, mayRun) {
		f.m.invoker.Code(f.c.ID, code)
	}
	return nil, false, nil
}

// record gives an invoker's record to the recorder, and lets the invoker
// forget it once it is committed. One that is not taken stays in the
// invoker's journal and will be collected.
func (r *Router) record(v Invoker, rec *whisk.Activation) {
	r.recorder.Record(rec, func(err error) {
		if err != nil {
			r.m.dropped.Inc()
			return
		}
		v.Ack(rec.ID)
	})
}
