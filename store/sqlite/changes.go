package sqlite

import (
	"context"
	"database/sql"
	"time"
)

// pruneEvery is how many changes go by between looks for old ones.
const pruneEvery = 128

// Kinds of changes other than the collections.
const (
	kindCredentials = "credentials"
	kindLimits      = "limits"
)

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
