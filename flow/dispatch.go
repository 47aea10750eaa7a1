package flow

import (
	"context"
	"time"
)

const (
	// expireEvery is how often waiting rows are looked through for old ones.
	expireEvery = time.Second
	// idleWait is how long the dispatcher sleeps when nothing is due.
	idleWait = time.Hour
	// readPause and readRetry are how long it leaves the store alone after a
	// reading, and after a failed one.
	readPause = 10 * time.Millisecond
	readRetry = time.Second
)

// dispatch gives rows to workers until ctx ends.
func (f *Flow) dispatch(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var expire, read time.Time
	for ctx.Err() == nil {
		now := time.Now()
		aging := !now.Before(expire)
		if aging {
			expire = now.Add(expireEvery)
		}
		next, low := f.step(now, aging, expire)
		if low && !now.Before(read) {
			err := f.readBack(ctx)
			read = time.Now().Add(readPause)
			if err != nil && ctx.Err() == nil {
				f.log.Warn("reading the queue failed", "err", err)
				read = time.Now().Add(readRetry)
			}
			f.poke()
		} else if low && read.Before(next) {
			next = read
		}
		timer.Reset(time.Until(next))
		select {
		case <-ctx.Done():
		case <-f.wake:
		case <-timer.C:
		}
	}
}

// step starts what can be started. It returns when to look again, if nothing
// happens before, and whether the store should be read.
func (f *Flow) step(now time.Time, aging bool, expire time.Time) (next time.Time, low bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if aging {
		if old := f.backlog.expired(now.Add(-f.cfg.MaxAge)); len(old) > 0 {
			f.gate.follow()
			go f.expire(old)
		}
	}
	next = now.Add(idleWait)
	if due := f.backlog.rouse(now); !due.IsZero() && due.Before(next) {
		next = due
	}
	f.launch(&f.active, f.window.limit, false)
	f.launch(&f.composing, f.cfg.Composites, true)
	f.resting.Store(int32(len(f.backlog.resting)))
	if f.backlog.rows > 0 && expire.Before(next) {
		next = expire
	}
	low = f.unread && f.backlog.rows < (f.cfg.MaxRows+3)/4 && f.backlog.bytes < (f.cfg.MaxBytes+3)/4
	return next, low
}

// launch gives rows of one sort to workers until so many are busy. It is called
// with mu held.
func (f *Flow) launch(busy *int, most int, composite bool) {
	for *busy < most && !f.halted {
		it := f.backlog.pop(composite)
		if it == nil {
			return
		}
		*busy++
		f.gate.follow()
		go f.work(it, f.window.epoch)
	}
}

// outcome is how an attempt to run a row came out.
type outcome uint8

const (
	ended   outcome = iota // there is a record
	gone                   // the row belongs to somebody else, or has ended
	busy                   // no invoker had room
	again                  // the store was away, or the call failed before it started
	stopped                // the process stops; the row is left to the next
	sorted                 // it turned out to be a composite, and has another lane
)

// work tries once to run a row.
func (f *Flow) work(it *item, epoch int) {
	defer f.gate.leave()
	busyOnes, inWindow := &f.active, !it.composite
	if it.composite {
		busyOnes = &f.composing
	}
	o := f.attempt(it)
	now := time.Now()
	f.mu.Lock()
	switch o {
	case ended:
		if inWindow {
			f.window.success(f.active)
		}
		f.m.ran.Inc()
	case gone:
		f.m.gone.Inc()
	case busy:
		if inWindow {
			f.window.busy(epoch)
		}
		f.m.busy.Inc()
	case again:
		f.m.retried.Inc()
	}
	*busyOnes--
	switch o {
	case busy, again:
		it.refused++
		f.backlog.rest(it, now.Add(f.restTime(it.refused)))
		f.resting.Store(int32(len(f.backlog.resting)))
	case sorted:
		it.composite = true
		f.backlog.push(it)
	default:
		delete(f.known, it.id)
		f.backlog.hurry(now)
	}
	f.mu.Unlock()
	if o == ended || o == gone {
		it.ended()
	}
	f.poke()
}

// restTime is how long a row rests after so many refusals in a row.
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
	f.failItems(old, msgAged)
}
