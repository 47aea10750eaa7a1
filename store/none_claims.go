package store

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"hearth/whisk"
)

// QueueRows implements [Engine].
func (n *None) QueueRows(_ context.Context, after int64, limit int) ([]QueueRow, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	rows := n.selectRows(func(r *noneRow) bool { return r.Seq > after })
	return plainRows(rows[:min(max(limit, 0), len(rows))]), nil
}

// QueueRow implements [Engine].
func (n *None) QueueRow(_ context.Context, ns whisk.Namespace, id whisk.ActivationID) (QueueRow, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if r := n.rows[id]; r != nil && r.Namespace == ns {
		return r.QueueRow, nil
	}
	return QueueRow{}, whisk.ErrNotFound
}

// selectRows returns rows by Seq. It is called with mu held.
func (n *None) selectRows(wanted func(*noneRow) bool) []*noneRow {
	var rows []*noneRow
	for _, r := range n.rows {
		if wanted(r) {
			rows = append(rows, r)
		}
	}
	slices.SortFunc(rows, func(a, b *noneRow) int { return cmp.Compare(a.Seq, b.Seq) })
	return rows
}

func plainRows(rows []*noneRow) []QueueRow {
	var out []QueueRow
	for _, r := range rows {
		out = append(out, r.QueueRow)
	}
	return out
}

// Claim implements [Engine].
func (n *None) Claim(_ context.Context, q ClaimQuery) ([]QueueRow, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	free := n.selectRows(func(r *noneRow) bool {
		return r.State == RowQueued && r.Due <= now.UnixMilli() && (r.Holder == 0 || r.lease.Before(now))
	})
	lanes := map[whisk.Namespace][]*noneRow{}
	for _, r := range free {
		if lane := lanes[r.Namespace]; len(lane) < q.PerNamespace {
			lanes[r.Namespace] = append(lane, r)
		}
	}
	all := slices.Sorted(maps.Keys(lanes))
	// The first turn is that of the namespace behind the last one served.
	at, _ := slices.BinarySearch(all, n.served+"\x00")
	var inOrder [][]*noneRow
	for i := range all {
		inOrder = append(inOrder, lanes[all[(at+i)%len(all)]])
	}
	rows := TakeTurns(q, inOrder, func(r *noneRow) int64 { return int64(len(r.Payload)) })
	for _, r := range rows {
		n.hold(r, q.Holder)
		n.served = r.Namespace
	}
	return plainRows(rows), nil
}

// RenewClaims implements [Engine].
func (n *None) RenewClaims(_ context.Context, holder int64) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, r := range n.rows {
		if r.State == RowQueued && r.Holder == holder {
			n.hold(r, holder)
		}
	}
	return nil
}

// Overdue implements [Engine].
func (n *None) Overdue(_ context.Context, limit int) ([]QueueRow, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	now := time.Now().UnixMilli()
	rows := n.selectRows(func(r *noneRow) bool { return r.State == RowStarted && r.Until < now })
	slices.SortStableFunc(rows, func(a, b *noneRow) int { return cmp.Compare(a.Until, b.Until) })
	return plainRows(rows[:min(max(limit, 0), len(rows))]), nil
}

// noneLease is a leadership.
type noneLease struct {
	holder, term int64
	until        time.Time
}

// Lead implements [Engine].
func (n *None) Lead(_ context.Context, name string, holder int64, ttl time.Duration) (int64, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	l, now := n.leases[name], time.Now()
	switch {
	case l.holder == holder:
	case l.holder != 0 && now.Before(l.until):
		return 0, nil
	default:
		l.term++
	}
	l.holder, l.until = holder, now.Add(ttl)
	n.leases[name] = l
	return l.term, nil
}

// Resign implements [Engine].
func (n *None) Resign(_ context.Context, name string, holder int64) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if l := n.leases[name]; l.holder == holder {
		l.holder = 0
		n.leases[name] = l
	}
	return nil
}
