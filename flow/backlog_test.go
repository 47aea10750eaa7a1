package flow

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hearth/whisk"
)

var t0 = time.Unix(1000, 0)

// testPause is that of a backlog under test: as many seconds as refusals.
func testPause(refused int) time.Duration { return time.Duration(refused) * time.Second }

// waiting returns an item of an action; the first letter is its namespace.
func waiting(action string) *item {
	ns := whisk.Namespace(action[:1])
	return &item{
		id: whisk.NewActivationID(), ns: ns, action: whisk.ActionName{Namespace: ns, Name: action},
		call: &whisk.Call{}, size: 1, ready: t0, expires: t0.Add(time.Hour),
	}
}

func (b *backlog) pushAll(actions ...string) {
	for _, a := range actions {
		b.push(waiting(a))
	}
}

// popAll returns the actions of what can be popped at a time, in order.
func (b *backlog) popAll(most int, now time.Time, each func(*item)) string {
	got := ""
	for it := b.pop(false, most, now); it != nil; it = b.pop(false, most, now) {
		got += it.action.Name + " "
		each(it)
	}
	return got
}

func TestBacklogTurns(t *testing.T) {
	for _, tc := range []struct {
		name string
		most int
		each func(b *backlog, it *item)
		want string
	}{
		{"kept", 9, func(*backlog, *item) {}, "a b c a c a "},
		{"ended at once", 9, func(b *backlog, it *item) { b.done(it, t0) }, "a b c a c a "},
		{"one is slow", 9, func(b *backlog, it *item) {
			if it.ns != "c" {
				b.done(it, t0)
			}
		}, "a b c a a c "},
		{"bounded", 2, func(*backlog, *item) {}, "a b c a c "},
	} {
		b := newBacklog(testPause)
		b.pushAll("a", "a", "a", "b", "c", "c")
		if got := b.popAll(tc.most, t0, func(it *item) { tc.each(b, it) }); got != tc.want {
			t.Errorf("%s: order = %s, want %s", tc.name, got, tc.want)
		}
	}
}

// An action that is refused stands in nobody's way, of its namespace or another.
func TestBacklogRefusal(t *testing.T) {
	b := newBacklog(testPause)
	b.pushAll("ax", "ax", "ax", "ay", "ay", "b")
	var xs []*item
	refuse := func(it *item) {
		if it.action.Name == "ax" {
			xs = append(xs, it)
			if news := b.refuse(it, false, t0); news != (len(xs) == 1) {
				t.Errorf("refusal %d: news %v", len(xs), news)
			}
		}
	}
	if got := b.popAll(9, t0, refuse); got != "ax b ay ay " {
		t.Errorf("order = %s", got)
	}
	if next := b.rouse(t0); !next.Equal(t0.Add(time.Second)) {
		t.Errorf("next at %v", next)
	}
	// One at a time from now on, after longer and longer rests, and the same.
	now := t0.Add(time.Second)
	for i, rest := range []time.Duration{2, 3, 4} {
		next := b.rouse(now)
		if !next.After(now) && i > 0 {
			t.Errorf("next at %v, it is %v", next, now)
		}
		if got := b.popAll(9, now, func(it *item) {
			if it != xs[0] {
				t.Error("another one was tried")
			}
			b.refuse(it, false, now)
		}); got != "ax " {
			t.Errorf("got %q", got)
		}
		now = now.Add(rest * time.Second)
	}
	// Something ended: it is tried at once.
	b.pushAll("c")
	b.done(b.pop(false, 9, now.Add(-time.Second)), now)
	if got := b.popAll(9, now.Add(-time.Second), func(*item) {}); got != "ax " {
		t.Errorf("after an end: %q", got)
	}
}

func TestBacklogTired(t *testing.T) {
	b := newBacklog(testPause)
	b.pushAll("ax", "ax", "ay", "az", "b")
	if it := b.popTired(t0); it != nil {
		t.Error("one that was not refused")
	}
	for range tiredAfter {
		b.rouse(t0)
		for it := b.pop(false, 9, t0); it != nil; it = b.pop(false, 9, t0) {
			b.refuse(it, false, t0)
		}
		b.rouse(t0.Add(time.Hour - 1))
	}
	for it := b.pop(false, 9, t0); it != nil; it = b.pop(false, 9, t0) {
		b.refuse(it, false, t0)
	}
	got := map[whisk.ActionName]int{}
	var ofA *item
	for it := b.popTired(t0); it != nil; it = b.popTired(t0) {
		if it.ns == "a" {
			ofA = it
		}
		got[it.action]++
	}
	if b := got[whisk.ActionName{Namespace: "b", Name: "b"}]; len(got) != 3 || b != 1 { // two of a, one of each line
		t.Errorf("got %v", got)
	}
	b.refuse(ofA, false, t0)
	if it := b.popTired(t0); it == nil || it.ns != "a" {
		t.Errorf("then %v", it)
	}
}

// Items end by their own times, wherever they stand.
func TestBacklogExpired(t *testing.T) {
	b := newBacklog(testPause)
	var want []*item
	for i := range 20 {
		it := waiting(fmt.Sprint("a", i%3))
		if i%4 == 3 {
			it.expires = t0.Add(time.Minute)
			want = append(want, it)
		}
		b.push(it)
	}
	asleep := waiting("b")
	asleep.expires, asleep.ready = t0.Add(time.Minute), t0.Add(2*time.Minute)
	b.sleep(asleep)
	if next := b.rouse(t0); !next.Equal(t0.Add(time.Minute)) {
		t.Errorf("next at %v", next)
	}
	got := b.expired(t0.Add(time.Minute))
	if len(got) != len(want)+1 || b.all.rows != 15 {
		t.Errorf("%d expired, %d left", len(got), b.all.rows)
	}
	if len(b.clear()) != 15 || b.all != (share{}) || len(b.spaces)+len(b.spots) != 0 || len(b.plain.lanes) != 0 {
		t.Errorf("left: %+v", b)
	}
}

// A retried item comes back before what came after it.
func TestBacklogSleep(t *testing.T) {
	b := newBacklog(testPause)
	b.pushAll("a", "a")
	first := b.pop(false, 9, t0)
	b.done(first, t0)
	first.ready = t0.Add(time.Second)
	b.sleep(first)
	b.rouse(t0.Add(999 * time.Millisecond))
	if first.sleep == nil {
		t.Error("it woke early")
	}
	b.rouse(t0.Add(time.Second))
	if it := b.pop(false, 9, t0); it != first {
		t.Error("another one came first")
	}
}

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
