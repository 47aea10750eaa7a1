package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"hearth/whisk"
)

// Enqueue commits a queued row and returns when it is durable: [ErrFull],
// [whisk.ErrExists]. If ctx ends first the row may yet be committed.
func (r *Recorder) Enqueue(ctx context.Context, row QueueRow) error {
	o, err := r.do(ctx, Op{Kind: OpEnqueue, Row: &row}, int64(len(row.Payload)))
	if err != nil {
		return fmt.Errorf("enqueue activation %s: %w", row.ID, err)
	}
	if !o.OK && !o.retried {
		return fmt.Errorf("enqueue activation %s: %w", row.ID, whisk.ErrExists)
	}
	return nil
}

// Start turns a queued row of the holder to started, for so long by the
// engine's clock, and reports whether it now is so with this token; of a row
// that is started with it, it renews the time. No two starts may use the same
// token.
func (r *Recorder) Start(ctx context.Context, id whisk.ActivationID, token, holder int64, lasts time.Duration) (bool, error) {
	o, err := r.do(ctx, Op{Kind: OpStart, ID: id, Token: token, Holder: holder, For: lasts}, 0)
	if err != nil {
		return false, fmt.Errorf("start activation %s: %w", id, err)
	}
	return o.OK, nil
}

// StartNew commits a row as started, with its Token and for so long, unless the
// id has a record or a row by now, which is no error.
func (r *Recorder) StartNew(ctx context.Context, row QueueRow, lasts time.Duration) error {
	if _, err := r.do(ctx, Op{Kind: OpStartNew, Row: &row, For: lasts}, int64(len(row.Payload))); err != nil {
		return fmt.Errorf("note that activation %s has started: %w", row.ID, err)
	}
	return nil
}

// Requeue turns a row that was started with the token back to queued, held by
// the holder, or free if that is 0: [whisk.ErrChanged] if the token does not
// hold.
func (r *Recorder) Requeue(ctx context.Context, id whisk.ActivationID, token, holder int64) error {
	o, err := r.do(ctx, Op{Kind: OpRequeue, ID: id, Token: token, Holder: holder}, 0)
	if err == nil && !o.OK && !o.retried {
		err = whisk.ErrChanged
	}
	if err != nil {
		return fmt.Errorf("requeue activation %s: %w", id, err)
	}
	return nil
}

// Release makes a queued row of the holder free: [whisk.ErrChanged] if it does
// not hold it.
func (r *Recorder) Release(ctx context.Context, id whisk.ActivationID, holder int64) error {
	o, err := r.do(ctx, Op{Kind: OpRelease, ID: id, Holder: holder}, 0)
	if err == nil && !o.OK && !o.retried {
		err = whisk.ErrChanged
	}
	if err != nil {
		return fmt.Errorf("release activation %s: %w", id, err)
	}
	return nil
}

// Cancel ends a queued row, whoever holds it, in rec, and reports whether it
// did: false says that there is no such row, or that it has started.
func (r *Recorder) Cancel(ctx context.Context, id whisk.ActivationID, rec *whisk.Activation) (bool, error) {
	o, err := r.do(ctx, Op{Kind: OpCancel, ID: id, Record: rec}, recordSize(rec))
	if err != nil {
		return false, fmt.Errorf("cancel activation %s: %w", id, err)
	}
	if o.OK || !o.retried {
		return o.OK, nil
	}
	// An earlier attempt may have done it: then the record is this one.
	have, err := r.engine.Activation(ctx, rec.Namespace, id)
	if errors.Is(err, whisk.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("cancel activation %s: %w", id, err)
	}
	return have.End == rec.End && bytes.Equal(have.Response.Result, rec.Response.Result), nil
}

// Redrive turns the dead letter of an id into a queued row, which has an id of
// its own: [whisk.ErrNotFound].
func (r *Recorder) Redrive(ctx context.Context, id whisk.ActivationID, row QueueRow) error {
	o, err := r.do(ctx, Op{Kind: OpRedrive, ID: id, Row: &row}, int64(len(row.Payload)))
	if err == nil && !o.OK {
		err = whisk.ErrNotFound
		if o.retried {
			err = r.hasCome(ctx, row)
		}
	}
	if err != nil {
		return fmt.Errorf("redrive activation %s: %w", id, err)
	}
	return nil
}

// hasCome returns [whisk.ErrNotFound] unless an earlier attempt of a commit has
// inserted the row: then that is there, or it has ended.
func (r *Recorder) hasCome(ctx context.Context, row QueueRow) error {
	_, err := r.engine.QueueRow(ctx, row.Namespace, row.ID)
	if errors.Is(err, whisk.ErrNotFound) {
		_, err = r.Activation(ctx, row.Namespace, row.ID)
	}
	return err
}

// do hands an op over and waits for its outcome.
func (r *Recorder) do(ctx context.Context, op Op, payload int64) (outcome, error) {
	if err := ctx.Err(); err != nil {
		return outcome{}, err
	}
	e := &entry{op: op, size: 256 + payload, answer: make(chan outcome, 1)}
	r.mu.Lock()
	err := r.admit(e.size)
	if err == nil {
		r.push(e)
	}
	r.mu.Unlock()
	if err != nil {
		return outcome{}, err
	}
	select {
	case o := <-e.answer:
		return o, o.Err
	case <-ctx.Done():
		r.mu.Lock()
		e.leaving = true
		r.mu.Unlock()
		return outcome{}, ctx.Err()
	}
}
