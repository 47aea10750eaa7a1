package flow

import (
	"container/list"
	"time"

	"hearth/whisk"
)

// item is one row of the queue in memory.
type item struct {
	id      whisk.ActivationID
	ns      whisk.Namespace
	created time.Time
	call    *whisk.Call // nil: still sealed in payload
	payload []byte
	size    int64  // bytes held
	ended   func() // to be called once, when the activation has ended

	composite bool // known to be a sequence or a composition

	// token, if not 0, is of a start that may stand in the store although the
	// call did not run: it has to be taken back first.
	token int64

	refused  int       // times in a row that no invoker had room, or the store was away
	failures int       // offers that failed otherwise
	due      time.Time // when it may be tried again, while it rests
}

// backlog holds the queued rows that wait in memory: a lane for each namespace,
// taken in turn, and another for its sequences and compositions, which wait for
// workers of their own; and the rows that rest because they were refused. It has
// no lock and no clock.
type backlog struct {
	rows       int
	bytes      int64
	lanes      map[laneKey]*lane
	plain      *list.List // of *lane, as are composites; none is empty
	composites *list.List
	resting    []*item // few: no more than the rows that were run at once
}

type laneKey struct {
	ns        whisk.Namespace
	composite bool
}

type lane struct {
	laneKey
	items *list.List // of *item
	bytes int64
	turn  *list.Element
}

func newBacklog() *backlog {
	return &backlog{lanes: map[laneKey]*lane{}, plain: list.New(), composites: list.New()}
}

// turns returns the lanes of one sort.
func (b *backlog) turns(composite bool) *list.List {
	if composite {
		return b.composites
	}
	return b.plain
}

// push adds an item at the end of its namespace's lane.
func (b *backlog) push(it *item) { b.lane(it).items.PushBack(it) }

// pushFront adds an item that has waited already.
func (b *backlog) pushFront(it *item) { b.lane(it).items.PushFront(it) }

// lane returns the lane for an item that is about to be added, and counts it.
func (b *backlog) lane(it *item) *lane {
	k := laneKey{it.ns, it.composite}
	l := b.lanes[k]
	if l == nil {
		l = &lane{laneKey: k, items: list.New()}
		l.turn = b.turns(k.composite).PushBack(l)
		b.lanes[k] = l
	}
	b.rows++
	b.bytes += it.size
	l.bytes += it.size
	return l
}

// pop takes the first item of the namespace whose turn it is, or nil.
func (b *backlog) pop(composite bool) *item {
	turns := b.turns(composite)
	e := turns.Front()
	if e == nil {
		return nil
	}
	turns.MoveToBack(e)
	return b.take(e.Value.(*lane))
}

func (b *backlog) take(l *lane) *item {
	it := l.items.Remove(l.items.Front()).(*item)
	b.rows--
	b.bytes -= it.size
	l.bytes -= it.size
	if l.items.Len() == 0 {
		b.turns(l.composite).Remove(l.turn)
		delete(b.lanes, l.laneKey)
	}
	return it
}

// share returns how many rows and bytes of a namespace wait in its lanes.
func (b *backlog) share(ns whisk.Namespace) (rows int, bytes int64) {
	for _, composite := range []bool{false, true} {
		if l := b.lanes[laneKey{ns, composite}]; l != nil {
			rows, bytes = rows+l.items.Len(), bytes+l.bytes
		}
	}
	return rows, bytes
}

// rest keeps an item aside until its time. It counts as waiting.
func (b *backlog) rest(it *item, until time.Time) {
	it.due = until
	b.resting = append(b.resting, it)
	b.rows++
	b.bytes += it.size
}

// rouse puts the items whose rest is over before the others of their
// namespaces, and returns when the next one is due, or the zero time.
func (b *backlog) rouse(now time.Time) (next time.Time) {
	kept := b.resting[:0]
	for _, it := range b.resting {
		if !now.Before(it.due) {
			b.unrest(it)
			b.pushFront(it)
			continue
		}
		if next.IsZero() || it.due.Before(next) {
			next = it.due
		}
		kept = append(kept, it)
	}
	clear(b.resting[len(kept):])
	b.resting = kept
	return next
}

func (b *backlog) unrest(it *item) {
	b.rows--
	b.bytes -= it.size
}

// hurry ends the rest of the item that was refused most often: something has
// ended, so there may be room. Its rest would be the longest, and others must
// not always come before it.
func (b *backlog) hurry(now time.Time) {
	var first *item
	for _, it := range b.resting {
		if first == nil || it.refused > first.refused || it.refused == first.refused && it.due.Before(first.due) {
			first = it
		}
	}
	if first != nil && first.due.After(now) {
		first.due = now
	}
}

// expired takes out the items created before the time. Lanes are looked at
// from the front only: items stand there nearly in the order of creation.
func (b *backlog) expired(before time.Time) []*item {
	var out []*item
	for _, turns := range []*list.List{b.plain, b.composites} {
		for e := turns.Front(); e != nil; {
			l := e.Value.(*lane)
			e = e.Next()
			for l.items.Len() > 0 && l.items.Front().Value.(*item).created.Before(before) {
				out = append(out, b.take(l))
			}
		}
	}
	kept := b.resting[:0]
	for _, it := range b.resting {
		if it.created.Before(before) {
			b.unrest(it)
			out = append(out, it)
			continue
		}
		kept = append(kept, it)
	}
	clear(b.resting[len(kept):])
	b.resting = kept
	return out
}

// held returns the items whose rows may stand as started.
func (b *backlog) held() []*item {
	var out []*item
	add := func(it *item) {
		if it.token != 0 {
			out = append(out, it)
		}
	}
	for _, l := range b.lanes {
		for i := l.items.Front(); i != nil; i = i.Next() {
			add(i.Value.(*item))
		}
	}
	for _, it := range b.resting {
		add(it)
	}
	return out
}
