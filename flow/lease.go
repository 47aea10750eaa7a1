package flow

import (
	"time"

	"hearth/whisk"
)

// leaseTime is for how long at least the row of a composite is started. A
// composite may take hours: its row is renewed before each component for which
// what is left would be too short, so that other routers see within a quarter of
// an hour that its process is gone, and not before.
const leaseTime = 15 * time.Minute

// compositeLasts is how long after now a composite that is promised counts as
// broken off, if that is not renewed.
func (f *Flow) compositeLasts(id whisk.ActivationID) time.Duration {
	lasts := leaseTime
	f.mu.Lock()
	defer f.mu.Unlock()
	if t := f.composites[id]; t != nil {
		lasts = max(lasts, time.Until(t.busy))
	}
	return lasts + f.cfg.Grace
}

// leased notes that a blocking composite has been promised.
func (f *Flow) leased(id whisk.ActivationID, token int64, until time.Time) {
	f.mu.Lock()
	t := f.composites[id]
	if t != nil {
		t.token, t.until = token, until
	}
	f.mu.Unlock()
	if t != nil {
		_ = t.renew() // a longer component may have begun meanwhile; the next one tells if it was lost
	}
}

// extend notes that a component may take until then, and renews the row if it
// has to be.
func (t *tree) extend(then time.Time) error {
	t.f.mu.Lock()
	t.busy = then
	t.f.mu.Unlock()
	return t.renew()
}

// renew sees to it that the row, if there is one, does not count as broken off
// before the present component has been given up. [errRowLost]: somebody has
// ended it. The store may be away; then nobody else can tell either.
func (t *tree) renew() error {
	f := t.f
	if f.cfg.Alone { // nobody looks
		return nil
	}
	f.mu.Lock()
	token, enough := t.token, !t.until.Before(t.busy.Add(f.cfg.Grace))
	f.mu.Unlock()
	if token == 0 || enough {
		return nil
	}
	lasts := f.compositeLasts(t.top.ID)
	until := time.Now().Add(lasts) // the store's begins later
	ctx, cancel := f.stored()
	defer cancel()
	held, err := f.queue.Start(ctx, t.top.ID, token, token, lasts) // of nobody: it only renews
	switch {
	case err != nil:
		f.m.storeErrors.Inc()
		f.log.Warn("the row of a composite could not be renewed", "activation", t.top.ID, "err", err)
		return nil
	case !held:
		return errRowLost
	}
	f.mu.Lock()
	t.until = until
	f.mu.Unlock()
	return nil
}
