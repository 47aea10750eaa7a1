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

	mu   sync.Mutex // guards held
	held map[whisk.ActivationID]hold
}

// hold is who has something, and until when nobody else may have it.
type hold struct {
	holder int64 // 0: nobody
	until  time.Time
}

// free reports whether anybody may take what is held.
func (h hold) free(now time.Time) bool { return h.holder == 0 || h.until.Before(now) }

func newClaims(lease time.Duration) *claims {
	return &claims{lease: lease, held: map[whisk.ActivationID]hold{}}
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
		} else {
			c.held[id] = h
		}
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
}

// newHolds are the claims that a commit under way makes and ends. They hold
// once it has been carried out.
type newHolds struct {
	known *claims
	found map[whisk.ActivationID]hold
}

func (n *newHolds) of(id whisk.ActivationID) int64 {
	if h, ok := n.found[id]; ok {
		return h.holder
	}
	return n.known.of(id).holder
}

// give gives a row to a holder under a new lease, or with 0 to nobody.
func (n *newHolds) give(id whisk.ActivationID, holder int64) {
	if holder == 0 && n.of(id) == 0 {
		return
	}
	if n.found == nil {
		n.found = map[whisk.ActivationID]hold{}
	}
	n.found[id] = hold{holder, time.Now().Add(n.known.lease)}
}

func (n *newHolds) keep() { n.known.set(n.found) }
