package store

import (
	"strings"
	"sync"

	"hearth/whisk"
)

// absent remembers under which names there is nothing, until any document
// changes: strangers may ask for such names as often as they like.
type absent struct {
	mu      sync.Mutex // guards what follows
	changes uint64     // counts changes: what was looked for before one is not kept
	keys    map[Key]struct{}
}

// maxAbsent bounds the names, about 1 KB each at the most.
const maxAbsent = 4096

func newAbsent() *absent { return &absent{keys: map[Key]struct{}{}} }

func (a *absent) has(k Key) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, ok := a.keys[k]
	return ok
}

// begin returns a number to be passed to add, taken before the engine is asked.
func (a *absent) begin() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.changes
}

func (a *absent) add(k Key, changes uint64) {
	// Names come in URLs: keep nothing else of those.
	k = Key{Namespace: whisk.Namespace(strings.Clone(string(k.Namespace))), Package: strings.Clone(k.Package), Name: strings.Clone(k.Name)}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.changes != changes {
		return
	}
	if len(a.keys) >= maxAbsent {
		clear(a.keys)
	}
	a.keys[k] = struct{}{}
}

func (a *absent) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.changes++
	clear(a.keys)
}
