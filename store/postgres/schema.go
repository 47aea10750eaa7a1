package postgres

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"
)

// MakeSchema makes a schema in the database of a DSN and returns the DSN of
// connections that work in it alone, and what drops it with all that is in it:
// a database for a while. name must be a plain identifier.
func MakeSchema(ctx context.Context, dsn, name string) (inside string, drop func(context.Context) error, err error) {
	inside = strings.TrimSpace(dsn) + " search_path=" + name
	if u, err := url.Parse(dsn); err == nil && u.Scheme != "" {
		q := u.Query()
		q.Set("search_path", name)
		u.RawQuery = q.Encode()
		inside = u.String()
	}
	run := func(ctx context.Context, statement string) error {
		conn, err := pgx.Connect(ctx, dsn)
		if err != nil {
			return fmt.Errorf("PostgreSQL: %w", err)
		}
		defer func() { _ = conn.Close(ctx) }()
		_, err = conn.Exec(ctx, statement)
		return err
	}
	quoted := pgx.Identifier{name}.Sanitize()
	drop = func(ctx context.Context) error { return run(ctx, "DROP SCHEMA IF EXISTS "+quoted+" CASCADE") }
	return inside, drop, run(ctx, "CREATE SCHEMA "+quoted)
}
