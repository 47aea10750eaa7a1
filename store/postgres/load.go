package postgres

import (
	"context"
	"io"
	"strconv"

	"github.com/jackc/pgx/v5"

	"hearth/store"
	"hearth/whisk"
)

// importKind is that of the one change in the log of a database that was
// loaded. It holds the place of those before it.
const importKind = "import"

// holding are the tables that hold something, as a database that nobody has
// used does not.
var holding = []string{
	"changes", "docs", "codes", "credentials", "namespace_limits", "notes", "alarms", "queue", "dead_letters", "activations", "leaders",
}

// Load implements [store.Dumper].
func (d *DB) Load(ctx context.Context, next func() (store.Item, error)) error {
	_, err := d.use(ctx, d.pool, func(c *pgx.Conn) error {
		return pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
			if err := claimEmpty(ctx, tx); err != nil {
				return err
			}
			l := &loading{ctx: ctx, tx: tx, spaces: numbers{}, names: numbers{}}
			for {
				it, err := next()
				if err == io.EOF { //nolint:errorlint // as it is returned
					return l.flush()
				}
				if err == nil {
					err = l.put(it)
				}
				if err != nil {
					return err
				}
			}
		})
	})
	d.spaces.forget()
	d.names.forget()
	return wrap(err, "load the database")
}

// claimEmpty keeps others from writing, and fails if anybody has.
func claimEmpty(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, atLeisure); err != nil {
		return err
	}
	for _, table := range holding {
		if _, err := tx.Exec(ctx, "LOCK TABLE "+table+" IN SHARE ROW EXCLUSIVE MODE NOWAIT"); err != nil {
			return err
		}
		var found bool
		if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM "+table+")").Scan(&found); err != nil {
			return err
		}
		if found {
			return store.ErrNotEmpty
		}
	}
	return nil
}

// loading is a Load under way. Records are inserted many at a time.
type loading struct {
	ctx context.Context
	tx  pgx.Tx

	spaces, names numbers
	records       [][]any
	bytes         int // of those
}

// recordsAtOnce and recordBytes bound the records that wait to be inserted.
const (
	recordsAtOnce = 5000
	recordBytes   = 8 << 20
)

func (l *loading) exec(text string, args ...any) error {
	_, err := l.tx.Exec(l.ctx, text, args...)
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
		x := it.Doc
		return l.exec("INSERT INTO docs ("+docColumns+") VALUES ("+places(9)+")", string(x.Namespace), x.Package, x.Name, string(x.Collection),
			x.Revision, x.Updated, digest(x.Code), x.Public, blob(x.Body))
	case it.Code != nil:
		return l.code(it.Code)
	case it.Alarm != nil:
		a := it.Alarm
		return l.exec(`INSERT INTO alarms (ns, name, revision, tick, due, token, fired, changed, status, reason, body)
			VALUES ($1, $2, $3, $4, nullif($5::bigint, 0), 0, $6, $7, $8, $9, $10)`, string(a.Trigger.Namespace), a.Trigger.Name,
			a.Revision, a.Tick, a.Due, a.Fired, a.Changed, a.Status, storable(a.Reason), blob(a.Body))
	case it.Credential != nil:
		c := it.Credential
		return l.exec("INSERT INTO credentials ("+credentialColumns+") VALUES ("+places(6)+")",
			c.UUID, c.Subject, string(c.Namespace), nullable(c.MAC), nullable(c.Sealed), c.Blocked)
	case it.Limits != nil:
		return putLimits(l.ctx, l.tx, it.Limits.Namespace, it.Limits.Limits)
	case it.Note != nil:
		return putNote(l.ctx, l.tx, it.Note.Name, it.Note.Value)
	case it.Term != nil:
		return l.exec("INSERT INTO leaders (name, holder, term, until) VALUES ($1, 0, $2, 0)", it.Term.Name, it.Term.Term)
	}
	if err := l.exec("UPDATE last_change SET seq = $1", it.Changes); err != nil {
		return err
	}
	return l.exec("INSERT INTO changes (seq, kind, key, at) VALUES ($1, $2, '', now_ms())", it.Changes, importKind)
}

// places returns "$1, …, $n".
func places(n int) string {
	text := "$1"
	for i := 2; i <= n; i++ {
		text += ", $" + strconv.Itoa(i)
	}
	return text
}

// number returns that of a text in a table of them, giving it one if it has
// none.
func (l *loading) number(table string, known numbers, text string) (int32, error) {
	if id := known[text]; id != 0 {
		return id, nil
	}
	if !isText(text) {
		return 0, errText
	}
	if err := l.exec("INSERT INTO "+table+" (text) VALUES ($1) ON CONFLICT (text) DO NOTHING", text); err != nil {
		return 0, err
	}
	var id int32
	if err := l.tx.QueryRow(l.ctx, "SELECT id FROM "+table+" WHERE text = $1", text).Scan(&id); err != nil {
		return 0, err
	}
	known[text] = id
	return id, nil
}

func (l *loading) record(a *whisk.Activation) error {
	space, err := l.number("spaces", l.spaces, string(a.Namespace))
	if err != nil {
		return err
	}
	name, err := l.number("names", l.names, a.FilterName())
	if err != nil {
		return err
	}
	head, body := store.EncodeActivation(a)
	l.records = append(l.records, []any{[16]byte(a.ID), a.Start, space, name, head, nullable(body)})
	if l.bytes += len(head) + len(body); len(l.records) >= recordsAtOnce || l.bytes >= recordBytes {
		return l.flush()
	}
	return nil
}

// flush inserts the records that wait.
func (l *loading) flush() error {
	_, err := l.tx.CopyFrom(l.ctx, pgx.Identifier{"activations"}, []string{"id", "start", "space", "name", "head", "body"}, pgx.CopyFromRows(l.records))
	clear(l.records)
	l.records, l.bytes = l.records[:0], 0
	return err
}

func (l *loading) row(r *store.QueueRow) error {
	space, err := l.number("spaces", l.spaces, string(r.Namespace))
	if err != nil {
		return err
	}
	return l.exec(`INSERT INTO queue (id, space, state, holder, claim, token, until, created, attempt, due, ready, code, payload)
		VALUES ($1, $2, $3, 0, 0, $4, $5, $6, $7, $8, greatest($6::bigint, $8::bigint), $9, $10)`, [16]byte(r.ID), space, int16(r.State), r.Token, r.Until,
		r.Created, r.Attempt, r.Due, digest(r.Code), nullable(r.Payload))
}

func (l *loading) dead(x *store.DeadLetter) error {
	space, err := l.number("spaces", l.spaces, string(x.Namespace))
	if err != nil {
		return err
	}
	return l.exec(`INSERT INTO dead_letters (id, space, name, created, ended, attempts, reason, code, payload) VALUES (`+places(9)+`)`,
		[16]byte(x.ID), space, x.Name, x.Created, x.Ended, x.Attempts, storable(x.Reason), digest(x.Code), nullable(x.Payload))
}

func (l *loading) code(c *store.CodeItem) error {
	if err := l.exec("INSERT INTO codes (digest, since, size) VALUES ($1, now_ms(), $2)", c.Digest[:], len(c.Text)); err != nil {
		return err
	}
	for part := 0; part*chunkBytes < len(c.Text); part++ {
		at := part * chunkBytes
		err := l.exec("INSERT INTO code_chunks (digest, part, text) VALUES ($1, $2, $3)", c.Digest[:], part, c.Text[at:min(at+chunkBytes, len(c.Text))])
		if err != nil {
			return err
		}
	}
	return nil
}
