package store

import (
	"context"
	"fmt"

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

// Start turns a queued row to started and reports whether it now is so with
// this token. No two starts may use the same token.
func (r *Recorder) Start(ctx context.Context, id whisk.ActivationID, token, until int64) (bool, error) {
	o, err := r.do(ctx, Op{Kind: OpStart, ID: id, Token: token, Until: until}, 0)
	if err != nil {
		return false, fmt.Errorf("start activation %s: %w", id, err)
	}
	return o.OK, nil
}

// StartNew commits a row as started, with its Token and Until, unless the id
// has a record or a row by now, which is no error.
func (r *Recorder) StartNew(ctx context.Context, row QueueRow) error {
	if _, err := r.do(ctx, Op{Kind: OpStartNew, Row: &row}, int64(len(row.Payload))); err != nil {
		return fmt.Errorf("note that activation %s has started: %w", row.ID, err)
	}
	return nil
}

// Requeue turns a row that was started with the token back to queued:
// [whisk.ErrChanged] if the token does not hold.
func (r *Recorder) Requeue(ctx context.Context, id whisk.ActivationID, token int64) error {
	o, err := r.do(ctx, Op{Kind: OpRequeue, ID: id, Token: token}, 0)
	if err != nil {
		return fmt.Errorf("requeue activation %s: %w", id, err)
	}
	if !o.OK && !o.retried {
		return fmt.Errorf("requeue activation %s: %w", id, whisk.ErrChanged)
	}
	return nil
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
