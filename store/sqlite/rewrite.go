package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"

	"hearth/store"
)

// rewriteAtOnce bounds the rows of any table that are held in memory; each may
// be megabytes.
const rewriteAtOnce = 16

// Rewrite implements [store.Engine]. What is overwritten is overwritten with
// zeros, and the log emptied, so that nothing of before stays in the files.
func (d *DB) Rewrite(ctx context.Context, r store.Rewriter) error {
	if _, err := d.writer.ExecContext(ctx, "PRAGMA secure_delete=ON"); err != nil {
		return fmt.Errorf("rewrite the database: %w", err)
	}
	err := d.write(ctx, func(tx *sql.Tx) error {
		if err := rewriteCredentials(ctx, tx, r.Credential); err != nil {
			return err
		}
		if err := rewriteRows(ctx, tx, r.Row); err != nil {
			return err
		}
		if err := rewriteDead(ctx, tx, r.Dead); err != nil {
			return err
		}
		if err := rewriteDocs(ctx, tx, r.Doc); err != nil {
			return err
		}
		if err := rewriteAlarms(ctx, tx, r.Alarm); err != nil {
			return err
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
	_, err = d.writer.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return wrap(err, "empty the database's log")
}

func rewriteCredentials(ctx context.Context, tx *sql.Tx, change func(store.Credential) (store.Credential, error)) error {
	for after := ""; ; {
		page, err := selectCredentials(ctx, tx, nil, "uuid > ? ORDER BY uuid LIMIT ?", after, rewriteAtOnce)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, c := range page {
			after = c.UUID
			if c, err = change(c); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, "UPDATE credentials SET mac = ?, sealed = ?, sum = ? WHERE uuid = ?",
				nullable(c.MAC), nullable(c.Sealed), credentialSum(c), after)
			if err != nil {
				return err
			}
		}
	}
}

func rewriteRows(ctx context.Context, tx *sql.Tx, change func(store.QueueRow) ([]byte, error)) error {
	for after := int64(0); ; {
		var row store.QueueRow
		var id []byte
		err := tx.QueryRowContext(ctx, "SELECT seq, id, ns, payload FROM queue WHERE seq > ? AND payload IS NOT NULL ORDER BY seq LIMIT 1", after).
			Scan(&row.Seq, &id, &row.Namespace, &row.Payload)
		if err == sql.ErrNoRows { //nolint:errorlint // as it is returned
			return nil
		}
		if err != nil {
			return err
		}
		copy(row.ID[:], id)
		after = row.Seq
		payload, err := change(row)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE queue SET payload = ? WHERE seq = ?", nullable(payload), row.Seq); err != nil {
			return err
		}
	}
}

func rewriteDocs(ctx context.Context, tx *sql.Tx, change func(store.Doc) ([]byte, error)) error {
	for after := (store.Key{}); ; {
		page, err := docsBehind(ctx, tx, after)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, doc := range page {
			after = doc.Key
			body, err := change(doc)
			if err != nil {
				return err
			}
			if bytes.Equal(body, doc.Body) {
				continue
			}
			doc.Body = body
			_, err = tx.ExecContext(ctx, "UPDATE docs SET body = ?, sum = ? WHERE ns = ? AND pkg = ? AND name = ?",
				blob(body), docSum(doc), string(doc.Namespace), doc.Package, doc.Name)
			if err != nil {
				return err
			}
		}
	}
}

func docsBehind(ctx context.Context, tx *sql.Tx, k store.Key) ([]store.Doc, error) {
	rows, err := tx.QueryContext(ctx, "SELECT "+docColumns+" FROM docs WHERE (ns, pkg, name) > (?, ?, ?) ORDER BY ns, pkg, name LIMIT ?",
		string(k.Namespace), k.Package, k.Name, rewriteAtOnce)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []store.Doc
	for rows.Next() {
		doc, err := scanDoc(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, doc)
	}
	return out, rows.Err()
}
