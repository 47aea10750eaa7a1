package flow

import (
	"context"
	"time"

	"hearth/whisk"
)

// Submit queues the call and returns when that is durable. A worker runs it,
// in this process or a later one. An error means that the caller must not be
// given the id.
//
// ended is called exactly once when the activation has ended, or before Submit
// returns an error; not if this process stops before.
func (f *Flow) Submit(ctx context.Context, c *whisk.Call, ended func()) error {
	ended = once(ended)
	if !f.gate.enter() {
		ended()
		return errStopping
	}
	defer f.gate.leave()
	it := newItem(c, time.Now(), ended)
	if err := f.enqueue(ctx, it); err != nil {
		f.m.refused.Inc()
		ended()
		return err
	}
	f.m.submitted.Inc()
	f.accept(it)
	return nil
}

// itemOverhead is what an item costs beside its arguments and environment.
const itemOverhead = 1024

func newItem(c *whisk.Call, created time.Time, ended func()) *item {
	if c.APIKey != "" {
		open := *c
		open.APIKey = ""
		c = &open
	}
	return &item{
		id: c.ID, ns: c.Namespace, created: created, call: c, ended: ended,
		size: itemOverhead + int64(len(c.Args)+len(c.Env)), composite: composite(c),
	}
}

// enqueue commits the row of it.
func (f *Flow) enqueue(ctx context.Context, it *item) error {
	row, err := f.row(it.call, it.created)
	if err != nil {
		return err
	}
	if err := f.reserve(it.id); err != nil {
		return err
	}
	// A client that leaves now must not leave a row that nobody here knows of.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.cfg.StoreTimeout)
	defer cancel()
	err = f.queue.Enqueue(ctx, row)
	if err == nil {
		return nil
	}
	f.m.storeErrors.Inc()
	refused := whisk.KindOf(err) != whisk.Internal // by the store, for a reason
	f.mu.Lock()
	delete(f.known, it.id)
	if !refused { // it may be there all the same
		f.spills++
		f.unread = true
	}
	f.mu.Unlock()
	if refused {
		return err
	}
	f.poke()
	return &whisk.Error{Kind: whisk.Unavailable, Message: "The activation cannot be queued now, try again later.", Err: err}
}

// reserve makes id known, so that reading back leaves its row alone.
func (f *Flow) reserve(id whisk.ActivationID) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.known)+len(f.owed) >= f.cfg.MaxBacklog {
		return whisk.ErrOverloaded
	}
	if _, ok := f.known[id]; ok {
		return whisk.ErrExists
	}
	f.known[id] = struct{}{}
	return nil
}

// accept keeps an item whose row is durable, or leaves it to the store.
func (f *Flow) accept(it *item) {
	f.mu.Lock()
	if f.fits(it) {
		f.backlog.push(it)
	} else {
		delete(f.known, it.id)
		f.owed[it.id] = it.ended
		f.spilling[it.ns] = struct{}{}
		f.spills++
		f.unread = true
		f.m.spilled.Inc()
	}
	f.mu.Unlock()
	f.poke()
}

// fits reports whether the backlog has room. Nobody overtakes the rows of the
// same namespace that had none.
func (f *Flow) fits(it *item) bool {
	if _, ok := f.spilling[it.ns]; ok {
		return false
	}
	rows, bytes := f.backlog.share(it.ns)
	return f.backlog.rows < f.cfg.MaxRows && f.backlog.bytes+it.size <= f.cfg.MaxBytes &&
		rows < f.cfg.MaxRows/2 && bytes+it.size <= f.cfg.MaxBytes/2
}
