package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"hearth/whisk"
)

// PutDoc implements [Engine].
func (n *None) PutDoc(ctx context.Context, d Doc, ifRevision int64) (Doc, error) {
	out, err := n.WriteDocs(ctx, []Write{{Kind: WritePut, Doc: d, IfRevision: ifRevision}})
	if err != nil {
		return Doc{}, err
	}
	return out[0], nil
}

// DeleteDoc implements [Engine].
func (n *None) DeleteDoc(ctx context.Context, k Key, ifRevision int64) error {
	_, err := n.WriteDocs(ctx, []Write{{Kind: WriteDelete, Doc: Doc{Key: k}, IfRevision: ifRevision}})
	return err
}

// noneWrites is what writes make of the documents: a nil one is deleted.
type noneWrites struct {
	n    *None
	docs map[Key]*Doc
	log  []Change
}

// WriteDocs implements [Engine].
func (n *None) WriteDocs(_ context.Context, writes []Write) ([]Doc, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	t := noneWrites{n: n, docs: map[Key]*Doc{}}
	out := make([]Doc, len(writes))
	for i, w := range writes {
		d, err := t.write(w)
		if err != nil {
			return nil, err
		}
		out[i] = d
	}
	for k, d := range t.docs {
		old := n.docs[k]
		if d == nil {
			delete(n.docs, k)
			n.released(old.Code)
			continue
		}
		n.docs[k] = *d
		if old.Code != d.Code {
			n.released(old.Code)
		}
	}
	for _, c := range t.log {
		n.change(c.Kind, c.Key)
	}
	return out, nil
}

func (t *noneWrites) doc(k Key) (Doc, bool) {
	if d, ok := t.docs[k]; ok {
		if d == nil {
			return Doc{}, false
		}
		return *d, true
	}
	d, ok := t.n.docs[k]
	return d, ok
}

// write carries out one write, with the engine's mu held.
func (t *noneWrites) write(w Write) (Doc, error) {
	k := w.Doc.Key
	old, ok := t.doc(k)
	switch w.Kind {
	case WritePut:
		switch {
		case ok && w.IfRevision == 0:
			return Doc{}, whisk.ErrExists
		case old.Revision != w.IfRevision:
			return Doc{}, whisk.ErrChanged
		}
		d := w.Doc
		t.log = append(t.log, Change{Kind: string(d.Collection), Key: k.String()})
		d.Revision, d.Body = t.n.seq+int64(len(t.log)), slices.Clone(d.Body)
		t.docs[k] = &d
		return d, nil
	case WriteDelete, WriteNeed:
		switch {
		case !ok:
			return Doc{}, whisk.ErrNotFound
		case w.IfRevision != 0 && w.IfRevision != old.Revision:
			return Doc{}, whisk.ErrChanged
		}
		if w.Kind == WriteDelete {
			t.log = append(t.log, Change{Kind: string(old.Collection), Key: k.String()})
			t.docs[k] = nil
		}
		return Doc{}, nil
	case WriteEmpty:
		return Doc{}, t.checkEmpty(k)
	}
	return Doc{}, fmt.Errorf("unknown kind of write %d", w.Kind)
}

func (t *noneWrites) checkEmpty(pkg Key) error {
	inside := func(k Key) bool { return k.Namespace == pkg.Namespace && k.Package == pkg.Name }
	for k, d := range t.docs {
		if d != nil && inside(k) {
			return whisk.ErrChanged
		}
	}
	for k := range maps.Keys(t.n.docs) {
		if _, written := t.docs[k]; !written && inside(k) {
			return whisk.ErrChanged
		}
	}
	return nil
}

// released notes, with mu held, that a document names a blob no more.
func (n *None) released(d whisk.Digest) {
	if c, ok := n.codes[d]; ok {
		c.since = time.Now()
		n.codes[d] = c
	}
}

// noneChanges is how many changes are kept, and at times twice as many.
const noneChanges = 10_000

// change appends to the change log, with mu held.
func (n *None) change(kind, key string) {
	n.seq++
	if len(n.changes) == 2*noneChanges {
		n.changes = append([]Change(nil), n.changes[noneChanges:]...)
	}
	n.changes = append(n.changes, Change{n.seq, kind, key})
}

// Changes implements [Engine].
func (n *None) Changes(_ context.Context, after int64, limit int) ([]Change, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	first := n.seq - int64(len(n.changes)) + 1
	if after > n.seq || after < first-1 {
		return nil, ErrChangesLost
	}
	rest := n.changes[after-first+1:]
	return slices.Clone(rest[:min(limit, len(rest))]), nil
}

// LastChange implements [Engine].
func (n *None) LastChange(context.Context) (int64, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.seq, nil
}
