package flow

import (
	"context"
	"errors"
	"time"

	"hearth/whisk"
)

var errStarted = &whisk.Error{Kind: whisk.Conflict, Message: "The activation has started already."}

// Cancel ends an activation of the namespace that is queued and has not started,
// or waits for its next attempt, whichever router holds it, and returns its
// record. [whisk.ErrNotFound]: nothing of the id is queued. An error of kind
// Conflict says that it has started, one of kind Unavailable that it may yet be
// run, or have been cancelled.
func (f *Flow) Cancel(ctx context.Context, ns whisk.Namespace, id whisk.ActivationID) (*whisk.Activation, error) {
	if !f.gate.enter() {
		return nil, errStopping
	}
	defer f.gate.leave()
	// A client that leaves now must not leave an item that is nowhere.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.cfg.StoreTimeout)
	defer cancel()
	it := f.pull(ns, id)
	rec, err := f.cancel(ctx, ns, id, it)
	if err == nil {
		f.m.cancelled.Inc()
		f.disown(it, id)
		return rec, nil
	}
	if it != nil {
		f.putBack(it)
	}
	return nil, err
}

// cancel has the store end the row. it, which may be nil, is its item.
func (f *Flow) cancel(ctx context.Context, ns whisk.Namespace, id whisk.ActivationID, it *item) (*whisk.Activation, error) {
	if it != nil && it.token != 0 && !f.takeBack(it) {
		return nil, uncancelled(errors.New("a start of it has to be taken back"))
	}
	rec, err := f.cancelled(ctx, ns, id, it)
	if err != nil {
		return nil, err
	}
	done, err := f.queue.Cancel(ctx, id, rec)
	switch {
	case err != nil:
		f.m.storeErrors.Inc()
		return nil, uncancelled(err)
	case done:
		return rec, nil
	}
	if _, err := f.rows.QueueRow(ctx, ns, id); err != nil {
		return nil, unfoundRow(err)
	}
	return nil, errStarted
}

// cancelled returns the record of what is to be cancelled.
func (f *Flow) cancelled(ctx context.Context, ns whisk.Namespace, id whisk.ActivationID, it *item) (*whisk.Activation, error) {
	var rec *whisk.Activation
	if it != nil && it.call != nil {
		rec = it.failure(msgCancelled, true)
	} else {
		row, err := f.rows.QueueRow(ctx, ns, id)
		if err != nil {
			return nil, unfoundRow(err)
		}
		if row.State == whisk.RowStarted {
			return nil, errStarted
		}
		c, err := f.unseal(id, row.Payload)
		if err != nil {
			f.log.Error("a row of the queue cannot be read", "activation", id, "err", err)
		}
		rec = rowFailure(row, c, msgCancelled)
		rec.Facts.Wait += max(0, time.Since(time.UnixMilli(max(row.Created, row.Due)))).Milliseconds()
	}
	rec.Again, rec.Dead = 0, false
	rec.Response = whisk.ErrorResponse(whisk.ApplicationError, msgCancelled)
	return rec, nil
}

func unfoundRow(err error) error {
	if whisk.KindOf(err) == whisk.NotFound {
		return whisk.ErrNotFound
	}
	return uncancelled(err)
}

func uncancelled(err error) error {
	return &whisk.Error{Kind: whisk.Unavailable, Message: "The activation cannot be cancelled now, try again later.", Err: err}
}

// pull takes an item out of the backlog, so that it is not started meanwhile;
// nil: it does not wait there.
func (f *Flow) pull(ns whisk.Namespace, id whisk.ActivationID) *item {
	f.mu.Lock()
	defer f.mu.Unlock()
	it := f.known[id]
	if it == nil || it.ns != ns || !f.backlog.remove(it) {
		return nil
	}
	return it
}

// putBack ends the pull of an item.
func (f *Flow) putBack(it *item) {
	f.mu.Lock()
	halted := f.halted
	if !halted && time.Now().Before(it.ready) { // it waits for its next attempt
		f.backlog.sleep(it)
	} else {
		f.backlog.reserve(it)
		halted = f.enter(it)
	}
	f.mu.Unlock()
	if halted {
		f.free(it)
	}
	f.poke()
}

// disown forgets a row that has ended, of which it, if not nil, is the item.
func (f *Flow) disown(it *item, id whisk.ActivationID) {
	f.mu.Lock()
	d := f.owed[id]
	delete(f.owed, id)
	if it != nil {
		delete(f.known, id)
	}
	f.mu.Unlock()
	if it != nil {
		it.ended()
	}
	if d != nil {
		d.ended()
	}
	f.poke()
}
