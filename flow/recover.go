package flow

import (
	"context"
	"time"

	"hearth/whisk"
)

// pageRows is how many rows are read from the store at once.
const pageRows = 64

// recover deals with started rows of an earlier process where it is known that
// no other router has any: until it has, or ctx ends. It returns those of which
// Config.Gone has to be asked again, without payloads.
func (f *Flow) recover(ctx context.Context) (left []whisk.QueueRow) {
	if !f.cfg.Alone && f.cfg.Gone == nil {
		return nil
	}
	for wait := settleRetryMin; ; wait = min(2*wait, settleRetryMax) {
		left, err := f.scan(ctx)
		if err == nil || ctx.Err() != nil {
			return left
		}
		f.m.storeErrors.Inc()
		f.log.Warn("looking for rows of an earlier life failed", "err", err)
		pause(ctx, wait)
	}
}

// scan reads the queue from its beginning and ends what has broken off.
func (f *Flow) scan(ctx context.Context) (left []whisk.QueueRow, err error) {
	for after := int64(0); ; {
		page, err := f.page(ctx, after)
		if err != nil || len(page) == 0 {
			return left, err
		}
		var lost []whisk.QueueRow
		for _, row := range page {
			after = row.Seq
			switch {
			case row.State != whisk.RowStarted || f.own(row.Token) || f.knows(row.ID):
			case f.cfg.Alone || f.cfg.Gone(ctx, row.ID):
				lost = append(lost, row)
			default:
				row.Payload = nil
				left = append(left, row)
			}
		}
		if err := f.failRows(ctx, lost); err != nil {
			return nil, err
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

// sweep ends every so often what has broken off: the started rows whose time is
// over, and those of left that are gone before.
func (f *Flow) sweep(ctx context.Context, left []whisk.QueueRow) {
	tick := time.NewTicker(f.cfg.SweepEvery)
	defer tick.Stop()
	for {
		err := f.failOverdue(ctx)
		if err == nil {
			left, err = f.failGone(ctx, left)
		}
		if err != nil && ctx.Err() == nil {
			f.m.storeErrors.Inc()
			f.log.Warn("sweeping the queue failed", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// failOverdue ends the started rows whose time is over, by the store's clock.
func (f *Flow) failOverdue(ctx context.Context) error {
	for {
		asking, cancel := context.WithTimeout(ctx, f.cfg.StoreTimeout)
		rows, err := f.rows.Overdue(asking, pageRows)
		cancel()
		if err != nil {
			return err
		}
		var lost []whisk.QueueRow
		for _, row := range rows {
			if !f.knows(row.ID) {
				lost = append(lost, row)
			}
		}
		if len(lost) == 0 {
			return nil
		}
		if err := f.failRows(ctx, lost); err != nil {
			return err
		}
	}
}

// failGone ends the rows of left whose runs are nowhere any more, and returns
// the others that are still there.
func (f *Flow) failGone(ctx context.Context, left []whisk.QueueRow) (still []whisk.QueueRow, err error) {
	var lost []whisk.QueueRow
	for i, old := range left {
		row, err := f.queueRow(ctx, old.Namespace, old.ID)
		switch {
		case whisk.KindOf(err) == whisk.NotFound && err != nil, err == nil && row.Token != old.Token:
		case err != nil:
			return append(still, left[i:]...), err
		case f.cfg.Gone(ctx, row.ID):
			lost = append(lost, row)
		default:
			still = append(still, old)
		}
	}
	return still, f.failRows(ctx, lost)
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
		recs[i] = rowFailure(row, c, message)
	}
	if err := f.settle(ctx, recs); err != nil {
		return err
	}
	count.Add(len(recs))
	f.log.Info("ended activations that an earlier process had started", "count", len(recs))
	// Those that are tried again are held as before; but by whom that is, it may
	// have no memory of them, and would keep them from all others.
	var held []*item
	for i, rec := range recs {
		if rec.Again > 0 {
			held = append(held, &item{id: rec.ID, holder: lost[i].Holder})
		}
	}
	f.letGo(held)
	return nil
}
