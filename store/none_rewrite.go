package store

import (
	"context"
	"maps"

	"hearth/whisk"
)

// Rewrite implements [Engine].
func (n *None) Rewrite(_ context.Context, r Rewriter) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	credentials, rows, docs := maps.Clone(n.credentials), map[whisk.ActivationID]*noneRow{}, maps.Clone(n.docs)
	for uuid, c := range n.credentials {
		c, err := r.Credential(c)
		if err != nil {
			return err
		}
		credentials[uuid] = c
	}
	for id, old := range n.rows {
		row := *old
		if len(row.Payload) > 0 {
			var err error
			if row.Payload, err = r.Row(row.QueueRow); err != nil {
				return err
			}
		}
		rows[id] = &row
	}
	dead := maps.Clone(n.dead)
	for id, l := range n.dead {
		if len(l.Payload) > 0 {
			var err error
			if l.Payload, err = r.Dead(l); err != nil {
				return err
			}
		}
		dead[id] = l
	}
	for k, d := range n.docs {
		body, err := r.Doc(d)
		if err != nil {
			return err
		}
		d.Body = body
		docs[k] = d
	}
	alarms := maps.Clone(n.alarms)
	for k, a := range n.alarms {
		var err error
		if a.Body, err = r.Alarm(a.Alarm); err != nil {
			return err
		}
		alarms[k] = a
	}
	n.credentials, n.rows, n.dead, n.docs, n.alarms = credentials, rows, dead, docs, alarms
	maps.Copy(n.notes, r.Notes)
	return nil
}
