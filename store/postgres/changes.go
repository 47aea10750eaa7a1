package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"hearth/store"
)

// pruneEvery is how many changes go by between looks for old ones.
const pruneEvery = 128

// queueChanges appends to the change log, the last thing that a transaction
// does before it is committed: until then nobody else can. last, if not nil,
// becomes the number of the last change.
func (d *DB) queueChanges(b *pgx.Batch, kinds, keys []string, last *int64) {
	n := len(keys)
	b.Queue("UPDATE last_change SET seq = seq + $1 RETURNING seq", n).QueryRow(func(row pgx.Row) error {
		var seq int64
		err := row.Scan(&seq)
		if last != nil {
			*last = seq
		}
		return err
	})
	b.Queue(`INSERT INTO changes (seq, kind, key, at)
		SELECT seq - $1 + n, kind, key, now_ms() FROM last_change, unnest($2::text[], $3::text[]) WITH ORDINALITY AS c (kind, key, n)`,
		n, kinds, keys)
	b.Queue(pruneText, n, pruneEvery, d.cfg.ChangesKept.Milliseconds())
	b.Queue("SELECT pg_notify($1, '')", d.channel)
}

// pruneText deletes, at every so many changes, those before the first that is
// young enough. It reads no further than that one.
const pruneText = `DELETE FROM changes
	WHERE (SELECT seq / $2::bigint <> (seq - $1::bigint) / $2::bigint FROM last_change)
		AND seq < (SELECT seq FROM changes WHERE at >= now_ms() - $3::bigint ORDER BY seq LIMIT 1)`

// Changes implements [store.Engine]. Numbers have no gaps, so that who finds
// neither where it was nor what follows has missed something.
func (d *DB) Changes(ctx context.Context, after int64, limit int) ([]store.Change, error) {
	var last int64
	var out []store.Change
	err := d.read(ctx, func(q querier) error {
		b := &pgx.Batch{}
		b.Queue("SELECT seq FROM last_change").QueryRow(func(row pgx.Row) error { return row.Scan(&last) })
		b.Queue("SELECT seq, kind, key FROM changes WHERE seq > $1 ORDER BY seq LIMIT $2", after, limit).
			Query(func(rows pgx.Rows) (err error) {
				out, err = pgx.CollectRows(rows, pgx.RowToStructByPos[store.Change])
				return err
			})
		return q.SendBatch(ctx, b).Close()
	})
	switch {
	case err != nil:
		return nil, wrap(err, "read changes")
	case last < after, len(out) > 0 && out[0].Seq != after+1, len(out) == 0 && last > after && limit > 0:
		return nil, store.ErrChangesLost
	}
	return out, nil
}

// LastChange implements [store.Engine].
func (d *DB) LastChange(ctx context.Context) (int64, error) {
	n, err := one(ctx, d, pgx.RowTo[int64], "SELECT seq FROM last_change")
	return n, wrap(err, "read the last change")
}
