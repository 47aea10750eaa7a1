package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"hearth/whisk"
)

// PutCode implements [store.Engine].
func (d *DB) PutCode(ctx context.Context, id whisk.Digest, text []byte) error {
	_, err := d.writer.ExecContext(ctx, `INSERT INTO codes (digest, since, text) VALUES (?, ?, ?)
		ON CONFLICT (digest) DO UPDATE SET since = excluded.since`, id[:], time.Now().UnixMilli(), blob(text))
	return wrap(err, "write code "+id.String())
}

// Code implements [store.Engine].
func (d *DB) Code(ctx context.Context, id whisk.Digest) ([]byte, error) {
	var text []byte
	err := d.reader.QueryRowContext(ctx, "SELECT text FROM codes WHERE digest = ?", id[:]).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, whisk.ErrNotFound
	}
	return text, wrap(err, "read code "+id.String())
}

// SweepCode implements [store.Engine]. The end of a queue row does not make a
// blob young again: its run is over.
func (d *DB) SweepCode(ctx context.Context, olderThan time.Time) (int, error) {
	res, err := d.writer.ExecContext(ctx, `DELETE FROM codes WHERE since < ?
		AND NOT EXISTS (SELECT 1 FROM docs WHERE docs.code = codes.digest)
		AND digest NOT IN (SELECT code FROM queue WHERE code IS NOT NULL)`, olderThan.UnixMilli())
	if err != nil {
		return 0, wrap(err, "sweep code")
	}
	n, err := res.RowsAffected()
	return int(n), err
}
