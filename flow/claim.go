package flow

import (
	"context"
	"math/rand/v2"
	"time"

	"hearth/whisk"
)

const (
	// claimRows and claimLane bound what is claimed at once, and of one namespace.
	claimRows = 512
	claimLane = 256
	// readPause and readRetry are how long the store is left alone after a claim,
	// and after one that failed.
	readPause = 10 * time.Millisecond
	readRetry = time.Second
)

// claims takes rows that nobody holds into the backlog, until ctx ends: at the
// start, when there is room for some that are known to be there, and else now
// and then.
func (f *Flow) claims(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	hunger := f.hunger
	for {
		select {
		case <-ctx.Done():
			return
		case <-hunger:
		case <-timer.C:
		}
		for hunger = f.hunger; ; {
			again, err := f.claim(ctx)
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				f.m.storeErrors.Inc()
				f.log.Warn("claiming rows failed", "err", err)
				hunger = nil // not before the timer
				timer.Reset(readRetry)
				break
			}
			if timer.Reset(f.untilClaim()); !again {
				break
			}
			pause(ctx, readPause)
		}
	}
}

// untilClaim is when to look for rows, if nothing happens before: not all routers
// at once.
func (f *Flow) untilClaim() time.Duration {
	f.mu.Lock()
	known := len(f.unread)
	f.mu.Unlock()
	if f.cfg.Alone && known == 0 { // but for what went wrong, there are none
		return f.cfg.SweepEvery
	}
	return f.cfg.ClaimEvery/2 + rand.N(f.cfg.ClaimEvery)
}

// pause waits for a while, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// claim asks for as many rows as there is room for, and reports whether to ask
// again.
func (f *Flow) claim(ctx context.Context) (again bool, err error) {
	q, spills, ok := f.appetite()
	if !ok {
		return false, nil
	}
	asking, cancel := context.WithTimeout(ctx, f.cfg.StoreTimeout)
	defer cancel()
	rows, err := f.rows.Claim(asking, q)
	if err != nil {
		f.moveOn()
		return false, err
	}
	kept := f.adopt(rows)
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	f.digest(q, rows, kept, spills, now)
	return f.hungry(now), nil
}

// appetite returns what there is room for. spills is as it is now.
func (f *Flow) appetite() (q whisk.ClaimQuery, spills int, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	q = whisk.ClaimQuery{
		Holder: f.holder, Limit: min(claimRows, f.cfg.MaxRows-f.backlog.all.rows),
		Bytes: f.cfg.MaxBytes - f.backlog.all.bytes, PerNamespace: f.mouthful(),
	}
	return q, f.spills, !f.halted && f.room()
}

// adopt takes rows that were claimed into the backlog, as far as they fit, and
// gives up the others.
func (f *Flow) adopt(rows []whisk.QueueRow) (kept map[whisk.Namespace]int) {
	items, broken := f.read(rows)
	kept = map[whisk.Namespace]int{}
	var left []*item
	f.mu.Lock()
	for _, it := range items {
		known, ok := f.known[it.id]
		switch {
		case f.halted || !ok && !f.keeps(it) && !f.parks(it):
			left = append(left, it)
			continue
		case !ok:
			if !f.keeps(it) {
				it.call, it.size = nil, parkedSize
				f.m.parked.Inc()
			}
			if d := f.owed[it.id]; d != nil {
				it.ended = d.ended
				delete(f.owed, it.id)
			}
			f.known[it.id] = it
			f.backlog.push(it)
			f.m.claimed.Inc()
		case known != nil && known.age != nil: // the claim had lapsed
			known.attempt, known.holder, known.claimed = it.attempt, it.holder, true
		case known != nil: // workers have it, and may be about to let go of it
			known.regained = it.holder
		}
		kept[it.ns]++
	}
	f.mu.Unlock()
	f.letGo(left)
	if len(broken) > 0 && f.gate.enter() {
		go func() {
			defer f.gate.leave()
			f.endUnreadable(broken)
		}()
	}
	f.poke()
	return kept
}

// read returns the items of rows, and those rows that cannot be read.
func (f *Flow) read(rows []whisk.QueueRow) (items []*item, broken []whisk.QueueRow) {
	for _, row := range rows {
		it, err := f.itemOf(row)
		if err != nil {
			f.log.Error("a row of the queue cannot be read", "activation", row.ID, "err", err)
			f.m.unreadable.Inc()
			broken = append(broken, row)
			continue
		}
		items = append(items, it)
	}
	return items, broken
}

// endUnreadable ends rows that were claimed and cannot be read.
func (f *Flow) endUnreadable(rows []whisk.QueueRow) {
	recs := make([]*whisk.Activation, len(rows))
	for i, row := range rows {
		recs[i] = rowFailure(row, nil, msgUnreadable)
	}
	if f.settle(f.runs, recs) != nil {
		return // the next process finds them
	}
	for _, row := range rows {
		f.mu.Lock()
		d := f.owed[row.ID]
		delete(f.owed, row.ID)
		f.mu.Unlock()
		if d != nil {
			d.ended()
		}
	}
}
