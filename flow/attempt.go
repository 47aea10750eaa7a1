package flow

import (
	"context"
	"time"

	"hearth/whisk"
)

// attempt starts the row and offers its call to the invokers.
func (f *Flow) attempt(it *item) outcome {
	if it.token != 0 && !f.takeBack(it) {
		return again
	}
	if it.call == nil {
		if o, ok := f.fetch(it); !ok {
			return o
		}
	}
	if !time.Now().Before(it.expires) {
		f.m.aged.Inc()
		return f.giveUp(it, msgAged)
	}
	if o, ok := f.permitted(it); !ok {
		return o
	}
	c, err := f.copied(it)
	if err != nil {
		switch whisk.KindOf(err) {
		case whisk.Unauthenticated, whisk.NotFound:
			f.m.notRun.Inc()
			return f.giveUp(it, msgNoKey)
		}
		f.log.Warn("a row waits for its API key", "activation", it.id, "err", err)
		return again
	}
	wait, patience := time.Duration(0), time.Duration(0)
	if it.patient {
		wait, patience = f.cfg.QueueWait, f.cfg.Patience
	}
	if it.composite {
		return f.attemptComposite(it, c, patience)
	}
	began := time.Now()
	if o, ok := f.start(it, f.lasts(c, wait)); !ok {
		return o
	}
	if !it.patient && !builtin(c) && !f.place(it, time.Since(began)) {
		f.takeBack(it)
		if f.stopping() {
			return stopped
		}
		return again
	}
	c.Waited = it.call.Waited + it.waited()
	if builtin(c) {
		rec, err := f.answer(c)
		return f.conclude(it, c, rec, err)
	}
	rec, err := f.invoker.Invoke(f.runs, c, patience)
	return f.conclude(it, c, rec, err)
}

// fetch reads the call of a row that was parked. If it is not to be run the
// outcome says why.
func (f *Flow) fetch(it *item) (outcome, bool) {
	row, err := f.queueRow(f.runs, it.ns, it.id)
	switch {
	case err != nil && whisk.KindOf(err) == whisk.NotFound, err == nil && !f.own(row.Holder):
		it.holder = 0
		return gone, false
	case err != nil:
		f.m.storeErrors.Inc()
		f.log.Warn("a row could not be read again", "activation", it.id, "err", err)
		return again, false
	}
	c, err := f.unseal(it.id, row.Payload)
	if err != nil {
		f.log.Error("a row of the queue cannot be read", "activation", it.id, "err", err)
		f.m.unreadable.Inc()
		f.endUnreadable([]whisk.QueueRow{row})
		return ended, false
	}
	it.call, it.size = c, sizeOf(c)
	it.holder, it.attempt = row.Holder, row.Attempt
	return 0, true
}

// permitAge is how old a row of this process may be before it is asked whether
// its caller may still call.
const permitAge = time.Second

// permitted reports whether the caller of an item is still one: it was when the
// row was made. If not, or if that is not known, the outcome says what comes of
// it.
func (f *Flow) permitted(it *item) (outcome, bool) {
	if !it.claimed && it.waited() < permitAge || it.call.UUID == "" {
		return 0, true
	}
	ctx, cancel := context.WithTimeout(f.runs, f.cfg.StoreTimeout)
	defer cancel()
	id, err := f.ids.Identity(ctx, it.call.UUID)
	if err == nil && id.Namespace == it.ns {
		return 0, true
	}
	switch whisk.KindOf(err) {
	case whisk.Internal, whisk.Unavailable, whisk.Timeout:
		if err != nil {
			f.log.Warn("a row waits for its caller's credential", "activation", it.id, "err", err)
			return again, false
		}
	}
	f.m.notRun.Inc()
	return f.giveUp(it, msgNoCaller), false
}

// copied returns the call of an item, to be handed to the invokers.
func (f *Flow) copied(it *item) (*whisk.Call, error) {
	ctx, cancel := context.WithTimeout(f.runs, f.cfg.StoreTimeout)
	defer cancel()
	c := it.numbered()
	c.NoQueue = !it.patient
	return f.withKey(ctx, c)
}

// start marks the row started, for so long. If it is not to be run the outcome
// says why.
func (f *Flow) start(it *item, lasts time.Duration) (outcome, bool) {
	ctx, cancel := context.WithTimeout(f.runs, f.cfg.StoreTimeout)
	defer cancel()
	began := time.Now()
	it.token, it.until = f.token(), began.Add(lasts) // from now on it may stand in the store
	ok, err := f.queue.Start(ctx, it.id, it.token, it.holder, lasts)
	switch {
	case err != nil && f.stopping():
		f.takeBack(it)
		return stopped, false
	case err != nil:
		f.m.storeErrors.Inc()
		f.log.Warn("a row could not be started", "activation", it.id, "err", err)
		return again, false
	case !ok:
		it.token = 0
		return f.whereabouts(it), false
	case f.stopping():
		f.takeBack(it)
		return stopped, false
	case time.Since(began) > f.cfg.StoreTimeout:
		// This process stood still. The start may be over for others by the time
		// that the call would come to an invoker.
		f.m.late.Inc()
		f.takeBack(it)
		return again, false
	}
	return 0, true
}

// whereabouts asks what has become of a row that could not be started.
func (f *Flow) whereabouts(it *item) outcome {
	row, err := f.queueRow(f.runs, it.ns, it.id)
	switch {
	case whisk.KindOf(err) == whisk.NotFound && err != nil:
		it.holder = 0
		return gone
	case err != nil:
		f.m.storeErrors.Inc()
		return again
	case row.State == whisk.RowQueued && f.own(row.Holder):
		it.holder, it.attempt = row.Holder, row.Attempt
		return again
	}
	it.holder = 0
	return gone
}

// conclude turns what the invokers answered into an outcome.
func (f *Flow) conclude(it *item, c *whisk.Call, rec *whisk.Activation, err error) outcome {
	if rec != nil {
		return f.settled(it, rec)
	}
	if whisk.KindOf(err) == whisk.Unavailable {
		f.takeBack(it)
		if f.stopping() {
			return stopped
		}
		return busy
	}
	if f.runs.Err() != nil {
		rec := f.stop(c)
		if rec == nil {
			it.token = 0 // the row stays as it is, of a run that broke off
			return stopped
		}
		return f.settled(it, rec)
	}
	it.failures++
	f.log.Warn("a queued call failed before it started", "activation", it.id, "failures", it.failures, "err", err)
	if it.failures >= f.cfg.Attempts {
		f.m.notRun.Inc()
		return f.fail(it, msgNotRun, false)
	}
	f.takeBack(it)
	return again
}

// settled returns what a record means for its row: another attempt may have to
// follow. That is so once the store has noted this one.
func (f *Flow) settled(it *item, rec *whisk.Activation) outcome {
	it.token = 0
	again, late := rec.Attempt > 0 && rec.Again > 0, it.attempt > 0 && time.Now().After(it.until)
	if !again && !late {
		return ended
	}
	if f.settle(f.runs, []*whisk.Activation{rec}) != nil {
		return stopped
	}
	if again {
		return it.next(rec)
	}
	// Another router may have failed the attempt by then. It would have queued the
	// row for the next one, held as before.
	f.free(it)
	return ended
}

// next makes the item ready for the attempt that follows the one of rec, which
// the store has noted: the row is queued, and held as before.
func (it *item) next(rec *whisk.Activation) outcome {
	it.token, it.attempt = 0, rec.Attempt+1
	it.refused, it.failures = 0, 0
	it.ready = time.Now().Add(time.Duration(rec.Again) * time.Millisecond)
	return anew
}

func (f *Flow) unseal(id whisk.ActivationID, payload []byte) (*whisk.Call, error) {
	plain, err := f.sealer.Open(payload, id[:])
	if err != nil {
		return nil, err
	}
	c, err := decodeCall(plain)
	if err == nil && c.ID != id {
		err = errPayload
	}
	return c, err
}
