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
	it := f.newItem(c, time.Now(), true, ended)
	if err := f.enqueue(ctx, it, f.queue.Enqueue); err != nil {
		f.m.refused.Inc()
		ended()
		return err
	}
	f.m.submitted.Inc()
	return nil
}

// enqueue commits the row of a new item by insert, and keeps the item or leaves
// it to the store.
func (f *Flow) enqueue(ctx context.Context, it *item, insert func(context.Context, whisk.QueueRow) error) error {
	row, err := f.row(it.call, it.ready)
	if err != nil {
		return err
	}
	if err := f.reserve(it); err != nil {
		return err
	}
	row = f.claimed(row, it)
	// A client that leaves now must not leave a row that nobody here knows of.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.cfg.StoreTimeout)
	defer cancel()
	if err = insert(ctx, row); err == nil {
		f.accept(it)
		return nil
	}
	f.m.storeErrors.Inc()
	refused := whisk.KindOf(err) != whisk.Internal // by the store, for a reason
	f.withdraw(it, refused)
	if refused {
		return err
	}
	return &whisk.Error{Kind: whisk.Unavailable, Message: "The activation cannot be queued now, try again later.", Err: err}
}

// claimed returns the row of an item as it is to be inserted.
func (f *Flow) claimed(row whisk.QueueRow, it *item) whisk.QueueRow {
	row.Attempt, row.Holder = it.attempt, it.holder
	return row
}

// reserve decides whether the row of an item will be held, and makes room for
// it, or whether it is left to the store.
func (f *Flow) reserve(it *item) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.known)+len(f.owed) >= f.cfg.MaxBacklog {
		return whisk.ErrOverloaded
	}
	if _, ok := f.known[it.id]; ok || f.owed[it.id] != nil {
		return whisk.ErrExists
	}
	if f.fits(it) {
		it.holder = f.holder
		f.known[it.id] = it
		f.backlog.reserve(it)
		return nil
	}
	f.owed[it.id] = &debt{ns: it.ns, ended: it.ended} // before another claim may bring it
	f.spill(it)
	return nil
}

// accept keeps an item whose row is durable, if it is held.
func (f *Flow) accept(it *item) {
	f.mu.Lock()
	var halted bool
	if it.holder != 0 {
		halted = f.enter(it)
	} else {
		if d := f.owed[it.id]; d != nil {
			d.durable = true
		}
		f.spill(it)
		f.m.spilled.Inc()
	}
	f.mu.Unlock()
	if halted {
		f.free(it)
	}
	f.poke()
}

// enter takes an item into the room that was reserved for it, unless the process
// has begun to stop. It is called with mu held.
func (f *Flow) enter(it *item) (halted bool) {
	if f.halted {
		f.backlog.unreserve(it)
		delete(f.known, it.id)
		return true
	}
	f.backlog.enter(it)
	return false
}

// withdraw lets go of an item whose row could not be inserted, as far as is
// known: if the store did not refuse it, it may be there. Then it is run, as
// nobody else would, unless it turns out that it is not.
func (f *Flow) withdraw(it *item, refused bool) {
	f.mu.Lock()
	var halted bool
	switch {
	case it.holder == 0:
		delete(f.owed, it.id)
		if !refused {
			f.spill(it)
		}
	case refused:
		f.backlog.unreserve(it)
		delete(f.known, it.id)
	default:
		halted = f.enter(it)
	}
	f.mu.Unlock()
	if halted {
		f.free(it)
	}
	f.poke()
}
