package store

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"hearth/whisk"
)

// DeadLetters implements [Engine].
func (n *None) DeadLetters(_ context.Context, ns whisk.Namespace, q DeadQuery) ([]DeadLetter, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	var out []DeadLetter
	for _, l := range n.dead {
		if l.Namespace == ns {
			l.Payload = nil
			out = append(out, l)
		}
	}
	slices.SortFunc(out, func(a, b DeadLetter) int {
		return cmp.Or(cmp.Compare(b.Ended, a.Ended), bytes.Compare(a.ID[:], b.ID[:]))
	})
	out = out[min(max(q.Skip, 0), len(out)):]
	if q.Limit > 0 {
		out = out[:min(q.Limit, len(out))]
	}
	return out, nil
}

// DeadLetter implements [Engine].
func (n *None) DeadLetter(_ context.Context, ns whisk.Namespace, id whisk.ActivationID) (DeadLetter, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if l, ok := n.dead[id]; ok && l.Namespace == ns {
		return l, nil
	}
	return DeadLetter{}, whisk.ErrNotFound
}

// CountDeadLetters implements [Engine].
func (n *None) CountDeadLetters(ctx context.Context, ns whisk.Namespace) (int, error) {
	letters, err := n.DeadLetters(ctx, ns, DeadQuery{})
	return len(letters), err
}

// DeleteDeadLetters implements [Engine].
func (n *None) DeleteDeadLetters(_ context.Context, ns whisk.Namespace, ids []whisk.ActivationID) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	before := len(n.dead)
	maps.DeleteFunc(n.dead, func(id whisk.ActivationID, l DeadLetter) bool {
		return l.Namespace == ns && (ids == nil || slices.Contains(ids, id))
	})
	return before - len(n.dead), nil
}

// ExpireDeadLetters implements [Engine].
func (n *None) ExpireDeadLetters(_ context.Context, before time.Time, most int) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	gone := 0
	maps.DeleteFunc(n.dead, func(_ whisk.ActivationID, l DeadLetter) bool {
		old := l.Ended < before.UnixMilli() && gone < most
		if old {
			gone++
		}
		return old
	})
	return gone, nil
}

// redrive is called with mu held.
func (n *None) redrive(o *Op) bool {
	l, ok := n.dead[o.ID]
	if !ok || l.Namespace != o.Row.Namespace || !n.insert(*o.Row, RowQueued, 0) {
		return false
	}
	delete(n.dead, o.ID)
	return true
}
