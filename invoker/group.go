package invoker

import "time"

const (
	// unknownCost is what making a sandbox is taken to cost before any was
	// made, leastCost what it costs at the least: shorter waits are not worth
	// a thought.
	unknownCost = 100 * time.Millisecond
	leastCost   = 5 * time.Millisecond

	// averaged is over about how many of the last ones an average goes.
	averaged = 8

	// outlier is how many times the average a run counts at the most.
	outlier = 4

	// maxGroups bounds what is remembered of actions that have no sandbox.
	maxGroups = 4096
)

// group is what the pool knows of the sandboxes of one key, and who waits for
// one of them. It is remembered when they are gone, for a while.
type group struct {
	key    warmKey
	mb     int64 // of one slot
	tenant *tenant
	idle   []*slot   // warm, without ticket, not kept; last used last
	line   []*ticket // in order of arrival
	live   int       // slots that are not being removed
	making int       // of them, those whose first run has not begun
	busy   int       // of them, those with a ticket

	run   time.Duration // average of late runs
	runs  int           // how many it knows, up to averaged
	cost  time.Duration // of making a slot; 0: unknown
	moved time.Time     // when a slot was last given back, or the only run began
	stall time.Duration // how long nothing has moved at the last look
	since time.Time     // since when the line was never empty and live did not grow
	grown time.Time     // when live grew
	asked time.Time     // when a ticket last came
	rest  time.Time     // until then it is not owed anything again
	held  time.Duration // how long it was owed something last, in vain
}

// tenant is a namespace as the pool sees it.
type tenant struct {
	mb     int64 // of slots that are not being removed
	groups int
}

// groupOf returns the group of a ticket.
func (p *pool) groupOf(t *ticket, now time.Time) *group {
	g := p.groups[t.key]
	if g == nil {
		if len(p.groups) >= maxGroups {
			p.forgetGroups(now.Add(time.Hour)) // all that can be
		}
		ns := p.tenants[t.key.namespace]
		if ns == nil {
			ns = &tenant{}
			p.tenants[t.key.namespace] = ns
		}
		ns.groups++
		g = &group{key: t.key, mb: t.mb, tenant: ns}
		p.groups[t.key] = g
	}
	g.asked = now
	return g
}

// forgetGroups forgets what is known of actions that have no sandbox and were
// last asked for before the given time.
func (p *pool) forgetGroups(before time.Time) {
	for k, g := range p.groups {
		if g.live > 0 || len(g.line) > 0 || !g.asked.Before(before) {
			continue
		}
		delete(p.groups, k)
		if g.tenant.groups--; g.tenant.groups == 0 {
			delete(p.tenants, k.namespace)
		}
	}
}

// noteFirst notes that a run begins; if it is the only one, nothing has moved
// before.
func (g *group) noteFirst(now time.Time) {
	if g.busy-g.making == 1 {
		g.moved, g.stall = now, 0
	}
}

// noteRun takes a run into the average. A single one that is very much longer
// than the others is more likely the machine's fault.
func (g *group) noteRun(took time.Duration) {
	if g.runs == averaged {
		took = min(took, outlier*max(g.run, time.Millisecond))
	}
	g.runs = min(g.runs+1, averaged)
	g.run += (took - g.run) / time.Duration(g.runs)
}

// noteCost takes the making of a slot into what it costs. That falls at once
// and rises slowly: many at a time take each other's time.
func (g *group) noteCost(cost time.Duration) {
	if g.cost == 0 || cost < g.cost {
		g.cost = cost
		return
	}
	g.cost += (cost - g.cost) / averaged
}

// price is what one more slot of g costs.
func (p *pool) price(g *group) time.Duration {
	if g.cost > 0 {
		return max(leastCost, g.cost)
	}
	return max(leastCost, p.cost)
}

// memory returns the MB of g's slots.
func (g *group) memory() int64 { return int64(g.live) * g.mb }
