package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"

	"hearth/store"
	"hearth/whisk"
)

var _ store.Dumper = (*DB)(nil)

// Dump implements [store.Dumper].
func (d *DB) Dump(ctx context.Context, sink store.Sink) error {
	tx, err := d.reader.BeginTx(ctx, nil)
	if err != nil {
		return wrap(err, "dump the database")
	}
	defer func() { _ = tx.Rollback() }() // it has changed nothing
	for _, table := range []struct {
		text string
		scan func(scanner) (store.Item, error)
	}{
		{"SELECT max(seq) FROM changes HAVING max(seq) IS NOT NULL", dumpChanges},
		{"SELECT name, value FROM notes ORDER BY name", dumpNote},
		{"SELECT name, term FROM leases ORDER BY name", dumpTerm},
		{"SELECT ns, body, sum FROM namespace_limits ORDER BY ns", dumpLimits},
		{"SELECT " + credentialColumns + " FROM credentials ORDER BY uuid", dumpCredential},
		{"SELECT digest, text FROM codes ORDER BY digest", dumpCode},
		{"SELECT " + docColumns + " FROM docs ORDER BY ns, pkg, name", dumpDoc},
		{"SELECT " + alarmColumns + " FROM alarms ORDER BY ns, name", dumpAlarm},
		{"SELECT " + rowColumns + " FROM queue ORDER BY seq", dumpRow},
		{"SELECT " + deadColumns + ", payload FROM dead ORDER BY seq", dumpDead},
		{"SELECT head, body FROM activations ORDER BY seq", dumpRecord},
	} {
		rows, err := tx.QueryContext(ctx, table.text)
		if err != nil {
			return wrap(err, "dump the database")
		}
		err = sink.Each(func() (store.Item, bool, error) {
			if !rows.Next() {
				return store.Item{}, false, rows.Err()
			}
			item, err := table.scan(rows)
			return item, true, err
		})
		_ = rows.Close() // it has been read to its end, or is of no use
		if err != nil {
			return wrap(err, "dump the database")
		}
	}
	return nil
}

func dumpChanges(s scanner) (it store.Item, err error) {
	err = s.Scan(&it.Changes)
	return it, err
}

func dumpNote(s scanner) (store.Item, error) {
	var n store.NoteItem
	err := s.Scan(&n.Name, &n.Value)
	return store.Item{Note: &n}, err
}

func dumpTerm(s scanner) (store.Item, error) {
	var t store.TermItem
	err := s.Scan(&t.Name, &t.Term)
	return store.Item{Term: &t}, err
}

func dumpLimits(s scanner) (store.Item, error) {
	var l store.LimitsItem
	var body string
	var sum int64
	err := s.Scan(&l.Namespace, &body, &sum)
	if err == nil && sum != rowSum(string(l.Namespace), body) {
		err = damaged("the limits of " + string(l.Namespace))
	}
	if err == nil {
		err = json.Unmarshal([]byte(body), &l.Limits)
	}
	return store.Item{Limits: &l}, err
}

func dumpCredential(s scanner) (store.Item, error) {
	c, err := scanCredential(s)
	return store.Item{Credential: &c}, err
}

func dumpCode(s scanner) (store.Item, error) {
	var c store.CodeItem
	var digest []byte
	err := s.Scan(&digest, &c.Text)
	copy(c.Digest[:], digest)
	if err == nil && sha256.Sum256(c.Text) != c.Digest {
		err = damaged("code " + c.Digest.String())
	}
	return store.Item{Code: &c}, err
}

func dumpDoc(s scanner) (store.Item, error) {
	d, err := scanDoc(s)
	return store.Item{Doc: &d}, err
}

func dumpAlarm(s scanner) (store.Item, error) {
	var body []byte
	a, err := scanAlarm(s, &body)
	a.Body = body
	return store.Item{Alarm: &a}, err
}

func dumpRow(s scanner) (store.Item, error) {
	r, err := scanRow(s)
	return store.Item{Row: &r}, err
}

func dumpDead(s scanner) (store.Item, error) {
	var payload []byte
	l, err := scanDead(s, &payload)
	l.Payload = payload
	return store.Item{Dead: &l}, err
}

func dumpRecord(s scanner) (store.Item, error) {
	var head, body []byte
	var a *whisk.Activation
	err := s.Scan(&head, &body)
	if err == nil {
		a, err = decode(head, body, false)
	}
	return store.Item{Record: a}, err
}

// contents are the tables that hold something, as a database that nobody has
// used does not.
var contents = []string{
	"changes", "docs", "codes", "credentials", "namespace_limits", "notes", "alarms", "queue", "dead", "activations", "leases",
}

func checkUnused(ctx context.Context, tx *sql.Tx) error {
	for _, table := range contents {
		var found bool
		if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM "+table+")").Scan(&found); err != nil {
			return err
		}
		if found {
			return store.ErrNotEmpty
		}
	}
	return nil
}
