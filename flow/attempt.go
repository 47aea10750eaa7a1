package flow

import (
	"context"

	"hearth/whisk"
)

// attempt starts the row and offers its call to the invokers.
func (f *Flow) attempt(it *item) outcome {
	if it.waited() > f.cfg.MaxAge {
		f.m.aged.Inc()
		return f.fail(it, msgAged)
	}
	if it.token != 0 && !f.takeBack(it) {
		return again
	}
	if err := f.open(it); err != nil {
		f.log.Error("a row of the queue cannot be read", "activation", it.id, "err", err)
		f.m.unreadable.Inc()
		return f.fail(it, msgUnreadable)
	}
	if composite(it.call) && !it.composite {
		return sorted
	}
	c, err := f.copied(it)
	if err != nil {
		switch whisk.KindOf(err) {
		case whisk.Unauthenticated, whisk.NotFound:
			f.m.notRun.Inc()
			return f.fail(it, msgNoKey)
		}
		f.log.Warn("a row waits for its API key", "activation", it.id, "err", err)
		return again
	}
	if it.composite {
		return f.attemptComposite(it, c)
	}
	if o, ok := f.start(it); !ok {
		return o
	}
	c.Waited = it.call.Waited + it.waited()
	if builtin(c) {
		rec, err := f.answer(c)
		return f.conclude(it, c, rec, err)
	}
	rec, err := f.invoker.Invoke(f.runs, c, 0)
	return f.conclude(it, c, rec, err)
}

// copied returns the call of an open item, to be handed to the invokers.
func (f *Flow) copied(it *item) (*whisk.Call, error) {
	ctx, cancel := context.WithTimeout(f.runs, f.cfg.StoreTimeout)
	defer cancel()
	c := *it.call
	c.NoQueue = true
	return f.withKey(ctx, &c)
}

// start marks the row started. If it is not to be run the outcome says why.
func (f *Flow) start(it *item) (outcome, bool) {
	ctx, cancel := context.WithTimeout(f.runs, f.cfg.StoreTimeout)
	defer cancel()
	it.token = f.token() // from now on it may stand in the store
	ok, err := f.queue.Start(ctx, it.id, it.token, 0, lasts(f.until(it.call, 0)))
	switch {
	case err != nil && f.gate.closed():
		f.takeBack(it)
		return stopped, false
	case err != nil:
		f.m.storeErrors.Inc()
		f.log.Warn("a row could not be started", "activation", it.id, "err", err)
		return again, false
	case !ok:
		return gone, false
	case f.gate.closed():
		f.takeBack(it)
		return stopped, false
	}
	return 0, true
}

// conclude turns what the invokers answered into an outcome.
func (f *Flow) conclude(it *item, c *whisk.Call, rec *whisk.Activation, err error) outcome {
	if rec != nil {
		return ended
	}
	if whisk.KindOf(err) == whisk.Unavailable {
		f.takeBack(it)
		if f.gate.closed() {
			return stopped
		}
		return busy
	}
	if f.runs.Err() != nil {
		f.stop(c)
		return ended
	}
	it.failures++
	f.log.Warn("a queued call failed before it started", "activation", it.id, "failures", it.failures, "err", err)
	if it.failures >= f.cfg.Attempts {
		f.m.notRun.Inc()
		return f.fail(it, msgNotRun)
	}
	f.takeBack(it)
	return again
}

// takeBack turns the row back to queued if the item's token holds. It returns
// false if that is not certain: then the token stays, to be tried again.
func (f *Flow) takeBack(it *item) bool {
	ctx, cancel := f.stored()
	defer cancel()
	if err := f.queue.Requeue(ctx, it.id, it.token, 0); err != nil && whisk.KindOf(err) != whisk.Conflict {
		f.m.storeErrors.Inc()
		f.log.Warn("a row could not be queued again", "activation", it.id, "err", err)
		return false
	}
	it.token = 0
	return true
}

// open sees to it that the item's call can be read.
func (f *Flow) open(it *item) error {
	if it.call != nil {
		return nil
	}
	c, err := f.unseal(it.id, it.payload)
	if err != nil {
		return err
	}
	it.call, it.payload = c, nil
	return nil
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
