package flow

import (
	"context"
	"time"

	"hearth/whisk"
)

// pageRows is how many rows are read from the store at once.
const pageRows = 64

// recover deals with what the last process left behind, until ctx ends.
func (f *Flow) recover(ctx context.Context) {
	for pause := settleRetryMin; ; pause = min(2*pause, settleRetryMax) {
		f.mu.Lock()
		spills := f.spills
		f.mu.Unlock()
		full, err := f.scan(ctx, pass{
			lost: func(row whisk.QueueRow) bool { return f.cfg.Alone || f.over(ctx, row) },
			take: func(whisk.QueueRow) bool { return true },
		})
		if err == nil {
			f.mu.Lock()
			f.unread = full || f.spills != spills
			f.mu.Unlock()
			return
		}
		f.m.storeErrors.Inc()
		if ctx.Err() != nil {
			return
		}
		f.log.Warn("looking for rows of an earlier life failed", "err", err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}

// sweep looks every so often for rows that other routers left behind: started
// ones that are overdue, and queued ones that nobody started for a while. Two
// routers may take the same row into memory; only one can start it.
func (f *Flow) sweep(ctx context.Context) {
	tick := time.NewTicker(f.cfg.SweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			before := now.Add(-f.cfg.SweepEvery).UnixMilli()
			_, err := f.scan(ctx, pass{
				lost: func(row whisk.QueueRow) bool { return f.over(ctx, row) },
				take: func(row whisk.QueueRow) bool { return row.Created < before },
			})
			if err != nil && ctx.Err() == nil {
				f.m.storeErrors.Inc()
				f.log.Warn("sweeping the queue failed", "err", err)
			}
			f.poke()
		}
	}
}

// over reports whether the run of a started row has broken off.
func (f *Flow) over(ctx context.Context, row whisk.QueueRow) bool {
	return f.overdue(row) || f.cfg.Gone != nil && f.cfg.Gone(ctx, row.ID)
}

func (f *Flow) overdue(row whisk.QueueRow) bool { return row.Until < time.Now().UnixMilli() }

// readBack fills the backlog with rows that had no room in it.
func (f *Flow) readBack(ctx context.Context) error {
	f.mu.Lock()
	spills := f.spills
	f.mu.Unlock()
	full, err := f.scan(ctx, pass{
		take:     func(whisk.QueueRow) bool { return true },
		stopFull: true,
	})
	if err != nil {
		f.m.storeErrors.Inc()
		return err
	}
	if full {
		return nil
	}
	// All rows are in memory, but for those that spilled meanwhile.
	f.mu.Lock()
	clear(f.spilling)
	var lost []func()
	if f.unread = f.spills != spills; !f.unread {
		for id, ended := range f.owed { // gone from the store: another router ran them
			lost = append(lost, ended)
			delete(f.owed, id)
		}
	}
	f.mu.Unlock()
	for _, ended := range lost {
		ended()
	}
	return nil
}

// pass says what a scan is for.
type pass struct {
	lost     func(whisk.QueueRow) bool // started rows to fail; nil: none
	take     func(whisk.QueueRow) bool // queued rows to take into the backlog
	stopFull bool                      // stop when the backlog is half full
}

// scan reads the queue from its beginning. It reports whether there were rows
// to take for which the backlog had no room.
func (f *Flow) scan(ctx context.Context, p pass) (full bool, err error) {
	for after := int64(0); ; {
		page, err := f.page(ctx, after)
		if err != nil || len(page) == 0 {
			return full, err
		}
		var lost []whisk.QueueRow
		for _, row := range page {
			after = row.Seq
			switch {
			case row.State == whisk.RowStarted:
				if p.lost != nil && !f.own(row.Token) && !f.knows(row.ID) && p.lost(row) {
					lost = append(lost, row)
				}
			case p.take(row) && !f.adopt(row):
				full = true
				if p.stopFull {
					return full, nil
				}
			}
		}
		if err := f.failRows(ctx, lost); err != nil {
			return full, err
		}
	}
}

// page returns some rows; none if there are no more.
func (f *Flow) page(ctx context.Context, after int64) ([]whisk.QueueRow, error) {
	ctx, cancel := context.WithTimeout(ctx, f.cfg.StoreTimeout)
	defer cancel()
	return f.rows.QueueRows(ctx, after, pageRows)
}

func (f *Flow) knows(id whisk.ActivationID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, ok := f.known[id]
	return ok
}

// adopt takes a queued row into the backlog, if it is not known yet. It returns
// false if there is no room: half of the backlog is kept for new rows. That a
// row may have been started since it was read does no harm: its start fails.
func (f *Flow) adopt(row whisk.QueueRow) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.known[row.ID]; ok {
		return true
	}
	size := itemOverhead + int64(len(row.Payload))
	if b := f.backlog; b.rows > 0 && (b.rows >= f.cfg.MaxRows/2 || b.bytes+size > f.cfg.MaxBytes/2) {
		return false
	}
	it := &item{
		id: row.ID, ns: row.Namespace, created: time.UnixMilli(row.Created),
		payload: row.Payload, size: size, ended: func() {},
	}
	if ended, ok := f.owed[row.ID]; ok {
		it.ended = ended
		delete(f.owed, row.ID)
	}
	f.known[row.ID] = struct{}{}
	f.backlog.push(it)
	f.m.adopted.Inc()
	return true
}

// failRows ends started rows whose process is gone.
func (f *Flow) failRows(ctx context.Context, lost []whisk.QueueRow) error {
	if len(lost) == 0 {
		return nil
	}
	message, count := msgLost, f.m.lost
	if f.cfg.Alone {
		message, count = msgRestarted, f.m.restarted
	}
	recs := make([]*whisk.Activation, len(lost))
	for i, row := range lost {
		c, err := f.unseal(row.ID, row.Payload)
		if err != nil {
			f.log.Error("a row of the queue cannot be read", "activation", row.ID, "err", err)
		}
		recs[i] = failure(row.ID, row.Namespace, c, message)
	}
	if err := f.settle(ctx, recs); err != nil {
		return err
	}
	count.Add(len(recs))
	f.log.Info("ended activations that an earlier process had started", "count", len(recs))
	return nil
}
