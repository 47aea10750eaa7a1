package store

import (
	"bytes"
	"context"
	"time"

	"hearth/whisk"
)

// Activation implements [Engine]: there is none.
func (n *None) Activation(context.Context, whisk.Namespace, whisk.ActivationID) (*whisk.Activation, error) {
	return nil, whisk.ErrNotFound
}

// Activations implements [Engine].
func (n *None) Activations(context.Context, ActivationQuery) ([]*whisk.Activation, error) {
	return nil, nil
}

// CountActivations implements [Engine].
func (n *None) CountActivations(context.Context, ActivationQuery) (int, error) { return 0, nil }

// ExpireActivations implements [Engine].
func (n *None) ExpireActivations(context.Context, whisk.Namespace, time.Time, int) (int, error) {
	return 0, nil
}

// RecordNamespaces implements [Engine].
func (n *None) RecordNamespaces(context.Context) ([]whisk.Namespace, error) { return nil, nil }

// Commit implements [Engine]. Records are thrown away; rows are kept until
// their record comes.
func (n *None) Commit(_ context.Context, ops []Op) ([]Result, error) {
	results := make([]Result, len(ops))
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := range ops {
		if err := ops[i].Check(); err != nil {
			results[i].Err = err
			continue
		}
		results[i].OK = n.apply(&ops[i])
	}
	return results, nil
}

// noneRow is a queue row and when the lease of its holder is over.
type noneRow struct {
	QueueRow
	lease time.Time
}

// apply is called with mu held.
func (n *None) apply(o *Op) bool {
	switch o.Kind {
	case OpRecord:
		return n.end(o.Record)
	case OpEnqueue:
		return n.insert(*o.Row, RowQueued, 0)
	case OpStartNew:
		return n.insert(*o.Row, RowStarted, o.For)
	case OpCancel:
		r := n.rows[o.ID]
		if r == nil || r.State != RowQueued {
			return false
		}
		delete(n.rows, o.ID)
		return true
	case OpRedrive:
		return n.redrive(o)
	case OpStep:
		return n.step(o)
	}
	return n.move(o)
}

// move changes the state of a row.
func (n *None) move(o *Op) bool {
	r := n.rows[o.ID]
	switch {
	case r == nil:
	case o.Kind == OpStart && (r.State == RowQueued && r.Holder == o.Holder || r.State == RowStarted && r.Token == o.Token):
		r.State, r.Token, r.Until = RowStarted, o.Token, time.Now().Add(o.For).UnixMilli()
		return true
	case o.Kind == OpRequeue && r.State == RowStarted && r.Token == o.Token:
		r.State, r.Token, r.Until = RowQueued, 0, 0
		n.hold(r, o.Holder)
		return true
	case o.Kind == OpRelease && r.State == RowQueued && r.Holder == o.Holder && o.Holder != 0:
		r.Holder = 0
		return true
	}
	return false
}

// hold gives a queued row to a holder.
func (n *None) hold(r *noneRow, holder int64) {
	r.Holder, r.lease = holder, time.Now().Add(n.ClaimLease)
}

func (n *None) insert(r QueueRow, state RowState, lasts time.Duration) bool {
	if n.rows[r.ID] != nil {
		return false
	}
	n.rowSeq++
	row := &noneRow{QueueRow: r}
	row.Seq, row.State, row.Payload = n.rowSeq, state, bytes.Clone(r.Payload)
	if state == RowQueued {
		row.Token, row.Until = 0, 0
		n.hold(row, r.Holder)
	} else {
		row.Until = time.Now().Add(lasts).UnixMilli()
	}
	n.rows[r.ID] = row
	return true
}

// end ends a row, or an attempt.
func (n *None) end(rec *whisk.Activation) bool {
	r := n.rows[rec.ID]
	switch {
	case rec.Again > 0 && r == nil, r != nil && rec.Attempt > 0 && r.Attempt != rec.Attempt:
		return false
	case rec.Again > 0:
		now := time.Now()
		r.State, r.Token, r.Until = RowQueued, 0, 0
		r.Attempt, r.Due = r.Attempt+1, now.UnixMilli()+rec.Again
		n.hold(r, r.Holder)
		return true
	case rec.Dead && r != nil:
		n.dead[rec.ID] = whisk.NewDeadLetter(r.QueueRow, rec)
	}
	delete(n.rows, rec.ID)
	return true
}
