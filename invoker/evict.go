package invoker

import (
	"cmp"
	"math"
	"slices"
	"time"
)

const (
	// useHalfLife is the time in which a use counts half for what a sandbox is
	// worth.
	useHalfLife = time.Minute

	// worthKeeping is for how many times as long as its making took an idle
	// sandbox is spared from those who have others.
	worthKeeping = 20
)

// room returns which slots to evict for one more of g; false if there is no
// room for it.
func (p *pool) room(g *group, w want, now time.Time) (evict []*slot, ok bool) {
	need := g.mb - p.free()
	if need <= 0 {
		return nil, true
	}
	if p.restMB < need {
		return nil, false
	}
	evict = p.victims(g, w, need, now)
	return evict, evict != nil
}

// mayEvict reports whether the idle slot s may make room for one more slot of
// g. One that has long been idle may, sooner for a call of the same namespace
// that has waited for too long; a fresher one only for a group that has none or
// whose calls wait longer than both take to make, and that gets its share
// thereby.
func (p *pool) mayEvict(s *slot, g *group, w want, now time.Time) bool {
	spared := worthKeeping * max(leastCost, s.cost)
	if w.why == needed && s.group.tenant == g.tenant {
		spared /= 4
	}
	switch {
	case s.kept && g != p.owed:
		return false
	case now.Sub(s.idleSince) > spared:
		return true
	case w.why == useful, w.why == worth && w.wait < p.price(g)+s.cost:
		return false
	}
	return s.group.mayCede(s, g, now)
}

// mayCede reports whether the slot s, of h, may make room for one of g. Memory
// goes to the namespace that has less, and within a namespace to the action
// that has less or none, if it still has less with it. For a call that has
// waited for maxWait it is enough that its namespace has less now; if its
// action has no slot at all, also one will do that has been there for as long.
func (h *group) mayCede(s *slot, g *group, now time.Time) bool {
	if h.tenant == g.tenant {
		return h != g && (g.live == 0 || h.memory()-s.mb >= g.memory()+g.mb)
	}
	if g.tenant.mb == 0 || h.tenant.mb-s.mb >= g.tenant.mb+g.mb {
		return true
	}
	late := len(g.line) > 0 && now.Sub(g.line[0].arrived) > maxWait
	return late && (h.tenant.mb > g.tenant.mb || g.live == 0 && now.Sub(s.upSince) > maxWait)
}

// victims returns the idle slots that are worth least and hold need MB
// together, nil if all that may make room for g do not.
func (p *pool) victims(g *group, w want, need int64, now time.Time) []*slot {
	type candidate struct {
		s     *slot
		value float64
	}
	var cs []candidate
	var sum int64
	for _, s := range p.slots {
		if s.state == warm && s.ticket == nil && p.mayEvict(s, g, w, now) {
			cs = append(cs, candidate{s, s.value(now)})
			sum += s.mb
		}
	}
	if sum < need {
		return nil
	}
	slices.SortFunc(cs, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.value, b.value), a.s.idleSince.Compare(b.s.idleSince), cmp.Compare(a.s.id, b.s.id))
	})
	n := 0
	for got := int64(0); got < need; n++ {
		got += cs[n].s.mb
	}
	// A large last one may make some of the smaller ones before it needless.
	var out []*slot
	got := int64(0)
	for i := n - 1; i >= 0 && got < need; i-- {
		out = append(out, cs[i].s)
		got += cs[i].s.mb
	}
	return out
}

// value is what keeping the slot saves: cost of its making × recent rate of
// use, for each MB.
func (s *slot) value(now time.Time) float64 {
	return s.cost.Seconds() * decay(s.uses, now.Sub(s.usedAt)) / float64(s.mb)
}

func decay(uses float64, d time.Duration) float64 {
	return uses * math.Exp2(-float64(d)/float64(useHalfLife))
}
