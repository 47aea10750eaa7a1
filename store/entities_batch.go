package store

import (
	"context"
	"crypto/sha256"
	"fmt"

	"hearth/whisk"
)

// Batch is packages and actions that are written together.
type Batch struct {
	Packages []*whisk.Package
	Actions  []*whisk.Action
	Codes    [][]byte // of new actions and code; not one for each action
}

// PutBatch writes all of b or nothing of it, each over the revision that it has
// in b, 0 being a new one, and returns the new revisions, packages first. Errors
// are those of [Entities.PutAction] for the first that is in the way.
func (e *Entities) PutBatch(ctx context.Context, b Batch) ([]int64, error) {
	writes := make([]Write, 0, len(b.Packages)+len(b.Actions))
	for _, p := range b.Packages {
		out := *p
		var err error
		if out.Parameters, err = e.sealed(p.Name.Namespace, p.Parameters); err != nil {
			return nil, err
		}
		d, err := encodePackage(&out)
		if err != nil {
			return nil, err
		}
		writes = append(writes, Write{Kind: WritePut, Doc: d, IfRevision: p.Revision})
	}
	for _, a := range b.Actions {
		out := *a
		var err error
		if out.Parameters, err = e.sealed(a.Name.Namespace, a.Parameters); err != nil {
			return nil, err
		}
		d, err := encodeAction(&out)
		if err != nil {
			return nil, err
		}
		writes = append(writes, Write{Kind: WritePut, Doc: d, IfRevision: a.Revision})
	}
	n := len(writes)
	for _, a := range b.Actions { // behind all packages
		if a.Name.Package != "" {
			writes = append(writes, Write{Kind: WriteNeed, Doc: Doc{Key: packageKey(a.Name)}})
		}
	}
	for _, code := range b.Codes {
		if err := e.engine.PutCode(ctx, sha256.Sum256(code), code); err != nil {
			return nil, fmt.Errorf("store code: %w", err)
		}
	}
	docs, err := e.write(ctx, writes...)
	if err != nil {
		return nil, err
	}
	revisions := make([]int64, n)
	for i := range revisions {
		revisions[i] = docs[i].Revision
	}
	return revisions, nil
}
