package store

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"hearth/whisk"
)

// noneAlarm is an alarm and the token of its last step.
type noneAlarm struct {
	whisk.Alarm
	token int64
}

// Alarm implements [Engine].
func (n *None) Alarm(_ context.Context, trigger whisk.EntityName) (whisk.Alarm, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	a, ok := n.alarms[trigger]
	if !ok {
		return whisk.Alarm{}, whisk.ErrNotFound
	}
	return a.Alarm, nil
}

// Alarms implements [Engine].
func (n *None) Alarms(_ context.Context, limit int) ([]whisk.Alarm, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	var out []whisk.Alarm
	for _, a := range n.alarms {
		if a.Due != 0 {
			a.Body = nil
			out = append(out, a.Alarm)
		}
	}
	slices.SortFunc(out, func(a, b whisk.Alarm) int { return cmp.Compare(a.Due, b.Due) })
	return out[:min(max(limit, 0), len(out))], nil
}

// PutAlarm implements [Engine].
func (n *None) PutAlarm(_ context.Context, a whisk.Alarm, ifRevision int64) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch have, ok := n.alarms[a.Trigger]; {
	case ifRevision == 0 && ok:
		return whisk.ErrExists
	case ifRevision != 0 && (!ok || have.Revision != ifRevision):
		return whisk.ErrChanged
	}
	a.Body = bytes.Clone(a.Body)
	n.alarms[a.Trigger] = noneAlarm{Alarm: a}
	return nil
}

// DeleteAlarm implements [Engine].
func (n *None) DeleteAlarm(_ context.Context, trigger whisk.EntityName, ifRevision int64) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch have, ok := n.alarms[trigger]; {
	case !ok:
		return whisk.ErrNotFound
	case ifRevision != 0 && have.Revision != ifRevision:
		return whisk.ErrChanged
	}
	delete(n.alarms, trigger)
	return nil
}

// step is called with mu held.
func (n *None) step(o *Op) bool {
	s := o.Step
	a, ok := n.alarms[s.Trigger]
	switch {
	case !ok || a.Revision != s.Revision:
		return false
	case a.Tick != s.Tick || a.token == s.Token:
		return a.token == s.Token
	}
	a.AlarmState, a.token = s.Next, s.Token
	n.alarms[s.Trigger] = a
	for i := range o.Rows {
		n.insert(o.Rows[i], RowQueued, 0)
	}
	return true
}
