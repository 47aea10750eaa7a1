package store

import (
	"context"
	"crypto/sha256"
	"fmt"

	"hearth/whisk"
)

// Action returns an action: [whisk.ErrNotFound]; [whisk.ErrCollection] if the
// name is another collection's.
func (e *Entities) Action(ctx context.Context, name whisk.ActionName) (*whisk.Action, error) {
	return find[whisk.Action](ctx, e, Key(name))
}

// PutAction writes an action and returns it with its new revision. code, if
// not nil, is stored under a.Exec.Code; nil keeps what is stored there.
// ifRevision 0 creates: [whisk.ErrExists]; else it must be the stored one:
// [whisk.ErrChanged]. [whisk.ErrCollection] if the name is another
// collection's; [whisk.ErrNotFound] if it is in a package that is gone.
func (e *Entities) PutAction(ctx context.Context, a *whisk.Action, code []byte, ifRevision int64) (*whisk.Action, error) {
	out := *a
	if a.Exec.Kind != whisk.Sequence { // whose parameters are its components
		ps, err := e.sealed(a.Name.Namespace, a.Parameters)
		if err != nil {
			return nil, err
		}
		out.Parameters = ps
	}
	d, err := encodeAction(&out)
	if err != nil {
		return nil, err
	}
	if code != nil {
		if whisk.Digest(sha256.Sum256(code)) != a.Exec.Code {
			return nil, fmt.Errorf("store action %s: its code has another digest", a.Name)
		}
		if err := e.engine.PutCode(ctx, a.Exec.Code, code); err != nil {
			return nil, fmt.Errorf("store the code of action %s: %w", a.Name, err)
		}
	}
	writes := []Write{{Kind: WritePut, Doc: d, IfRevision: ifRevision}}
	if a.Name.Package != "" {
		writes = append(writes, Write{Kind: WriteNeed, Doc: Doc{Key: packageKey(a.Name)}})
	}
	stored, err := e.write(ctx, writes...)
	if err != nil {
		return nil, e.conflict(ctx, Actions, d.Key, err)
	}
	out.Revision = stored[0].Revision
	return &out, nil
}

// DeleteAction deletes an action: [whisk.ErrNotFound], [whisk.ErrCollection];
// [whisk.ErrChanged] if ifRevision is neither 0 nor the stored one.
func (e *Entities) DeleteAction(ctx context.Context, name whisk.ActionName, ifRevision int64) error {
	return e.remove(ctx, Actions, Key(name), ifRevision)
}

// Actions lists actions, last updated first: all of a namespace, or those of
// a package, "" being the default one. Limit 0 is no limit.
func (e *Entities) Actions(ctx context.Context, ns whisk.Namespace, pkg *string, skip, limit int) ([]*whisk.Action, error) {
	return all[whisk.Action](ctx, e, DocQuery{Collection: Actions, Namespace: ns, Package: pkg, Skip: skip, Limit: limit})
}

// CountActions counts what Actions would list without skip and limit.
func (e *Entities) CountActions(ctx context.Context, ns whisk.Namespace, pkg *string) (int, error) {
	return e.engine.CountDocs(ctx, DocQuery{Collection: Actions, Namespace: ns, Package: pkg})
}

// Code returns the text of an action's code or [whisk.ErrNotFound].
func (e *Entities) Code(ctx context.Context, d whisk.Digest) ([]byte, error) {
	return e.engine.Code(ctx, d)
}
