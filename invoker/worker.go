package invoker

import (
	"errors"
	"time"

	"hearth/invoker/journal"
	"hearth/invoker/sandbox"
	"hearth/whisk"
)

// worker owns one sandbox. Its goroutine, serve, makes and destroys it; runs
// are begun and ended by whoever is at hand.
type worker struct {
	slot  *slot
	after []*worker     // evicted for this one: it starts when they are gone
	jobs  chan *call    // to make the sandbox for; capacity 1: a slot has one call at a time
	quit  chan struct{} // closed when the slot is retired
	gone  chan struct{} // closed when nothing is left of the sandbox
	code  whisk.Digest  // pinned as long as the slot lives; zero: none
	dead  bool          // box was found broken; serve's own

	// box is changed by serve alone, and only while it makes the sandbox for a
	// call or after the slot was retired.
	box sandbox.Sandbox // nil: not created

	// The call under way, the request to its sandbox and what has become of
	// it; whoever has the call owns them. req and ran are the same for all
	// calls, so that these cost no memory.
	in  *call
	req sandbox.Run
	r   result
	ran func(sandbox.Outcome)
}

// seat gives a call the slot that the pool has decided on, and a new slot its
// worker. The caller holds mu.
func (v *Invoker) seat(in *call, d decision, now time.Time) {
	s, err := v.pool.carry(&in.ticket, d, now)
	v.check(err)
	if d.warm != nil {
		return
	}
	w := &worker{slot: s, jobs: make(chan *call, 1), quit: make(chan struct{}), gone: make(chan struct{})}
	w.ran = func(o sandbox.Outcome) { v.ran(w, &o) }
	for _, old := range d.evict {
		close(old.worker.quit)
		w.after = append(w.after, old.worker)
	}
	if code := in.Target.Exec.Code; !code.IsZero() && v.code.pin(code) {
		w.code = code
	}
	s.worker = w
	v.workers.Go(func() { v.serve(w) })
}

// retire ends the use of a slot; its worker destroys the sandbox. The caller
// holds mu.
func (v *Invoker) retire(s *slot) {
	v.check(v.pool.retire(s))
	close(s.worker.quit)
}

// start runs a call that has a slot: in a warm sandbox as soon as mu is
// released, else when the worker has made one. The caller holds mu.
func (v *Invoker) start(in *call) {
	s := in.ticket.slot
	w := s.worker
	to := running
	if s.state == cold {
		to = starting
	}
	v.check(v.pool.move(s, to))
	in.stage, in.until = stageRunning, time.Time{}
	v.running++
	v.wake(sampleEvery)
	if w.isBroken() { // or not there yet
		w.jobs <- in // there is room: the slot has no other call
		return
	}
	w.in = in
	v.due = append(v.due, w)
	v.workers.Add(1) // until ran; the worker's own keeps it above 0 till then
}

// serve is the life of a sandbox.
func (v *Invoker) serve(w *worker) {
	for _, old := range w.after {
		<-old.gone
	}
	w.after = nil
	stopped := v.ctx.Done()
	for alive := true; alive; {
		select {
		case in := <-w.jobs:
			v.perform(w, in)
		case <-w.quit:
			alive = false
		case <-w.broken():
			w.dead = true
			v.lose(w)
		case <-stopped:
			stopped = nil
			if w.box != nil {
				w.box.Destroy() // ends the run under way
			}
		}
	}
	w.destroy()
	v.mu.Lock()
	defer v.unlock()
	v.pool.gone(w.slot)
	close(w.gone)
	if !w.code.IsZero() {
		v.code.unpin(w.code)
	}
	v.pump()
}

// broken returns the channel that tells of the sandbox's death.
func (w *worker) broken() <-chan struct{} {
	if w.box == nil || w.dead {
		return nil
	}
	return w.box.Broken()
}

func (w *worker) destroy() {
	if w.box != nil {
		w.box.Destroy()
		w.box, w.dead = nil, false
	}
}

// lose retires an idle sandbox that has died. One that is reserved keeps its
// memory: its call will find out and start it anew. One that runs a call is
// retired at the end of that.
func (v *Invoker) lose(w *worker) {
	v.mu.Lock()
	defer v.unlock()
	s := w.slot
	if s.state != warm || s.ticket != nil {
		return
	}
	v.m.broken.Inc()
	v.retire(s)
	v.pump()
}

// isBroken reports whether there is no sandbox that a run could begin in. A
// sandbox that breaks after this was asked under mu is seen by lose.
func (w *worker) isBroken() bool {
	if w.box == nil {
		return true
	}
	select {
	case <-w.box.Broken():
		return true
	default:
		return false
	}
}

// release is what becomes of a call's sandbox.
type release struct {
	w    *worker // nil: there was none
	keep bool
	run  time.Duration // that it took
}

// free gives the sandbox back. The caller holds mu, and calls pump.
func (v *Invoker) free(f release) {
	if f.w == nil {
		return
	}
	s := f.w.slot
	if !f.keep || v.draining || f.w.isBroken() {
		v.retire(s)
		return
	}
	now := time.Now()
	v.pool.use(s, f.run, now)
	v.check(v.pool.settle(s, now))
}

// finish journals the record of a started call, frees its sandbox if that is
// not free yet, and then replies. It waits no longer than one write to the
// journal takes.
func (v *Invoker) finish(in *call, r *result, f release) {
	rec := r.record(in.Call, in.arrived, time.Now())
	v.m.ended(r, time.Duration(rec.Facts.Wait)*time.Millisecond)
	rec, err := v.append(in, rec)
	if err == nil {
		v.conclude(in, rec, f)
		return
	}
	v.log.Error("invoker: the journal does not take a record", "activation", in.ID.String(), "err", err)
	v.unkept.Add(1)
	v.workers.Go(func() { v.insist(in, rec, f) })
}

// conclude ends a call whose record is in the journal, or lost: rec is nil.
func (v *Invoker) conclude(in *call, rec *whisk.Activation, f release) {
	v.mu.Lock()
	v.running--
	v.free(f)
	v.forget(in)
	v.pump()
	if rec != nil {
		v.say(in, whisk.Done, rec)
	}
	v.unlock()
}

// refuse ends a call that can not be run with a record. The caller holds mu.
func (v *Invoker) refuse(in *call, resp whisk.Response) {
	in.stage = stageRunning
	v.running++
	v.workers.Go(func() { v.finish(in, &result{response: resp}, release{}) })
}

// insist appends a record that the journal has not taken, however long that
// takes: without it there is no answer, and no new call is taken meanwhile. It
// gives up when the invoker stops.
func (v *Invoker) insist(in *call, rec *whisk.Activation, f release) {
	defer v.unkept.Add(-1)
	var err error
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		t := time.NewTimer(wait)
		select {
		case <-t.C:
			if rec, err = v.append(in, rec); err == nil {
				v.conclude(in, rec, f)
				return
			}
		case <-v.ctx.Done():
			t.Stop()
			if rec, err = v.append(in, rec); err != nil {
				v.log.Error("invoker: a record is lost", "activation", in.ID.String(), "err", err)
				rec = nil
			}
			v.conclude(in, rec, f)
			return
		}
	}
}

// append appends a record to the journal and returns it; one that can not be
// written as it is becomes a failure of the platform.
func (v *Invoker) append(in *call, rec *whisk.Activation) (*whisk.Activation, error) {
	err := v.journal.Append(rec)
	if errors.Is(err, journal.ErrUnfit) {
		v.log.Error("invoker: a record can not be journalled", "activation", in.ID.String(), "err", err)
		rec = in.Failure("The activation's record could not be kept.", time.Now())
		err = v.journal.Append(rec)
	}
	return rec, err
}
