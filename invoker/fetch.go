package invoker

import (
	"errors"
	"slices"
	"time"

	"hearth/whisk"
)

// maxFetching bounds the calls that wait for code; each holds its arguments.
const maxFetching = 256

// codePause is how long no code is asked for after some could not be kept: it
// may be large, and routers ask again at once.
const codePause = time.Second

// fetch is code on its way here. The first of its calls has been told NeedCode;
// the others wait for what comes of it, and those that may be queued have been
// told so.
type fetch struct {
	calls   []*call
	storing bool // the code has come and is being stored
}

// fetch lets in wait for its code. The caller holds mu.
func (v *Invoker) fetch(in *call) {
	if v.fetching >= maxFetching || v.held+in.bytes > v.cfg.QueueBytes || time.Now().Before(v.noCode) {
		v.turnAway(in)
		return
	}
	in.stage = stageFetching
	v.fetching++
	v.held += in.bytes
	d := in.Target.Exec.Code
	f := v.fetches[d]
	if f == nil {
		f = &fetch{}
		v.fetches[d] = f
	}
	f.calls = append(f.calls, in)
	switch {
	case len(f.calls) == 1:
		v.ask(in)
	case !in.NoQueue:
		v.tellQueued(in)
	}
}

// ask tells in's router that the code is needed. The caller holds mu.
func (v *Invoker) ask(in *call) {
	in.until = time.Now().Add(v.cfg.CodeTimeout)
	in.told = false // the router takes a call for started once it has sent the code
	v.say(in, whisk.NeedCode, nil)
}

// unfetch takes a call out of its fetch; if it was the one that asked, the
// next asks. The caller holds mu.
func (v *Invoker) unfetch(in *call) {
	v.fetching--
	v.held -= in.bytes
	in.stage, in.until = stageNew, time.Time{}
	d := in.Target.Exec.Code
	f := v.fetches[d]
	first := f.calls[0] == in
	if i := slices.Index(f.calls, in); i >= 0 {
		f.calls = slices.Delete(f.calls, i, i+1)
	}
	switch {
	case len(f.calls) == 0:
		delete(v.fetches, d)
	case first && !f.storing && !v.draining:
		v.ask(f.calls[0])
	}
}

// Code brings the code that a call was told is needed. It does not wait for
// the code to be stored. Of any other call it is ignored.
func (v *Invoker) Code(id whisk.ActivationID, code []byte) {
	v.mu.Lock()
	defer v.unlock()
	in := v.calls[id]
	if in == nil || in.stage != stageFetching || v.closed {
		return
	}
	f := v.fetches[in.Target.Exec.Code]
	if f.storing {
		return
	}
	f.storing = true
	for _, w := range f.calls {
		w.until = time.Time{}
	}
	v.workers.Go(func() { v.store(in, f, code) })
}

// store puts code into the cache and admits the calls that wait for it. If the
// code is wrong, the call that brought it fails with it, and the next asks. If
// it cannot be kept, they are all turned away, to find room elsewhere or later.
func (v *Invoker) store(in *call, f *fetch, code []byte) {
	d := in.Target.Exec.Code
	err := v.code.put(d, code)
	v.mu.Lock()
	defer v.unlock()
	if err != nil {
		v.log.Error("invoker: code was not taken", "action", in.Target.Name.String(), "err", err)
		if !errors.Is(err, errDigest) {
			v.noCode = time.Now().Add(codePause)
			for _, w := range slices.Clone(f.calls) {
				v.turnAway(w)
			}
			return
		}
		f.storing = false
		switch {
		case in.stage == stageFetching:
			v.unfetch(in)
			v.refuse(in, whisk.ErrorResponse(whisk.WhiskError, textNoCode))
		case len(f.calls) > 0: // it was cancelled
			v.ask(f.calls[0])
		}
		return
	}
	for _, w := range slices.Clone(f.calls) {
		v.unfetch(w)
		v.admit(w)
	}
	v.code.unpin(d)
}
