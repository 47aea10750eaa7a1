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

// untilClaim is when to look for rows of which nothing is known: not all
// routers at once.
func (f *Flow) untilClaim() time.Duration {
	if f.cfg.Alone { // but for what went wrong, it left them there itself
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
	f.adopt(rows)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.digest(q, rows, spills)
	return f.hungry(), nil
}

// appetite returns what there is room for: a quarter of the backlog is kept for
// new rows. spills is as it is now.
func (f *Flow) appetite() (q whisk.ClaimQuery, spills int, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	q = whisk.ClaimQuery{
		Holder: f.holder, Limit: min(claimRows, f.cfg.MaxRows-f.cfg.MaxRows/4-f.backlog.rows),
		Bytes: f.cfg.MaxBytes - f.cfg.MaxBytes/4 - f.backlog.bytes, PerNamespace: f.mouthful(),
	}
	return q, f.spills, f.room()
}

// room reports whether rows may be claimed. It is called with mu held, as are
// hungry and digest.
func (f *Flow) room() bool {
	b := f.backlog
	return !f.halted && b.rows < f.cfg.MaxRows-f.cfg.MaxRows/4 && b.bytes < f.cfg.MaxBytes-f.cfg.MaxBytes/4
}

// mouthful is how many rows of one namespace are claimed at once.
func (f *Flow) mouthful() int { return max(1, min(claimLane, f.cfg.MaxRows/8)) }

// hungry reports whether some namespace that has rows in the store has few here.
// All are given equally many then: one that has far more in the store than the
// others keeps none of these from their turn.
func (f *Flow) hungry() bool {
	if len(f.unread) == 0 || !f.room() {
		return false
	}
	for ns := range f.unread {
		if s := f.backlog.shares[ns]; s.rows <= f.mouthful()/2 && s.bytes <= f.cfg.MaxBytes/8 {
			return true
		}
	}
	return false
}

// digest notes what a claim tells of what is left in the store.
func (f *Flow) digest(q whisk.ClaimQuery, rows []whisk.QueueRow, spills int) {
	var bytes int64
	found := map[whisk.Namespace]bool{}
	for _, row := range rows {
		bytes += int64(len(row.Payload))
		found[row.Namespace] = true
		if f.unread[row.Namespace] == 0 {
			f.unread[row.Namespace] = -1 // there may be more
		}
	}
	if len(rows) >= q.Limit || bytes > q.Bytes/2 {
		return // it was cut short
	}
	for ns, spilled := range f.unread {
		if !found[ns] && spilled <= spills {
			delete(f.unread, ns)
		}
	}
}

// adopt takes rows that were claimed into the backlog.
func (f *Flow) adopt(rows []whisk.QueueRow) {
	var items, left []*item
	var broken []whisk.QueueRow
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
	f.mu.Lock()
	for _, it := range items {
		switch known, ok := f.known[it.id]; {
		case f.halted:
			left = append(left, it)
		case ok && known == nil: // it has started since
		case ok: // the claim had lapsed
			if known.age != nil {
				known.attempt, known.holder, known.claimed = it.attempt, it.holder, true
			}
		default:
			if d := f.owed[it.id]; d != nil {
				it.ended = d.ended
				delete(f.owed, it.id)
			}
			f.known[it.id] = it
			f.backlog.push(it)
			f.m.claimed.Inc()
		}
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
