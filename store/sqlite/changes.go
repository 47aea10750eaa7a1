package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"hearth/store"
)

// pruneEvery is how many changes go by between looks for old ones.
const pruneEvery = 128

// change appends to the change log and returns the number.
func (d *DB) change(ctx context.Context, tx *sql.Tx, kind, key string) (int64, error) {
	now := time.Now()
	res, err := tx.ExecContext(ctx, "INSERT INTO changes (kind, key, at) VALUES (?, ?, ?)", kind, key, now.UnixMilli())
	if err != nil {
		return 0, err
	}
	seq, err := res.LastInsertId()
	if err == nil && seq%pruneEvery == 0 {
		err = pruneChanges(ctx, tx, now.Add(-d.cfg.ChangesKept))
	}
	return seq, err
}

// pruneChanges deletes the changes before the first that is young enough. It
// reads no further than that one.
func pruneChanges(ctx context.Context, tx *sql.Tx, before time.Time) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM changes WHERE seq < (SELECT seq FROM changes WHERE at >= ? ORDER BY seq LIMIT 1)", before.UnixMilli())
	return err
}

// Changes implements [store.Engine]. The last change is never pruned, so that
// who has read as far as there is finds where it was, by one look at the table.
func (d *DB) Changes(ctx context.Context, after int64, limit int) ([]store.Change, error) {
	out, err := d.changes(ctx, after, limit+1)
	if err != nil {
		return nil, fmt.Errorf("read changes: %w", err)
	}
	if len(out) > 0 && out[0].Seq == after {
		return out[1:], nil
	}
	// Numbers of changes have no gaps, so a gap is where changes were pruned.
	if len(out) > 0 && out[0].Seq == after+1 {
		return out[:min(limit, len(out))], nil
	}
	last, err := d.LastChange(ctx)
	switch {
	case err != nil:
		return nil, err
	case len(out) > 0 || last < after:
		return nil, store.ErrChangesLost
	}
	return nil, nil
}

// changesText lists changes from one on.
const changesText = "SELECT seq, kind, key FROM changes WHERE seq >= ? ORDER BY seq LIMIT ?"

func (d *DB) changes(ctx context.Context, from int64, limit int) ([]store.Change, error) {
	rows, err := d.changesFrom.QueryContext(ctx, from, limit)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []store.Change
	for rows.Next() {
		var c store.Change
		if err := rows.Scan(&c.Seq, &c.Kind, &c.Key); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// LastChange implements [store.Engine].
func (d *DB) LastChange(ctx context.Context) (int64, error) {
	var n int64
	err := d.reader.QueryRowContext(ctx, "SELECT coalesce(max(seq), 0) FROM changes").Scan(&n)
	return n, wrap(err, "read the last change")
}
