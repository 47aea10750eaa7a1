package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"hearth/store"
	"hearth/whisk"
)

// rower is a database or a transaction.
type rower interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func readLimits(ctx context.Context, q rower, ns whisk.Namespace) (whisk.NamespaceLimits, error) {
	var l whisk.NamespaceLimits
	var body string
	var sum int64
	err := q.QueryRowContext(ctx, "SELECT body, sum FROM namespace_limits WHERE ns = ?", string(ns)).Scan(&body, &sum)
	if errors.Is(err, sql.ErrNoRows) {
		return l, nil
	}
	if err == nil && sum != rowSum(string(ns), body) {
		return l, damaged("the limits of " + string(ns))
	}
	if err == nil {
		err = json.Unmarshal([]byte(body), &l)
	}
	return l, err
}

// NamespaceLimits implements [store.Engine].
func (d *DB) NamespaceLimits(ctx context.Context, ns whisk.Namespace) (whisk.NamespaceLimits, error) {
	l, err := readLimits(ctx, d.reader, ns)
	return l, d.report(wrap(err, "read the limits of "+string(ns)))
}

// ChangeLimits implements [store.Engine].
func (d *DB) ChangeLimits(ctx context.Context, ns whisk.Namespace, change func(whisk.NamespaceLimits) (whisk.NamespaceLimits, error)) error {
	err := d.write(ctx, func(tx *sql.Tx) error {
		l, err := readLimits(ctx, tx, ns)
		if err != nil && !errors.Is(d.report(err), whisk.ErrCorrupted) { // damaged ones can be set anew
			return err
		}
		if l, err = change(l); err != nil {
			return err
		}
		if l.IsZero() {
			_, err = tx.ExecContext(ctx, "DELETE FROM namespace_limits WHERE ns = ?", string(ns))
		} else {
			var body []byte
			if body, err = json.Marshal(l); err == nil {
				_, err = tx.ExecContext(ctx, `INSERT INTO namespace_limits (ns, body, sum) VALUES (?, ?, ?)
					ON CONFLICT (ns) DO UPDATE SET body = excluded.body, sum = excluded.sum`, string(ns), string(body), rowSum(string(ns), string(body)))
			}
		}
		if err == nil {
			_, err = d.change(ctx, tx, store.KindLimits, string(ns))
		}
		return err
	})
	return wrap(err, "write the limits of "+string(ns))
}

// Note implements [store.Engine].
func (d *DB) Note(ctx context.Context, name string) ([]byte, error) {
	var v []byte
	err := d.reader.QueryRowContext(ctx, "SELECT value FROM notes WHERE name = ?", name).Scan(&v)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return v, wrap(err, "read the note "+name)
}

// PutNote implements [store.Engine].
func (d *DB) PutNote(ctx context.Context, name string, value []byte) error {
	return wrap(d.write(ctx, func(tx *sql.Tx) error { return putNote(ctx, tx, name, value) }), "write the note "+name)
}

func putNote(ctx context.Context, tx *sql.Tx, name string, value []byte) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO notes (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
		name, blob(value))
	return err
}
