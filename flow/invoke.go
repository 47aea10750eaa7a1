package flow

import (
	"context"
	"errors"
	"sync"
	"time"

	"hearth/whisk"
)

var (
	errStopping = &whisk.Error{Kind: whisk.Unavailable, Message: "System is shutting down, try again later."}
	errNoAnswer = errors.New("the invoker gave neither record nor error")
)

// run is one blocking invocation.
type run struct {
	call  *whisk.Call
	begun time.Time
	ended func()
	over  chan struct{} // closed last of all when the run is over, if it was left

	mu     sync.Mutex // guards all below
	state  progress
	rec    *whisk.Activation // of a finished run, else err
	err    error
	token  int64              // of the started row
	cancel context.CancelFunc // ends the commit of that row
}

// progress says how far a run is, and what was done to make its id durable.
type progress uint8

const (
	unpromised progress = iota
	promising           // the waiting side commits a started row, and will deal with an end that comes now
	promised            // it was committed, or may have been: nobody waits any more
	finished
)

// Invoke runs the call and waits for its record, until wait is over or ctx ends.
// The run is not cancelled by either: the answer is then [whisk.ErrPending],
// and the id ends in a record even if this process dies. Any other error means
// that the call never started (such as [whisk.ErrOverloaded]), or that the store
// could not take note that it goes on or, when this process ends, was stopped.
//
// ended is called exactly once, when the activation has ended or is known never
// to start, maybe after Invoke has returned.
func (f *Flow) Invoke(ctx context.Context, c *whisk.Call, wait time.Duration, ended func()) (*whisk.Activation, error) {
	ended = once(ended)
	if !f.gate.enter() {
		ended()
		return nil, errStopping
	}
	defer f.gate.leave()
	f.m.blocking.Inc()
	return f.await(ctx, c, wait, patience(wait, f.cfg.Patience), ended)
}

// await is Invoke for who is inside already.
func (f *Flow) await(ctx context.Context, c *whisk.Call, wait, patience time.Duration, ended func()) (*whisk.Activation, error) {
	keyed, err := f.withKey(ctx, c)
	if err != nil {
		ended()
		return nil, err
	}
	// Most runs end while they are waited for, on this goroutine.
	now := time.Now()
	r := &run{call: keyed, begun: now, ended: ended, over: make(chan struct{})}
	f.gate.follow()
	l := whisk.Leave{At: now.Add(wait), Done: ctx.Done(), Then: func(rec *whisk.Activation, err error) { f.carried(r, rec, err) }}
	var rec *whisk.Activation
	switch {
	case composite(keyed):
		rec, err = f.followComposite(keyed, patience, l)
	case builtin(keyed):
		rec, err = f.answer(keyed)
	default:
		rec, err = f.invoker.Follow(f.runs, keyed, patience, l)
	}
	if err != whisk.ErrLeft {
		f.carried(r, rec, err)
		return r.rec, r.err
	}
	waited := time.NewTimer(time.Until(now.Add(wait)))
	defer waited.Stop()
	select {
	case <-r.over:
		return r.rec, r.err
	case <-waited.C:
	case <-ctx.Done():
	}
	return f.promise(r)
}

// patience stays a little under the wait, so that a call for which no room is
// found is refused before the wait ends, not promised and then refused.
func patience(wait, most time.Duration) time.Duration { return min(wait-wait/10, most) }

// carried ends r with what the invokers made of it.
func (f *Flow) carried(r *run, rec *whisk.Activation, err error) {
	defer f.gate.leave()
	if rec == nil && f.runs.Err() != nil && whisk.KindOf(err) != whisk.Unavailable {
		if rec = f.stop(r.call); rec == nil {
			err = errUnrecorded
		}
	}
	if rec != nil {
		err = nil
	} else if err == nil {
		err = errNoAnswer
	}
	f.finish(r, rec, err)
	if rec != nil {
		f.roomFreed()
	}
}

// finish ends r in a record, or in an error if it never started.
func (f *Flow) finish(r *run, rec *whisk.Activation, err error) {
	if rec != nil {
		r.ended() // before anybody has the answer, who may invoke again at once
	}
	r.mu.Lock()
	was := r.state
	r.state, r.rec, r.err = finished, rec, err
	cancel := r.cancel
	r.mu.Unlock()
	if rec == nil && was == unpromised {
		r.ended()
	}
	close(r.over)
	if cancel != nil {
		cancel() // who commits the row need not wait for it
	}
	switch {
	case rec != nil && was != unpromised:
		f.forget(r.call.ID)
	case rec == nil && was == promised && err != errUnrecorded:
		f.later(r)
	}
}

// promise commits a started row for r and returns [whisk.ErrPending], or r's
// outcome if that comes first.
func (f *Flow) promise(r *run) (*whisk.Activation, error) {
	ctx, cancel := f.stored()
	defer cancel()
	r.mu.Lock()
	if r.state == finished {
		r.mu.Unlock()
		<-r.over
		return r.rec, r.err
	}
	r.state, r.token, r.cancel = promising, f.token(), cancel
	r.mu.Unlock()
	f.mu.Lock()
	f.known[r.call.ID] = nil
	f.mu.Unlock()

	lasts := f.lasts(r.call, f.cfg.QueueWait)
	until := time.Now().Add(lasts)
	row, err := f.row(r.call, r.begun)
	if err == nil {
		row.State, row.Token, row.Holder = whisk.RowStarted, r.token, f.holds()
		err = f.queue.StartNew(ctx, row, lasts)
	}
	if err == nil && composite(r.call) {
		f.leased(r.call.ID, r.token, until)
	}

	r.mu.Lock()
	over := r.state == finished
	if !over {
		r.state = promised
	}
	r.mu.Unlock()
	switch {
	case over && r.rec != nil:
		f.unpromise(r)
		return r.rec, nil
	case over && r.err == errUnrecorded: // it has run: whoever finds the row fails it
		f.forget(r.call.ID)
		return nil, r.err
	case over:
		f.later(r) // the row is there, or may be
		if err != nil {
			return nil, r.err
		}
	case err != nil:
		f.m.storeErrors.Inc()
		return nil, &whisk.Error{Kind: whisk.Unavailable, Message: "The activation goes on but could not be noted down.", Err: err}
	}
	f.m.pending.Inc()
	return nil, whisk.ErrPending
}

// unpromise deals with a row that was committed about when the record was. The
// store inserts no row for an id that has a record; but where records are not
// kept it cannot know, so the end is handed over once more.
func (f *Flow) unpromise(r *run) {
	f.forget(r.call.ID)
	if r.rec.Unstored {
		f.recorder.Record(r.rec, func(error) {})
	}
}

// later has the queue's workers run a call that was promised but found no room.
// Somebody may have the id by now, but its record is what it would have been: the
// call is run once.
func (f *Flow) later(r *run) {
	it := f.newItem(r.call, r.begun, false, r.ended)
	it.token = r.token
	f.mu.Lock()
	if f.halted {
		delete(f.known, it.id)
		f.mu.Unlock()
		f.free(it)
		return
	}
	f.known[it.id] = it
	f.backlog.push(it) // whatever its bounds: the store would not give it back as queued
	f.mu.Unlock()
	f.poke()
}
