package postgres

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/jackc/pgx/v5"

	"hearth/store"
	"hearth/whisk"
)

func scanLimits(r pgx.CollectableRow) (l whisk.NamespaceLimits, err error) {
	var body []byte
	if err = r.Scan(&body); err == nil {
		err = json.Unmarshal(body, &l)
	}
	return l, err
}

const limitsText = "SELECT body FROM namespace_limits WHERE ns = $1"

// NamespaceLimits implements [store.Engine].
func (d *DB) NamespaceLimits(ctx context.Context, ns whisk.Namespace) (whisk.NamespaceLimits, error) {
	l, err := one(ctx, d, scanLimits, limitsText, string(ns))
	if errors.Is(err, whisk.ErrNotFound) {
		err = nil
	}
	return l, wrap(err, "read the limits of "+string(ns))
}

// ChangeLimits implements [store.Engine].
func (d *DB) ChangeLimits(ctx context.Context, ns whisk.Namespace, change func(whisk.NamespaceLimits) (whisk.NamespaceLimits, error)) error {
	err := d.write(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lockText, []int64{lockOf("limits", string(ns))}); err != nil {
			return err
		}
		var l whisk.NamespaceLimits
		have, err := collect(ctx, tx, scanLimits, limitsText, string(ns))
		if err != nil {
			return err
		}
		if len(have) > 0 {
			l = have[0]
		}
		if l, err = change(l); err != nil {
			return err
		}
		if err := putLimits(ctx, tx, ns, l); err != nil {
			return err
		}
		return d.noteChanges(ctx, tx, store.KindLimits, []string{string(ns)})
	})
	return wrap(err, "write the limits of "+string(ns))
}

func putLimits(ctx context.Context, tx pgx.Tx, ns whisk.Namespace, l whisk.NamespaceLimits) error {
	if l.IsZero() {
		_, err := tx.Exec(ctx, "DELETE FROM namespace_limits WHERE ns = $1", string(ns))
		return err
	}
	body, err := json.Marshal(l)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO namespace_limits (ns, body) VALUES ($1, $2)
		ON CONFLICT (ns) DO UPDATE SET body = excluded.body`, string(ns), string(body))
	return err
}

// Note implements [store.Engine].
func (d *DB) Note(ctx context.Context, name string) ([]byte, error) {
	v, err := one(ctx, d, pgx.RowTo[[]byte], "SELECT value FROM notes WHERE name = $1", name)
	if errors.Is(err, whisk.ErrNotFound) {
		return nil, nil
	}
	return v, wrap(err, "read the note "+name)
}

// PutNote implements [store.Engine].
func (d *DB) PutNote(ctx context.Context, name string, value []byte) error {
	return wrap(d.write(ctx, func(tx pgx.Tx) error { return putNote(ctx, tx, name, value) }), "write the note "+name)
}

func putNote(ctx context.Context, tx pgx.Tx, name string, value []byte) error {
	_, err := tx.Exec(ctx, "INSERT INTO notes (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
		name, blob(value))
	return err
}
