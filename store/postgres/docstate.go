package postgres

import (
	"fmt"

	"hearth/store"
	"hearth/whisk"
)

// docState is what writes need to know of a document.
type docState struct {
	collection store.Collection
	revision   int64 // 0: it is not there
	code       whisk.Digest
}

// docPlan is what a list of writes comes to, found out without the database.
// Revisions count from the last change before it.
type docPlan struct {
	states map[store.Key]docState // as stored, then as written
	inside map[store.Key][]string // names in packages that are to be empty; not all, but enough

	kinds, keys []string                // of the changes
	put         map[store.Key]store.Doc // those to be written, each as it is left
	del         map[store.Key]bool
	released    map[whisk.Digest]bool // blobs that documents cease to name
}

// write carries out one write.
func (p *docPlan) write(w store.Write) (store.Doc, error) {
	k := w.Doc.Key
	old := p.states[k]
	switch w.Kind {
	case store.WritePut:
		switch {
		case old.revision != 0 && w.IfRevision == 0:
			return store.Doc{}, whisk.ErrExists
		case old.revision != w.IfRevision:
			return store.Doc{}, whisk.ErrChanged
		}
		return p.putDoc(old, w.Doc), nil
	case store.WriteDelete, store.WriteNeed:
		switch {
		case old.revision == 0:
			return store.Doc{}, whisk.ErrNotFound
		case w.IfRevision != 0 && w.IfRevision != old.revision:
			return store.Doc{}, whisk.ErrChanged
		}
		if w.Kind == store.WriteDelete {
			p.release(old.code, whisk.Digest{})
			p.change(old.collection, k)
			p.states[k], p.del[k] = docState{}, true
			delete(p.put, k)
		}
		return store.Doc{}, nil
	case store.WriteEmpty:
		return store.Doc{}, p.checkEmpty(k)
	}
	return store.Doc{}, fmt.Errorf("unknown kind of write %d", w.Kind)
}

func (p *docPlan) putDoc(old docState, d store.Doc) store.Doc {
	p.release(old.code, d.Code)
	p.change(d.Collection, d.Key)
	// Negative, so that it is no stored one: nobody has been told of it.
	d.Revision = -int64(len(p.keys))
	p.states[d.Key] = docState{d.Collection, d.Revision, d.Code}
	p.put[d.Key] = d
	delete(p.del, d.Key)
	return d
}

func (p *docPlan) change(c store.Collection, k store.Key) {
	p.kinds, p.keys = append(p.kinds, string(c)), append(p.keys, k.String())
}

func (p *docPlan) release(old, next whisk.Digest) {
	if !old.IsZero() && old != next {
		p.released[old] = true
	}
}

func (p *docPlan) checkEmpty(pkg store.Key) error {
	for _, name := range p.inside[pkg] {
		if !p.del[store.Key{Namespace: pkg.Namespace, Package: pkg.Name, Name: name}] {
			return whisk.ErrChanged
		}
	}
	for k := range p.put {
		if k.Namespace == pkg.Namespace && k.Package == pkg.Name {
			return whisk.ErrChanged
		}
	}
	return nil
}
