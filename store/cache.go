package store

import (
	"container/list"
	"sync"

	"hearth/whisk"
)

// actionCache holds actions up to a number of bytes and drops the least
// recently used. Its generation grows with every drop: a load that began under
// an older one may have read what has been overwritten since, and is not kept.
type actionCache struct {
	limit int64

	mu         sync.Mutex // guards what follows
	generation uint64
	bytes      int64
	entries    map[Key]*list.Element
	recent     *list.List // of *cached, most recent first
}

type cached struct {
	key    Key
	action *whisk.Action
	size   int64
}

func newActionCache(limit int64) *actionCache {
	return &actionCache{limit: limit, entries: map[Key]*list.Element{}, recent: list.New()}
}

func (c *actionCache) get(k Key) (*whisk.Action, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[k]
	if !ok {
		return nil, false
	}
	c.recent.MoveToFront(e)
	return e.Value.(*cached).action, true
}

// begin returns the generation to pass to put.
func (c *actionCache) begin() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.generation
}

func (c *actionCache) put(k Key, a *whisk.Action, size int64, generation uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if generation != c.generation || size > c.limit {
		return
	}
	c.remove(k)
	c.entries[k] = c.recent.PushFront(&cached{k, a, size})
	c.bytes += size
	for c.bytes > c.limit {
		c.remove(c.recent.Back().Value.(*cached).key)
	}
}

func (c *actionCache) drop(k Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	c.remove(k)
}

// remove is called with mu held.
func (c *actionCache) remove(k Key) {
	if e, ok := c.entries[k]; ok {
		delete(c.entries, k)
		c.bytes -= c.recent.Remove(e).(*cached).size
	}
}

func (c *actionCache) size() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes
}
