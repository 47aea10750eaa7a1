package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"hearth/store"
	"hearth/whisk"
)

// queueColumns are those of a row q, whose namespace is s.
const queueColumns = "q.seq, q.id, s.text, q.state, q.holder, q.token, q.until, q.created, q.attempt, q.due, q.code, q.payload"

func scanQueueRow(r pgx.CollectableRow) (store.QueueRow, error) {
	var v store.QueueRow
	var id [16]byte
	var code []byte
	err := r.Scan(&v.Seq, &id, &v.Namespace, &v.State, &v.Holder, &v.Token, &v.Until, &v.Created, &v.Attempt, &v.Due, &code, &v.Payload)
	v.ID = id
	copy(v.Code[:], code)
	return v, err
}

// pageBytes is how many bytes of payloads a list of rows goes on after.
const pageBytes = 8 << 20

// queueRows lists rows until their payloads are many bytes: the server then
// sends no more. from is the part of the statement that chooses them, by seq,
// in their order.
func (d *DB) queueRows(ctx context.Context, from string, args ...any) ([]store.QueueRow, error) {
	out, err := list(ctx, d, scanQueueRow, `WITH page AS MATERIALIZED (
			SELECT seq, n, sum(coalesce(octet_length(payload), 0)) OVER (ORDER BY n) - coalesce(octet_length(payload), 0) AS before
			FROM (SELECT seq, payload, row_number() OVER () AS n FROM (`+from+`) chosen) numbered
		) SELECT `+queueColumns+` FROM page JOIN queue q USING (seq) JOIN spaces s ON s.id = q.space
		WHERE page.before < $1 ORDER BY page.n`, append([]any{pageBytes}, args...)...)
	return out, wrap(err, "read the queue")
}

const (
	inOrder = "SELECT seq, payload FROM queue WHERE seq > $2 ORDER BY seq LIMIT $3"
	overdue = "SELECT seq, payload FROM queue WHERE state = 1 AND until < " + now + " ORDER BY until, seq LIMIT $2"
)

// QueueRows implements [store.Engine].
func (d *DB) QueueRows(ctx context.Context, after int64, most int) ([]store.QueueRow, error) {
	return d.queueRows(ctx, inOrder, after, max(most, 0))
}

// Overdue implements [store.Engine].
func (d *DB) Overdue(ctx context.Context, most int) ([]store.QueueRow, error) {
	return d.queueRows(ctx, overdue, max(most, 0))
}

// QueueRow implements [store.Engine].
func (d *DB) QueueRow(ctx context.Context, ns whisk.Namespace, id whisk.ActivationID) (store.QueueRow, error) {
	r, err := one(ctx, d, scanQueueRow, "SELECT "+queueColumns+" FROM queue q JOIN spaces s ON s.id = q.space WHERE q.id = $1 AND s.text = $2",
		[16]byte(id), string(ns))
	return r, wrap(err, "read the queue's row of "+id.String())
}
