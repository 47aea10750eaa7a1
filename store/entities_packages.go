package store

import (
	"context"

	"hearth/whisk"
)

// Package returns a package or binding: [whisk.ErrNotFound];
// [whisk.ErrCollection] if the name is another collection's.
func (e *Entities) Package(ctx context.Context, name whisk.EntityName) (*whisk.Package, error) {
	return find[whisk.Package](ctx, e, entityKey(name))
}

// PutPackage writes a package as [Entities.PutAction] does an action.
func (e *Entities) PutPackage(ctx context.Context, p *whisk.Package, ifRevision int64) (*whisk.Package, error) {
	out := *p
	var err error
	if out.Parameters, err = e.sealed(p.Name.Namespace, p.Parameters); err != nil {
		return nil, err
	}
	d, err := encodePackage(&out)
	if err != nil {
		return nil, err
	}
	stored, err := e.write(ctx, Write{Kind: WritePut, Doc: d, IfRevision: ifRevision})
	if err != nil {
		return nil, e.conflict(ctx, Packages, d.Key, err)
	}
	out.Revision = stored[0].Revision
	return &out, nil
}

// DeletePackage deletes a package of that revision, and with force the actions
// in it: [whisk.ErrNotFound]; [whisk.ErrChanged] if it has another revision now
// or is not empty.
func (e *Entities) DeletePackage(ctx context.Context, p *whisk.Package, force bool) error {
	const attempts = 3 // somebody else may fill it meanwhile
	for n := 1; ; n++ {
		var writes []Write
		if force {
			keys, err := e.contents(ctx, p.Name)
			if err != nil {
				return err
			}
			for _, k := range keys {
				writes = append(writes, Write{Kind: WriteDelete, Doc: Doc{Key: k}})
			}
		}
		d := Doc{Key: entityKey(p.Name)}
		writes = append(writes, Write{Kind: WriteEmpty, Doc: d}, Write{Kind: WriteDelete, Doc: d, IfRevision: p.Revision})
		_, err := e.write(ctx, writes...)
		if err == nil || !force || n == attempts || whisk.KindOf(err) == whisk.Internal {
			return err
		}
		if now, e := e.engine.Doc(ctx, d.Key); e != nil || now.Revision != p.Revision {
			return err
		}
	}
}

// contents returns the keys of what is in a package.
func (e *Entities) contents(ctx context.Context, name whisk.EntityName) ([]Key, error) {
	const atOnce = 25 // each may be megabytes
	q := DocQuery{Namespace: name.Namespace, Package: &name.Name, Limit: atOnce}
	var keys []Key
	for {
		docs, err := e.engine.Docs(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, d := range docs {
			keys = append(keys, d.Key)
		}
		if len(docs) < atOnce {
			return keys, nil
		}
		q.Skip += atOnce
	}
}

// Packages lists packages, last updated first; public leaves out bindings and
// those that are not published. Limit 0 is no limit.
func (e *Entities) Packages(ctx context.Context, ns whisk.Namespace, public bool, skip, limit int) ([]*whisk.Package, error) {
	return all[whisk.Package](ctx, e, DocQuery{Collection: Packages, Namespace: ns, Public: public, Skip: skip, Limit: limit})
}

// CountPackages counts what Packages would list without skip and limit.
func (e *Entities) CountPackages(ctx context.Context, ns whisk.Namespace, public bool) (int, error) {
	return e.engine.CountDocs(ctx, DocQuery{Collection: Packages, Namespace: ns, Public: public})
}

// packageKey returns the key of the package that an action is in.
func packageKey(n whisk.ActionName) Key { return Key{Namespace: n.Namespace, Name: n.Package} }
