package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"hearth/store"
	"hearth/whisk"
)

var _ store.Dumper = (*DB)(nil)

// atLeisure lets the statements of a transaction take their time, and read
// whole tables.
const atLeisure = `SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;
	SET LOCAL enable_seqscan = on; SET LOCAL plan_cache_mode = auto`

// Dump implements [store.Dumper].
func (d *DB) Dump(ctx context.Context, sink store.Sink) error {
	_, err := d.use(ctx, d.pool, func(c *pgx.Conn) error {
		tx, err := c.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback(ctx) }() // it has changed nothing
		if _, err := tx.Exec(ctx, atLeisure); err != nil {
			return err
		}
		for _, table := range []struct {
			text string
			scan func(pgx.CollectableRow) (store.Item, error)
		}{
			{"SELECT seq FROM last_change WHERE seq > 0", dumpChanges},
			{"SELECT name, value FROM notes ORDER BY name", dumpNote},
			{"SELECT name, term FROM leaders ORDER BY name", dumpTerm},
			{"SELECT ns, body FROM namespace_limits ORDER BY ns", dumpLimits},
			{"SELECT " + credentialColumns + " FROM credentials ORDER BY uuid", dumpCredential},
		} {
			if err := dump(ctx, tx, sink, table.text, table.scan); err != nil {
				return err
			}
		}
		if err := dumpCode(ctx, tx, sink); err != nil {
			return err
		}
		for _, table := range []struct {
			text string
			scan func(pgx.CollectableRow) (store.Item, error)
		}{
			{"SELECT " + docColumns + " FROM docs ORDER BY ns, pkg, name", dumpDoc},
			{"SELECT " + alarmHead + ", body FROM alarms ORDER BY ns, name", dumpAlarm},
			{"SELECT " + queueColumns + " FROM queue q JOIN spaces s ON s.id = q.space ORDER BY q.seq", dumpRow},
			{"SELECT " + deadColumns + ", l.payload" + deadFrom + " ORDER BY l.ended, l.id", dumpDead},
			{"SELECT head, body FROM activations ORDER BY id", dumpRecord},
		} {
			if err := dump(ctx, tx, sink, table.text, table.scan); err != nil {
				return err
			}
		}
		return nil
	})
	return wrap(err, "dump the database")
}

// dump gives the sink what a statement lists, as it comes.
func dump(ctx context.Context, tx pgx.Tx, sink store.Sink, text string, scan func(pgx.CollectableRow) (store.Item, error)) error {
	rows, err := tx.Query(ctx, text)
	if err != nil {
		return err
	}
	defer rows.Close()
	return sink.Each(func() (store.Item, bool, error) {
		if !rows.Next() {
			return store.Item{}, false, rows.Err()
		}
		it, err := scan(rows)
		return it, true, err
	})
}

// dumpCode reads one blob after the other.
func dumpCode(ctx context.Context, tx pgx.Tx, sink store.Sink) error {
	digests, err := collect(ctx, tx, pgx.RowTo[[]byte], "SELECT digest FROM codes ORDER BY digest")
	if err != nil {
		return err
	}
	return sink.Each(func() (store.Item, bool, error) {
		if len(digests) == 0 {
			return store.Item{}, false, nil
		}
		c := &store.CodeItem{}
		copy(c.Digest[:], digests[0])
		digests = digests[1:]
		chunks, err := collect(ctx, tx, pgx.RowTo[[]byte], "SELECT text FROM code_chunks WHERE digest = $1 ORDER BY part", c.Digest[:])
		for _, chunk := range chunks {
			c.Text = append(c.Text, chunk...)
		}
		if err == nil && sha256.Sum256(c.Text) != c.Digest {
			err = fmt.Errorf("code %s: %w", c.Digest, whisk.ErrCorrupted)
		}
		return store.Item{Code: c}, true, err
	})
}

func dumpChanges(r pgx.CollectableRow) (it store.Item, err error) {
	err = r.Scan(&it.Changes)
	return it, err
}

func dumpNote(r pgx.CollectableRow) (store.Item, error) {
	var n store.NoteItem
	err := r.Scan(&n.Name, &n.Value)
	return store.Item{Note: &n}, err
}

func dumpTerm(r pgx.CollectableRow) (store.Item, error) {
	var t store.TermItem
	err := r.Scan(&t.Name, &t.Term)
	return store.Item{Term: &t}, err
}

func dumpLimits(r pgx.CollectableRow) (store.Item, error) {
	var l store.LimitsItem
	var body []byte
	err := r.Scan(&l.Namespace, &body)
	if err == nil {
		err = json.Unmarshal(body, &l.Limits)
	}
	return store.Item{Limits: &l}, err
}

func dumpCredential(r pgx.CollectableRow) (store.Item, error) {
	c, err := scanCredential(r)
	return store.Item{Credential: &c}, err
}

func dumpDoc(r pgx.CollectableRow) (store.Item, error) {
	d, err := scanDoc(r)
	return store.Item{Doc: &d}, err
}

func dumpAlarm(r pgx.CollectableRow) (store.Item, error) {
	a, err := scanAlarm(r)
	return store.Item{Alarm: &a}, err
}

func dumpRow(r pgx.CollectableRow) (store.Item, error) {
	v, err := scanQueueRow(r)
	return store.Item{Row: &v}, err
}

func dumpDead(r pgx.CollectableRow) (store.Item, error) {
	l, err := scanDeadWhole(r)
	return store.Item{Dead: &l}, err
}

func dumpRecord(r pgx.CollectableRow) (store.Item, error) {
	a, err := scanActivation(r)
	return store.Item{Record: a}, err
}
