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

// PutDoc implements [store.Engine].
func (d *DB) PutDoc(ctx context.Context, doc store.Doc, ifRevision int64) (store.Doc, error) {
	out, err := d.WriteDocs(ctx, []store.Write{{Kind: store.WritePut, Doc: doc, IfRevision: ifRevision}})
	if err != nil {
		return store.Doc{}, err
	}
	return out[0], nil
}

// DeleteDoc implements [store.Engine].
func (d *DB) DeleteDoc(ctx context.Context, k store.Key, ifRevision int64) error {
	_, err := d.WriteDocs(ctx, []store.Write{{Kind: store.WriteDelete, Doc: store.Doc{Key: k}, IfRevision: ifRevision}})
	return err
}

// WriteDocs implements [store.Engine].
func (d *DB) WriteDocs(ctx context.Context, writes []store.Write) ([]store.Doc, error) {
	out := make([]store.Doc, len(writes))
	err := d.write(ctx, func(tx *sql.Tx) error {
		for i, w := range writes {
			doc, err := d.writeDoc(ctx, tx, w)
			if err != nil {
				return wrap(err, "write "+w.Doc.Key.String())
			}
			out[i] = doc
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (d *DB) writeDoc(ctx context.Context, tx *sql.Tx, w store.Write) (store.Doc, error) {
	if w.Kind == store.WriteEmpty {
		return store.Doc{}, checkEmpty(ctx, tx, w.Doc.Key)
	}
	have, err := revision(ctx, tx, w.Doc.Key)
	if err != nil {
		return store.Doc{}, err
	}
	switch w.Kind {
	case store.WritePut:
		return d.putDoc(ctx, tx, w, have)
	case store.WriteDelete, store.WriteNeed:
		switch {
		case have == 0:
			return store.Doc{}, whisk.ErrNotFound
		case w.IfRevision != 0 && have != w.IfRevision:
			return store.Doc{}, whisk.ErrChanged
		case w.Kind == store.WriteNeed:
			return store.Doc{}, nil
		}
		return store.Doc{}, d.deleteDoc(ctx, tx, w.Doc.Key)
	}
	return store.Doc{}, fmt.Errorf("unknown kind of write %d", w.Kind)
}

// putDoc writes the document of w over the one that has the revision have, 0
// being none.
func (d *DB) putDoc(ctx context.Context, tx *sql.Tx, w store.Write, have int64) (store.Doc, error) {
	switch {
	case w.IfRevision == 0 && have != 0:
		return store.Doc{}, whisk.ErrExists
	case have != w.IfRevision:
		return store.Doc{}, whisk.ErrChanged
	}
	doc := w.Doc
	var err error
	if doc.Revision, err = d.change(ctx, tx, string(doc.Collection), doc.Key.String()); err != nil {
		return store.Doc{}, err
	}
	if err := release(ctx, tx, doc.Key, doc.Code); err != nil {
		return store.Doc{}, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO docs (`+docColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (ns, pkg, name) DO UPDATE SET collection = excluded.collection, revision = excluded.revision,
			updated = excluded.updated, code = excluded.code, public = excluded.public, body = excluded.body, sum = excluded.sum`,
		string(doc.Namespace), doc.Package, doc.Name, string(doc.Collection), doc.Revision, doc.Updated,
		digest(doc.Code), doc.Public, blob(doc.Body), docSum(doc))
	return doc, err
}

func (d *DB) deleteDoc(ctx context.Context, tx *sql.Tx, k store.Key) error {
	if err := release(ctx, tx, k, whisk.Digest{}); err != nil {
		return err
	}
	var collection string
	err := tx.QueryRowContext(ctx, "DELETE FROM docs WHERE ns = ? AND pkg = ? AND name = ? RETURNING collection",
		string(k.Namespace), k.Package, k.Name).Scan(&collection)
	if err != nil {
		return err
	}
	_, err = d.change(ctx, tx, collection, k.String())
	return err
}

// checkEmpty fails if a document is in the package of that key.
func checkEmpty(ctx context.Context, tx *sql.Tx, k store.Key) error {
	var full bool
	err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM docs WHERE ns = ? AND pkg = ?)", string(k.Namespace), k.Name).Scan(&full)
	if err == nil && full {
		return whisk.ErrChanged
	}
	return err
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
