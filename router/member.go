package router

import (
	"slices"
	"sync"
	"time"

	"hearth/router/ring"
	"hearth/whisk"
)

// loadAge is how long a load that was heard counts.
const loadAge = 2 * time.Second

// member is one life of an invoker as this router sees it. A rejoin under the
// same id makes a new one.
type member struct {
	hello   whisk.Hello
	invoker Invoker

	mu    sync.Mutex
	load  whisk.Load // as last heard, at heard
	heard time.Time
	ownMB int64 // memory limits of this router's calls that are there
}

// offers reports whether the invoker of that hello can run the target: it has
// the kind or the image, and as much memory.
func offers(h *whisk.Hello, t *whisk.Target) bool {
	if h.Load.CapacityMB > 0 && t.Limits.Memory > h.Load.CapacityMB {
		return false
	}
	if t.Exec.Kind == whisk.Blackbox {
		return slices.Contains(h.Images, t.Exec.Image) || slices.Contains(h.Images, whisk.ImageName(t.Exec.Image))
	}
	for i := range h.Runtimes {
		if h.Runtimes[i].Kind == t.Exec.Kind {
			return true
		}
	}
	return false
}

// hold adds to the memory that this router's calls claim there; a negative mb
// ends the claim.
func (m *member) hold(mb int64) {
	m.mu.Lock()
	m.ownMB += mb
	m.mu.Unlock()
}

// learn takes the load that a reply carries. A reply that the transport made
// up carries none.
func (m *member) learn(l whisk.Load, now time.Time) {
	if l == (whisk.Load{}) {
		return
	}
	m.mu.Lock()
	m.load, m.heard = l, now
	m.mu.Unlock()
}

// share returns how full the invoker is, 0 to 1 and above, and whether it
// takes no new calls. What was heard may be older than what this router has
// sent since, so the fuller of the two counts; what is older than loadAge says
// nothing.
func (m *member) share(now time.Time) (share float64, draining bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now.Sub(m.heard) < loadAge {
		share = m.load.Share()
	}
	if m.load.CapacityMB > 0 {
		share = max(share, float64(m.ownMB)/float64(m.load.CapacityMB))
	}
	return share, m.load.Draining
}

// view is the membership at one moment, immutable but for the members' loads.
type view struct {
	ring     *ring.Ring
	members  map[string]*member
	runtimes whisk.Runtimes
	images   []string
	hellos   []whisk.Hello // by id
	departed []departed    // who may come back
}

func newView(members map[string]*member, gone []departed) *view {
	v := &view{members: members, departed: gone}
	slots := make([]ring.Slot, 0, len(members))
	offers := make([][]whisk.Runtime, 0, len(members))
	ids := make([]string, 0, len(members))
	for id := range members {
		ids = append(ids, id)
	}
	slices.Sort(ids) // so that the same view gives the same manifest
	for _, id := range ids {
		h := members[id].hello
		slots = append(slots, ring.Slot{ID: id})
		offers = append(offers, h.Runtimes)
		v.hellos = append(v.hellos, h)
		v.images = append(v.images, h.Images...)
	}
	slices.Sort(v.images)
	v.images = slices.Compact(v.images)
	v.runtimes = whisk.NewRuntimes(offers...)
	v.ring = ring.New(slots)
	return v
}
