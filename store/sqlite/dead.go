package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"hearth/store"
	"hearth/whisk"
)

const deadColumns = "id, ns, name, created, ended, attempts, reason, code"

func scanDead(s scanner, more ...any) (store.DeadLetter, error) {
	var l store.DeadLetter
	var id, code []byte
	err := s.Scan(append([]any{&id, &l.Namespace, &l.Name, &l.Created, &l.Ended, &l.Attempts, &l.Reason, &code}, more...)...)
	copy(l.ID[:], id)
	copy(l.Code[:], code)
	return l, err
}

// DeadLetters implements [store.Engine].
func (d *DB) DeadLetters(ctx context.Context, ns whisk.Namespace, q store.DeadQuery) ([]store.DeadLetter, error) {
	rows, err := d.reader.QueryContext(ctx, "SELECT "+deadColumns+" FROM dead WHERE ns = ? ORDER BY ended DESC, id LIMIT ? OFFSET ?",
		string(ns), limit(q.Limit), max(q.Skip, 0))
	if err != nil {
		return nil, fmt.Errorf("list dead letters of %s: %w", ns, err)
	}
	defer func() { _ = rows.Close() }()
	var out []store.DeadLetter
	for rows.Next() {
		l, err := scanDead(rows)
		if err != nil {
			return nil, fmt.Errorf("list dead letters of %s: %w", ns, err)
		}
		out = append(out, l)
	}
	return out, wrap(rows.Err(), "list dead letters of "+string(ns))
}

// CountDeadLetters implements [store.Engine].
func (d *DB) CountDeadLetters(ctx context.Context, ns whisk.Namespace) (n int, err error) {
	err = d.reader.QueryRowContext(ctx, "SELECT count(*) FROM dead WHERE ns = ?", string(ns)).Scan(&n)
	return n, wrap(err, "count dead letters of "+string(ns))
}

// DeadLetter implements [store.Engine].
func (d *DB) DeadLetter(ctx context.Context, ns whisk.Namespace, id whisk.ActivationID) (store.DeadLetter, error) {
	var payload []byte
	l, err := scanDead(d.reader.QueryRowContext(ctx, "SELECT "+deadColumns+", payload FROM dead WHERE id = ? AND ns = ?", id[:], string(ns)), &payload)
	if errors.Is(err, sql.ErrNoRows) {
		return store.DeadLetter{}, whisk.ErrNotFound
	}
	l.Payload = payload
	return l, wrap(err, "read dead letter "+id.String())
}

// DeleteDeadLetters implements [store.Engine].
func (d *DB) DeleteDeadLetters(ctx context.Context, ns whisk.Namespace, ids []whisk.ActivationID) (int, error) {
	var gone int64
	err := d.write(ctx, func(tx *sql.Tx) (err error) {
		if ids == nil {
			gone, err = affected(tx.ExecContext(ctx, "DELETE FROM dead WHERE ns = ?", string(ns)))
			return err
		}
		for _, id := range ids {
			n, err := affected(tx.ExecContext(ctx, "DELETE FROM dead WHERE id = ? AND ns = ?", id[:], string(ns)))
			if err != nil {
				return err
			}
			gone += n
		}
		return nil
	})
	return int(gone), wrap(err, "delete dead letters of "+string(ns))
}

// ExpireDeadLetters implements [store.Engine].
func (d *DB) ExpireDeadLetters(ctx context.Context, before time.Time, most int) (int, error) {
	n, err := affected(d.writer.ExecContext(ctx, "DELETE FROM dead WHERE seq IN (SELECT seq FROM dead WHERE ended < ? ORDER BY ended LIMIT ?)",
		before.UnixMilli(), max(most, 0)))
	return int(n), wrap(err, "expire dead letters")
}

const buryText = `INSERT INTO dead (` + deadColumns + `, payload)
	SELECT id, ns, ?, created, ?, ?, ?, code, payload FROM queue WHERE id = ?
	ON CONFLICT (id) DO NOTHING`

// bury copies the row of an id, if there is one, to the dead letters.
func (b *batch) bury(rec *whisk.Activation) error {
	l := whisk.NewDeadLetter(store.QueueRow{}, rec)
	_, err := b.tx.ExecContext(b.ctx, buryText, l.Name, l.Ended, l.Attempts, l.Reason, rec.ID[:])
	return err
}

// redrive carries out an [store.OpRedrive].
func (b *batch) redrive(o *store.Op) (bool, error) {
	var found bool
	err := b.tx.QueryRowContext(b.ctx, "SELECT EXISTS (SELECT 1 FROM dead WHERE id = ? AND ns = ?)", o.ID[:], string(o.Row.Namespace)).Scan(&found)
	if err != nil || !found {
		return false, err
	}
	if ok, err := b.insertRow(o.Row, store.RowQueued, 0); err != nil || !ok {
		return false, err
	}
	_, err = b.tx.ExecContext(b.ctx, "DELETE FROM dead WHERE id = ?", o.ID[:])
	return err == nil, err
}

func rewriteDead(ctx context.Context, tx *sql.Tx, change func(store.DeadLetter) ([]byte, error)) error {
	for after := int64(0); ; {
		var seq int64
		var payload []byte
		l, err := scanDead(tx.QueryRowContext(ctx, "SELECT "+deadColumns+", seq, payload FROM dead WHERE seq > ? AND payload IS NOT NULL ORDER BY seq LIMIT 1", after),
			&seq, &payload)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		after, l.Payload = seq, payload
		if payload, err = change(l); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE dead SET payload = ? WHERE seq = ?", nullable(payload), seq); err != nil {
			return err
		}
	}
}
