package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"hearth/store"
	"hearth/whisk"
)

// Activation implements [store.Engine].
func (d *DB) Activation(ctx context.Context, ns whisk.Namespace, id whisk.ActivationID) (*whisk.Activation, error) {
	var head, body []byte
	err := d.reader.QueryRowContext(ctx, `SELECT head, body FROM activations
		WHERE id = ? AND space = (SELECT id FROM spaces WHERE text = ?)`, id[:], string(ns)).Scan(&head, &body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, whisk.ErrNotFound
	}
	if err != nil {
		return nil, d.report(wrap(err, "read activation "+id.String()))
	}
	a, err := decode(head, body, false)
	if err == nil && (a.ID != id || a.Namespace != ns) {
		err = whisk.ErrCorrupted
	}
	if err != nil {
		return nil, d.report(fmt.Errorf("read activation %s: %w", id, err))
	}
	return a, nil
}

// decode reads a record: [whisk.ErrCorrupted] if it is not what was stored.
// Briefly, it is its head alone.
func decode(head, body []byte, brief bool) (*whisk.Activation, error) {
	if !brief && len(body) == 0 && store.HasBody(head) {
		return nil, damaged("the body of a record is gone")
	}
	return store.DecodeActivation(head, body)
}

// Activations implements [store.Engine].
func (d *DB) Activations(ctx context.Context, q store.ActivationQuery) ([]*whisk.Activation, error) {
	body := "body"
	if q.Brief {
		body = "NULL"
	}
	page, args := activationPage(q)
	// The rows are chosen first, so that those skipped are not read whole.
	rows, err := d.reader.QueryContext(ctx, "SELECT head, "+body+` FROM activations WHERE seq IN (`+page+`) ORDER BY start DESC, id`, args...)
	if err != nil {
		return nil, fmt.Errorf("list activations of %s: %w", q.Namespace, err)
	}
	defer func() { _ = rows.Close() }()
	var out []*whisk.Activation
	for rows.Next() {
		var head, body []byte
		if err := rows.Scan(&head, &body); err != nil {
			return nil, fmt.Errorf("list activations of %s: %w", q.Namespace, err)
		}
		a, err := decode(head, body, q.Brief)
		if err != nil || a.Namespace != q.Namespace {
			_ = d.report(fmt.Errorf("list activations of %s: %w", q.Namespace, cmp.Or(err, whisk.ErrCorrupted)))
			continue // the others are none the worse
		}
		out = append(out, a)
	}
	return out, d.report(wrap(rows.Err(), "list activations of "+string(q.Namespace)))
}

// activationPage returns the query for the rows of a page. To sort by id what
// started in the same ms it reads each row that it comes by; so what is skipped
// is counted by the index alone, up to the ms at which the page begins.
func activationPage(q store.ActivationQuery) (text string, args []any) {
	from, args := activationFilter(q)
	if q.Skip <= 0 {
		return "SELECT seq FROM " + from + " ORDER BY start DESC, id LIMIT ?", append(args, limit(q.Limit))
	}
	edge := "(SELECT start FROM " + from + " ORDER BY start DESC LIMIT 1 OFFSET ?)"
	text = "SELECT seq FROM " + from + " AND start <= " + edge + " ORDER BY start DESC, id LIMIT ? OFFSET ? - (SELECT count(*) FROM " + from + " AND start > " + edge + ")"
	all := slices.Concat(args, args, []any{q.Skip, limit(q.Limit), q.Skip}, args, args, []any{q.Skip})
	return text, all
}

// CountActivations implements [store.Engine].
func (d *DB) CountActivations(ctx context.Context, q store.ActivationQuery) (int, error) {
	from, args := activationFilter(q)
	var n int
	err := d.reader.QueryRowContext(ctx, "SELECT count(*) FROM "+from, args...).Scan(&n)
	return n, wrap(err, "count activations of "+string(q.Namespace))
}

// activationFilter names the index to use: without statistics the planner
// would rather take a range of the whole namespace than one name's.
func activationFilter(q store.ActivationQuery) (from string, args []any) {
	from, args = "activations INDEXED BY activations_space WHERE space = (SELECT id FROM spaces WHERE text = ?)", []any{string(q.Namespace)}
	if q.Name != "" {
		from = strings.Replace(from, "activations_space", "activations_name", 1) + " AND name = (SELECT id FROM names WHERE text = ?)"
		args = append(args, q.Name)
	}
	if q.Since != 0 {
		from, args = from+" AND start >= ?", append(args, q.Since)
	}
	if q.Upto != 0 {
		from, args = from+" AND start <= ?", append(args, q.Upto)
	}
	return from, args
}

// expire takes the oldest of a namespace.
const expire = `DELETE FROM activations WHERE seq IN (
	SELECT seq FROM activations INDEXED BY activations_space
	WHERE space = (SELECT id FROM spaces WHERE text = ?) AND start < ? ORDER BY start LIMIT ?)`

// ExpireActivations implements [store.Engine].
func (d *DB) ExpireActivations(ctx context.Context, ns whisk.Namespace, before time.Time, most int) (int, error) {
	n, err := affected(d.writer.ExecContext(ctx, expire, string(ns), before.UnixMilli(), max(most, 0)))
	return int(n), wrap(err, "expire activations of "+string(ns))
}

// RecordNamespaces implements [store.Engine].
func (d *DB) RecordNamespaces(ctx context.Context) ([]whisk.Namespace, error) {
	const text = "SELECT text FROM spaces WHERE EXISTS (SELECT 1 FROM activations WHERE space = spaces.id) ORDER BY text"
	rows, err := d.reader.QueryContext(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("list the namespaces of records: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var out []whisk.Namespace
	for rows.Next() {
		var ns whisk.Namespace
		if err := rows.Scan(&ns); err != nil {
			return nil, fmt.Errorf("list the namespaces of records: %w", err)
		}
		out = append(out, ns)
	}
	return out, wrap(rows.Err(), "list the namespaces of records")
}
