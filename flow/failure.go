package flow

import (
	"context"
	"time"

	"hearth/whisk"
)

// Texts of the failure records made here. They are OpenWhisk's where it has
// one.
const (
	msgRestarted  = "The platform restarted while the action was running."
	msgStopped    = "The platform was stopped while the action was running."
	msgLost       = "The platform lost sight of the action while it was running."
	msgAged       = "The platform found no room to run the action in time."
	msgUnreadable = "The queued activation could not be read."
	msgNoKey      = "The API key of the action's caller is not valid any more."
	msgNotRun     = "Failed to provision resources to run the action."
)

const (
	settleRetryMin = 50 * time.Millisecond
	settleRetryMax = 2 * time.Second
)

// settle commits records. It returns nil when each has been taken by the store
// or can never be, else, when ctx ends, its error.
func (f *Flow) settle(ctx context.Context, recs []*whisk.Activation) error {
	type answer struct {
		rec *whisk.Activation
		err error
	}
	for pause := settleRetryMin; len(recs) > 0; pause = min(2*pause, settleRetryMax) {
		answers := make(chan answer, len(recs))
		for _, rec := range recs {
			f.recorder.Record(rec, func(err error) { answers <- answer{rec, err} })
		}
		var rest []*whisk.Activation
		for range recs {
			select {
			case a := <-answers:
				switch {
				case a.err == nil:
				case whisk.KindOf(a.err) == whisk.Unavailable: // full, or stopping
					rest = append(rest, a.rec)
				default:
					f.m.unstorable.Inc()
					f.log.Error("a failure record cannot be stored", "activation", a.rec.ID, "err", a.err)
				}
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if recs = rest; len(recs) == 0 {
			return nil
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
	return nil
}

// failure returns the failure record of a row, as far as its call is known.
func failure(id whisk.ActivationID, ns whisk.Namespace, c *whisk.Call, message string) *whisk.Activation {
	now := time.Now()
	if c != nil {
		return c.Failure(message, now)
	}
	return &whisk.Activation{
		ID: id, Namespace: ns, Name: "unknown", Version: whisk.FirstVersion,
		Start: now.UnixMilli(), End: now.UnixMilli(),
		Response: whisk.ErrorResponse(whisk.WhiskError, message),
		Facts:    whisk.Facts{Kind: "unknown"},
	}
}

// fail ends an item in a failure record.
func (f *Flow) fail(it *item, message string) outcome {
	if f.settle(f.runs, []*whisk.Activation{f.itemFailure(it, message)}) != nil {
		return stopped // the next process finds the row
	}
	return ended
}

func (f *Flow) itemFailure(it *item, message string) *whisk.Activation {
	if err := f.open(it); err != nil {
		return failure(it.id, it.ns, nil, message)
	}
	rec := it.call.Failure(message, time.Now())
	rec.Facts.Wait += it.waited().Milliseconds()
	return rec
}

// failItems ends items that no worker has in hand.
func (f *Flow) failItems(items []*item, message string) {
	recs := make([]*whisk.Activation, len(items))
	for i, it := range items {
		recs[i] = f.itemFailure(it, message)
	}
	stopped := f.settle(f.runs, recs) != nil
	f.mu.Lock()
	for _, it := range items {
		delete(f.known, it.id)
	}
	f.mu.Unlock()
	if stopped {
		return
	}
	for _, it := range items {
		it.ended()
	}
	f.poke()
}

// stop returns the record of a run that was stopped with the process, after
// trying to commit it.
func (f *Flow) stop(c *whisk.Call) *whisk.Activation {
	f.m.stopped.Inc()
	rec := c.Failure(msgStopped, time.Now())
	ctx, cancel := f.stored()
	defer cancel()
	if err := f.settle(ctx, []*whisk.Activation{rec}); err != nil {
		f.log.Error("the record of a stopped run was not stored", "activation", c.ID, "err", err)
	}
	return rec
}
