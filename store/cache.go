package store

import (
	"container/list"
	"sync"

	"hearth/whisk"
)

// entityCache holds entities and what action names resolve to, up to a number
// of bytes, and drops the least recently used. Its generation grows with every
// drop: a load that began under an older one may have read what has been
// overwritten since, and is not kept. What a name resolves to depends on up to
// three entities, so it counts only in the generation that it was put under.
type entityCache struct {
	limit int64

	mu         sync.Mutex // guards what follows
	generation uint64
	bytes      int64
	entries    map[cacheKey]*list.Element
	recent     *list.List // of *cached, most recent first
}

type cacheKey struct {
	Key
	resolved bool // of a whisk.Resolved, else of the entity itself
}

type cached struct {
	key        cacheKey
	entity     any // *whisk.Action and so on, or *whisk.Resolved
	revision   int64
	size       int64
	generation uint64
}

func newEntityCache(limit int64) *entityCache {
	return &entityCache{limit: limit, entries: map[cacheKey]*list.Element{}, recent: list.New()}
}

// get returns the entity of that key.
func (c *entityCache) get(k Key) (any, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[cacheKey{Key: k}]
	if !ok {
		return nil, false
	}
	c.recent.MoveToFront(e)
	return e.Value.(*cached).entity, true
}

// knows reports whether the entity of that key is there in this revision or a
// later one.
func (c *entityCache) knows(k Key, revision int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[cacheKey{Key: k}]
	return ok && e.Value.(*cached).revision >= revision
}

// resolved returns what the name resolved to, nil if that is not known, and
// whether it still does.
func (c *entityCache) resolved(k Key) (_ *whisk.Resolved, fresh bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[cacheKey{k, true}]
	if !ok {
		return nil, false
	}
	c.recent.MoveToFront(e)
	v := e.Value.(*cached)
	return v.entity.(*whisk.Resolved), v.generation == c.generation
}

// begin returns the generation of what is loaded from now on.
func (c *entityCache) begin() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.generation
}

func (c *entityCache) put(v cached) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v.generation != c.generation || v.size > c.limit {
		return
	}
	c.remove(v.key)
	c.entries[v.key] = c.recent.PushFront(&v)
	c.bytes += v.size
	for c.bytes > c.limit {
		c.remove(c.recent.Back().Value.(*cached).key)
	}
}

func (c *entityCache) drop(k Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	c.remove(cacheKey{Key: k})
}

func (c *entityCache) dropAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	c.bytes = 0
	clear(c.entries)
	c.recent.Init()
}

// remove is called with mu held.
func (c *entityCache) remove(k cacheKey) {
	if e, ok := c.entries[k]; ok {
		delete(c.entries, k)
		c.bytes -= c.recent.Remove(e).(*cached).size
	}
}

func (c *entityCache) size() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes
}
