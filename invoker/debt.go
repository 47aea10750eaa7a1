package invoker

import "time"

// firstHold is how long memory that comes free is held back for one group at
// first; after as long a rest, twice that. It bounds what others lose where it
// does not come together: because much is needed, and runs are long.
const firstHold = time.Second

// look notes what only the passing of time brings: that a group stands still,
// or that its calls have waited for long enough to be owed what comes free
// next. It is to be called every few ms while there are lines.
func (p *pool) look(now time.Time) {
	for _, g := range p.waiting {
		g.stall = p.standing(g, now)
	}
	if g := p.owed; g != nil {
		late := now.Sub(p.owedAt) > g.held
		if late {
			g.rest = now.Add(g.held)
		}
		if late || p.wants(g, now).why < worth {
			p.forgive()
		}
	}
	if p.owed == nil {
		p.owe(now)
	}
}

// standing returns for how long no slot of g has moved, if that is so long that
// it says something: longer than a slot takes to make or, where runs are not
// known yet, a quarter of that.
func (p *pool) standing(g *group, now time.Time) time.Duration {
	patience := p.price(g)
	if g.runs < averaged {
		patience /= 4
	}
	if d := now.Sub(g.moved); g.live > g.making && d > patience {
		return d
	}
	return 0
}

// owe finds the group that is to get what comes free next: the first of those
// whose calls have waited as long as it takes to make a slot, and once more
// what that destroys, and for which there is no room.
func (p *pool) owe(now time.Time) {
	var first *group
	var fw want
	for _, g := range p.waiting {
		w := p.wants(g, now)
		if w.why < worth || now.Before(g.rest) || now.Sub(g.line[0].arrived) < p.price(g)+p.cost {
			continue
		}
		if first != nil && !before(g, w, first, fw) {
			continue
		}
		if _, ok := p.room(g, w, now); !ok && p.canCede(g, now) {
			first, fw = g, w
		}
	}
	if first == nil {
		return
	}
	p.owed, p.owedAt = first, now
	first.held = max(firstHold, 2*first.held)
	for _, g := range p.groups {
		for i := len(g.idle) - 1; i >= 0; i-- {
			if s := g.idle[i]; g.mayCede(s, first, now) {
				p.unlist(s)
				p.keep(s)
			}
		}
	}
}

// canCede reports whether all that may make room for g would be enough.
func (p *pool) canCede(g *group, now time.Time) bool {
	sum := p.free()
	for _, s := range p.slots {
		if s.state != removing && s.group.mayCede(s, g, now) {
			sum += s.mb
		}
	}
	return sum >= g.mb
}

// keeps reports whether the slot, which has come free, is to be held back for
// the group that is owed memory. A line that waits for the slot loses it only
// when it has worked for at least as long as its making took, so that less
// than half of the time goes into making slots.
func (p *pool) keeps(s *slot, now time.Time) bool {
	return s.group.mayCede(s, p.owed, now) && (len(s.group.line) == 0 || now.Sub(s.upSince) >= s.cost)
}

func (p *pool) keep(s *slot) {
	s.kept = true
	p.kept = append(p.kept, s)
	p.restMB += s.mb
}

// forgive ends a debt, paid or not: what was held back is free again.
func (p *pool) forgive() {
	p.owed = nil
	for _, s := range p.kept {
		s.kept = false
		p.restMB -= s.mb
		p.rest(s)
	}
	p.kept = nil
}
