package store

import (
	"bytes"
	"cmp"
	"context"
	"slices"
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
func (n *None) ExpireActivations(context.Context, time.Time, int) (int, error) { return 0, nil }

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

// apply is called with mu held.
func (n *None) apply(o *Op) bool {
	switch o.Kind {
	case OpRecord:
		delete(n.rows, o.Record.ID)
		return true
	case OpEnqueue:
		return n.insert(*o.Row, RowQueued, 0, 0)
	case OpStartNew:
		return n.insert(*o.Row, RowStarted, o.Row.Token, o.Row.Until)
	case OpStart:
		r := n.rows[o.ID]
		if r == nil || r.State == RowStarted && r.Token != o.Token {
			return false
		}
		r.State, r.Token, r.Until = RowStarted, o.Token, o.Until
		return true
	case OpRequeue:
		r := n.rows[o.ID]
		if r == nil || r.State != RowStarted || r.Token != o.Token {
			return false
		}
		r.State, r.Token, r.Until = RowQueued, 0, 0
		return true
	case OpStep:
		return n.step(o)
	}
	return false
}

func (n *None) insert(r QueueRow, state RowState, token, until int64) bool {
	if n.rows[r.ID] != nil {
		return false
	}
	n.rowSeq++
	r.Seq, r.State, r.Token, r.Until, r.Payload = n.rowSeq, state, token, until, bytes.Clone(r.Payload)
	n.rows[r.ID] = &r
	return true
}

// QueueRows implements [Engine].
func (n *None) QueueRows(_ context.Context, after int64, limit int) ([]QueueRow, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	var rows []QueueRow
	for _, r := range n.rows {
		if r.Seq > after {
			rows = append(rows, *r)
		}
	}
	slices.SortFunc(rows, func(a, b QueueRow) int { return cmp.Compare(a.Seq, b.Seq) })
	return rows[:min(max(limit, 0), len(rows))], nil
}
