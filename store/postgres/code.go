package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"hearth/whisk"
)

// chunkBytes is how much of a blob one row has: what client and server hold of
// it in memory, several times over.
const chunkBytes = 1 << 20

// PutCode implements [store.Engine].
func (d *DB) PutCode(ctx context.Context, id whisk.Digest, text []byte) error {
	err := d.write(ctx, func(tx pgx.Tx) error {
		var fresh bool
		err := tx.QueryRow(ctx, `INSERT INTO codes (digest, since, size) VALUES ($1, now_ms(), $2)
			ON CONFLICT (digest) DO UPDATE SET since = excluded.since RETURNING xmax = 0`, id[:], len(text)).Scan(&fresh)
		for part := 0; err == nil && fresh && part*chunkBytes < len(text); part++ {
			at := part * chunkBytes
			_, err = tx.Exec(ctx, "INSERT INTO code_chunks (digest, part, text) VALUES ($1, $2, $3)",
				id[:], part, text[at:min(at+chunkBytes, len(text))])
		}
		return err
	})
	return wrap(err, "write code "+id.String())
}

// Code implements [store.Engine].
func (d *DB) Code(ctx context.Context, id whisk.Digest) ([]byte, error) {
	var out []byte
	err := d.read(ctx, func(q querier) error {
		rows, err := q.Query(ctx, `SELECT size, coalesce(text, '') FROM codes LEFT JOIN code_chunks USING (digest)
			WHERE digest = $1 ORDER BY part`, id[:])
		if err != nil {
			return err
		}
		defer rows.Close()
		out = nil
		for rows.Next() {
			var size int
			var chunk pgtype.DriverBytes // no copy of its own
			if err := rows.Scan(&size, &chunk); err != nil {
				return err
			}
			if out == nil {
				out = make([]byte, 0, size)
			}
			out = append(out, chunk...)
		}
		return rows.Err()
	})
	if err == nil && out == nil {
		return nil, whisk.ErrNotFound
	}
	return out, wrap(err, "read code "+id.String())
}

// sweepBatch is how many blobs one transaction of SweepCode deletes: they may
// be large.
const sweepBatch = 16

// SweepCode implements [store.Engine]. The end of a queue row does not make a
// blob young again: its run is over.
func (d *DB) SweepCode(ctx context.Context, olderThan time.Time) (swept int, err error) {
	for n := sweepBatch; n == sweepBatch; swept += n {
		err := d.write(ctx, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "SET LOCAL statement_timeout = 0"); err != nil {
				return err
			}
			// Whoever makes one young again meanwhile has its row changed, which
			// is then looked at again.
			tag, err := tx.Exec(ctx, `DELETE FROM codes WHERE since < $1 AND digest IN (
				SELECT digest FROM codes c WHERE since < $1
					AND NOT EXISTS (SELECT 1 FROM docs d WHERE d.code = c.digest)
					AND NOT EXISTS (SELECT 1 FROM queue q WHERE q.code = c.digest)
					AND NOT EXISTS (SELECT 1 FROM dead_letters l WHERE l.code = c.digest)
				LIMIT $2)`, olderThan.UnixMilli(), sweepBatch)
			n = int(tag.RowsAffected())
			return err
		})
		if err != nil {
			return swept, wrap(err, "sweep code")
		}
	}
	return swept, nil
}
