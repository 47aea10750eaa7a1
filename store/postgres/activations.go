package postgres

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"hearth/store"
	"hearth/whisk"
)

func scanActivation(r pgx.CollectableRow) (*whisk.Activation, error) {
	var head, body []byte
	if err := r.Scan(&head, &body); err != nil {
		return nil, err
	}
	return store.DecodeActivation(head, body)
}

// Activation implements [store.Engine].
func (d *DB) Activation(ctx context.Context, ns whisk.Namespace, id whisk.ActivationID) (*whisk.Activation, error) {
	a, err := one(ctx, d, scanActivation, `SELECT head, body FROM activations
		WHERE id = $1 AND space = (SELECT id FROM spaces WHERE text = $2)`, [16]byte(id), string(ns))
	return a, wrap(err, "read activation "+id.String())
}

// Activations implements [store.Engine].
func (d *DB) Activations(ctx context.Context, q store.ActivationQuery) ([]*whisk.Activation, error) {
	where, args := activationFilter(q)
	text := activationsText(where, len(args), q.Brief, q.Limit > 0, q.Skip > 0)
	if q.Skip > 0 {
		args = append(args, q.Skip)
	}
	if q.Limit > 0 {
		args = append(args, q.Limit)
	}
	out, err := list(ctx, d, scanActivation, text, args...)
	return out, wrap(err, "list activations of "+string(q.Namespace))
}

// activationsText returns the statement of a list, whose last parameters are
// skip and limit, as far as there are any.
//
// It reads rows by their start alone, which an index has, and as many too many
// as have started together with the last: only what was read is put into order
// by id. Asked for that order the planner might read all rows to sort them.
// Where some are skipped, the index alone shows when the first that is not has
// started, and how many of those that started with it are.
func activationsText(where string, args int, brief, limit, skip bool) string {
	body := "body"
	if brief {
		body = "NULL::bytea AS body"
	}
	with, offset := "", "0"
	if skip {
		args++
		k := "$" + strconv.Itoa(args) + "::bigint"
		with = `WITH skipped AS MATERIALIZED (
				SELECT start FROM activations WHERE ` + where + " ORDER BY start DESC LIMIT " + k + ` + 1
			), first AS MATERIALIZED (
				SELECT min(start) AS start FROM skipped HAVING count(*) > ` + k + `
			) `
		where += " AND start <= (SELECT start FROM first)"
		offset = "greatest((SELECT count(*) FROM skipped WHERE start = (SELECT start FROM first)) - 1, 0)"
	}
	page := "SELECT id, start, head, " + body + " FROM activations WHERE " + where + " ORDER BY start DESC"
	if limit {
		n := "$" + strconv.Itoa(args+1) + "::bigint"
		page += " FETCH FIRST (" + n + " + " + offset + ") ROWS WITH TIES"
		offset += " LIMIT " + n
	}
	return with + "SELECT head, body FROM (" + page + ") page ORDER BY start DESC, id OFFSET " + offset
}

// CountActivations implements [store.Engine].
func (d *DB) CountActivations(ctx context.Context, q store.ActivationQuery) (int, error) {
	where, args := activationFilter(q)
	n, err := number(ctx, d, "SELECT count(*) FROM activations WHERE "+where, args...)
	return n, wrap(err, "count activations of "+string(q.Namespace))
}

func activationFilter(q store.ActivationQuery) (where string, args []any) {
	where, args = "space = (SELECT id FROM spaces WHERE text = $1)", []any{string(q.Namespace)}
	and := func(condition string, value any) {
		args = append(args, value)
		where += " AND " + fmt.Sprintf(condition, len(args))
	}
	if q.Name != "" {
		and("name = (SELECT id FROM names WHERE text = $%d)", q.Name)
	}
	if q.Since != 0 {
		and("start >= $%d", q.Since)
	}
	if q.Upto != 0 {
		and("start <= $%d", q.Upto)
	}
	return where, args
}

// expireText deletes rows by where they are, which nobody changes: they are
// written once.
const expireText = `DELETE FROM activations WHERE ctid = ANY (ARRAY(
	SELECT ctid FROM activations WHERE space = (SELECT id FROM spaces WHERE text = $1) AND start < $2
	ORDER BY start LIMIT $3))`

// ExpireActivations implements [store.Engine].
func (d *DB) ExpireActivations(ctx context.Context, ns whisk.Namespace, before time.Time, most int) (int, error) {
	n, err := d.exec(ctx, expireText, string(ns), before.UnixMilli(), max(most, 0))
	return n, wrap(err, "expire activations of "+string(ns))
}

// RecordNamespaces implements [store.Engine].
func (d *DB) RecordNamespaces(ctx context.Context) ([]whisk.Namespace, error) {
	out, err := list(ctx, d, pgx.RowTo[whisk.Namespace], `SELECT text FROM spaces s
		WHERE EXISTS (SELECT 1 FROM activations WHERE space = s.id) ORDER BY text`)
	return out, wrap(err, "list namespaces of activations")
}
