package flow

import (
	"cmp"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hearth/whisk"
)

// backlogModel keeps its own account of a backlog.
type backlogModel struct {
	b       *backlog
	now     time.Time
	waits   map[*item]bool
	hands   map[*item]bool
	skipped map[whisk.Namespace]int // turns that a lane with nothing in hand had to wait
}

// TestBacklogModel checks the books of a backlog over random histories; that the
// next item is of a lane with fewest in hand; that nobody waits for more turns
// than there are others; and that nothing that may be given is kept back.
func TestBacklogModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &backlogModel{
			b: newBacklog(testPause), now: t0,
			waits: map[*item]bool{}, hands: map[*item]bool{}, skipped: map[whisk.Namespace]int{},
		}
		t.Repeat(map[string]func(*rapid.T){
			"":       m.check,
			"push":   m.push,
			"pop":    m.pop,
			"tired":  m.tired,
			"finish": m.finish,
			"refuse": m.refuse,
			"retry":  m.retry,
			"remove": m.remove,
			"time": func(t *rapid.T) {
				m.now = m.now.Add(time.Duration(rapid.IntRange(1, 5000).Draw(t, "ms")) * time.Millisecond)
				for _, it := range m.b.expired(m.now) {
					if it.expires.After(m.now) || !m.waits[it] {
						t.Fatal("expired before its time, or not there")
					}
					delete(m.waits, it)
				}
				m.b.rouse(m.now)
			},
			"hurry": func(*rapid.T) { m.b.hurry() },
		})
	})
}

func (m *backlogModel) push(t *rapid.T) {
	it := waiting(rapid.SampledFrom([]string{"a1", "a2", "a3", "b1", "b2", "c1"}).Draw(t, "action"))
	it.size = rapid.Int64Range(1, 9).Draw(t, "size")
	it.composite = rapid.IntRange(0, 3).Draw(t, "composite") == 0
	if rapid.Bool().Draw(t, "parked") {
		it.call = nil
	}
	it.ready, it.expires = m.now, m.now.Add(time.Duration(rapid.IntRange(1, 60).Draw(t, "age"))*time.Second)
	m.waits[it] = true
	m.b.push(it)
}

func (m *backlogModel) pop(t *rapid.T) {
	sort, most := rapid.IntRange(0, 3).Draw(t, "sort") == 0, rapid.IntRange(1, 4).Draw(t, "most")
	fewest := most
	for _, n := range m.b.turns(sort).lanes {
		if n.ready.Len() > 0 {
			fewest = min(fewest, n.hands)
		}
	}
	it := m.b.pop(sort, most, m.now)
	if it == nil {
		if fewest < most {
			t.Fatal("nothing was given although something could be")
		}
		return
	}
	if !m.waits[it] || it.composite != sort || it.line.lane.hands != fewest+1 {
		t.Fatalf("%v of %s: waits %v, %d in hand, fewest %d", it.id, it.ns, m.waits[it], it.line.lane.hands-1, fewest)
	}
	delete(m.waits, it)
	m.hands[it] = true
	if sort {
		return
	}
	delete(m.skipped, it.ns)
	for ns, n := range m.b.plain.lanes {
		if n.ready.Len() == 0 || n.hands > 0 {
			continue
		}
		if m.skipped[ns]++; m.skipped[ns] > 2 {
			t.Fatalf("%s waited for %d turns", ns, m.skipped[ns])
		}
	}
}

func (m *backlogModel) tired(t *rapid.T) {
	it := m.b.popTired(m.now)
	if it == nil {
		return
	}
	if !m.waits[it] || it.refused == 0 {
		t.Fatal("it does not wait, or was not refused")
	}
	delete(m.waits, it)
	m.hands[it] = true
}

// anyOf returns one of a set.
func anyOf(t *rapid.T, set map[*item]bool) *item {
	if len(set) == 0 {
		t.Skip("none")
	}
	items := slices.SortedFunc(maps.Keys(set), func(a, b *item) int { return cmp.Compare(a.order, b.order) })
	return rapid.SampledFrom(items).Draw(t, "item")
}

// inHand takes one of those that workers have.
func (m *backlogModel) inHand(t *rapid.T) *item {
	it := anyOf(t, m.hands)
	delete(m.hands, it)
	return it
}

func (m *backlogModel) finish(t *rapid.T) { m.b.done(m.inHand(t), m.now) }

func (m *backlogModel) refuse(t *rapid.T) {
	it := m.inHand(t)
	m.b.refuse(it, rapid.Bool().Draw(t, "room"), m.now)
	m.waits[it] = true
}

func (m *backlogModel) retry(t *rapid.T) {
	it := m.inHand(t)
	m.b.done(it, m.now)
	it.ready = m.now.Add(time.Duration(rapid.IntRange(1, 20).Draw(t, "pause")) * time.Second)
	m.b.sleep(it)
	m.waits[it] = true
}

func (m *backlogModel) remove(t *rapid.T) {
	it := anyOf(t, m.waits)
	if !m.b.remove(it) || m.b.remove(it) {
		t.Fatal("it was not there, or still is")
	}
	delete(m.waits, it)
}

// check recounts.
func (m *backlogModel) check(t *rapid.T) {
	var all share
	spaces, spots := map[whisk.Namespace]share{}, map[spot]share{}
	for it := range m.waits {
		all = all.plus(1, it)
		tally(spaces, it.ns, 1, it)
		tally(spots, it.spot(), 1, it)
	}
	if m.b.all != all || !maps.Equal(m.b.spaces, spaces) || !maps.Equal(m.b.spots, spots) {
		t.Fatalf("%v, of %v and %v; want %v, of %v and %v", m.b.all, m.b.spaces, m.b.spots, all, spaces, spots)
	}
	if len(m.b.ages.entries) != len(m.waits) {
		t.Fatalf("%d ages for %d items", len(m.b.ages.entries), len(m.waits))
	}
	for ns := range m.skipped {
		if n := m.b.plain.lanes[ns]; n == nil || n.ready.Len() == 0 || n.hands > 0 {
			delete(m.skipped, ns)
		}
	}
	rested := 0
	for _, turns := range []*turns{m.b.plain, m.b.composites} {
		for ns, n := range turns.lanes {
			rested += m.checkLane(t, turns, ns, n)
		}
	}
	if rested != m.b.rested.Len() || rested != len(m.b.resting.entries) {
		t.Fatalf("%d lines rest, listed are %d and %d", rested, m.b.rested.Len(), len(m.b.resting.entries))
	}
}

func (m *backlogModel) checkLane(t *rapid.T, turns *turns, ns whisk.Namespace, n *lane) (rested int) {
	hands, patient, ready := 0, 0, 0
	for it := range m.hands {
		switch {
		case it.line.lane != n:
		case it.patient:
			patient++
		default:
			hands++
		}
	}
	for _, l := range n.lines {
		if l.rest != nil {
			rested++
		}
		if can := l.items.Len() > 0 && l.rest == nil; can != (l.ready != nil) {
			t.Fatalf("line %v: ready %v, want %v", l.action, l.ready != nil, can)
		} else if can {
			ready++
		}
		if l.items.Len() == 0 && l.hands == 0 && !l.patient {
			t.Fatalf("line %v is of no use", l.action)
		}
	}
	if hands != n.hands || patient != n.patient || ready != n.ready.Len() || (ready > 0) != (n.at != nil) || n.at != nil && n.stands != hands {
		t.Fatalf("lane %s: %d and %d in hand of %d and %d, %d ready of %d", ns, n.hands, n.patient, hands, patient, n.ready.Len(), ready)
	}
	if len(n.lines) == 0 {
		t.Fatalf("lane %s is empty", ns)
	}
	return rested
}
