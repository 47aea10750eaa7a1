package store

import (
	"context"
	"encoding/json"

	"hearth/whisk"
)

// APIs is the collection of the namespaces' APIs, one document each. Its name
// is none that an entity can have, so they share no id space with entities.
const APIs Collection = "apis"

const apisName = "/apis"

func apisKey(ns whisk.Namespace) Key { return Key{Namespace: ns, Name: apisName} }

// apisBody is whisk.APIs as stored.
type apisBody struct {
	List []whisk.API `json:"apis"`
}

func encodeAPIs(a *whisk.APIs) (Doc, error) {
	return encode(Doc{Key: apisKey(a.Namespace), Collection: APIs, Revision: a.Revision, Updated: a.Updated}, apisBody{a.List})
}

func decodeAPIs(d Doc) (*whisk.APIs, error) {
	var b apisBody
	if err := json.Unmarshal(d.Body, &b); err != nil {
		return nil, err
	}
	return &whisk.APIs{Namespace: d.Namespace, List: b.List, Updated: d.Updated, Revision: d.Revision}, nil
}

// APIs returns the APIs of a namespace: [whisk.ErrNotFound] without any.
func (e *Entities) APIs(ctx context.Context, ns whisk.Namespace) (*whisk.APIs, error) {
	key := apisKey(ns)
	return findKnown(e, key, func() (*whisk.APIs, error) { return find[whisk.APIs](ctx, e, key) })
}

// PutAPIs writes the APIs of a namespace as [Entities.PutAction] does an action,
// and returns them with their new revision. Where there are none left, those
// stored are deleted.
func (e *Entities) PutAPIs(ctx context.Context, a *whisk.APIs, ifRevision int64) (*whisk.APIs, error) {
	out := *a
	if len(a.List) == 0 {
		out.Revision = 0
		if ifRevision == 0 {
			return &out, nil
		}
		_, err := e.write(ctx, Write{Kind: WriteDelete, Doc: Doc{Key: apisKey(a.Namespace)}, IfRevision: ifRevision})
		return &out, err
	}
	d, err := encodeAPIs(a)
	if err != nil {
		return nil, err
	}
	stored, err := e.write(ctx, Write{Kind: WritePut, Doc: d, IfRevision: ifRevision})
	if err != nil {
		return nil, err
	}
	out.Revision = stored[0].Revision
	return &out, nil
}
