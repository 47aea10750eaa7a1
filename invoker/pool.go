package invoker

import (
	"slices"
	"time"

	"hearth/whisk"
)

// ticket is a call as the pool sees it.
type ticket struct {
	key     warmKey
	mb      int64
	arrived time.Time
	group   *group // of its key; set by place
	slot    *slot  // reserved for it or running it
	call    *call  // the owner; the pool does not look at it
}

// pool decides which call gets which sandbox. It keeps these promises:
//
//   - the memory of all slots together never exceeds the capacity; a slot
//     whose memory an evicted one still holds does not start before that one
//     is gone
//   - a slot has at most one ticket and a ticket at most one slot
//   - a ticket gets a warm slot if an idle one has its key and is not kept
//     for a group that is owed memory; so nobody waits behind another's line
//   - tickets of one key are served in order of arrival, but that one which
//     gets a new slot may be the last of the line: it would wait longest
//   - a group without a slot waits for memory about as long as a cold start
//     takes, the run of a slot that may be taken, and those before it
//
// wants says when a group with slots gets one more; mayCede, whose memory goes
// to whom.
//
// Whoever changes the pool in a way that could serve a line (enter, settle,
// retire, gone, leave, look) calls next and carry until it has nothing more.
type pool struct {
	capacity int64 // MB
	spread   int   // slots of one group that may share its load before anything is known of it
	crowded  bool  // the processors have nothing left to give
	used     int64 // MB of all slots, less what they ceded
	busy     int64 // MB of slots with a ticket
	queued   int   // tickets in lines
	counts   [states]int
	slots    map[int]*slot
	groups   map[warmKey]*group
	tenants  map[whisk.Namespace]*tenant
	waiting  []*group      // those with a line
	matched  []*group      // may have a line and an idle slot
	making   int           // slots whose first run has not begun
	restMB   int64         // of slots that are warm and without ticket, kept or not
	kept     []*slot       // held back for owed
	owed     *group        // gets the memory that comes free next; nil: nobody
	owedAt   time.Time     // since when
	cost     time.Duration // average over all groups of what making a slot takes
	lastID   int
}

// newPool returns a pool for a machine on which so many runs can make progress
// at once.
func newPool(capacityMB int64, processors int) *pool {
	return &pool{
		capacity: capacityMB, spread: max(2, processors), cost: unknownCost,
		slots: make(map[int]*slot), groups: make(map[warmKey]*group), tenants: make(map[whisk.Namespace]*tenant),
	}
}

// decision is what to do for a ticket. The zero value is "wait".
type decision struct {
	warm  *slot   // take this one
	fresh bool    // else: make a new one
	evict []*slot // before that, remove these
}

func (d decision) wait() bool { return d.warm == nil && !d.fresh }

// place decides for a new ticket. If the answer is to wait, a ticket that can
// is to enter; one that cannot is to be turned away.
func (p *pool) place(t *ticket, canWait bool, now time.Time) decision {
	g := p.groupOf(t, now)
	t.group = g
	if n := len(g.idle); n > 0 {
		return decision{warm: g.idle[n-1]}
	}
	if canWait || p.owed != nil || !p.wantsAtOnce(g, now) {
		return decision{}
	}
	for _, w := range p.waiting {
		if w.live == 0 {
			return decision{} // it comes first
		}
	}
	w := want{why: useful}
	if g.live == 0 {
		w.why = needed
	}
	evict, ok := p.room(g, w, now)
	return decision{fresh: ok, evict: evict}
}

// enter puts t, for which place was asked, into its line.
func (p *pool) enter(t *ticket, now time.Time) {
	g := t.group
	if len(g.line) == 0 {
		g.since = now
		p.waiting = append(p.waiting, g)
	}
	g.line = append(g.line, t)
	p.queued++
}

// leave takes t from its line, if it is there.
func (p *pool) leave(t *ticket) {
	g := t.group
	if g == nil {
		return
	}
	i := slices.Index(g.line, t)
	if i < 0 {
		return
	}
	g.line = slices.Delete(g.line, i, i+1)
	p.queued--
	if len(g.line) > 0 {
		return
	}
	p.waiting = without(p.waiting, g)
	if p.owed == g {
		p.forgive()
	}
}

// next returns the next ticket that can be served, and how; nil if none can.
// The caller carries it out.
func (p *pool) next(now time.Time) (*ticket, decision) {
	for n := len(p.matched); n > 0; n = len(p.matched) {
		g := p.matched[n-1]
		if i := len(g.idle); i > 0 && len(g.line) > 0 {
			return g.line[0], decision{warm: g.idle[i-1]}
		}
		p.matched = p.matched[:n-1]
	}
	if len(p.waiting) == 0 {
		return nil, decision{}
	}
	return p.nextNew(now)
}

// carry gives t the slot that d names: t leaves its line if it is there, and
// the evicted slots are retired. The slot is returned in the state warm or,
// when new, cold.
func (p *pool) carry(t *ticket, d decision, now time.Time) (*slot, error) {
	p.leave(t)
	g := t.group
	if s := d.warm; s != nil {
		p.unlist(s)
		p.hold(s, t)
		g.noteFirst(now)
		return s, nil
	}
	need := t.mb - p.free()
	for _, v := range d.evict {
		if err := p.retire(v); err != nil {
			return nil, err
		}
		v.ceded = max(0, min(need, v.mb))
		p.used -= v.ceded
		need -= v.ceded
	}
	if p.owed == g {
		p.forgive()
	}
	g.held = 0
	p.lastID++
	s := &slot{id: p.lastID, group: g, mb: t.mb, making: true}
	p.slots[s.id] = s
	p.used += s.mb
	p.counts[cold]++
	if g.live == 0 {
		g.moved, g.stall = now, 0
	}
	g.live++
	g.making++
	p.making++
	g.since, g.grown = now, now
	g.tenant.mb += s.mb
	p.hold(s, t)
	return s, nil
}

// without deletes x from list.
func without[T comparable](list []T, x T) []T {
	if i := slices.Index(list, x); i >= 0 {
		return slices.Delete(list, i, i+1)
	}
	return list
}
