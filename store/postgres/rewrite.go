package postgres

import (
	"bytes"
	"context"

	"github.com/jackc/pgx/v5"

	"hearth/store"
	"hearth/whisk"
)

// rewriteAtOnce bounds the rows of any table that are held in memory; each may
// be megabytes.
const rewriteAtOnce = 16

// rewriting is a Rewrite under way.
type rewriting struct {
	ctx context.Context
	tx  pgx.Tx
	store.Rewriter
}

// Rewrite implements [store.Engine]. The tables are then written anew, so that
// nothing of before stays in their files; the server's log, and copies, still
// have it.
func (d *DB) Rewrite(ctx context.Context, r store.Rewriter) error {
	err := d.write(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"); err != nil {
			return err
		}
		w := rewriting{ctx, tx, r}
		for _, f := range []func() error{w.credentials, w.rows, w.dead, w.docs, w.alarms} {
			if err := f(); err != nil {
				return err
			}
		}
		for name, value := range r.Notes {
			if err := putNote(ctx, tx, name, value); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return wrap(err, "rewrite the database")
	}
	_, err = d.use(ctx, d.pool, func(c *pgx.Conn) error {
		defer func() { _, _ = c.Exec(ctx, "RESET statement_timeout") }() // fails only where the connection has
		for _, text := range []string{
			"SET statement_timeout = 0", "VACUUM (FULL) credentials", "VACUUM (FULL) queue", "VACUUM (FULL) dead_letters",
			"VACUUM (FULL) docs", "VACUUM (FULL) alarms", "VACUUM (FULL) notes",
		} {
			if _, err := c.Exec(ctx, text); err != nil {
				return err
			}
		}
		return nil
	})
	return wrap(err, "clear the database's files of what was rewritten")
}

// pages calls f with all rows that a statement lists, in its order, page by
// page. Its parameters are how many rows, and after where, which f returns.
func pages[T any](w rewriting, scan func(pgx.CollectableRow) (T, error), text string, f func(T) (after []any, err error), after ...any) error {
	for {
		page, err := collect(w.ctx, w.tx, scan, text, append([]any{rewriteAtOnce}, after...)...)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, v := range page {
			if after, err = f(v); err != nil {
				return err
			}
		}
	}
}

func (w rewriting) exec(text string, args ...any) error {
	_, err := w.tx.Exec(w.ctx, text, args...)
	return err
}

func (w rewriting) credentials() error {
	const text = "SELECT " + credentialColumns + " FROM credentials WHERE uuid > $2 ORDER BY uuid LIMIT $1"
	return pages(w, scanCredential, text, func(c store.Credential) ([]any, error) {
		uuid := c.UUID
		c, err := w.Credential(c)
		if err != nil {
			return nil, err
		}
		return []any{uuid}, w.exec("UPDATE credentials SET mac = $1, sealed = $2 WHERE uuid = $3", nullable(c.MAC), nullable(c.Sealed), uuid)
	}, "")
}

func (w rewriting) rows() error {
	const text = "SELECT " + queueColumns + " FROM queue q JOIN spaces s ON s.id = q.space WHERE q.seq > $2 AND q.payload IS NOT NULL ORDER BY q.seq LIMIT $1"
	return pages(w, scanQueueRow, text, func(r store.QueueRow) ([]any, error) {
		payload, err := w.Row(r)
		if err != nil {
			return nil, err
		}
		return []any{r.Seq}, w.exec("UPDATE queue SET payload = $1 WHERE seq = $2", nullable(payload), r.Seq)
	}, 0)
}

func (w rewriting) dead() error {
	const text = "SELECT " + deadColumns + ", l.payload" + deadFrom + " WHERE l.id > $2 AND l.payload IS NOT NULL ORDER BY l.id LIMIT $1"
	return pages(w, scanDeadWhole, text, func(l store.DeadLetter) ([]any, error) {
		payload, err := w.Dead(l)
		if err != nil {
			return nil, err
		}
		id := [16]byte(l.ID)
		return []any{id}, w.exec("UPDATE dead_letters SET payload = $1 WHERE id = $2", nullable(payload), id)
	}, [16]byte{})
}

func (w rewriting) docs() error {
	const text = "SELECT " + docColumns + " FROM docs WHERE (ns, pkg, name) > ($2, $3, $4) ORDER BY ns, pkg, name LIMIT $1"
	return pages(w, scanDoc, text, func(d store.Doc) ([]any, error) {
		after := []any{string(d.Namespace), d.Package, d.Name}
		body, err := w.Doc(d)
		if err != nil || bytes.Equal(body, d.Body) {
			return after, err
		}
		return after, w.exec("UPDATE docs SET body = $1 WHERE ns = $2 AND pkg = $3 AND name = $4", append([]any{blob(body)}, after...)...)
	}, "", "", "")
}

func (w rewriting) alarms() error {
	const text = "SELECT " + alarmHead + ", body FROM alarms WHERE (ns, name) > ($2, $3) ORDER BY ns, name LIMIT $1"
	return pages(w, scanAlarm, text, func(a whisk.Alarm) ([]any, error) {
		after := []any{string(a.Trigger.Namespace), a.Trigger.Name}
		body, err := w.Alarm(a)
		if err != nil {
			return nil, wrap(err, "alarm of "+a.Trigger.Path())
		}
		return after, w.exec("UPDATE alarms SET body = $1 WHERE ns = $2 AND name = $3", append([]any{blob(body)}, after...)...)
	}, "", "")
}
