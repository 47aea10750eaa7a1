package flow

import (
	"container/list"
	"slices"
	"time"

	"hearth/whisk"
)

// turns are the lanes of one sort. Those that have something ready stand in a
// list by how many of their rows workers have in hand, so that the next is always
// one of those with fewest; of equal ones that which has stood longest.
type turns struct {
	lanes   map[whisk.Namespace]*lane
	byHands []*list.List // of *lane
}

// lane is what waits of one namespace, or is in workers' hands.
type lane struct {
	turns   *turns
	ns      whisk.Namespace
	lines   map[whisk.ActionName]*line
	ready   *list.List    // of *line, taken in turn
	hands   int           // rows that workers have
	patient int           // beside those, rows that an invoker may queue
	stands  int           // in which list
	at      *list.Element // nil: nothing is ready
}

// line is what waits of one action. It is ready, or rests since it was refused,
// or is empty.
type line struct {
	lane    *lane
	action  whisk.ActionName
	items   *list.List // of *item, by their order
	hands   int
	patient bool
	refused int // how often of late: while it is not 0, items are tried one at a time
	epoch   int // refusals that counted

	due    time.Time // until when it rests
	ready  *list.Element
	rest   *appointment[*line]
	rested *list.Element
}

func newTurns() *turns { return &turns{lanes: map[whisk.Namespace]*lane{}} }

// line returns that of an action, a new one if there is none.
func (t *turns) line(ns whisk.Namespace, action whisk.ActionName) *line {
	n := t.lanes[ns]
	if n == nil {
		n = &lane{turns: t, ns: ns, lines: map[whisk.ActionName]*line{}, ready: list.New()}
		t.lanes[ns] = n
	}
	l := n.lines[action]
	if l == nil {
		l = &line{lane: n, action: action, items: list.New()}
		n.lines[action] = l
	}
	return l
}

// next returns the line whose turn it is, of a lane with fewer than most rows in
// hand; nil if there is none.
func (t *turns) next(most int) *line {
	for _, lanes := range t.byHands[:min(most, len(t.byHands))] {
		if e := lanes.Front(); e != nil {
			n := e.Value.(*lane)
			first := n.ready.Front()
			n.ready.MoveToBack(first)
			return first.Value.(*line)
		}
	}
	return nil
}

// list returns that of the lanes with so many rows in hand.
func (t *turns) list(hands int) *list.List {
	for len(t.byHands) <= hands {
		t.byHands = append(t.byHands, list.New())
	}
	return t.byHands[hands]
}

// insert adds an item in its order. What comes back belongs near the front, what
// is new at the end.
func (l *line) insert(it *item) {
	if e := l.items.Back(); e == nil || e.Value.(*item).order < it.order {
		it.at = l.items.PushBack(it)
		return
	}
	e := l.items.Front()
	for e.Value.(*item).order < it.order {
		e = e.Next()
	}
	it.at = l.items.InsertBefore(it, e)
}

// rest lets a line rest until then.
func (b *backlog) rest(l *line, until time.Time) {
	l.due = until
	if l.rest != nil {
		b.resting.remove(l.rest)
	} else {
		l.rested = b.rested.PushBack(l)
	}
	l.rest = b.resting.add(until, l)
}

// awake ends the rest of a line.
func (b *backlog) awake(l *line) {
	if l.rest == nil {
		return
	}
	b.resting.remove(l.rest)
	b.rested.Remove(l.rested)
	l.rest, l.rested, l.due = nil, nil, time.Time{}
}

// place sees to it that a line that has changed, and its lane, stand where they
// belong.
func (b *backlog) place(l *line) {
	n := l.lane
	if l.items.Len() == 0 && l.rest != nil { // it goes on when something comes
		due := l.due
		b.awake(l)
		l.due = due
	} else if l.items.Len() > 0 && l.rest == nil && !l.due.IsZero() {
		b.rest(l, l.due)
	}
	switch ready := l.items.Len() > 0 && l.rest == nil; {
	case ready && l.ready == nil:
		l.ready = n.ready.PushBack(l)
	case !ready && l.ready != nil:
		n.ready.Remove(l.ready)
		l.ready = nil
	}
	if l.items.Len() == 0 && l.hands == 0 && !l.patient {
		delete(n.lines, l.action)
	}
	n.place()
}

// place sees to it that the lane stands in the right list, if in any.
func (n *lane) place() {
	ready := n.ready.Len() > 0
	if n.at != nil && (!ready || n.stands != n.hands) {
		n.turns.byHands[n.stands].Remove(n.at)
		n.at = nil
	}
	if ready && n.at == nil {
		n.stands = n.hands
		n.at = n.turns.list(n.hands).PushBack(n)
	}
	if len(n.lines) == 0 {
		delete(n.turns.lanes, n.ns)
	}
	if unused := len(n.turns.byHands) - 1; unused > 0 && len(n.turns.lanes) == 0 {
		n.turns.byHands = slices.Delete(n.turns.byHands, 1, unused+1)
	}
}
