package flow

import (
	"context"
	"sync"
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
	msgNoCaller   = "The credential of the action's caller is not valid any more."
	msgCancelled  = "The activation was cancelled before it started."
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

// rowFailure returns the failure record of a row, as far as its call is known.
func rowFailure(row whisk.QueueRow, c *whisk.Call, message string) *whisk.Activation {
	now := time.Now()
	if c != nil {
		c.Attempt = row.Attempt
		return c.Failure(message, now)
	}
	return &whisk.Activation{
		ID: row.ID, Namespace: row.Namespace, Name: "unknown", Version: whisk.FirstVersion,
		Start: now.UnixMilli(), End: now.UnixMilli(),
		Response: whisk.ErrorResponse(whisk.WhiskError, message),
		Facts:    whisk.Facts{Kind: "unknown"},
		Attempt:  row.Attempt, Dead: row.Attempt > 0,
	}
}

// fail ends an item in a failure record; or, if it is not final and the call is
// to be run again, only the attempt.
func (f *Flow) fail(it *item, message string, final bool) outcome {
	rec := it.failure(message, final)
	if f.settle(f.runs, []*whisk.Activation{rec}) != nil {
		return stopped // the next process finds the row
	}
	if rec.Again > 0 {
		return it.next(rec)
	}
	return ended
}

func (it *item) failure(message string, final bool) *whisk.Activation {
	rec := it.numbered().Failure(message, time.Now())
	rec.Facts.Wait += it.waited().Milliseconds()
	if final {
		rec.Again, rec.Dead = 0, it.attempt > 0
	}
	return rec
}

// giveUp ends an item that is not to be run. Its row is started before, so that
// nothing ends here that another router, which has claimed it meanwhile, runs.
func (f *Flow) giveUp(it *item, message string) outcome {
	if it.token != 0 && !f.takeBack(it) {
		return again
	}
	if it.call == nil {
		if o, ok := f.fetch(it); !ok {
			return o
		}
	}
	if o, ok := f.start(it, f.cfg.Grace); !ok {
		return o
	}
	return f.fail(it, message, true)
}

// giveUpAll gives up items that no worker has in hand.
func (f *Flow) giveUpAll(items []*item, message string) {
	var wg sync.WaitGroup
	turns := make(chan struct{}, letGoAtOnce)
	for _, it := range items {
		turns <- struct{}{}
		wg.Go(func() {
			f.surelyGiveUp(it, message)
			<-turns
		})
	}
	wg.Wait()
	f.poke()
}

// surelyGiveUp gives an item up, also if the store has to come back first.
func (f *Flow) surelyGiveUp(it *item, message string) {
	o := f.giveUp(it, message)
	for wait := settleRetryMin; o == again; wait = min(2*wait, settleRetryMax) {
		if pause(f.runs, wait); f.stopping() {
			o = stopped
			break
		}
		o = f.giveUp(it, message)
	}
	f.forget(it.id)
	f.part(it, o)
}

// stop ends a run that was stopped with the process, and returns its record; nil
// if that could not be stored: then nobody may be given it.
func (f *Flow) stop(c *whisk.Call) *whisk.Activation {
	f.m.stopped.Inc()
	rec := c.Failure(msgStopped, time.Now())
	ctx, cancel := f.stored()
	defer cancel()
	if err := f.settle(ctx, []*whisk.Activation{rec}); err != nil {
		f.log.Error("the record of a stopped run was not stored", "activation", c.ID, "err", err)
		return nil
	}
	return rec
}
