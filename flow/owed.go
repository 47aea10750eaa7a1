package flow

import (
	"context"
	"time"

	"hearth/whisk"
)

// debt is what is owed to a row that is in the store alone.
type debt struct {
	ns      whisk.Namespace
	ended   func()
	durable bool // it has been committed
}

const (
	// collectEvery is how often debts are looked at, collectRows how many of them
	// at once.
	collectEvery = time.Second
	collectRows  = 64
)

// collect finds out, until ctx ends, which of the rows that were left to the
// store another router has taken or ended: then they are not this one's affair
// any more.
func (f *Flow) collect(ctx context.Context) {
	tick := time.NewTicker(collectEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for id, d := range f.someOwed() {
			if !f.elsewhere(ctx, d.ns, id) {
				continue
			}
			f.mu.Lock()
			mine := f.owed[id] == d
			if mine {
				delete(f.owed, id)
			}
			f.mu.Unlock()
			if mine {
				d.ended()
			}
		}
	}
}

// someOwed returns a few debts: over time, all.
func (f *Flow) someOwed() map[whisk.ActivationID]*debt {
	f.mu.Lock()
	defer f.mu.Unlock()
	some := map[whisk.ActivationID]*debt{}
	for id, d := range f.owed { // in any order
		if len(some) == collectRows {
			break
		}
		if d.durable {
			some[id] = d
		}
	}
	return some
}

// elsewhere reports whether a row is not there any more, or is another's.
func (f *Flow) elsewhere(ctx context.Context, ns whisk.Namespace, id whisk.ActivationID) bool {
	row, err := f.queueRow(ctx, ns, id)
	if err != nil {
		return whisk.KindOf(err) == whisk.NotFound
	}
	return row.State == whisk.RowStarted || row.Holder != 0 && !f.own(row.Holder)
}

func (f *Flow) queueRow(ctx context.Context, ns whisk.Namespace, id whisk.ActivationID) (whisk.QueueRow, error) {
	ctx, cancel := context.WithTimeout(ctx, f.cfg.StoreTimeout)
	defer cancel()
	return f.rows.QueueRow(ctx, ns, id)
}
