package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"hearth/store"
	"hearth/whisk"
)

const docColumns = "ns, pkg, name, collection, revision, updated, code, public, body, sum"

type scanner interface{ Scan(...any) error }

// scanDoc reads a document: [whisk.ErrCorrupted] if it is not what was stored.
func scanDoc(s scanner) (store.Doc, error) {
	var d store.Doc
	var code []byte
	var sum int64
	err := s.Scan(&d.Namespace, &d.Package, &d.Name, &d.Collection, &d.Revision, &d.Updated, &code, &d.Public, &d.Body, &sum)
	copy(d.Code[:], code)
	if err == nil && sum != docSum(d) {
		err = damaged(string(d.Collection) + " " + d.Key.String())
	}
	return d, err
}

func docSum(d store.Doc) int64 {
	return rowSum(string(d.Namespace), d.Package, d.Name, string(d.Collection), d.Revision, d.Updated, digest(d.Code), d.Public, blob(d.Body))
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
		return store.Doc{}, d.report(wrap(err, "read "+k.String()))
	}
	return doc, nil
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
		if errors.Is(err, whisk.ErrCorrupted) {
			_ = d.report(err) // the others are none the worse
			continue
		}
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
	if q.Public {
		where += " AND public"
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
	if isDamage(err) {
		return fmt.Errorf("%s: %w: %w", subject, whisk.ErrCorrupted, err)
	}
	return fmt.Errorf("%s: %w", subject, err)
}
