package invoker

import "time"

const (
	// maxWait is the longest that a call waits for one of its action's own
	// sandboxes without asking for another, whatever is foreseen.
	maxWait = 2 * time.Second

	// tiny runs are those shorter than this part of what a slot costs: where
	// processors are short, more of them at once only take each other's time.
	tiny = 4
)

// reason is why a group should have one more slot; the later, the weightier.
type reason uint8

const (
	unwanted reason = iota
	useful          // it would pay in the long run: if memory is to be had for nothing
	worth           // a call waits longer for the others than making one takes
	needed          // there is none, or none that moves
)

// want is what a group wants.
type want struct {
	why  reason
	wait time.Duration // foreseen for the last of the line
	head bool          // the first of the line is to have it, else the last
}

// wants says whether a group whose line is not empty should have one more slot.
//
// A call whose action has slots waits for one of them as long as that is
// foreseen to take less time than making another: the line's length × the
// average run ÷ slots. What is foreseen is corrected by what is seen: the
// time for which no slot of the group has moved counts as the length of a run
// if it is long. Beside, a line that was never empty for as long as a slot
// takes to make shows that one more would be used.
//
// Example: 64 callers of an action of 1 ms and 50 ms a cold start. The first
// two calls get slots; the others wait 30 ms. Both slots are never idle, so
// after 50 ms there is a third, and so on, the faster the more there are, as
// long as the processors have time to spare. With runs of 1 s, calls are
// foreseen to wait 30 s, and as many slots are made as there is room for.
//
// Where the processors are exhausted, more slots of short runs would gain
// nothing, and of others only so many are made at once as there are
// processors.
//
// Known caveat: what is foreseen knows one average, not that an action's runs
// differ by their arguments. maxWait bounds what that can cost.
func (p *pool) wants(g *group, now time.Time) want {
	if g.live == 0 {
		return want{why: needed, head: true}
	}
	price, run := p.price(g), g.expected()
	w := want{wait: time.Duration(len(g.line)) * run / time.Duration(g.live), head: g.stall > g.run}
	lean := g.live >= p.spread && p.crowded && run < price/tiny
	waited := now.Sub(g.line[0].arrived)
	switch {
	case waited > max(maxWait, price):
		w.why, w.head = needed, true
	case g.runs == 0 && g.live < p.spread:
		w.why = useful
	case lean, p.crowded && p.making >= p.spread:
	case w.wait > price, w.head && waited > 2*price:
		w.why = worth
	case now.Sub(g.since) > price*time.Duration(p.spread)/time.Duration(max(p.spread, g.live)) && (g.live < p.spread || !p.crowded):
		w.why = useful
	}
	return w
}

// wantsAtOnce is wants for a call that cannot wait in line, where it would be
// the first.
func (p *pool) wantsAtOnce(g *group, now time.Time) bool {
	stands := p.standing(g, now)
	price, run := p.price(g), max(g.expected(), stands)
	switch {
	case g.live < p.spread:
		return true
	case g.runs == 0 && stands == 0:
		return false
	case p.crowded && run < price/tiny:
		return false
	default:
		return run/time.Duration(g.live) > price || now.Sub(g.grown) > price
	}
}

// soon reports whether a ticket in line is foreseen to get its slot within the
// given time.
func (p *pool) soon(t *ticket, within time.Duration) bool {
	g := t.group
	return g.live > g.making && g.runs > 0 &&
		time.Duration(len(g.line))*max(g.run, g.stall)/time.Duration(g.live) <= within
}

// expected returns how long a run of g is expected to take. The first runs are
// slow with many runtimes, so they count for little.
func (g *group) expected() time.Duration {
	if g.runs < averaged {
		return g.stall
	}
	return max(g.run, g.stall)
}

// nextNew returns a ticket for which a slot is to be made.
func (p *pool) nextNew(now time.Time) (*ticket, decision) {
	if g := p.owed; g != nil { // nobody else gets memory meanwhile
		return p.serve(g, p.wants(g, now), now)
	}
	var best *group
	var bw want
	for _, g := range p.waiting {
		w := p.wants(g, now)
		if w.why == unwanted || best != nil && !before(g, w, best, bw) {
			continue
		}
		if _, ok := p.room(g, w, now); ok {
			best, bw = g, w
		}
	}
	if best == nil {
		return nil, decision{}
	}
	return p.serve(best, bw, now)
}

// serve returns the ticket of g for which a slot is to be made, if there is
// room for one.
func (p *pool) serve(g *group, w want, now time.Time) (*ticket, decision) {
	if w.why == unwanted {
		return nil, decision{}
	}
	evict, ok := p.room(g, w, now)
	if !ok {
		return nil, decision{}
	}
	t := g.line[len(g.line)-1]
	if w.head {
		t = g.line[0]
	}
	return t, decision{fresh: true, evict: evict}
}

// before is the order in which groups get memory: first that whose namespace
// has least, then that which has the weightier reason, then that whose first
// call came first.
func before(g *group, v want, h *group, w want) bool {
	switch {
	case g.tenant.mb != h.tenant.mb:
		return g.tenant.mb < h.tenant.mb
	case v.why != w.why:
		return v.why > w.why
	default:
		return g.line[0].arrived.Before(h.line[0].arrived)
	}
}
