package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"hearth/whisk"
)

// Lead implements [store.Engine].
func (d *DB) Lead(ctx context.Context, name string, holder int64, ttl time.Duration) (term int64, err error) {
	_, err = d.use(ctx, d.commits, func(c *pgx.Conn) error {
		return c.QueryRow(ctx, `INSERT INTO leaders AS l (name, holder, term, until) VALUES ($1, $2, 1, now_ms() + $3)
			ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until,
				term = CASE WHEN l.holder = excluded.holder THEN l.term ELSE l.term + 1 END
			WHERE l.holder IN (0, excluded.holder) OR l.until <= now_ms()
			RETURNING term`, name, holder, ttl.Milliseconds()).Scan(&term)
	})
	if err = nothing(err); errors.Is(err, whisk.ErrNotFound) {
		return 0, nil
	}
	return term, wrap(err, "take the lease "+name)
}

// Resign implements [store.Engine].
func (d *DB) Resign(ctx context.Context, name string, holder int64) error {
	_, err := d.exec(ctx, "UPDATE leaders SET holder = 0 WHERE name = $1 AND holder = $2", name, holder)
	return wrap(err, "give up the lease "+name)
}
