package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
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
		return nil, fmt.Errorf("read activation %s: %w", id, err)
	}
	return store.DecodeActivation(head, body)
}

// Activations implements [store.Engine].
func (d *DB) Activations(ctx context.Context, q store.ActivationQuery) ([]*whisk.Activation, error) {
	body := "body"
	if q.Brief {
		body = "NULL"
	}
	from, args := activationFilter(q)
	// The rows are chosen first, so that those skipped are not read whole.
	rows, err := d.reader.QueryContext(ctx, "SELECT head, "+body+` FROM activations WHERE seq IN (
			SELECT seq FROM `+from+` ORDER BY start DESC, id LIMIT ? OFFSET ?
		) ORDER BY start DESC, id`, append(args, limit(q.Limit), max(q.Skip, 0))...)
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
		a, err := store.DecodeActivation(head, body)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, wrap(rows.Err(), "list activations of "+string(q.Namespace))
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

// expire goes through the index one namespace after the other.
const expire = `DELETE FROM activations WHERE seq IN (
	SELECT a.seq FROM spaces CROSS JOIN activations a INDEXED BY activations_space
	WHERE a.space = spaces.id AND a.start < ? LIMIT ?)`

// ExpireActivations implements [store.Engine].
func (d *DB) ExpireActivations(ctx context.Context, before time.Time, most int) (int, error) {
	res, err := d.writer.ExecContext(ctx, expire, before.UnixMilli(), max(most, 0))
	if err != nil {
		return 0, fmt.Errorf("expire activations: %w", err)
	}
	n, err := res.RowsAffected()
	return int(n), err
}

// pageBytes is how many bytes of payloads QueueRows goes on after.
const pageBytes = 8 << 20

// QueueRows implements [store.Engine].
func (d *DB) QueueRows(ctx context.Context, after int64, most int) ([]store.QueueRow, error) {
	rows, err := d.reader.QueryContext(ctx, `SELECT seq, id, ns, state, token, until, created, code, payload
		FROM queue WHERE seq > ? ORDER BY seq LIMIT ?`, after, max(most, 0))
	if err != nil {
		return nil, fmt.Errorf("read the queue: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var out []store.QueueRow
	for size := 0; size < pageBytes && rows.Next(); {
		var r store.QueueRow
		var id, code []byte
		err := rows.Scan(&r.Seq, &id, &r.Namespace, &r.State, &r.Token, &r.Until, &r.Created, &code, &r.Payload)
		if err != nil {
			return nil, fmt.Errorf("read the queue: %w", err)
		}
		copy(r.ID[:], id)
		copy(r.Code[:], code)
		out = append(out, r)
		size += len(r.Payload)
	}
	return out, wrap(rows.Err(), "read the queue")
}
