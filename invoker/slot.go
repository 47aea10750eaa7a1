package invoker

import "time"

// slot is a sandbox as the pool sees it.
type slot struct {
	id     int
	group  *group
	mb     int64
	ceded  int64   // MB that count for the slot that waits for this one's removal
	state  state   // changed by move only
	making bool    // until its first run begins
	kept   bool    // idle, and held back for the group that is owed memory
	ticket *ticket // whom it is reserved for or runs

	idleSince time.Time
	upSince   time.Time     // since when it could run
	cost      time.Duration // what creating and initialising it took
	uses      float64       // decayed to usedAt
	usedAt    time.Time

	worker *worker // the owner; the pool does not look at it
}

func (p *pool) free() int64 { return p.capacity - p.used }

func (p *pool) hold(s *slot, t *ticket) {
	s.ticket, t.slot = t, s
	s.group.busy++
	p.busy += s.mb
}

func (p *pool) unhold(s *slot) {
	if s.ticket != nil {
		s.ticket.slot = nil
		s.ticket = nil
		s.group.busy--
		p.busy -= s.mb
	}
}

// move changes s's state and the counts.
func (p *pool) move(s *slot, to state) error {
	from := s.state
	if err := s.move(to); err != nil {
		return err
	}
	p.counts[from]--
	p.counts[to]++
	return nil
}

// made notes what it took to bring s to where its run can begin.
func (p *pool) made(s *slot, cost time.Duration, now time.Time) {
	p.noteMade(s)
	s.cost, s.upSince = cost, now
	s.group.noteFirst(now)
	s.group.noteCost(cost)
	p.cost += (cost - p.cost) / averaged
}

func (p *pool) noteMade(s *slot) {
	if s.making {
		s.making = false
		s.group.making--
		p.making--
	}
}

// use counts a run in s that took so long.
func (p *pool) use(s *slot, took time.Duration, now time.Time) {
	s.uses = decay(s.uses, now.Sub(s.usedAt)) + 1
	s.usedAt = now
	s.group.noteRun(took)
}

// settle ends the ticket of a slot that is warm, or running and to be kept.
func (p *pool) settle(s *slot, now time.Time) error {
	if s.state != warm {
		if err := p.move(s, warm); err != nil {
			return err
		}
	}
	p.unhold(s)
	g := s.group
	g.moved, g.stall, s.idleSince = now, 0, now
	if p.owed != nil && p.keeps(s, now) {
		p.keep(s)
		return nil
	}
	p.rest(s)
	return nil
}

// rest lists s as idle.
func (p *pool) rest(s *slot) {
	g := s.group
	g.idle = append(g.idle, s)
	p.restMB += s.mb
	if len(g.line) > 0 {
		p.matched = append(p.matched, g)
	}
}

// retire ends the ticket of a slot, if it has one, and the slot's use. Its
// memory counts until gone.
func (p *pool) retire(s *slot) error {
	if s.state == warm && s.ticket == nil {
		p.unlist(s)
	}
	p.noteMade(s)
	p.unhold(s)
	if s.state != removing {
		s.group.live--
		s.group.tenant.mb -= s.mb
	}
	return p.move(s, removing)
}

// gone says that nothing of a retired slot is left.
func (p *pool) gone(s *slot) {
	p.used -= s.mb - s.ceded
	p.counts[s.state]--
	delete(p.slots, s.id)
}

// unlist takes s from the idle ones, or those that are kept.
func (p *pool) unlist(s *slot) {
	p.restMB -= s.mb
	if s.kept {
		s.kept = false
		p.kept = without(p.kept, s)
		return
	}
	s.group.idle = without(s.group.idle, s)
}

// expired returns the slots that have been idle since before the given time.
func (p *pool) expired(before time.Time) []*slot {
	var out []*slot
	for _, s := range p.slots {
		if s.state == warm && s.ticket == nil && s.idleSince.Before(before) {
			out = append(out, s)
		}
	}
	return out
}
