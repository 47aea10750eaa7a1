package flow

import (
	"container/list"
	"time"

	"hearth/whisk"
)

// backlog holds the queued rows that wait in memory: a lane for each namespace,
// and another for its sequences and compositions, which wait for workers of
// their own; in a lane a line for each action. Lines whose action was refused
// rest, and so do, one by one, the rows that wait for their next attempt. It has
// no lock and no clock.
type backlog struct {
	all    share                     // that wait, or are on their way here
	spaces map[whisk.Namespace]share // of those
	spots  map[spot]share

	plain, composites *turns
	ages              agenda[*item] // of all that wait, by when they are given up
	asleep            agenda[*item] // until their next attempt
	resting           agenda[*line] // refused, until they are tried again
	rested            *list.List    // the same lines in the order of their coming to rest
	pause             func(refused int) time.Duration
	orders            int64 // given out
}

// newBacklog returns an empty backlog; pause says for how long a line rests that
// was refused so many times in a row.
func newBacklog(pause func(refused int) time.Duration) *backlog {
	return &backlog{
		spaces: map[whisk.Namespace]share{}, spots: map[spot]share{}, plain: newTurns(), composites: newTurns(),
		rested: list.New(), pause: pause,
	}
}

// turns returns the lanes of one sort.
func (b *backlog) turns(composite bool) *turns {
	if composite {
		return b.composites
	}
	return b.plain
}

// reserve counts an item that is to enter, unreserve one that will not.
func (b *backlog) reserve(it *item)   { b.count(it, 1) }
func (b *backlog) unreserve(it *item) { b.count(it, -1) }

// readies returns how many rows of a namespace wait in lines that do not rest, or
// some number above most.
func (b *backlog) readies(ns whisk.Namespace, most int) (n int) {
	for _, t := range []*turns{b.plain, b.composites} {
		if l := t.lanes[ns]; l != nil {
			for e := l.ready.Front(); e != nil && n <= most; e = e.Next() {
				n += e.Value.(*line).items.Len()
			}
		}
	}
	return n
}

// refused reports whether the action of an item was found to have no room.
func (b *backlog) refused(it *item) bool {
	if n := b.turns(it.composite).lanes[it.ns]; n != nil {
		l := n.lines[it.action]
		return l != nil && l.refused > 0
	}
	return false
}

// push adds an item at the end of its line.
func (b *backlog) push(it *item) {
	b.reserve(it)
	b.enter(it)
}

// enter adds an item that is counted already.
func (b *backlog) enter(it *item) {
	if it.order == 0 {
		b.orders++
		it.order = b.orders
	}
	it.age = b.ages.add(it.expires, it)
	b.line(it).insert(it)
	b.place(it.line)
}

// line returns the line for an item, and notes it there.
func (b *backlog) line(it *item) *line {
	it.line = b.turns(it.composite).line(it.ns, it.action)
	return it.line
}

// pop gives an item to workers: the first one of the line whose turn it is, in
// the lane whose namespace has fewest there, or nil if those that have any
// ready have most.
func (b *backlog) pop(composite bool, most int, now time.Time) *item {
	l := b.turns(composite).next(most)
	if l == nil {
		return nil
	}
	it := b.give(l)
	l.hands++
	l.lane.hands++
	if l.refused > 0 { // one at a time, to see whether there is room again
		b.rest(l, now.Add(b.pause(l.refused)))
	}
	b.place(l)
	return it
}

// give takes the first item of a line.
func (b *backlog) give(l *line) *item {
	it := l.items.Front().Value.(*item)
	b.unwait(it)
	it.epoch, it.patient = l.epoch, false
	return it
}

// unwait takes out an item that waits.
func (b *backlog) unwait(it *item) {
	b.count(it, -1)
	b.ages.remove(it.age)
	it.age = nil
	if it.sleep != nil {
		b.asleep.remove(it.sleep)
		it.sleep = nil
		return
	}
	it.line.items.Remove(it.at)
	it.at = nil
}

// Which lines may have an item offered so that an invoker may queue it: those of
// which the first was refused tiredAfter times, or is as old as tiredAge, so
// many of one namespace and one of each; only so many are looked at.
const (
	tiredAfter      = 3
	tiredAge        = time.Second
	tiredPerLane    = 2
	tiredCandidates = 64
)

// popTired gives workers the first item of a resting line that has been refused
// too long, or nil.
func (b *backlog) popTired(now time.Time) *item {
	e := b.rested.Front()
	for range tiredCandidates {
		if e == nil {
			return nil
		}
		l := e.Value.(*line)
		e = e.Next()
		first := l.items.Front().Value.(*item)
		tired := first.refused >= tiredAfter || first.refused > 0 && now.Sub(first.ready) >= tiredAge
		if !tired || now.Before(first.calm) || l.patient || l.lane.patient >= tiredPerLane {
			continue
		}
		it := b.give(l)
		it.patient, l.patient = true, true
		l.lane.patient++
		b.place(l)
		return it
	}
	return nil
}

// back takes note that workers have an item no more.
func (b *backlog) back(it *item) {
	if l := it.line; it.patient {
		l.patient = false
		l.lane.patient--
	} else {
		l.hands--
		l.lane.hands--
	}
}

// done takes note that workers have ended an item, so that there is room again.
func (b *backlog) done(it *item, now time.Time) {
	l := it.line
	b.back(it)
	l.refused /= 2
	waits := l.items.Len() > 0
	b.awake(l)
	l.due = time.Time{}
	b.place(l)
	if !waits {
		b.hurry()
	}
}

// refuse puts back an item that could not be run, since no invoker had room for
// it or for another reason, and lets its line rest. It reports whether that is
// news: the line was not known to be refused.
func (b *backlog) refuse(it *item, room bool, now time.Time) (news bool) {
	l := it.line
	b.back(it)
	if !room {
		it.refused++
	}
	if it.patient {
		it.calm = now.Add(b.pause(max(it.refused, l.refused)))
	}
	b.reserve(it)
	it.age = b.ages.add(it.expires, it)
	l.insert(it)
	if it.epoch == l.epoch { // those that were given together are refused together
		l.epoch++
		l.refused++
		news = l.refused == 1
		b.rest(l, now.Add(b.pause(l.refused)))
	}
	b.place(l)
	return news
}

// sleep keeps an item, which workers had, until it is ready.
func (b *backlog) sleep(it *item) {
	b.reserve(it)
	it.age = b.ages.add(it.expires, it)
	it.sleep = b.asleep.add(it.ready, it)
}

// rouse ends the rest of what is due, and returns when something is due next,
// or given up; zero for never.
func (b *backlog) rouse(now time.Time) (next time.Time) {
	for e := b.asleep.due(now); e != nil; e = b.asleep.due(now) {
		it := e.what
		b.unwait(it)
		b.push(it)
	}
	for e := b.resting.due(now); e != nil; e = b.resting.due(now) {
		b.awake(e.what)
		b.place(e.what)
	}
	return b.ages.sooner(b.asleep.sooner(b.resting.sooner(next)))
}

// hurry ends the rest of the line that has rested longest: something has ended,
// so there may be room.
func (b *backlog) hurry() {
	if e := b.rested.Front(); e != nil {
		l := e.Value.(*line)
		b.awake(l)
		b.place(l)
	}
}

// expired takes out the items whose time is over.
func (b *backlog) expired(now time.Time) []*item {
	var out []*item
	for e := b.ages.due(now); e != nil; e = b.ages.due(now) {
		b.remove(e.what)
		out = append(out, e.what)
	}
	return out
}

// remove takes out an item that waits, and reports whether it does.
func (b *backlog) remove(it *item) bool {
	if it.age == nil {
		return false
	}
	asleep := it.sleep != nil
	b.unwait(it)
	if !asleep {
		b.place(it.line)
	}
	return true
}

// clear takes out all that wait.
func (b *backlog) clear() []*item {
	var out []*item
	for len(b.ages.entries) > 0 {
		it := b.ages.entries[0].what
		b.remove(it)
		out = append(out, it)
	}
	return out
}
