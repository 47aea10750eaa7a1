package store

import (
	"context"
	"fmt"

	"hearth/whisk"
)

// Commit commits records and queued rows and returns when all are durable: in
// one transaction, but where they do not fit into one batch. [ErrFull] says that
// none was taken. If ctx ends first, all or some may yet be committed.
//
// As with [Recorder.Record], an id that has a record keeps that one.
func (r *Recorder) Commit(ctx context.Context, recs []*whisk.Activation, rows []QueueRow) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	group := make([]*entry, 0, len(recs)+len(rows))
	var size int64
	add := func(op Op, n int64) {
		group = append(group, &entry{op: op, size: n, answer: make(chan outcome, 1)})
		size += n
	}
	for i := range rows { // first, so that a record tells of nothing that is not there
		add(Op{Kind: OpEnqueue, Row: &rows[i]}, 256+int64(len(rows[i].Payload)))
	}
	for _, rec := range recs {
		add(Op{Kind: OpRecord, Record: rec}, recordSize(rec))
	}
	if err := r.pushAll(group, size); err != nil {
		return err
	}
	for _, e := range group {
		select {
		case o := <-e.answer:
			if o.Err == nil && e.op.Kind == OpEnqueue && !o.OK && !o.retried {
				o.Err = whisk.ErrExists
			}
			if o.Err != nil {
				return fmt.Errorf("commit a group: %w", o.Err)
			}
		case <-ctx.Done():
			r.mu.Lock()
			for _, e := range group {
				e.leaving = true
			}
			r.mu.Unlock()
			return ctx.Err()
		}
	}
	return nil
}

// pushAll hands over all entries or none.
func (r *Recorder) pushAll(group []*entry, size int64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.admit(size); err != nil {
		return err
	}
	for _, e := range group {
		if rec := e.op.Record; rec != nil && readable(rec) && r.records[rec.ID] == nil {
			r.records[rec.ID] = e
		}
		r.push(e)
	}
	return nil
}
