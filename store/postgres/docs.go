package postgres

import (
	"context"
	"strconv"

	"github.com/jackc/pgx/v5"

	"hearth/store"
)

const docColumns = "ns, pkg, name, collection, revision, updated, code, public, body"

func scanDoc(r pgx.CollectableRow) (store.Doc, error) {
	var d store.Doc
	var code []byte
	err := r.Scan(&d.Namespace, &d.Package, &d.Name, &d.Collection, &d.Revision, &d.Updated, &code, &d.Public, &d.Body)
	copy(d.Code[:], code)
	return d, err
}

// Doc implements [store.Engine].
func (d *DB) Doc(ctx context.Context, k store.Key) (store.Doc, error) {
	doc, err := one(ctx, d, scanDoc, "SELECT "+docColumns+" FROM docs WHERE ns = $1 AND pkg = $2 AND name = $3",
		string(k.Namespace), k.Package, k.Name)
	return doc, wrap(err, "read "+k.String())
}

// Docs implements [store.Engine].
func (d *DB) Docs(ctx context.Context, q store.DocQuery) ([]store.Doc, error) {
	where, args := docFilter(q)
	out, err := list(ctx, d, scanDoc, docsText(where, len(args), q.Skip > 0), append(args, limit(q.Limit), max(q.Skip, 0))...)
	return out, wrap(err, "list entities of "+string(q.Namespace))
}

// docsText returns the statement of a list. Where some are skipped, those that
// are not are chosen first, from an index alone.
func docsText(where string, args int, skip bool) string {
	const order = " ORDER BY updated DESC, pkg, name"
	page := where + order + " LIMIT $" + strconv.Itoa(args+1) + " OFFSET $" + strconv.Itoa(args+2)
	if !skip {
		return "SELECT " + docColumns + " FROM docs WHERE " + page
	}
	return "SELECT " + docColumns + " FROM (SELECT ns, pkg, name FROM docs WHERE " + page + ") page JOIN docs USING (ns, pkg, name)" + order
}

// CountDocs implements [store.Engine].
func (d *DB) CountDocs(ctx context.Context, q store.DocQuery) (int, error) {
	where, args := docFilter(q)
	n, err := number(ctx, d, "SELECT count(*) FROM docs WHERE "+where, args...)
	return n, wrap(err, "count entities of "+string(q.Namespace))
}

func docFilter(q store.DocQuery) (where string, args []any) {
	where, args = "ns = $1", []any{string(q.Namespace)}
	and := func(column string, value any) {
		args = append(args, value)
		where += " AND " + column + " = $" + strconv.Itoa(len(args))
	}
	if q.Collection != "" {
		and("collection", string(q.Collection))
	}
	if q.Package != nil {
		and("pkg", *q.Package)
	}
	if q.Public {
		where += " AND public"
	}
	return where, args
}
