package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"hearth/whisk"
)

// querier is a connection or a transaction.
type querier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// SQLSTATEs that something is done about.
const (
	stateSerialization = "40001"
	stateDeadlock      = "40P01"
	stateReadOnly      = "25006" // of a server that was the one to write to, and is no longer
	stateText          = "22021" // no text of the database's encoding, as one with a NUL
)

func stateOf(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

// use lends f a connection. lost says that f failed as the connection did, and
// not as ctx has ended.
//
// Where one connection breaks the others of its server are seldom whole, so
// all are made anew; and what was known of the database may no longer be so,
// as it may be another one that has taken over.
func (d *DB) use(ctx context.Context, pool *pgxpool.Pool, f func(*pgx.Conn) error) (lost bool, err error) {
	c, err := pool.Acquire(ctx)
	if err != nil {
		return false, err
	}
	defer c.Release()
	if err = f(c.Conn()); err == nil {
		return false, nil
	}
	lost = c.Conn().IsClosed() && ctx.Err() == nil || stateOf(err) == stateReadOnly
	if lost {
		d.pool.Reset()
		d.commits.Reset()
		d.spaces.forget()
		d.names.forget()
	}
	return lost, err
}

// read has f read, a second time if the connection breaks.
func (d *DB) read(ctx context.Context, f func(querier) error) error {
	lost, err := d.use(ctx, d.pool, func(c *pgx.Conn) error { return f(c) })
	if lost {
		_, err = d.use(ctx, d.pool, func(c *pgx.Conn) error { return f(c) })
	}
	return err
}

// exec carries one statement out and returns how many rows it has changed.
func (d *DB) exec(ctx context.Context, sql string, args ...any) (n int, err error) {
	_, err = d.use(ctx, d.pool, func(c *pgx.Conn) error {
		tag, err := c.Exec(ctx, sql, args...)
		n = int(tag.RowsAffected())
		return err
	})
	return n, err
}

// tries is how often a transaction is tried that others get in the way of.
const tries = 10

// write runs f in one transaction, which is rolled back if f fails. f may be
// called again, with nothing done.
func (d *DB) write(ctx context.Context, f func(pgx.Tx) error) error {
	for try := 1; ; try++ {
		began := false
		lost, err := d.use(ctx, d.pool, func(c *pgx.Conn) error {
			tx, err := c.Begin(ctx)
			if err != nil {
				return err
			}
			began = true
			if err := f(tx); err != nil {
				_ = tx.Rollback(ctx) // fails only where the connection has
				return err
			}
			return tx.Commit(ctx)
		})
		if again := lost && !began || undone(err); !again || try == tries {
			return err
		}
	}
}

// undone says that a transaction was rolled back as others got in its way.
func undone(err error) bool {
	s := stateOf(err)
	return s == stateSerialization || s == stateDeadlock
}

// wrap adds the subject to the database's errors and leaves the domain's as
// they are.
func wrap(err error, subject string) error {
	switch {
	case err == nil || whisk.KindOf(err) != whisk.Internal:
		return err
	case stateOf(err) == stateText:
		return fmt.Errorf("%s: %w", subject, errText)
	}
	return fmt.Errorf("%s: %w", subject, err)
}

// nothing turns the database's ways of saying that a row is not there into
// [whisk.ErrNotFound]: one is that no row could have such a key.
func nothing(err error) error {
	if errors.Is(err, pgx.ErrNoRows) || stateOf(err) == stateText {
		return whisk.ErrNotFound
	}
	return err
}

// one reads a single row, or [whisk.ErrNotFound].
func one[T any](ctx context.Context, d *DB, scan func(pgx.CollectableRow) (T, error), sql string, args ...any) (v T, err error) {
	err = d.read(ctx, func(q querier) error {
		rows, err := q.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		v, err = pgx.CollectExactlyOneRow(rows, scan)
		return err
	})
	return v, nothing(err)
}

// list reads rows.
func list[T any](ctx context.Context, d *DB, scan func(pgx.CollectableRow) (T, error), sql string, args ...any) (out []T, err error) {
	err = d.read(ctx, func(q querier) error {
		out, err = collect(ctx, q, scan, sql, args...)
		return err
	})
	if stateOf(err) == stateText {
		return nil, nil
	}
	return out, err
}

func collect[T any](ctx context.Context, q querier, scan func(pgx.CollectableRow) (T, error), sql string, args ...any) ([]T, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.AppendRows([]T(nil), rows, scan)
}

// number reads one number.
func number(ctx context.Context, d *DB, sql string, args ...any) (int, error) {
	n, err := one(ctx, d, pgx.RowTo[int], sql, args...)
	if errors.Is(err, whisk.ErrNotFound) {
		return 0, nil
	}
	return n, err
}

// limit turns "0 is none" into PostgreSQL's way of saying so.
func limit(n int) any {
	if n <= 0 {
		return nil
	}
	return n
}

// blob makes nil an empty blob: it would be NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// nullable makes an empty slice NULL.
func nullable(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return b
}

// digest makes the zero digest NULL.
func digest(d whisk.Digest) []byte {
	if d.IsZero() {
		return nil
	}
	return d[:]
}

// someRow returns a statement's error, or none if it has changed no row.
func someRow(none error) func(pgconn.CommandTag, error) error {
	return func(tag pgconn.CommandTag, err error) error {
		if err == nil && tag.RowsAffected() == 0 {
			return none
		}
		return err
	}
}

// errText is of texts that the database's encoding does not have.
var errText = whisk.Errorf(whisk.BadRequest, "A text with a NUL, or that is not UTF-8, cannot be stored.")

// isText reports whether a text can be stored as it is.
func isText(text string) bool { return utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 }

// storable makes a text that is for people one that can be stored.
func storable(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}
