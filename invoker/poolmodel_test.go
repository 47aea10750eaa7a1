package invoker

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"
)

// poolModel drives a pool as an invoker does and keeps its own account.
type poolModel struct {
	p       *pool
	now     time.Time
	held    []*ticket // have a slot: reserved or running
	waiting []*ticket // in order of arrival
	dying   []*slot
	after   map[*slot][]*slot  // new slots that wait for others to be gone
	over    map[*ticket]int    // times overtaken, by our own count
	real    map[*slot]struct{} // slots of which there is something on the machine
	sizes   map[string]int64   // MB by action
}

func newPoolModel(t *rapid.T) *poolModel {
	capacity := rapid.SampledFrom([]int64{256, 512, 1000, 2048}).Draw(t, "capacity")
	m := &poolModel{
		p: newPool(capacity), now: time.Unix(1e9, 0), after: map[*slot][]*slot{},
		over: map[*ticket]int{}, real: map[*slot]struct{}{}, sizes: map[string]int64{},
	}
	m.p.maxPassed = rapid.IntRange(0, 3).Draw(t, "maxPassed")
	for i := range 3 {
		m.sizes[fmt.Sprint(i)] = min(capacity, rapid.SampledFrom([]int64{128, 256, 512, 1024}).Draw(t, "mb"))
	}
	return m
}

func (m *poolModel) arrive(t *rapid.T) {
	name := fmt.Sprint(rapid.IntRange(0, 2).Draw(t, "action"))
	tk := &ticket{key: keyNamed(name), mb: m.sizes[name]}
	if d := m.p.place(tk, m.now); !d.wait() {
		m.serve(t, tk, d)
		return
	}
	m.p.enter(tk)
	m.waiting = append(m.waiting, tk)
}

// takeHeld takes one of the tickets that have a slot out of the account.
func (m *poolModel) takeHeld(t *rapid.T) *ticket {
	if len(m.held) == 0 {
		t.Skip("none")
	}
	i := rapid.IntRange(0, len(m.held)-1).Draw(t, "held")
	tk := m.held[i]
	m.held = slices.Delete(m.held, i, i+1)
	return tk
}

// waits reports whether the worker of s still waits for evicted ones.
func (m *poolModel) waits(s *slot) bool {
	return slices.ContainsFunc(m.after[s], func(v *slot) bool { _, there := m.real[v]; return there })
}

// run brings a slot to running, if it can be there.
func (m *poolModel) run(t *rapid.T, s *slot) bool {
	if m.waits(s) {
		return false
	}
	m.real[s] = struct{}{}
	if s.state == cold {
		must(t, m.p.move(s, starting))
	}
	must(t, m.p.move(s, running))
	return true
}

func (m *poolModel) finish(t *rapid.T) {
	tk := m.takeHeld(t)
	s := tk.slot
	if !m.run(t, s) {
		m.held = append(m.held, tk)
		return
	}
	m.p.use(s, m.now)
	s.cost = time.Duration(rapid.IntRange(1, 1000).Draw(t, "cost")) * time.Millisecond
	must(t, m.p.settle(s, m.now))
	m.pump(t)
}

func (m *poolModel) fail(t *rapid.T) {
	tk := m.takeHeld(t)
	s := tk.slot
	if rapid.Bool().Draw(t, "ran") && !m.run(t, s) {
		m.held = append(m.held, tk)
		return
	}
	m.retire(t, s)
	m.pump(t)
}

func (m *poolModel) giveBack(t *rapid.T) {
	if s := m.takeHeld(t).slot; s.state == warm {
		must(t, m.p.settle(s, m.now))
	} else {
		m.retire(t, s)
	}
	m.pump(t)
}

func (m *poolModel) cancel(t *rapid.T) {
	if len(m.waiting) == 0 {
		t.Skip("none")
	}
	i := rapid.IntRange(0, len(m.waiting)-1).Draw(t, "waiting")
	m.p.leave(m.waiting[i])
	m.waiting = slices.Delete(m.waiting, i, i+1)
	m.pump(t)
}

func (m *poolModel) gone(t *rapid.T) {
	if len(m.dying) == 0 {
		t.Skip("none")
	}
	i := rapid.IntRange(0, len(m.dying)-1).Draw(t, "dying")
	s := m.dying[i]
	if m.waits(s) {
		return
	}
	m.dying = slices.Delete(m.dying, i, i+1)
	delete(m.real, s)
	m.p.gone(s)
	m.pump(t)
}

func (m *poolModel) expire(t *rapid.T) {
	for _, s := range m.p.expired(m.now.Add(-time.Minute)) {
		m.retire(t, s)
	}
	m.pump(t)
}

func (m *poolModel) retire(t *rapid.T, s *slot) {
	must(t, m.p.retire(s))
	m.dying = append(m.dying, s)
}

func (m *poolModel) serve(t *rapid.T, tk *ticket, d decision) {
	if idle := m.p.idle[tk.key]; len(idle) > 0 && d.warm == nil {
		t.Fatalf("a ticket gets a new slot though one is warm")
	}
	if tk.slot != nil {
		t.Fatalf("a ticket gets a second slot")
	}
	if d.warm != nil && (d.warm.ticket != nil || d.warm.key != tk.key || d.warm.state != warm) {
		t.Fatalf("ticket of %v gets slot %+v", tk.key, d.warm)
	}
	at := slices.Index(m.waiting, tk)
	for i, w := range m.waiting {
		if at >= 0 && i >= at {
			break
		}
		if d.warm == nil {
			t.Fatalf("overtaken for a cold start")
		}
		if m.over[w]++; m.over[w] > m.p.maxPassed {
			t.Fatalf("overtaken %d times", m.over[w])
		}
	}
	if at >= 0 {
		m.waiting = slices.Delete(m.waiting, at, at+1)
	}
	s, err := m.p.carry(tk, d)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range d.evict {
		if v.ticket != nil {
			t.Fatalf("a slot in use is evicted")
		}
		m.dying = append(m.dying, v)
	}
	if d.warm == nil {
		m.after[s] = d.evict
	}
	m.held = append(m.held, tk)
}

func (m *poolModel) pump(t *rapid.T) {
	for {
		tk, d := m.p.next(m.now)
		if tk == nil {
			return
		}
		m.serve(t, tk, d)
	}
}

func (m *poolModel) check(t *rapid.T) {
	var used, busy, realMB int64
	seen := map[*ticket]bool{}
	counts := [states]int{}
	for _, s := range m.p.slots {
		used += s.mb - s.ceded
		counts[s.state]++
		if s.ticket != nil {
			busy += s.mb
			if s.ticket.slot != s || seen[s.ticket] {
				t.Fatalf("slot %d and its ticket disagree", s.id)
			}
			seen[s.ticket] = true
		}
	}
	for s := range m.real {
		realMB += s.mb
	}
	if used != m.p.used || busy != m.p.busy || counts != m.p.counts {
		t.Fatalf("books: used %d of %d, busy %d of %d, counts %v of %v", m.p.used, used, m.p.busy, busy, m.p.counts, counts)
	}
	if used > m.p.capacity || realMB > m.p.capacity {
		t.Fatalf("%d MB used, %d MB on the machine, of %d", used, realMB, m.p.capacity)
	}
	if len(seen) != len(m.held) || !slices.Equal(m.waiting, m.p.queue) {
		t.Fatalf("%d held of %d, %d waiting of %d", len(seen), len(m.held), len(m.p.queue), len(m.waiting))
	}
	if !slices.IsSortedFunc(m.p.queue, func(a, b *ticket) int { return b.passed - a.passed }) {
		t.Fatalf("a ticket was passed more often than one ahead of it")
	}
	idle := 0
	for k, list := range m.p.idle {
		for _, s := range list {
			if s.key != k || s.state != warm || s.ticket != nil {
				t.Fatalf("slot %+v is listed as idle", s)
			}
		}
		idle += len(list)
	}
	for _, s := range m.p.slots {
		if s.state == warm && s.ticket == nil {
			idle--
		}
	}
	if idle != 0 {
		t.Fatalf("%d more idle slots listed than there are", idle)
	}
	if tk, _ := m.p.next(m.now); tk != nil {
		t.Fatalf("a ticket that could be served waits")
	}
}

// finishAll ends all that runs; then nothing may wait any more.
func (m *poolModel) finishAll(t *rapid.T) {
	for range 10000 {
		switch {
		case len(m.dying) > 0:
			s := m.dying[0]
			m.dying = m.dying[1:]
			if m.waits(s) {
				m.dying = append(m.dying, s)
				continue
			}
			delete(m.real, s)
			m.p.gone(s)
		case len(m.held) > 0:
			s := m.held[0].slot
			m.held = m.held[1:]
			if s.state == cold {
				must(t, m.p.move(s, starting))
				must(t, m.p.move(s, running))
				m.real[s] = struct{}{}
			}
			must(t, m.p.settle(s, m.now))
		default:
			if len(m.waiting) > 0 {
				t.Fatalf("%d wait for ever", len(m.waiting))
			}
			return
		}
		m.pump(t)
		m.check(t)
	}
	t.Fatalf("no end")
}

func must(t *rapid.T, err error) {
	if err != nil {
		t.Fatal(err)
	}
}
