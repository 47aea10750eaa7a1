package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"hearth/store"
	"hearth/whisk"
)

const (
	alarmHead    = "ns, name, revision, tick, coalesce(due, 0), fired, changed, status, reason"
	alarmColumns = alarmHead + ", body"
)

func scanAlarm(s scanner, more ...any) (whisk.Alarm, error) {
	var a whisk.Alarm
	err := s.Scan(append([]any{
		&a.Trigger.Namespace, &a.Trigger.Name, &a.Revision, &a.Tick, &a.Due, &a.Fired, &a.Changed, &a.Status, &a.Reason,
	}, more...)...)
	return a, err
}

// Alarm implements [store.Engine].
func (d *DB) Alarm(ctx context.Context, trigger whisk.EntityName) (whisk.Alarm, error) {
	var body []byte
	a, err := scanAlarm(d.reader.QueryRowContext(ctx, "SELECT "+alarmColumns+" FROM alarms WHERE ns = ? AND name = ?",
		string(trigger.Namespace), trigger.Name), &body)
	if errors.Is(err, sql.ErrNoRows) {
		return whisk.Alarm{}, whisk.ErrNotFound
	}
	a.Body = body
	return a, wrap(err, "read the alarm of "+trigger.Path())
}

// Alarms implements [store.Engine].
func (d *DB) Alarms(ctx context.Context, limit int) ([]whisk.Alarm, error) {
	rows, err := d.reader.QueryContext(ctx, "SELECT "+alarmHead+" FROM alarms WHERE due IS NOT NULL ORDER BY due LIMIT ?", limit)
	if err != nil {
		return nil, wrap(err, "list alarms")
	}
	defer func() { _ = rows.Close() }()
	var out []whisk.Alarm
	for rows.Next() {
		a, err := scanAlarm(rows)
		if err != nil {
			return nil, wrap(err, "list alarms")
		}
		out = append(out, a)
	}
	return out, wrap(rows.Err(), "list alarms")
}

// PutAlarm implements [store.Engine].
func (d *DB) PutAlarm(ctx context.Context, a whisk.Alarm, ifRevision int64) error {
	err := d.write(ctx, func(tx *sql.Tx) error {
		ns, name := string(a.Trigger.Namespace), a.Trigger.Name
		if ifRevision == 0 {
			n, err := affected(tx.ExecContext(ctx, `INSERT INTO alarms (ns, name, revision, tick, due, token, fired, changed, status, reason, body)
				VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?) ON CONFLICT (ns, name) DO NOTHING`,
				ns, name, a.Revision, a.Tick, orNull(a.Due), a.Fired, a.Changed, a.Status, a.Reason, blob(a.Body)))
			if err == nil && n == 0 {
				err = whisk.ErrExists
			}
			return err
		}
		n, err := affected(tx.ExecContext(ctx, `UPDATE alarms SET revision = ?, tick = ?, due = ?, token = 0, fired = ?, changed = ?, status = ?,
			reason = ?, body = ? WHERE ns = ? AND name = ? AND revision = ?`,
			a.Revision, a.Tick, orNull(a.Due), a.Fired, a.Changed, a.Status, a.Reason, blob(a.Body), ns, name, ifRevision))
		if err == nil && n == 0 {
			err = whisk.ErrChanged
		}
		return err
	})
	return wrap(err, "write the alarm of "+a.Trigger.Path())
}

// DeleteAlarm implements [store.Engine].
func (d *DB) DeleteAlarm(ctx context.Context, trigger whisk.EntityName, ifRevision int64) error {
	n, err := affected(d.writer.ExecContext(ctx, "DELETE FROM alarms WHERE ns = ? AND name = ? AND (revision = ? OR ? = 0)",
		string(trigger.Namespace), trigger.Name, ifRevision, ifRevision))
	if err == nil && n == 0 {
		if _, err = d.Alarm(ctx, trigger); err == nil {
			err = whisk.ErrChanged
		}
	}
	return wrap(err, "delete the alarm of "+trigger.Path())
}

const stepText = `UPDATE alarms SET tick = ?, due = ?, token = ?, fired = ?, changed = ?, status = ?, reason = ?
	WHERE ns = ? AND name = ? AND revision = ? AND tick = ?`

// step carries out an [store.OpStep]: all of it, or nothing.
func (b *batch) step(i int, o *store.Op) (ok bool, err error) {
	const savepoint = "step"
	if _, err := b.tx.ExecContext(b.ctx, "SAVEPOINT "+savepoint); err != nil {
		return false, err
	}
	if ok, err = b.move(o.Step); ok {
		for r := range o.Rows {
			if _, err = b.insertRow(&o.Rows[r], store.RowQueued, 0); err != nil {
				break
			}
		}
	}
	if err != nil && ofOpAlone(err) {
		if _, e := b.tx.ExecContext(b.ctx, "ROLLBACK TO "+savepoint); e != nil {
			return false, e
		}
		for r := range o.Rows {
			b.holders.end(o.Rows[r].ID)
		}
	}
	if _, e := b.tx.ExecContext(b.ctx, "RELEASE "+savepoint); e != nil {
		return false, e
	}
	if err != nil || ok {
		if ok = err == nil; ok && o.Record != nil {
			return true, b.addRecord(i, o.Record)
		}
		return ok, err
	}
	return b.stepped(o.Step)
}

// move takes the alarm from its tick, if it stands there.
func (b *batch) move(s *whisk.AlarmStep) (bool, error) {
	n := s.Next
	count, err := affected(b.tx.ExecContext(b.ctx, stepText, n.Tick, orNull(n.Due), s.Token, n.Fired, n.Changed, n.Status, n.Reason,
		string(s.Trigger.Namespace), s.Trigger.Name, s.Revision, s.Tick))
	return count > 0, err
}

// stepped reports whether this very step has happened before.
func (b *batch) stepped(s *whisk.AlarmStep) (found bool, err error) {
	err = b.tx.QueryRowContext(b.ctx, "SELECT EXISTS (SELECT 1 FROM alarms WHERE ns = ? AND name = ? AND revision = ? AND token = ?)",
		string(s.Trigger.Namespace), s.Trigger.Name, s.Revision, s.Token).Scan(&found)
	return found, err
}

func rewriteAlarms(ctx context.Context, tx *sql.Tx, change func(whisk.Alarm) ([]byte, error)) error {
	for after := (whisk.EntityName{}); ; {
		var body []byte
		a, err := scanAlarm(tx.QueryRowContext(ctx, "SELECT "+alarmColumns+" FROM alarms WHERE (ns, name) > (?, ?) ORDER BY ns, name LIMIT 1",
			string(after.Namespace), after.Name), &body)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		after, a.Body = a.Trigger, body
		if body, err = change(a); err != nil {
			return fmt.Errorf("alarm of %s: %w", after.Path(), err)
		}
		_, err = tx.ExecContext(ctx, "UPDATE alarms SET body = ? WHERE ns = ? AND name = ?", blob(body), string(after.Namespace), after.Name)
		if err != nil {
			return err
		}
	}
}

func affected(res sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// orNull makes 0 NULL.
func orNull(n int64) any {
	if n == 0 {
		return nil
	}
	return n
}
