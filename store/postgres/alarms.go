package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"hearth/whisk"
)

const alarmHead = "ns, name, revision, tick, coalesce(due, 0), fired, changed, status, reason"

// alarmFields are where [alarmHead] goes.
func alarmFields(a *whisk.Alarm) []any {
	return []any{&a.Trigger.Namespace, &a.Trigger.Name, &a.Revision, &a.Tick, &a.Due, &a.Fired, &a.Changed, &a.Status, &a.Reason}
}

func scanAlarmHead(r pgx.CollectableRow) (a whisk.Alarm, err error) {
	err = r.Scan(alarmFields(&a)...)
	return a, err
}

func scanAlarm(r pgx.CollectableRow) (a whisk.Alarm, err error) {
	err = r.Scan(append(alarmFields(&a), &a.Body)...)
	return a, err
}

const alarmText = "SELECT " + alarmHead + ", body FROM alarms WHERE ns = $1 AND name = $2"

// Alarm implements [store.Engine].
func (d *DB) Alarm(ctx context.Context, trigger whisk.EntityName) (whisk.Alarm, error) {
	a, err := one(ctx, d, scanAlarm, alarmText, string(trigger.Namespace), trigger.Name)
	return a, wrap(err, "read the alarm of "+trigger.Path())
}

// Alarms implements [store.Engine].
func (d *DB) Alarms(ctx context.Context, limit int) ([]whisk.Alarm, error) {
	out, err := list(ctx, d, scanAlarmHead, "SELECT "+alarmHead+" FROM alarms WHERE due IS NOT NULL ORDER BY due LIMIT $1", max(limit, 0))
	return out, wrap(err, "list alarms")
}

// PutAlarm implements [store.Engine].
func (d *DB) PutAlarm(ctx context.Context, a whisk.Alarm, ifRevision int64) error {
	err := d.write(ctx, func(tx pgx.Tx) error {
		args := []any{string(a.Trigger.Namespace), a.Trigger.Name, a.Revision, a.Tick, a.Due, a.Fired, a.Changed, a.Status, storable(a.Reason), blob(a.Body)}
		if ifRevision == 0 {
			return someRow(whisk.ErrExists)(tx.Exec(ctx, `INSERT INTO alarms (ns, name, revision, tick, due, token, fired, changed, status, reason, body)
				VALUES ($1, $2, $3, $4, nullif($5::bigint, 0), 0, $6, $7, $8, $9, $10) ON CONFLICT (ns, name) DO NOTHING`, args...))
		}
		return someRow(whisk.ErrChanged)(tx.Exec(ctx, `UPDATE alarms SET revision = $3, tick = $4, due = nullif($5::bigint, 0), token = 0,
			fired = $6, changed = $7, status = $8, reason = $9, body = $10 WHERE ns = $1 AND name = $2 AND revision = $11`, append(args, ifRevision)...))
	})
	return wrap(err, "write the alarm of "+a.Trigger.Path())
}

// DeleteAlarm implements [store.Engine].
func (d *DB) DeleteAlarm(ctx context.Context, trigger whisk.EntityName, ifRevision int64) error {
	ns, name := string(trigger.Namespace), trigger.Name
	err := d.write(ctx, func(tx pgx.Tx) error {
		err := someRow(whisk.ErrNotFound)(tx.Exec(ctx, "DELETE FROM alarms WHERE ns = $1 AND name = $2 AND ($3::bigint = 0 OR revision = $3)", ns, name, ifRevision))
		if err != whisk.ErrNotFound { //nolint:errorlint // as it is returned
			return err
		}
		found, e := collect(ctx, tx, scanAlarm, alarmText, ns, name)
		switch {
		case e != nil:
			return e
		case len(found) > 0:
			return whisk.ErrChanged
		}
		return err
	})
	return wrap(err, "delete the alarm of "+trigger.Path())
}
