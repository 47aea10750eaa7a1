package flow

import (
	"context"
	"fmt"
	"time"

	"hearth/whisk"
)

// Redrive queues the call of a dead letter anew, as it was pinned then, in the
// name of who asks for it, and returns the id of the new activation. The letter
// is gone then: [whisk.ErrNotFound] if it was before. Its attempts are counted
// anew. As with [Flow.Submit], an error means that the caller must not be given an
// id, and ended is called once, at the end of the activation or before an error is
// returned.
func (f *Flow) Redrive(ctx context.Context, who *whisk.Identity, transaction string, dead whisk.ActivationID, ended func()) (whisk.ActivationID, error) {
	ended = once(ended)
	if !f.gate.enter() {
		ended()
		return whisk.ActivationID{}, errStopping
	}
	defer f.gate.leave()
	id, err := f.redrive(ctx, who, transaction, dead, ended)
	if err != nil {
		ended()
		return whisk.ActivationID{}, err
	}
	f.m.redriven.Inc()
	return id, nil
}

func (f *Flow) redrive(ctx context.Context, who *whisk.Identity, transaction string, dead whisk.ActivationID, ended func()) (whisk.ActivationID, error) {
	c, err := f.buried(ctx, who.Namespace, dead)
	if err != nil {
		return whisk.ActivationID{}, err
	}
	c.ID, c.TransactionID, c.Waited = whisk.NewActivationID(), transaction, 0
	c.Subject, c.UUID, c.Unstored, c.Bounds = who.Subject, who.UUID, who.Unstored(), who.BoundsOf(c.Target.Limits)
	err = f.enqueue(ctx, f.newItem(c, time.Now(), true, ended), func(ctx context.Context, row whisk.QueueRow) error {
		return f.queue.Redrive(ctx, dead, row)
	})
	return c.ID, err
}

// buried returns the call of a dead letter.
func (f *Flow) buried(ctx context.Context, ns whisk.Namespace, id whisk.ActivationID) (*whisk.Call, error) {
	ctx, cancel := context.WithTimeout(ctx, f.cfg.StoreTimeout)
	defer cancel()
	letter, err := f.rows.DeadLetter(ctx, ns, id)
	if err != nil {
		return nil, err
	}
	c, err := f.unseal(id, letter.Payload)
	if err != nil {
		return nil, fmt.Errorf("dead letter %s: %w", id, err)
	}
	return c, nil
}
