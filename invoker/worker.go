package invoker

import (
	"errors"
	"time"

	"hearth/invoker/journal"
	"hearth/invoker/sandbox"
	"hearth/whisk"
)

// worker owns one sandbox. Its goroutine serve alone touches box and dead.
type worker struct {
	slot  *slot
	after []*worker     // evicted for this one: it starts when they are gone
	jobs  chan *call    // capacity 1, which is as many calls as a slot can have
	quit  chan struct{} // closed when the slot is retired
	gone  chan struct{} // closed when nothing is left of the sandbox
	code  whisk.Digest  // pinned as long as the slot lives; zero: none

	box  sandbox.Sandbox // nil: not created
	dead bool            // box was found broken while idle

	lost bool // dead while reserved; guarded by Invoker.mu
}

// seat gives a call the slot that the pool has decided on, and a new slot its
// worker. The caller holds mu.
func (v *Invoker) seat(in *call, d decision) {
	s, err := v.pool.carry(&in.ticket, d)
	v.check(err)
	if d.warm != nil {
		return
	}
	w := &worker{slot: s, jobs: make(chan *call, 1), quit: make(chan struct{}), gone: make(chan struct{})}
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

// start hands a call that has a slot to its worker. The caller holds mu.
func (v *Invoker) start(in *call) {
	s := in.ticket.slot
	to := running
	if s.state == cold {
		to = starting
	}
	v.check(v.pool.move(s, to))
	in.stage, in.until = stageRunning, time.Time{}
	v.running++
	s.worker.jobs <- in // there is room: the slot has no other call
}

// serve is the life of a sandbox.
func (v *Invoker) serve(w *worker) {
	for _, old := range w.after {
		<-old.gone
	}
	w.after = nil
	for alive := true; alive; {
		select {
		case in := <-w.jobs:
			v.perform(w, in)
		case <-w.quit:
			alive = false
		case <-w.broken():
			w.dead = true
			v.lose(w)
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

// broken returns the channel that tells of the sandbox's death while idle.
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
// memory: its call will find out and start it anew.
func (v *Invoker) lose(w *worker) {
	v.m.broken.Inc()
	v.mu.Lock()
	defer v.unlock()
	s := w.slot
	switch {
	case s.state != warm:
	case s.ticket != nil:
		w.lost = true
	default:
		v.retire(s)
		v.pump()
	}
}

// perform runs one call, journals its record and replies.
func (v *Invoker) perform(w *worker, in *call) {
	r := v.execute(w, in)
	keep := !r.spoils() && !w.isBroken()
	v.finish(in, &r, func(now time.Time) {
		s := w.slot
		if !keep || v.draining {
			v.retire(s)
			return
		}
		if r.sandbox != whisk.Warm {
			s.cost = r.created + r.init
		}
		v.pool.use(s, now)
		v.check(v.pool.settle(s, now))
	})
}

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

// finish journals the record of a started call, frees its sandbox by free,
// under mu, and then replies.
func (v *Invoker) finish(in *call, r *result, free func(now time.Time)) {
	rec := r.record(in.Call, in.arrived, time.Now())
	rec, err := v.keep(in, rec)
	v.m.ended(r, time.Duration(rec.Facts.Wait)*time.Millisecond)
	v.mu.Lock()
	defer v.unlock()
	v.running--
	free(time.Now())
	v.forget(in)
	v.pump()
	if err != nil {
		v.log.Error("invoker: a record is lost", "activation", in.ID.String(), "err", err)
		return
	}
	v.say(in, whisk.Done, rec)
}

// refuse ends a call that can not be run with a record. The caller holds mu.
func (v *Invoker) refuse(in *call, resp whisk.Response) {
	in.stage = stageRunning
	v.running++
	v.workers.Go(func() {
		v.finish(in, &result{response: resp}, func(time.Time) {})
	})
}

// keep appends a record to the journal, however long that takes: without it
// there is no answer, and no new call is taken meanwhile. It gives up when the
// invoker stops. The record returned is the one that was kept.
func (v *Invoker) keep(in *call, rec *whisk.Activation) (*whisk.Activation, error) {
	err := v.append(in, &rec)
	if err == nil {
		return rec, nil
	}
	v.unkept.Add(1)
	defer v.unkept.Add(-1)
	v.log.Error("invoker: the journal does not take a record", "activation", in.ID.String(), "err", err)
	for wait := 50 * time.Millisecond; err != nil; wait = min(2*wait, time.Second) {
		t := time.NewTimer(wait)
		select {
		case <-t.C:
			err = v.append(in, &rec)
		case <-v.ctx.Done():
			t.Stop()
			return rec, v.append(in, &rec)
		}
	}
	return rec, nil
}

// append appends *rec to the journal; a record that can not be written as it
// is becomes a failure of the platform.
func (v *Invoker) append(in *call, rec **whisk.Activation) error {
	err := v.journal.Append(*rec)
	if errors.Is(err, journal.ErrUnfit) {
		v.log.Error("invoker: a record can not be journalled", "activation", in.ID.String(), "err", err)
		*rec = in.Failure("The activation's record could not be kept.", time.Now())
		err = v.journal.Append(*rec)
	}
	return err
}
