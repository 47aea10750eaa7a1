package sqlite

import (
	"sync"
	"time"

	"hearth/store"
	"hearth/whisk"
)

// claims remembers who holds which row of the queue. The file has one process,
// and so the claims need not be in it: they end with the process that made
// them. They change only where the writer's connection is held, so that nobody
// claims what a commit under way is starting.
type claims struct {
	lease time.Duration

	mu    sync.Mutex // guards all below
	held  map[whisk.ActivationID]hold
	heads map[whisk.Namespace]head // so that not all that is held is looked at for each claim
	one   int64                    // the only holder so far; 0: there was none
	many  bool                     // there were several
}

// hold is who has something, and until when nobody else may have it.
type hold struct {
	holder int64 // 0: nobody
	until  time.Time
}

// free reports whether anybody may take what is held.
func (h hold) free(now time.Time) bool { return h.holder == 0 || h.until.Before(now) }

func newClaims(lease time.Duration) *claims {
	return &claims{lease: lease, held: map[whisk.ActivationID]hold{}, heads: map[whisk.Namespace]head{}}
}

func (c *claims) of(id whisk.ActivationID) hold {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.held[id]
}

// set gives rows to holders, or to nobody.
func (c *claims) set(changes map[whisk.ActivationID]hold) {
	if len(changes) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, h := range changes {
		if h.holder == 0 {
			delete(c.held, id)
			continue
		}
		c.held[id] = h
		c.many = c.many || c.one != 0 && c.one != h.holder
		c.one = h.holder
	}
}

// show fills in the holders of rows.
func (c *claims) show(rows []store.QueueRow) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range rows {
		rows[i].Holder = c.held[rows[i].ID].holder
	}
}

// renew gives all that a holder has a new lease.
func (c *claims) renew(holder int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	until := time.Now().Add(c.lease)
	for id, h := range c.held {
		if h.holder == holder {
			c.held[id] = hold{holder, until}
		}
	}
	if !c.many && c.one == holder {
		for ns, h := range c.heads {
			h.until = until
			c.heads[ns] = h
		}
	}
}

// newHolds are the claims that a commit under way makes and ends. They hold
// once it has been carried out.
type newHolds struct {
	known *claims
	found map[whisk.ActivationID]hold
	freed bool // some row
}

func (n *newHolds) of(id whisk.ActivationID) int64 {
	if h, ok := n.found[id]; ok {
		return h.holder
	}
	return n.known.of(id).holder
}

// give gives a queued row to a holder under a new lease, or with 0 to nobody.
func (n *newHolds) give(id whisk.ActivationID, holder int64) {
	n.freed = n.freed || holder == 0
	n.set(id, hold{holder, time.Now().Add(n.known.lease)})
}

// end forgets the holder of a row that is gone.
func (n *newHolds) end(id whisk.ActivationID) { n.set(id, hold{}) }

func (n *newHolds) set(id whisk.ActivationID, h hold) {
	if h.holder == 0 && n.of(id) == 0 {
		return
	}
	if n.found == nil {
		n.found = map[whisk.ActivationID]hold{}
	}
	n.found[id] = h
}

func (n *newHolds) keep() {
	n.known.set(n.found)
	if n.freed {
		n.known.forgetHeads()
	}
}

// head is the beginning of a namespace's queue, as far as somebody holds every
// row that is queued there.
type head struct {
	before int64     // seq
	until  time.Time // when the first of the leases is over
}

// head returns that of a namespace, if it still stands.
func (c *claims) head(ns whisk.Namespace, now time.Time) head {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h, ok := c.heads[ns]; ok && now.Before(h.until) {
		return h
	}
	return head{}
}

// with returns the head when one more row is part of it.
func (h head) with(seq int64, of hold) head {
	if h.before == 0 {
		h.until = of.until
	}
	if h.before = seq + 1; of.until.Before(h.until) {
		h.until = of.until
	}
	return h
}

func (c *claims) setHead(ns whisk.Namespace, h head) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h.before > 0 {
		c.heads[ns] = h
	} else {
		delete(c.heads, ns)
	}
}

// forgetHeads says that a row may be free that was not.
func (c *claims) forgetHeads() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.heads)
}
