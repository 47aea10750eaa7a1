package invoker

import (
	"context"
	"time"

	"hearth/invoker/sandbox"
	"hearth/whisk"
)

// perform makes the sandbox for a call, initialises it and begins the run.
func (v *Invoker) perform(w *worker, in *call) {
	w.in, w.r = in, result{sandbox: whisk.Cold}
	if w.box != nil { // died after it was chosen
		v.m.broken.Inc()
		w.destroy()
		v.mu.Lock()
		v.check(v.pool.move(w.slot, starting))
		v.mu.Unlock()
	}
	if !v.boot(w, in, &w.r) {
		v.finish(in, &w.r, release{w: w})
		return
	}
	v.mu.Lock()
	v.pool.made(w.slot, w.r.created+w.r.init, time.Now())
	v.mu.Unlock()
	v.workers.Add(1) // until ran
	v.run(w)
}

// run begins the run of w's call. Nothing of w may be touched behind it: the
// run may have ended.
func (v *Invoker) run(w *worker) {
	in := w.in
	l := in.Target.Limits
	if w.req.Action == "" { // both are part of the warm key
		w.req.Action, w.req.Version = in.Target.Name.String(), in.Target.Version.String()
	}
	w.req.ID, w.req.TransactionID, w.req.Namespace = in.ID, in.TransactionID, string(in.Namespace)
	w.req.Args, w.req.APIKey = in.Args, in.APIKey
	w.req.Timeout, w.req.LogBytes, w.req.ResultBytes = l.TimeoutDuration(), l.Logs<<20, v.resultsOf(in.Call).size
	w.box.Run(&w.req, w.ran)
}

// runWarm is run in a sandbox that was warm.
func (v *Invoker) runWarm(w *worker) {
	w.r = result{sandbox: whisk.Warm, began: time.Now()}
	v.run(w)
}

// ran ends the call whose run has ended: it journals the record and replies.
// The sandbox is free before that, so that it works on its next call meanwhile.
func (v *Invoker) ran(w *worker, o *sandbox.Outcome) {
	defer v.workers.Done()
	in, r := w.in, w.r
	w.in, w.req.Args, w.r = nil, nil, result{}
	r.ran(o, in.Target.Limits, v.resultsOf(in.Call))
	v.report(in, o, &r)
	f := release{w: w, keep: !r.spoils(), run: r.run}
	if v.unkept.Load() == 0 { // else more runs would only add to what the journal does not take
		v.mu.Lock()
		v.free(f)
		v.pump()
		v.unlock()
		f = release{}
	}
	v.finish(in, &r, f)
}

// boot creates and initialises w's sandbox for a call. It returns false when
// that has decided the call's response.
func (v *Invoker) boot(w *worker, in *call, r *result) bool {
	t, l := in.Target, in.Target.Limits
	path := ""
	if !t.Exec.Code.IsZero() {
		if path = v.code.path(t.Exec.Code); path == "" {
			r.response = whisk.ErrorResponse(whisk.WhiskError, textNoCode)
			return false
		}
	}
	begun := time.Now()
	ctx, cancel := context.WithTimeout(v.ctx, v.cfg.CreateTimeout)
	box, err := v.driverOf(t).Create(ctx, sandbox.Spec{
		Kind: t.Exec.Kind, Image: t.Exec.Image, MemoryMB: l.Memory, PidLimit: v.cfg.PidLimit, Env: v.cfg.Env,
	})
	cancel()
	r.created = time.Since(begun)
	if err != nil {
		r.response = v.createFailed(in, err)
		return false
	}
	w.box = box
	v.mu.Lock()
	v.check(v.pool.move(w.slot, running))
	v.mu.Unlock()
	r.began = time.Now()
	o := box.Init(v.ctx, &sandbox.Init{
		ID: in.ID, TransactionID: in.TransactionID, Action: t.Name.String(),
		Version: t.Version.String(), Namespace: string(in.Namespace), Main: t.Exec.Main,
		CodePath: path, Binary: t.Exec.Binary, Env: in.Env, APIKey: in.APIKey,
		Timeout: l.TimeoutDuration(), LogBytes: l.Logs << 20, ResultBytes: v.resultsOf(in.Call).size,
	})
	ok := r.initialised(&o, l, v.resultsOf(in.Call))
	if !ok {
		v.report(in, &o, r)
	}
	return ok
}

// createFailed returns the response of a call whose sandbox was not created.
func (v *Invoker) createFailed(in *call, err error) whisk.Response {
	if v.ctx.Err() != nil {
		return whisk.ErrorResponse(whisk.WhiskError, textStopped)
	}
	if whisk.KindOf(err) == whisk.BadRequest {
		return unanswered(whisk.MessageOf(err))
	}
	v.log.Error("invoker: create a sandbox", "kind", in.Target.Exec.Kind, "err", err)
	return whisk.ErrorResponse(whisk.WhiskError, textProvision)
}

// report logs an ending other than a reply; when the platform has brought it
// about by stopping, the response says so.
func (v *Invoker) report(in *call, o *sandbox.Outcome, r *result) {
	if o.Ending == sandbox.Replied {
		return
	}
	if v.ctx.Err() != nil && o.Ending != sandbox.TimedOut {
		r.response = whisk.ErrorResponse(whisk.WhiskError, textStopped)
	}
	v.log.Info("invoker: a sandbox gave no reply", "activation", in.ID.String(),
		"action", in.Target.Name.String(), "ending", o.Ending.String(), "err", o.Err)
}

// driverOf returns the driver for an action, nil if there is none.
func (v *Invoker) driverOf(t *whisk.Target) sandbox.Driver {
	if t.Exec.Kind == whisk.Blackbox {
		if d := v.images[t.Exec.Image]; d != nil {
			return d
		}
		return v.images[whisk.ImageName(t.Exec.Image)]
	}
	return v.kinds[t.Exec.Kind]
}
