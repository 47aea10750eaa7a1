package postgres

import (
	"context"
	"errors"
	"hash/fnv"
	"slices"

	"github.com/jackc/pgx/v5"

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

// WriteDocs implements [store.Engine]. It holds the locks of the writes'
// namespaces, and takes the number of the last change only with the statements
// that come before the commit, so that writes of other namespaces wait for no
// more than those.
func (d *DB) WriteDocs(ctx context.Context, writes []store.Write) (out []store.Doc, err error) {
	if len(writes) == 0 {
		return nil, nil
	}
	err = d.write(ctx, func(tx pgx.Tx) error {
		p, err := planDocs(ctx, tx, writes)
		if err != nil {
			return err
		}
		out = make([]store.Doc, len(writes))
		for i, w := range writes {
			if out[i], err = p.write(w); err != nil {
				return wrap(err, "write "+w.Doc.Key.String())
			}
		}
		if len(p.keys) == 0 {
			return nil
		}
		last, err := d.writePlan(ctx, tx, p)
		before := last - int64(len(p.keys))
		for i := range out {
			if out[i].Revision != 0 {
				out[i].Revision = before - out[i].Revision
			}
		}
		return err
	})
	if err != nil {
		return nil, wrap(err, "write "+writes[0].Doc.Key.String())
	}
	return out, nil
}

// lockOf returns the number of an advisory lock. Two may share one: they then
// wait for each other.
func lockOf(kind, name string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(kind + "\x00" + name)) // never fails
	return int64(h.Sum64())
}

// lockText takes advisory locks, which must come in ascending order.
const lockText = "SELECT pg_advisory_xact_lock(key) FROM unnest($1::bigint[]) AS key"

// planDocs locks the namespaces of the writes and reads what these need.
func planDocs(ctx context.Context, tx pgx.Tx, writes []store.Write) (*docPlan, error) {
	p := &docPlan{
		states: map[store.Key]docState{}, inside: map[store.Key][]string{},
		put: map[store.Key]store.Doc{}, del: map[store.Key]bool{}, released: map[whisk.Digest]bool{},
	}
	var locks []int64
	var spaces, pkgs, names []string
	for _, w := range writes {
		k := w.Doc.Key
		locks = append(locks, lockOf("docs", string(k.Namespace)))
		spaces, pkgs, names = append(spaces, string(k.Namespace)), append(pkgs, k.Package), append(names, k.Name)
	}
	slices.Sort(locks)
	b := &pgx.Batch{}
	b.Queue(lockText, slices.Compact(locks))
	b.Queue(`SELECT d.ns, d.pkg, d.name, d.collection, d.revision, d.code
		FROM unnest($1::text[], $2::text[], $3::text[]) k (ns, pkg, name) JOIN docs d USING (ns, pkg, name)`, spaces, pkgs, names).
		Query(func(rows pgx.Rows) error {
			var k store.Key
			var code []byte
			var s docState
			_, err := pgx.ForEachRow(rows, []any{&k.Namespace, &k.Package, &k.Name, &s.collection, &s.revision, &code}, func() error {
				s.code = whisk.Digest{}
				copy(s.code[:], code)
				p.states[k] = s
				return nil
			})
			return err
		})
	for _, w := range writes {
		if w.Kind != store.WriteEmpty {
			continue
		}
		k := w.Doc.Key
		b.Queue("SELECT name FROM docs WHERE ns = $1 AND pkg = $2 LIMIT $3", string(k.Namespace), k.Name, len(writes)).
			Query(func(rows pgx.Rows) error {
				names, err := pgx.CollectRows(rows, pgx.RowTo[string])
				p.inside[k] = names
				return err
			})
	}
	return p, tx.SendBatch(ctx, b).Close()
}

// writePlan writes what a plan has come to and returns the number of its last
// change.
func (d *DB) writePlan(ctx context.Context, tx pgx.Tx, p *docPlan) (last int64, err error) {
	b := &pgx.Batch{}
	if len(p.released) > 0 {
		var codes [][]byte
		for c := range p.released {
			codes = append(codes, c[:])
		}
		b.Queue(releaseText, codes)
	}
	if len(p.del) > 0 {
		var spaces, pkgs, names []string
		for k := range p.del {
			spaces, pkgs, names = append(spaces, string(k.Namespace)), append(pkgs, k.Package), append(names, k.Name)
		}
		b.Queue(`DELETE FROM docs USING unnest($1::text[], $2::text[], $3::text[]) k (ns, pkg, name)
			WHERE docs.ns = k.ns AND docs.pkg = k.pkg AND docs.name = k.name`, spaces, pkgs, names)
	}
	d.queueChanges(b, p.kinds, p.keys, &last)
	for _, doc := range p.put {
		b.Queue(putDocText, string(doc.Namespace), doc.Package, doc.Name, string(doc.Collection),
			int64(len(p.keys))+doc.Revision, doc.Updated, digest(doc.Code), doc.Public, blob(doc.Body))
	}
	err = tx.SendBatch(ctx, b).Close()
	if errors.Is(err, pgx.ErrNoRows) {
		err = errors.New("the row of the last change is missing")
	}
	return last, err
}

const (
	// releaseText makes blobs young that documents cease to name.
	releaseText = `UPDATE codes SET since = now_ms()
		WHERE digest IN (SELECT digest FROM codes WHERE digest = ANY($1::bytea[]) ORDER BY digest FOR NO KEY UPDATE)`

	// putDocText writes a document. Its revision is given by how many changes
	// of the transaction follow its own.
	putDocText = `INSERT INTO docs (` + docColumns + `)
		VALUES ($1, $2, $3, $4, (SELECT seq FROM last_change) - $5::bigint, $6, $7, $8, $9)
		ON CONFLICT (ns, pkg, name) DO UPDATE SET collection = excluded.collection, revision = excluded.revision,
			updated = excluded.updated, code = excluded.code, public = excluded.public, body = excluded.body`
)
