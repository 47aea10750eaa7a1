package flow

import (
	"context"
	"time"
)

// idleWait is how long the dispatcher sleeps when nothing is due.
const idleWait = time.Hour

// tiredMost is how many rows are at invokers so that these may queue them.
const tiredMost = 8

// dispatch gives rows to workers until ctx ends.
func (f *Flow) dispatch(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		now := time.Now()
		next := f.step(now)
		if next.IsZero() {
			next = now.Add(idleWait)
		}
		timer.Reset(time.Until(next))
		select {
		case <-ctx.Done():
		case <-f.wake:
		case <-timer.C:
		}
	}
}

// step starts what can be started, and returns when to look again if nothing
// happens before; zero for never.
func (f *Flow) step(now time.Time) (next time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if old := f.backlog.expired(now); len(old) > 0 {
		f.gate.follow()
		go f.expire(old)
	}
	next = f.backlog.rouse(now)
	if !f.halted && !f.lapsed(now) {
		f.launch()
	}
	f.resting.Store(int32(f.backlog.rested.Len()))
	if f.hungry(now) {
		select {
		case f.hunger <- struct{}{}:
		default:
		}
	}
	return next
}

// launch gives rows to workers as far as there are workers for them. It is
// called with mu held.
func (f *Flow) launch() {
	now := time.Now()
	begin := func(it *item, busy *int) {
		*busy++
		f.gate.follow()
		go f.work(it, busy, f.window.epoch)
	}
	most := f.window.limit + f.places.ahead(f.window.limit)
	for f.active < most {
		it := f.backlog.pop(false, portion(most), now)
		if it == nil {
			break
		}
		begin(it, &f.active)
	}
	for f.composing < f.cfg.Composites {
		it := f.backlog.pop(true, portion(f.cfg.Composites), now)
		if it == nil {
			break
		}
		begin(it, &f.composing)
	}
	for f.patient < tiredMost {
		it := f.backlog.popTired(now)
		if it == nil {
			break
		}
		begin(it, &f.patient)
	}
}

// outcome is how an attempt to run a row came out.
type outcome uint8

const (
	ended   outcome = iota // there is a record
	anew                   // the attempt has failed, and the row is queued for the next
	gone                   // the row belongs to somebody else, or has ended
	busy                   // no invoker had room
	again                  // the store was away, or the call failed before it started
	stopped                // the process stops; the row is left to others
)

// work tries once to run a row. workers is what counts it, guarded by mu.
func (f *Flow) work(it *item, workers *int, epoch int) {
	defer f.gate.leave()
	o := f.attempt(it)
	f.mu.Lock()
	if f.halted && (o == busy || o == again || o == anew) {
		o = stopped
	}
	f.note(o)
	now, plain := time.Now(), workers == &f.active
	ran := o == ended || o == anew
	if plain && ran {
		f.window.success(f.active)
	}
	if !it.placed.IsZero() {
		epoch = it.window
		f.leave(it, ran, now)
	}
	*workers--
	switch o {
	case busy, again:
		if news := f.backlog.refuse(it, o != busy, now); news && plain && o == busy {
			f.window.busy(epoch)
		}
	case anew:
		f.backlog.done(it, now)
		f.backlog.sleep(it)
	default:
		delete(f.known, it.id)
		f.backlog.done(it, now)
	}
	f.places.grant(f.window.limit)
	f.resting.Store(int32(f.backlog.rested.Len()))
	f.mu.Unlock()
	f.part(it, o)
	f.poke()
}

// part lets go of an item that is not known any more.
func (f *Flow) part(it *item, o outcome) {
	switch o {
	case ended, gone:
		it.ended()
	case stopped:
		f.free(it)
	default:
		return
	}
	if it.regained != 0 { // nobody here would run it
		f.free(&item{id: it.id, holder: it.regained})
	}
}

// note counts an outcome.
func (f *Flow) note(o outcome) {
	switch o {
	case ended:
		f.m.ran.Inc()
	case anew:
		f.m.failed.Inc()
	case gone:
		f.m.gone.Inc()
	case busy:
		f.m.busy.Inc()
	case again:
		f.m.retried.Inc()
	}
}

// restTime is how long a line rests after so many refusals in a row.
func (f *Flow) restTime(refused int) time.Duration {
	d := f.cfg.BusyMin
	for ; refused > 1 && d < f.cfg.BusyMax; refused-- {
		d *= 2
	}
	return min(d, f.cfg.BusyMax)
}

// expire ends rows that waited too long.
func (f *Flow) expire(old []*item) {
	defer f.gate.leave()
	f.m.aged.Add(len(old))
	f.giveUpAll(old, msgAged)
}
