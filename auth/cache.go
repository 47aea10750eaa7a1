package auth

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"hearth/whisk"
)

// entry is what the store knew of a uuid. It never changes but for used.
type entry struct {
	mac    [32]byte
	sealed []byte
	id     *whisk.Identity // nil: nobody enters by this uuid (unknown or blocked)
	until  time.Time       // when the store is to be asked again
	used   atomic.Int64    // Unix seconds, for eviction
}

// cache remembers entries by uuid in two tiers: proven entries were opened
// with the right key, the others are on probation. An entry is in one tier at
// most. It is split into shards so that requests do not meet on one lock.
type cache struct {
	seed        maphash.Seed
	maxProven   int // per shard
	maxUnproven int
	shards      [cacheShards]cacheShard
}

const cacheShards = 16

type cacheShard struct {
	mu       sync.RWMutex // guards all below
	changes  uint64       // counts drops: an entry read from the store before one is not kept
	proven   map[string]*entry
	unproven map[string]*entry
}

func newCache(proven, unproven int) *cache {
	c := &cache{
		seed:        maphash.MakeSeed(),
		maxProven:   max(1, proven/cacheShards),
		maxUnproven: max(1, unproven/cacheShards),
	}
	for i := range c.shards {
		c.shards[i].proven = map[string]*entry{}
		c.shards[i].unproven = map[string]*entry{}
	}
	return c
}

func (c *cache) shard(uuid string) *cacheShard {
	return &c.shards[maphash.String(c.seed, uuid)%cacheShards]
}

// get returns the entry of uuid, expired or not, or nil, and whether it is
// proven.
func (c *cache) get(uuid string, now time.Time) (e *entry, proven bool) {
	s := c.shard(uuid)
	s.mu.RLock()
	e, proven = s.proven[uuid]
	if !proven {
		e = s.unproven[uuid]
	}
	s.mu.RUnlock()
	if e != nil {
		e.used.Store(now.Unix())
	}
	return e, proven
}

// changes returns a number to be passed to put, taken before the store is read.
func (c *cache) changes(uuid string) uint64 {
	s := c.shard(uuid)
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.changes
}

// put keeps what the store said, unless something was dropped since. A uuid
// that is proven stays so while somebody can enter by it with the same key.
func (c *cache) put(uuid string, e *entry, changes uint64) {
	s := c.shard(uuid)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changes != changes {
		return
	}
	if old, ok := s.proven[uuid]; ok {
		if e.id != nil && e.mac == old.mac {
			s.proven[uuid] = e
			return
		}
		delete(s.proven, uuid)
	}
	if _, ok := s.unproven[uuid]; !ok && len(s.unproven) >= c.maxUnproven {
		evict(s.unproven)
	}
	s.unproven[uuid] = e
}

// prove moves e from probation to the lasting tier, if it is still there.
func (c *cache) prove(uuid string, e *entry) {
	s := c.shard(uuid)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unproven[uuid] != e {
		return
	}
	delete(s.unproven, uuid)
	if len(s.proven) >= c.maxProven {
		evict(s.proven)
	}
	s.proven[uuid] = e
}

func (c *cache) drop(uuid string) {
	s := c.shard(uuid)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes++
	delete(s.proven, uuid)
	delete(s.unproven, uuid)
}

func (c *cache) dropNamespace(ns whisk.Namespace) {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		s.changes++
		for _, m := range []map[string]*entry{s.proven, s.unproven} {
			for uuid, e := range m {
				if e.id != nil && e.id.Namespace == ns {
					delete(m, uuid)
				}
			}
		}
		s.mu.Unlock()
	}
}

func (c *cache) dropAll() {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		s.changes++
		clear(s.proven)
		clear(s.unproven)
		s.mu.Unlock()
	}
}

func (c *cache) sizes() (proven, unproven int) {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.RLock()
		proven += len(s.proven)
		unproven += len(s.unproven)
		s.mu.RUnlock()
	}
	return proven, unproven
}

// evict removes the least recently used of a few entries: near enough to the
// least recently used of all, without a list to keep.
func evict(m map[string]*entry) {
	const sample = 8
	var victim string
	var oldest int64
	n := 0
	for uuid, e := range m {
		if u := e.used.Load(); n == 0 || u < oldest {
			victim, oldest = uuid, u
		}
		if n++; n == sample {
			break
		}
	}
	delete(m, victim)
}
