package sqlite

import (
	"context"
	"crypto/sha256"
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
	if err == nil && sha256.Sum256(text) != id {
		err = whisk.ErrCorrupted
	}
	if err != nil {
		return nil, d.report(wrap(err, "read code "+id.String()))
	}
	return text, nil
}

// sweepBatch is how many blobs one transaction of SweepCode deletes: they may
// be large, and nothing is committed meanwhile.
const sweepBatch = 16

// SweepCode implements [store.Engine]. The end of a queue row does not make a
// blob young again: its run is over.
func (d *DB) SweepCode(ctx context.Context, olderThan time.Time) (swept int, err error) {
	for n := int64(sweepBatch); n == sweepBatch; swept += int(n) {
		res, err := d.writer.ExecContext(ctx, `DELETE FROM codes WHERE rowid IN (SELECT rowid FROM codes WHERE since < ?
			AND NOT EXISTS (SELECT 1 FROM docs WHERE docs.code = codes.digest)
			AND digest NOT IN (SELECT code FROM queue WHERE code IS NOT NULL)
			AND NOT EXISTS (SELECT 1 FROM dead WHERE dead.code = codes.digest) LIMIT ?)`, olderThan.UnixMilli(), sweepBatch)
		if err != nil {
			return swept, wrap(err, "sweep code")
		}
		if n, err = res.RowsAffected(); err != nil {
			return swept, err
		}
	}
	return swept, nil
}
