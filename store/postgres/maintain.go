package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"hearth/store"
	"hearth/whisk"
)

var _ store.Checker = (*DB)(nil)

// Check implements [store.Checker]. It reads each code blob; for the tables
// PostgreSQL has pg_amcheck.
func (d *DB) Check(ctx context.Context) (r store.Report, err error) {
	if r.Schema, err = number(ctx, d, "SELECT coalesce(max(number), 0) FROM hearth_schema"); err != nil {
		return r, err
	}
	for _, table := range store.Tables {
		n, err := number(ctx, d, "SELECT count(*) FROM "+table)
		if err != nil {
			return r, err
		}
		r.Counts = append(r.Counts, store.Count{Table: table, Rows: int64(n)})
	}
	digests, err := list(ctx, d, pgx.RowTo[[]byte], "SELECT digest FROM codes")
	if err != nil {
		return r, err
	}
	ids := make([]whisk.Digest, len(digests))
	for i, b := range digests {
		copy(ids[i][:], b)
	}
	r.Problems, err = store.CheckCode(ctx, ids, d.Code)
	return r, err
}
