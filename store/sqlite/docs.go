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

const docColumns = "ns, pkg, name, collection, revision, updated, code, body"

type scanner interface{ Scan(...any) error }

func scanDoc(s scanner) (store.Doc, error) {
	var d store.Doc
	var code []byte
	err := s.Scan(&d.Namespace, &d.Package, &d.Name, &d.Collection, &d.Revision, &d.Updated, &code, &d.Body)
	copy(d.Code[:], code)
	return d, err
}

// Doc implements [store.Engine].
func (d *DB) Doc(ctx context.Context, k store.Key) (store.Doc, error) {
	row := d.reader.QueryRowContext(ctx, "SELECT "+docColumns+" FROM docs WHERE ns = ? AND pkg = ? AND name = ?",
		string(k.Namespace), k.Package, k.Name)
	doc, err := scanDoc(row)
	if errors.Is(err, sql.ErrNoRows) {
		return store.Doc{}, whisk.ErrNotFound
	}
	if err != nil {
		return store.Doc{}, fmt.Errorf("read %s: %w", k, err)
	}
	return doc, nil
}

// PutDoc implements [store.Engine].
func (d *DB) PutDoc(ctx context.Context, doc store.Doc, ifRevision int64) (store.Doc, error) {
	err := d.write(ctx, func(tx *sql.Tx) error {
		have, err := revision(ctx, tx, doc.Key)
		switch {
		case err != nil:
			return err
		case ifRevision == 0 && have != 0:
			return whisk.ErrExists
		case have != ifRevision:
			return whisk.ErrChanged
		}
		if doc.Revision, err = d.change(ctx, tx, string(doc.Collection), doc.Key.String()); err != nil {
			return err
		}
		if err := release(ctx, tx, doc.Key, doc.Code); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO docs (`+docColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (ns, pkg, name) DO UPDATE SET collection = excluded.collection, revision = excluded.revision,
				updated = excluded.updated, code = excluded.code, body = excluded.body`,
			string(doc.Namespace), doc.Package, doc.Name, string(doc.Collection), doc.Revision, doc.Updated,
			digest(doc.Code), blob(doc.Body))
		return err
	})
	if err != nil {
		return store.Doc{}, wrap(err, "write "+doc.Key.String())
	}
	return doc, nil
}

// DeleteDoc implements [store.Engine].
func (d *DB) DeleteDoc(ctx context.Context, k store.Key, ifRevision int64) error {
	err := d.write(ctx, func(tx *sql.Tx) error {
		have, err := revision(ctx, tx, k)
		switch {
		case err != nil:
			return err
		case have == 0:
			return whisk.ErrNotFound
		case ifRevision != 0 && have != ifRevision:
			return whisk.ErrChanged
		}
		if err := release(ctx, tx, k, whisk.Digest{}); err != nil {
			return err
		}
		var collection string
		err = tx.QueryRowContext(ctx, "DELETE FROM docs WHERE ns = ? AND pkg = ? AND name = ? RETURNING collection",
			string(k.Namespace), k.Package, k.Name).Scan(&collection)
		if err != nil {
			return err
		}
		_, err = d.change(ctx, tx, collection, k.String())
		return err
	})
	return wrap(err, "delete "+k.String())
}

// revision returns a document's revision, 0 if there is none.
func revision(ctx context.Context, tx *sql.Tx, k store.Key) (int64, error) {
	var n int64
	err := tx.QueryRowContext(ctx, "SELECT revision FROM docs WHERE ns = ? AND pkg = ? AND name = ?",
		string(k.Namespace), k.Package, k.Name).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n, err
}

// release makes the blob that the stored document names young again, if the
// document is about to name another.
func release(ctx context.Context, tx *sql.Tx, k store.Key, next whisk.Digest) error {
	_, err := tx.ExecContext(ctx, `UPDATE codes SET since = ?
		WHERE digest = (SELECT code FROM docs WHERE ns = ? AND pkg = ? AND name = ?) AND digest IS NOT ?`,
		time.Now().UnixMilli(), string(k.Namespace), k.Package, k.Name, digest(next))
	return err
}

// Docs implements [store.Engine].
func (d *DB) Docs(ctx context.Context, q store.DocQuery) ([]store.Doc, error) {
	where, args := docFilter(q)
	rows, err := d.reader.QueryContext(ctx, "SELECT "+docColumns+" FROM docs WHERE "+where+
		" ORDER BY updated DESC, pkg, name LIMIT ? OFFSET ?", append(args, limit(q.Limit), max(q.Skip, 0))...)
	if err != nil {
		return nil, fmt.Errorf("list entities of %s: %w", q.Namespace, err)
	}
	defer func() { _ = rows.Close() }()
	var out []store.Doc
	for rows.Next() {
		doc, err := scanDoc(rows)
		if err != nil {
			return nil, fmt.Errorf("list entities of %s: %w", q.Namespace, err)
		}
		out = append(out, doc)
	}
	return out, wrap(rows.Err(), "list entities of "+string(q.Namespace))
}

// CountDocs implements [store.Engine].
func (d *DB) CountDocs(ctx context.Context, q store.DocQuery) (int, error) {
	where, args := docFilter(q)
	var n int
	err := d.reader.QueryRowContext(ctx, "SELECT count(*) FROM docs WHERE "+where, args...).Scan(&n)
	return n, wrap(err, "count entities of "+string(q.Namespace))
}

func docFilter(q store.DocQuery) (where string, args []any) {
	where, args = "ns = ?", []any{string(q.Namespace)}
	if q.Collection != "" {
		where, args = where+" AND collection = ?", append(args, string(q.Collection))
	}
	if q.Package != nil {
		where, args = where+" AND pkg = ?", append(args, *q.Package)
	}
	return where, args
}

// limit turns "0 is none" into SQLite's way of saying so.
func limit(n int) int {
	if n <= 0 {
		return -1
	}
	return n
}

// digest makes the zero digest NULL.
func digest(d whisk.Digest) any {
	if d.IsZero() {
		return nil
	}
	return d[:]
}

// wrap adds the subject to the database's errors and leaves the domain's as
// they are.
func wrap(err error, subject string) error {
	if err == nil || whisk.KindOf(err) != whisk.Internal {
		return err
	}
	return fmt.Errorf("%s: %w", subject, err)
}
