package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"hearth/store"
	"hearth/whisk"
)

// deadColumns are those of a dead letter l, whose namespace is s.
const deadColumns = "l.id, s.text, l.name, l.created, l.ended, l.attempts, l.reason, l.code"

// deadFrom begins the choice among the dead letters of a namespace.
const deadFrom = " FROM dead_letters l JOIN spaces s ON s.id = l.space"

func scanDead(r pgx.CollectableRow, more ...any) (store.DeadLetter, error) {
	var l store.DeadLetter
	var id [16]byte
	var code []byte
	err := r.Scan(append([]any{&id, &l.Namespace, &l.Name, &l.Created, &l.Ended, &l.Attempts, &l.Reason, &code}, more...)...)
	l.ID = id
	copy(l.Code[:], code)
	return l, err
}

func scanDeadHead(r pgx.CollectableRow) (store.DeadLetter, error) { return scanDead(r) }

func scanDeadWhole(r pgx.CollectableRow) (store.DeadLetter, error) {
	var payload []byte
	l, err := scanDead(r, &payload)
	l.Payload = payload
	return l, err
}

// DeadLetters implements [store.Engine].
func (d *DB) DeadLetters(ctx context.Context, ns whisk.Namespace, q store.DeadQuery) ([]store.DeadLetter, error) {
	out, err := list(ctx, d, scanDeadHead, deadText, string(ns), limit(q.Limit), max(q.Skip, 0))
	return out, wrap(err, "list dead letters of "+string(ns))
}

const deadText = "SELECT " + deadColumns + ` FROM (
		SELECT id FROM dead_letters WHERE space = (SELECT id FROM spaces WHERE text = $1)
		ORDER BY ended DESC, id LIMIT $2 OFFSET $3
	) page JOIN dead_letters l USING (id) JOIN spaces s ON s.id = l.space ORDER BY l.ended DESC, l.id`

// CountDeadLetters implements [store.Engine].
func (d *DB) CountDeadLetters(ctx context.Context, ns whisk.Namespace) (int, error) {
	n, err := number(ctx, d, "SELECT count(*) FROM dead_letters WHERE space = (SELECT id FROM spaces WHERE text = $1)", string(ns))
	return n, wrap(err, "count dead letters of "+string(ns))
}

// DeadLetter implements [store.Engine].
func (d *DB) DeadLetter(ctx context.Context, ns whisk.Namespace, id whisk.ActivationID) (store.DeadLetter, error) {
	l, err := one(ctx, d, scanDeadWhole, "SELECT "+deadColumns+", l.payload"+deadFrom+" WHERE l.id = $1 AND s.text = $2", [16]byte(id), string(ns))
	return l, wrap(err, "read dead letter "+id.String())
}

// DeleteDeadLetters implements [store.Engine].
func (d *DB) DeleteDeadLetters(ctx context.Context, ns whisk.Namespace, ids []whisk.ActivationID) (int, error) {
	text, args := "DELETE FROM dead_letters WHERE space = (SELECT id FROM spaces WHERE text = $1)", []any{string(ns)}
	if ids != nil {
		list := make([][16]byte, len(ids))
		for i, id := range ids {
			list[i] = id
		}
		text, args = text+" AND id = ANY ($2::uuid[])", append(args, list)
	}
	n, err := d.exec(ctx, text, args...)
	return n, wrap(err, "delete dead letters of "+string(ns))
}

// ExpireDeadLetters implements [store.Engine].
func (d *DB) ExpireDeadLetters(ctx context.Context, before time.Time, most int) (int, error) {
	n, err := d.exec(ctx, `DELETE FROM dead_letters WHERE id IN (
		SELECT id FROM dead_letters WHERE ended < $1 ORDER BY ended LIMIT $2 FOR UPDATE SKIP LOCKED)`, before.UnixMilli(), max(most, 0))
	return n, wrap(err, "expire dead letters")
}
