package invoker

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hearth/whisk"
)

func keyNamed(name string) warmKey {
	return warmKey{namespace: "guest", action: whisk.ActionName{Namespace: "guest", Name: name}}
}

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

func TestPoolKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		capacity := rapid.SampledFrom([]int64{256, 512, 1000, 2048}).Draw(t, "capacity")
		m := &poolModel{
			p: newPool(capacity), now: time.Unix(1e9, 0), after: map[*slot][]*slot{},
			over: map[*ticket]int{}, real: map[*slot]struct{}{},
		}
		m.p.maxPassed = rapid.IntRange(0, 3).Draw(t, "maxPassed")
		sizes := map[string]int64{}
		for i := range 3 {
			sizes[fmt.Sprint(i)] = min(capacity, rapid.SampledFrom([]int64{128, 256, 512, 1024}).Draw(t, "mb"))
		}
		takeHeld := func(t *rapid.T) *ticket {
			if len(m.held) == 0 {
				t.Skip("none")
			}
			i := rapid.IntRange(0, len(m.held)-1).Draw(t, "held")
			tk := m.held[i]
			m.held = slices.Delete(m.held, i, i+1)
			return tk
		}
		// run brings the slot of a ticket to running, as far as it can.
		run := func(t *rapid.T, s *slot) bool {
			for _, v := range m.after[s] {
				if _, there := m.real[v]; there {
					return false
				}
			}
			m.real[s] = struct{}{}
			if s.state == cold {
				must(t, m.p.move(s, starting))
			}
			must(t, m.p.move(s, running))
			return true
		}
		t.Repeat(map[string]func(*rapid.T){
			"": m.check,
			"arrive": func(t *rapid.T) {
				name := fmt.Sprint(rapid.IntRange(0, 2).Draw(t, "action"))
				tk := &ticket{key: keyNamed(name), mb: sizes[name]}
				if d := m.p.place(tk, m.now); !d.wait() {
					m.serve(t, tk, d)
					return
				}
				m.p.enter(tk)
				m.waiting = append(m.waiting, tk)
			},
			"finish": func(t *rapid.T) {
				tk := takeHeld(t)
				s := tk.slot
				if !run(t, s) {
					m.held = append(m.held, tk)
					return
				}
				m.p.use(s, m.now)
				s.cost = time.Duration(rapid.IntRange(1, 1000).Draw(t, "cost")) * time.Millisecond
				must(t, m.p.settle(s, m.now))
				m.pump(t)
			},
			"fail": func(t *rapid.T) {
				tk := takeHeld(t)
				s := tk.slot
				if rapid.Bool().Draw(t, "ran") && !run(t, s) {
					m.held = append(m.held, tk)
					return
				}
				must(t, m.p.retire(s))
				m.dying = append(m.dying, s)
				m.pump(t)
			},
			"give back": func(t *rapid.T) {
				tk := takeHeld(t)
				if s := tk.slot; s.state == warm {
					must(t, m.p.settle(s, m.now))
				} else {
					must(t, m.p.retire(s))
					m.dying = append(m.dying, s)
				}
				m.pump(t)
			},
			"cancel": func(t *rapid.T) {
				if len(m.waiting) == 0 {
					t.Skip("none")
				}
				i := rapid.IntRange(0, len(m.waiting)-1).Draw(t, "waiting")
				m.p.leave(m.waiting[i])
				m.waiting = slices.Delete(m.waiting, i, i+1)
				m.pump(t)
			},
			"gone": func(t *rapid.T) {
				if len(m.dying) == 0 {
					t.Skip("none")
				}
				i := rapid.IntRange(0, len(m.dying)-1).Draw(t, "dying")
				s := m.dying[i]
				for _, v := range m.after[s] {
					if _, there := m.real[v]; there {
						return // its worker still waits
					}
				}
				m.dying = slices.Delete(m.dying, i, i+1)
				delete(m.real, s)
				m.p.gone(s)
				m.pump(t)
			},
			"expire": func(t *rapid.T) {
				for _, s := range m.p.expired(m.now.Add(-time.Minute)) {
					must(t, m.p.retire(s))
					m.dying = append(m.dying, s)
				}
				m.pump(t)
			},
			"time": func(t *rapid.T) {
				m.now = m.now.Add(time.Duration(rapid.IntRange(1, 90).Draw(t, "seconds")) * time.Second)
			},
		})
		m.finishAll(t)
	})
}

// finishAll ends all that runs; then nothing may wait any more.
func (m *poolModel) finishAll(t *rapid.T) {
	for range 10000 {
		switch {
		case len(m.dying) > 0:
			s := m.dying[0]
			m.dying = m.dying[1:]
			if slices.ContainsFunc(m.after[s], func(v *slot) bool { _, there := m.real[v]; return there }) {
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

func TestVictimsAreWorthLeast(t *testing.T) {
	now := time.Unix(1e9, 0)
	type box struct {
		mb, costMS, idleS int64
		uses              float64
	}
	for _, c := range []struct {
		name  string
		boxes []box
		need  int64
		want  string
	}{
		{"rarely used goes first", []box{{128, 100, 1, 9}, {128, 100, 1, 1}}, 100, "[2]"},
		{"cheap to make goes first", []box{{128, 900, 1, 1}, {128, 10, 1, 1}}, 100, "[2]"},
		{"large goes first", []box{{128, 100, 1, 1}, {512, 100, 1, 1}}, 100, "[2]"},
		{"uses fade", []box{{128, 100, 600, 100}, {128, 100, 1, 1}}, 100, "[1]"},
		{"of equal ones the longest idle", []box{{128, 0, 1, 1}, {128, 0, 2, 1}}, 100, "[2]"},
		{"as many as needed", []box{{128, 1, 1, 1}, {128, 2, 1, 1}, {128, 3, 1, 1}}, 200, "[2 1]"},
		{"small ones are spared when the last suffices", []box{{128, 1, 1, 1}, {512, 9, 1, 1}}, 300, "[2]"},
		{"too few", []box{{128, 1, 1, 1}}, 300, "[]"},
	} {
		p := newPool(4096)
		for i, b := range c.boxes {
			tk := &ticket{key: keyNamed(fmt.Sprint(i)), mb: b.mb}
			s, err := p.carry(tk, decision{fresh: true})
			if err != nil {
				t.Fatal(err)
			}
			for _, st := range []state{starting, running} {
				if err := p.move(s, st); err != nil {
					t.Fatal(err)
				}
			}
			at := now.Add(-time.Duration(b.idleS) * time.Second)
			if err := p.settle(s, at); err != nil {
				t.Fatal(err)
			}
			s.cost, s.uses, s.usedAt = time.Duration(b.costMS)*time.Millisecond, b.uses, at
		}
		ids := []int{}
		for _, s := range p.victims(c.need, now) {
			ids = append(ids, s.id)
		}
		if got := fmt.Sprint(ids); got != c.want {
			t.Errorf("%s: victims = %s, want %s", c.name, got, c.want)
		}
	}
}

func TestMoves(t *testing.T) {
	for from := range state(states) {
		for to := range state(states + 1) {
			s := &slot{state: from}
			err := s.move(to)
			legal := slices.Contains(moves[from], to)
			if legal != (err == nil) || legal && s.state != to || !legal && s.state != from {
				t.Errorf("%v to %v: err = %v, state = %v", from, to, err, s.state)
			}
		}
	}
}
