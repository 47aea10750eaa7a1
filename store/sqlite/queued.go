package sqlite

import (
	"context"
	"database/sql"

	"hearth/whisk"
)

// queued remembers which ids have a row in the queue, so that the end of one
// that has none, as that of a blocking call, costs no statement. It may
// remember ids that have none, but never forgets one that has: ids are added
// before their rows and taken out after the commit that deletes them. Where
// that is not certain, after a commit that failed or another process's, the
// queue is read again.
type queued struct {
	ids     map[whisk.ActivationID]bool // true: the commit under way deletes the row; nil: not known
	version int64                       // of the database, which changes when another connection changes it
	ended   []whisk.ActivationID        // in the commit under way
}

// begin makes ready for a commit, within its transaction.
func (q *queued) begin(ctx context.Context, version, all *sql.Stmt) error {
	q.ended = q.ended[:0]
	var v int64
	if err := version.QueryRowContext(ctx).Scan(&v); err != nil {
		return err
	}
	if q.ids != nil && v == q.version {
		return nil
	}
	rows, err := all.QueryContext(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	ids := map[whisk.ActivationID]bool{}
	for rows.Next() {
		var text sql.RawBytes
		if err := rows.Scan(&text); err != nil {
			return err
		}
		var id whisk.ActivationID
		copy(id[:], text)
		ids[id] = false
	}
	if err := rows.Err(); err != nil {
		return err
	}
	q.ids, q.version = ids, v
	return nil
}

// may reports whether the id may have a row.
func (q *queued) may(id whisk.ActivationID) bool {
	_, ok := q.ids[id]
	return ok
}

func (q *queued) add(id whisk.ActivationID) { q.ids[id] = false }

// end notes that the commit deletes the id's row.
func (q *queued) end(id whisk.ActivationID) {
	q.ids[id] = true
	q.ended = append(q.ended, id)
}

// keep forgets the rows that the commit has deleted, unless it has inserted
// them again.
func (q *queued) keep() {
	for _, id := range q.ended {
		if q.ids[id] {
			delete(q.ids, id)
		}
	}
}

// lose says that a commit has failed.
func (q *queued) lose() { q.ids = nil }
