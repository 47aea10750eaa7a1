package sqlite

import (
	"database/sql"
	"errors"
	"time"

	"hearth/store"
	"hearth/whisk"
)

const againText = `UPDATE queue SET state = 0, token = 0, until = 0, attempt = attempt + 1, due = ?1
	WHERE id = ?2 AND NOT EXISTS (SELECT 1 FROM activations WHERE id = ?2)`

// addAttempt carries out the record of an id that may be tried more than once.
func (b *batch) addAttempt(op int, a *whisk.Activation) error {
	if b.holds(a.ID) {
		if err := b.flush(); err != nil {
			return err
		}
	}
	if b.queue.may(a.ID) {
		attempt, err := b.number(a.ID)
		switch {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return b.failed(op, err)
		case a.Attempt > 0 && a.Attempt != attempt: // stale
			return nil
		}
	}
	if a.Again <= 0 {
		return b.addRecord(op, a)
	}
	if !b.queue.may(a.ID) {
		return nil
	}
	ok, err := b.changed(b.all.again, time.Now().UnixMilli()+a.Again, a.ID[:])
	if ok {
		b.holders.give(a.ID, b.holders.of(a.ID))
	}
	b.results[op].OK = ok
	return b.failed(op, err)
}

// number returns that of the attempt at which the row of an id stands.
func (b *batch) number(id whisk.ActivationID) (n int, err error) {
	err = b.stmt(b.all.attempt).QueryRowContext(b.ctx, id[:]).Scan(&n)
	return n, err
}

// release carries out an [store.OpRelease].
func (b *batch) release(o *store.Op) (bool, error) {
	if o.Holder == 0 || b.holders.of(o.ID) != o.Holder {
		return false, nil
	}
	queued, err := b.isQueued(o.ID)
	if queued {
		b.holders.give(o.ID, 0)
	}
	return queued, err
}

// cancel carries out an [store.OpCancel]: the end of the row comes with the
// record.
func (b *batch) cancel(op int, o *store.Op) error {
	queued, err := b.isQueued(o.ID)
	if err != nil || !queued {
		return b.failed(op, err)
	}
	b.results[op].OK = true
	return b.addRecord(op, o.Record)
}

func (b *batch) isQueued(id whisk.ActivationID) (found bool, err error) {
	if !b.queue.may(id) {
		return false, nil
	}
	err = b.tx.QueryRowContext(b.ctx, "SELECT EXISTS (SELECT 1 FROM queue WHERE id = ? AND state = 0)", id[:]).Scan(&found)
	return found, err
}
