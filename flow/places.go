package flow

import (
	"container/list"
	"time"
)

const (
	// aheadMost bounds the rows that are started and wait for a place: were this
	// process killed, they would end as broken off.
	aheadMost = 64
	// placePatience is how long one may wait before it is queued again: what
	// runs takes longer than was foreseen.
	placePatience = 500 * time.Millisecond
)

// places are those that the window has at the invokers. A row is started before
// it gets one, so that others run while the start is committed; and only as many
// are started ahead as will have a place by the time that their start is
// committed. All is guarded by the flow's mu.
type places struct {
	taken int
	line  list.List // of chan struct{}: who waits, in their order
	start average   // what the commit of a start takes
	run   average   // how long a place is taken
}

// average is that of the last dozen or so.
type average time.Duration

func (a *average) add(d time.Duration) {
	const weight = 8
	if *a == 0 {
		*a = average(d)
	}
	*a += (average(d) - *a) / weight
}

// ahead returns how many rows to start beyond the limit of the window.
func (p *places) ahead(limit int) int {
	if p.run <= 0 {
		return 0
	}
	ends := float64(limit) * float64(p.start) / float64(p.run) // while a start is committed
	return int(min(ends+ends/2, aheadMost))
}

// grant gives places to those who wait, as far as there are any.
func (p *places) grant(limit int) {
	for p.taken < limit && p.line.Len() > 0 {
		p.taken++
		close(p.line.Remove(p.line.Front()).(chan struct{}))
	}
}

// place waits for a place for a row that is started. false says that none came,
// and that the row is to be queued again.
func (f *Flow) place(it *item, started time.Duration) bool {
	f.mu.Lock()
	f.places.start.add(started)
	mine := make(chan struct{})
	waiting := f.places.line.PushBack(mine)
	f.places.grant(f.window.limit)
	f.mu.Unlock()
	timer := time.NewTimer(placePatience)
	defer timer.Stop()
	select {
	case <-mine:
	case <-timer.C:
	case <-f.runs.Done():
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-mine:
	default:
		f.places.line.Remove(waiting)
		return false
	}
	it.placed, it.window = time.Now(), f.window.epoch
	return true
}

// leave gives an item's place to the next. It is called with mu held.
func (f *Flow) leave(it *item, ran bool, now time.Time) {
	if ran {
		f.places.run.add(now.Sub(it.placed))
	}
	it.placed = time.Time{}
	f.places.taken--
}
