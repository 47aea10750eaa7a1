package store

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"hearth/whisk"
)

// None is an [Engine] that keeps entities, code, credentials and queue rows in
// memory and throws records away. It is for measuring what the rest costs:
// nothing survives, and the first record of an id does not win, as nobody
// remembers it.
type None struct {
	// ClaimLease is for how long a claim of a queue row holds. It must not be
	// changed once the engine is in use.
	ClaimLease time.Duration

	mu          sync.RWMutex // guards what follows; stored bytes are never changed
	seq         int64        // the change log's last number
	changes     []Change     // its end
	docs        map[Key]Doc
	codes       map[whisk.Digest]noneCode
	credentials map[string]Credential
	limits      map[whisk.Namespace]whisk.NamespaceLimits
	notes       map[string][]byte
	alarms      map[whisk.EntityName]noneAlarm
	rowSeq      int64
	rows        map[whisk.ActivationID]*noneRow
	served      whisk.Namespace // whose row was claimed last
	dead        map[whisk.ActivationID]DeadLetter
	leases      map[string]noneLease
}

type noneCode struct {
	text  []byte
	since time.Time
}

var _ Engine = (*None)(nil)

// NewNone returns an empty engine.
func NewNone() *None {
	return &None{
		ClaimLease: ClaimLease,
		docs:       map[Key]Doc{}, codes: map[whisk.Digest]noneCode{}, credentials: map[string]Credential{},
		limits: map[whisk.Namespace]whisk.NamespaceLimits{}, notes: map[string][]byte{}, alarms: map[whisk.EntityName]noneAlarm{},
		rows: map[whisk.ActivationID]*noneRow{}, dead: map[whisk.ActivationID]DeadLetter{}, leases: map[string]noneLease{},
	}
}

// Doc implements [Engine].
func (n *None) Doc(_ context.Context, k Key) (Doc, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	d, ok := n.docs[k]
	if !ok {
		return Doc{}, whisk.ErrNotFound
	}
	return d, nil
}

// Docs implements [Engine].
func (n *None) Docs(_ context.Context, q DocQuery) ([]Doc, error) {
	docs := n.selectDocs(q)
	slices.SortFunc(docs, func(a, b Doc) int {
		return cmp.Or(cmp.Compare(b.Updated, a.Updated), cmp.Compare(a.Package, b.Package), cmp.Compare(a.Name, b.Name))
	})
	docs = docs[min(max(q.Skip, 0), len(docs)):]
	if q.Limit > 0 {
		docs = docs[:min(q.Limit, len(docs))]
	}
	return docs, nil
}

// CountDocs implements [Engine].
func (n *None) CountDocs(_ context.Context, q DocQuery) (int, error) {
	return len(n.selectDocs(q)), nil
}

func (n *None) selectDocs(q DocQuery) []Doc {
	n.mu.RLock()
	defer n.mu.RUnlock()
	var docs []Doc
	for _, d := range n.docs {
		if d.Namespace == q.Namespace && (q.Collection == "" || d.Collection == q.Collection) &&
			(q.Package == nil || d.Package == *q.Package) && (d.Public || !q.Public) {
			docs = append(docs, d)
		}
	}
	return docs
}

// PutCode implements [Engine].
func (n *None) PutCode(_ context.Context, d whisk.Digest, text []byte) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.codes[d] = noneCode{bytes.Clone(text), time.Now()}
	return nil
}

// Code implements [Engine].
func (n *None) Code(_ context.Context, d whisk.Digest) ([]byte, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	c, ok := n.codes[d]
	if !ok {
		return nil, whisk.ErrNotFound
	}
	return c.text, nil
}

// SweepCode implements [Engine].
func (n *None) SweepCode(_ context.Context, olderThan time.Time) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	named := map[whisk.Digest]bool{}
	for _, d := range n.docs {
		named[d.Code] = true
	}
	for _, r := range n.rows {
		named[r.Code] = true
	}
	for _, l := range n.dead {
		named[l.Code] = true
	}
	before := len(n.codes)
	maps.DeleteFunc(n.codes, func(d whisk.Digest, c noneCode) bool { return !named[d] && c.since.Before(olderThan) })
	return before - len(n.codes), nil
}

// Close implements [Engine].
func (n *None) Close() error { return nil }
