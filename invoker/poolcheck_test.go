package invoker

import (
	"slices"

	"pgregory.net/rapid"
)

func (m *poolModel) check(t *rapid.T) {
	m.checkBooks(t)
	m.checkGroups(t)
	if tk, _ := m.p.next(m.now); tk != nil {
		t.Fatalf("a ticket that could be served waits")
	}
}

func (m *poolModel) checkBooks(t *rapid.T) {
	var used, busy, rest, realMB int64
	seen := map[*ticket]bool{}
	counts := [states]int{}
	for _, s := range m.p.slots {
		used += s.mb - s.ceded
		counts[s.state]++
		if s.state == warm && s.ticket == nil {
			rest += s.mb
		}
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
	if used != m.p.used || busy != m.p.busy || rest != m.p.restMB || counts != m.p.counts {
		t.Fatalf("books: used %d of %d, busy %d of %d, at rest %d of %d, counts %v of %v",
			m.p.used, used, m.p.busy, busy, m.p.restMB, rest, m.p.counts, counts)
	}
	if used > m.p.capacity || realMB > m.p.capacity {
		t.Fatalf("%d MB used, %d MB on the machine, of %d", used, realMB, m.p.capacity)
	}
	if len(seen) != len(m.held) || m.p.queued != len(m.waiting) {
		t.Fatalf("%d held of %d, %d waiting of %d", len(seen), len(m.held), m.p.queued, len(m.waiting))
	}
}

func (m *poolModel) checkGroups(t *rapid.T) {
	tenants := map[*tenant]int64{}
	kept, makes := 0, 0
	for k, g := range m.p.groups {
		var live, making, busy int
		var idle []*slot
		for _, s := range m.p.slots {
			if s.group != g {
				continue
			}
			if s.state != removing {
				live++
				tenants[g.tenant] += s.mb
			}
			if s.making {
				making++
			}
			if s.ticket != nil {
				busy++
			} else if s.kept {
				kept++
			} else if s.state == warm {
				idle = append(idle, s)
			}
		}
		if live != g.live || making != g.making || busy != g.busy || len(idle) != len(g.idle) || m.p.tenants[k.namespace] != g.tenant {
			t.Fatalf("group: live %d of %d, making %d of %d, busy %d of %d, idle %d of %d",
				g.live, live, g.making, making, g.busy, busy, len(g.idle), len(idle))
		}
		makes += making
		for _, s := range idle {
			if !slices.Contains(g.idle, s) {
				t.Fatalf("slot %+v is not listed as idle", s)
			}
		}
		line := slices.DeleteFunc(slices.Clone(m.waiting), func(w *ticket) bool { return w.group != g })
		if !slices.Equal(line, g.line) || slices.Contains(m.p.waiting, g) != (len(line) > 0) {
			t.Fatalf("line of %d, want %d", len(g.line), len(line))
		}
		if len(g.line) > 0 && len(g.idle) > 0 {
			t.Fatalf("a ticket waits though its slot is idle")
		}
	}
	for _, ns := range m.p.tenants {
		if tenants[ns] != ns.mb {
			t.Fatalf("a namespace has %d MB, want %d", ns.mb, tenants[ns])
		}
	}
	if makes != m.p.making {
		t.Fatalf("%d slots are being made, want %d", m.p.making, makes)
	}
	if kept != len(m.p.kept) || kept > 0 && m.p.owed == nil || m.p.owed != nil && len(m.p.owed.line) == 0 {
		t.Fatalf("%d slots are kept of %d, for %v", len(m.p.kept), kept, m.p.owed)
	}
}
