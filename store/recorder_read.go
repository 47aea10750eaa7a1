package store

import (
	"context"

	"hearth/whisk"
)

// Activation returns a record, a pending one too, or [whisk.ErrNotFound].
// Nobody changes what it returns.
func (r *Recorder) Activation(ctx context.Context, ns whisk.Namespace, id whisk.ActivationID) (*whisk.Activation, error) {
	// First what is pending: were it asked for second, a record could be
	// committed between the two questions and be missed by both.
	r.mu.Lock()
	var rec *whisk.Activation
	if e := r.records[id]; e != nil && e.op.Record.Namespace == ns {
		rec = e.op.Record
	}
	r.mu.Unlock()
	if rec == nil {
		return r.engine.Activation(ctx, ns, id)
	}
	if first, err := r.engine.Activation(ctx, ns, id); err == nil {
		return first, nil // the pending one comes too late
	}
	return rec, nil
}

// Activations lists records. It waits, for at most ReadWait, until what was
// pending is committed.
func (r *Recorder) Activations(ctx context.Context, q ActivationQuery) ([]*whisk.Activation, error) {
	r.flush(ctx)
	return r.engine.Activations(ctx, q)
}

// CountActivations counts what Activations would list without skip and limit.
func (r *Recorder) CountActivations(ctx context.Context, q ActivationQuery) (int, error) {
	r.flush(ctx)
	return r.engine.CountActivations(ctx, q)
}

// flush waits for what is pending now. If that takes too long the caller reads
// without it.
func (r *Recorder) flush(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.ReadWait)
	defer cancel()
	r.mu.Lock()
	target := r.pushed
	if len(r.queue) > 0 {
		poke(r.hurry)
	}
	for r.finished < target {
		progress := r.progress
		r.mu.Unlock()
		select {
		case <-progress:
		case <-ctx.Done():
			return
		}
		r.mu.Lock()
	}
	r.mu.Unlock()
}
