package flow

import (
	"context"
	"sync"
	"time"

	"hearth/whisk"
)

// renewals keeps the claims of this process until ctx ends. While it cannot,
// for longer than they last, nothing is started: what others claim meanwhile
// could not be anyway.
func (f *Flow) renewals(ctx context.Context) {
	tick := time.NewTicker(f.cfg.Lease / 4)
	defer tick.Stop()
	for failing := false; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		began := time.Now()
		err := f.renew(ctx)
		switch {
		case err == nil:
			f.mu.Lock()
			f.renewed = began
			f.mu.Unlock()
			f.poke()
		case ctx.Err() == nil:
			f.m.storeErrors.Inc()
			if !failing {
				f.log.Warn("claims could not be renewed", "err", err)
			}
		}
		failing = err != nil
	}
}

func (f *Flow) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, f.cfg.StoreTimeout)
	defer cancel()
	return f.rows.RenewClaims(ctx, f.holds())
}

// holds returns as whom this process holds rows now.
func (f *Flow) holds() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.holder
}

// moveOn has this process hold rows under another name from now on, where it may
// hold some that it does not have in memory: a claim was not answered, or one
// could not be given up. They would stay so for as long as they are renewed. Now
// the old name's claims run out, and what is in memory is claimed anew.
func (f *Flow) moveOn() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.holder = f.token()
}

// lapsed reports whether others may have claimed what is held. It is called
// with mu held.
func (f *Flow) lapsed(now time.Time) bool {
	return !f.renewed.IsZero() && now.Sub(f.renewed) > f.cfg.Lease
}

// stopping reports whether no more rows are run.
func (f *Flow) stopping() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.halted
}

// letGoAtOnce is how many rows are given up at the same time.
const letGoAtOnce = 256

// letGo gives up the rows of items, as far as that is done within the time that
// one call of the store may take.
func (f *Flow) letGo(items []*item) {
	ctx, cancel := f.stored()
	defer cancel()
	var wg sync.WaitGroup
	turns := make(chan struct{}, letGoAtOnce)
	for _, it := range items {
		if ctx.Err() != nil && it.token == 0 {
			f.moveOn()
			break // the claims end by themselves
		}
		turns <- struct{}{}
		wg.Go(func() {
			f.free(it)
			<-turns
		})
	}
	wg.Wait()
}

// free gives up the row of an item: any router may have it at once.
func (f *Flow) free(it *item) {
	if it.token != 0 { // or the next process would take it for a run that broke off
		f.takeBack(it)
		return
	}
	holder := it.holder
	if it.holder = 0; holder == 0 {
		return
	}
	ctx, cancel := f.stored()
	defer cancel()
	if err := f.queue.Release(ctx, it.id, holder); err != nil && whisk.KindOf(err) != whisk.Conflict {
		f.m.storeErrors.Inc()
		f.log.Warn("a claim could not be given up, and runs out", "activation", it.id, "err", err)
		f.moveOn()
	}
}

// takeBack turns the row back to queued if the item's token holds. It returns
// false if that is not certain: then the token stays, to be tried again.
func (f *Flow) takeBack(it *item) bool {
	holder := int64(0)
	if !f.stopping() {
		holder = f.holds()
	}
	ctx, cancel := f.stored()
	defer cancel()
	if err := f.queue.Requeue(ctx, it.id, it.token, holder); err != nil && whisk.KindOf(err) != whisk.Conflict {
		f.m.storeErrors.Inc()
		f.log.Warn("a row could not be queued again", "activation", it.id, "err", err)
		return false
	}
	it.token, it.holder = 0, holder
	return true
}
