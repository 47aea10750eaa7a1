package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"hearth/store"
	"hearth/whisk"
)

// importKind is that of the one change in the log of a database that was
// loaded. It holds the place of those before it.
const importKind = "import"

// Load implements [store.Dumper].
func (d *DB) Load(ctx context.Context, next func() (store.Item, error)) error {
	err := d.write(ctx, func(tx *sql.Tx) error {
		if err := checkUnused(ctx, tx); err != nil {
			return err
		}
		l := loading{ctx: ctx, tx: tx, now: time.Now().UnixMilli(), records: newBatch(ctx, tx, d, 1)}
		for {
			it, err := next()
			if err == io.EOF { //nolint:errorlint // as it is returned
				return errors.Join(l.records.flush(), l.records.results[0].Err)
			}
			if err == nil {
				err = l.put(it)
			}
			if err != nil {
				return err
			}
		}
	})
	d.insert.queue.lose()
	if err != nil {
		return wrap(err, "load the database")
	}
	_, err = d.writer.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return wrap(err, "empty the database's log")
}

// loading is a Load under way.
type loading struct {
	ctx     context.Context
	tx      *sql.Tx
	now     int64
	records *batch
}

func (l *loading) exec(text string, args ...any) error {
	_, err := l.tx.ExecContext(l.ctx, text, args...)
	return err
}

func (l *loading) put(it store.Item) error {
	switch {
	case it.Record != nil:
		return l.record(it.Record)
	case it.Row != nil:
		return l.row(it.Row)
	case it.Dead != nil:
		return l.dead(it.Dead)
	case it.Doc != nil:
		return l.doc(*it.Doc)
	case it.Code != nil:
		return l.exec("INSERT INTO codes (digest, since, text) VALUES (?, ?, ?)", it.Code.Digest[:], l.now, blob(it.Code.Text))
	case it.Alarm != nil:
		return l.alarm(it.Alarm)
	case it.Credential != nil:
		c := it.Credential
		return l.exec("INSERT INTO credentials ("+credentialColumns+") VALUES (?, ?, ?, ?, ?, ?, ?)", c.UUID, c.Subject, string(c.Namespace),
			nullable(c.MAC), nullable(c.Sealed), c.Blocked, credentialSum(*c))
	case it.Limits != nil:
		return l.limits(it.Limits)
	case it.Note != nil:
		return putNote(l.ctx, l.tx, it.Note.Name, it.Note.Value)
	case it.Term != nil:
		return l.exec("INSERT INTO leases (name, term) VALUES (?, ?)", it.Term.Name, it.Term.Term)
	}
	return l.exec("INSERT INTO changes (seq, kind, key, at) VALUES (?, ?, '', ?)", it.Changes, importKind, l.now)
}

// record inserts one with those that come after it.
func (l *loading) record(a *whisk.Activation) error {
	b := l.records
	b.results[0] = store.Result{}
	if err := b.addRecord(0, a); err != nil {
		return err
	}
	if err := b.results[0].Err; err != nil {
		return fmt.Errorf("activation %s: %w", a.ID, err)
	}
	return nil
}

func (l *loading) row(r *store.QueueRow) error {
	return l.exec(`INSERT INTO queue (id, ns, state, token, until, created, attempt, due, code, payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.ID[:], string(r.Namespace), int64(r.State), r.Token, r.Until, r.Created, r.Attempt, r.Due, digest(r.Code), nullable(r.Payload))
}

func (l *loading) dead(x *store.DeadLetter) error {
	return l.exec("INSERT INTO dead ("+deadColumns+", payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		x.ID[:], string(x.Namespace), x.Name, x.Created, x.Ended, x.Attempts, x.Reason, digest(x.Code), nullable(x.Payload))
}

func (l *loading) doc(d store.Doc) error {
	return l.exec("INSERT INTO docs ("+docColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", string(d.Namespace), d.Package, d.Name,
		string(d.Collection), d.Revision, d.Updated, digest(d.Code), d.Public, blob(d.Body), docSum(d))
}

func (l *loading) alarm(a *whisk.Alarm) error {
	return l.exec(`INSERT INTO alarms (ns, name, revision, tick, due, token, fired, changed, status, reason, body)
		VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?)`, string(a.Trigger.Namespace), a.Trigger.Name, a.Revision,
		a.Tick, orNull(a.Due), a.Fired, a.Changed, a.Status, a.Reason, blob(a.Body))
}

func (l *loading) limits(v *store.LimitsItem) error {
	body, err := json.Marshal(v.Limits)
	if err != nil {
		return err
	}
	return l.exec("INSERT INTO namespace_limits (ns, body, sum) VALUES (?, ?, ?)", string(v.Namespace), string(body), rowSum(string(v.Namespace), string(body)))
}
