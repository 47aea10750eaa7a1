package router

import (
	"context"
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
// mayRun is false while the invoker is known to wait for this router: then the
// call may be cancelled or moved, else it counts as started.
type following struct {
	r        *Router
	m        *member
	c        *whisk.Call
	begun    time.Time // of the Invoke
	deadline time.Time // of the run
	mayRun   bool
	timer    *time.Timer
}

// start restarts the clock: from now on the call may run.
func (f *following) start() {
	f.mayRun = true
	d := f.r.runTime(f.c)
	f.deadline = time.Now().Add(d)
	f.timer.Reset(d)
}

// hold stops the run's clock: the call waits, until it is too old.
func (f *following) hold() {
	f.mayRun = false
	f.timer.Reset(f.r.cfg.MaxAge - time.Since(f.begun))
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
			return r.settle(ctx, f.m, f.c, f.deadline), true, nil
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
		if !f.mayRun {
			return nil, true, errMoved
		}
		return r.settle(ctx, f.m, f.c, f.deadline), true, nil
	case whisk.NeedCode:
		r.m.needCode.Inc()
		f.hold()
		code, err := r.code(ctx, f.c.Target.Exec.Code)
		if err != nil {
			f.m.invoker.Cancel(id)
			r.log.Error("fetching code", "action", f.c.Target.Name.Path(), "activation", id, "err", err)
			if notThere(err) {
				return r.fail(ctx, f.c, msgNoCode), true, nil
			}
			return nil, true, whisk.ErrOverloaded // nothing ran: it may be asked again
		}
		f.m.invoker.Code(id, code)
		f.start()
	case whisk.Queued:
		r.m.queued.Inc()
		f.hold()
	case whisk.Ready:
		f.m.invoker.Go(id)
		f.start()
	default:
		r.m.malformed.Inc()
		r.log.Error("invoker answered nonsense", "invoker", f.m.hello.ID, "activation", id, "reply", int(rep.Kind))
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
