package flow

import (
	"context"
	"time"

	"hearth/whisk"
)

// keep commits the record of a composite, for whose answer somebody may wait.
// It fails only when the runs are being stopped.
func (f *Flow) keep(rec *whisk.Activation) error {
	if f.commit(f.runs, rec) == nil {
		return nil
	}
	ctx, cancel := f.stored()
	defer cancel()
	if err := f.commit(ctx, rec); err != nil {
		f.log.Error("the record of a composite was not stored", "activation", rec.ID, "err", err)
		return errUnrecorded
	}
	return nil
}

// commit returns nil when the record has been taken by the store or can never
// be, else, when ctx ends, its error.
func (f *Flow) commit(ctx context.Context, rec *whisk.Activation) error {
	for pause := settleRetryMin; ; pause = min(2*pause, settleRetryMax) {
		attempt, cancel := context.WithTimeout(ctx, f.cfg.StoreTimeout)
		err := f.queue.Commit(attempt, []*whisk.Activation{rec}, nil)
		overdue := attempt.Err() != nil
		cancel()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !overdue && whisk.KindOf(err) != whisk.Unavailable:
			f.m.unstorable.Inc()
			f.log.Error("a composite's record cannot be stored", "activation", rec.ID, "err", err)
			return nil
		}
		f.m.storeErrors.Inc()
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// hand gives the store the record of what is nested in a composite. Nobody
// waits for it: the record of the topmost comes after it, and what is handed
// over first is committed first.
func (f *Flow) hand(rec *whisk.Activation) {
	early := make(chan error, 1)
	f.recorder.Record(rec, func(err error) { early <- err })
	select {
	case err := <-early:
		if whisk.KindOf(err) == whisk.Unavailable { // full
			_ = f.keep(rec) // the topmost's will fail as well, and say so
		}
	default:
	}
}
