package invoker

import (
	"slices"
	"time"
)

// maxPassed is how often a queued call may be overtaken by later ones that
// find a warm sandbox. Overtaking saves cold starts; without a bound a busy
// action would starve all others.
const maxPassed = 16

// ticket is a call as the pool sees it.
type ticket struct {
	key    warmKey
	mb     int64
	passed int   // times overtaken
	slot   *slot // reserved for it or running it
	call   *call // the owner; the pool does not look at it
}

// slot is a sandbox as the pool sees it.
type slot struct {
	id     int
	key    warmKey
	mb     int64
	ceded  int64   // MB that count for the slot that waits for this one's removal
	state  state   // changed by move only
	ticket *ticket // whom it is reserved for or runs

	idleSince time.Time
	cost      time.Duration // what creating and initialising it took
	uses      float64       // decayed to usedAt
	usedAt    time.Time

	worker *worker // the owner; the pool does not look at it
}

// pool decides which call gets which sandbox. It keeps these promises:
//
//   - the memory of all slots together never exceeds the capacity; a slot
//     whose memory an evicted one still holds does not start before that one
//     is gone
//   - a slot has at most one ticket and a ticket at most one slot
//   - a ticket gets a warm slot if an idle one has its key
//   - the queue is served in order of arrival, but that a ticket may take a
//     warm slot ahead of others, each of which is overtaken at most maxPassed
//     times
//
// Whoever changes the pool in a way that could serve the queue (settle,
// retire, gone, leave) calls next and carry until it has nothing more.
type pool struct {
	capacity  int64 // MB
	maxPassed int
	used      int64 // MB of all slots, less what they ceded
	busy      int64 // MB of slots with a ticket
	counts    [states]int
	slots     map[int]*slot
	idle      map[warmKey][]*slot // warm, without ticket; last used last
	queue     []*ticket           // in order of arrival; passed never grows along it
	lastID    int
}

func newPool(capacityMB int64) *pool {
	return &pool{capacity: capacityMB, maxPassed: maxPassed, slots: make(map[int]*slot), idle: make(map[warmKey][]*slot)}
}

// decision is what to do for a ticket. The zero value is "wait".
type decision struct {
	warm  *slot   // take this one
	fresh bool    // else: make a new one
	evict []*slot // before that, remove these
}

func (d decision) wait() bool { return d.warm == nil && !d.fresh }

// decide says what to do for a ticket, which is the first of the queue or has
// others ahead of it. It changes nothing.
func (p *pool) decide(t *ticket, first bool, now time.Time) decision {
	if !first && p.queue[0].passed >= p.maxPassed {
		return decision{}
	}
	if idle := p.idle[t.key]; len(idle) > 0 {
		return decision{warm: idle[len(idle)-1]}
	}
	if !first {
		return decision{}
	}
	need := t.mb - (p.capacity - p.used)
	if need <= 0 {
		return decision{fresh: true}
	}
	if evict := p.victims(need, now); evict != nil {
		return decision{fresh: true, evict: evict}
	}
	return decision{}
}

// carry gives t the slot that d names: t leaves the queue if it is there, those
// ahead of it count as overtaken, and the evicted slots are retired. The slot
// is returned in the state warm or, when new, cold.
func (p *pool) carry(t *ticket, d decision) (*slot, error) {
	ahead := slices.Index(p.queue, t)
	if ahead < 0 {
		ahead = len(p.queue)
	} else {
		p.queue = slices.Delete(p.queue, ahead, ahead+1)
	}
	for _, q := range p.queue[:ahead] {
		q.passed++
	}
	if s := d.warm; s != nil {
		p.unlist(s)
		p.hold(s, t)
		return s, nil
	}
	need := t.mb - (p.capacity - p.used)
	for _, v := range d.evict {
		if err := p.retire(v); err != nil {
			return nil, err
		}
		v.ceded = max(0, min(need, v.mb))
		p.used -= v.ceded
		need -= v.ceded
	}
	p.lastID++
	s := &slot{id: p.lastID, key: t.key, mb: t.mb}
	p.slots[s.id] = s
	p.used += s.mb
	p.counts[cold]++
	p.hold(s, t)
	return s, nil
}

func (p *pool) hold(s *slot, t *ticket) {
	s.ticket, t.slot = t, s
	p.busy += s.mb
}

func (p *pool) unhold(s *slot) {
	if s.ticket != nil {
		s.ticket.slot = nil
		s.ticket = nil
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

// use counts a run in s.
func (p *pool) use(s *slot, now time.Time) {
	s.uses = decay(s.uses, now.Sub(s.usedAt)) + 1
	s.usedAt = now
}

// settle ends the ticket of a slot that is warm, or running and to be kept.
func (p *pool) settle(s *slot, now time.Time) error {
	if s.state != warm {
		if err := p.move(s, warm); err != nil {
			return err
		}
	}
	p.unhold(s)
	s.idleSince = now
	p.idle[s.key] = append(p.idle[s.key], s)
	return nil
}

// retire ends the ticket of a slot, if it has one, and the slot's use. Its
// memory counts until gone.
func (p *pool) retire(s *slot) error {
	if s.state == warm && s.ticket == nil {
		p.unlist(s)
	}
	p.unhold(s)
	return p.move(s, removing)
}

// gone says that nothing of a retired slot is left.
func (p *pool) gone(s *slot) {
	p.used -= s.mb - s.ceded
	p.counts[s.state]--
	delete(p.slots, s.id)
}

// unlist takes s from the idle ones.
func (p *pool) unlist(s *slot) {
	idle := p.idle[s.key]
	if i := slices.Index(idle, s); i >= 0 {
		idle = slices.Delete(idle, i, i+1)
	}
	if len(idle) == 0 {
		delete(p.idle, s.key)
		return
	}
	p.idle[s.key] = idle
}

// enter puts t behind the queue.
func (p *pool) enter(t *ticket) { p.queue = append(p.queue, t) }

// leave takes t from the queue, if it is there.
func (p *pool) leave(t *ticket) {
	if i := slices.Index(p.queue, t); i >= 0 {
		p.queue = slices.Delete(p.queue, i, i+1)
	}
}

// place decides for a new ticket, which stands behind the queue but may take a
// warm slot ahead of it.
func (p *pool) place(t *ticket, now time.Time) decision {
	return p.decide(t, len(p.queue) == 0, now)
}

// next returns the next ticket of the queue that can be served, and how; nil if
// none can. The caller carries it out.
func (p *pool) next(now time.Time) (*ticket, decision) {
	if len(p.queue) == 0 {
		return nil, decision{}
	}
	if d := p.decide(p.queue[0], true, now); !d.wait() {
		return p.queue[0], d
	}
	if len(p.idle) == 0 {
		return nil, decision{}
	}
	for _, t := range p.queue[1:] {
		if d := p.decide(t, false, now); !d.wait() {
			return t, d
		}
	}
	return nil, decision{}
}

// expired returns the slots that have been idle since before the given time.
func (p *pool) expired(before time.Time) []*slot {
	var out []*slot
	for _, idle := range p.idle {
		for _, s := range idle {
			if s.idleSince.Before(before) {
				out = append(out, s)
			}
		}
	}
	return out
}
