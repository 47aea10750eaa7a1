package invoker

import (
	"context"
	"time"

	"hearth/invoker/sandbox"
	"hearth/whisk"
)

// execute runs a call in w's sandbox, which it creates and initialises if need
// be.
func (v *Invoker) execute(w *worker, in *call) result {
	r := result{sandbox: whisk.Warm}
	if w.box != nil && w.isBroken() { // died after it was chosen
		v.m.broken.Inc()
		w.destroy()
		v.mu.Lock()
		w.lost = false
		v.check(v.pool.move(w.slot, starting))
		v.mu.Unlock()
	}
	if w.box == nil {
		r.sandbox = whisk.Cold
		if !v.boot(w, in, &r) {
			return r
		}
	}
	if r.began.IsZero() {
		r.began = time.Now()
	}
	l := in.Target.Limits
	o := w.box.Run(v.ctx, &sandbox.Run{
		ID: in.ID, TransactionID: in.TransactionID, Action: in.Target.Name.String(),
		Version: in.Target.Version.String(), Namespace: string(in.Namespace),
		Args: in.Args, APIKey: in.APIKey,
		Timeout: l.TimeoutDuration(), LogBytes: l.Logs << 20, ResultBytes: v.cfg.ResultBytes,
	})
	r.ran(&o, l, v.cfg.ResultBytes)
	v.report(in, &o, &r)
	return r
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
		Timeout: l.TimeoutDuration(), LogBytes: l.Logs << 20, ResultBytes: v.cfg.ResultBytes,
	})
	ok := r.initialised(&o, l, v.cfg.ResultBytes)
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
		return v.images[t.Exec.Image]
	}
	return v.kinds[t.Exec.Kind]
}
