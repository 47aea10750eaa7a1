package invoker

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"hearth/whisk"
)

// poolModel drives a pool as an invoker does and keeps its own account.
type poolModel struct {
	p       *pool
	now     time.Time
	held    []*ticket // have a slot: reserved or running
	waiting []*ticket // in order of arrival
	dying   []*slot
	after   map[*slot][]*slot  // new slots that wait for others to be gone
	real    map[*slot]struct{} // slots of which there is something on the machine
	actions []modelAction
}

type modelAction struct {
	key warmKey
	mb  int64
}

func newPoolModel(t *rapid.T) *poolModel {
	capacity := rapid.SampledFrom([]int64{256, 512, 1000, 2048}).Draw(t, "capacity")
	m := &poolModel{
		p: newPool(capacity, 2), now: time.Unix(1e9, 0), after: map[*slot][]*slot{}, real: map[*slot]struct{}{},
	}
	for i := range 4 {
		a := modelAction{key: keyNamed(fmt.Sprint(i))}
		a.key.namespace = rapid.SampledFrom([]whisk.Namespace{"x", "y"}).Draw(t, "namespace")
		a.mb = min(capacity, rapid.SampledFrom([]int64{128, 256, 512, 1024}).Draw(t, "mb"))
		m.actions = append(m.actions, a)
	}
	return m
}

func (m *poolModel) arrive(t *rapid.T) {
	a := rapid.SampledFrom(m.actions).Draw(t, "action")
	canWait := rapid.IntRange(0, 4).Draw(t, "can wait") > 0
	tk := &ticket{key: a.key, mb: a.mb, arrived: m.now}
	d := m.p.place(tk, canWait, m.now)
	switch {
	case !d.wait():
		m.serve(t, tk, d)
	case canWait:
		m.p.enter(tk, m.now)
		m.waiting = append(m.waiting, tk)
		m.pump(t)
	case tk.group.live == 0 && m.p.free() >= tk.mb && m.p.owed == nil && len(m.waiting) == 0:
		t.Fatalf("turned away though there is room")
	}
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
	if s.making {
		m.p.made(s, time.Duration(rapid.IntRange(1, 1000).Draw(t, "cost"))*time.Millisecond, m.now)
	}
	m.p.use(s, time.Duration(rapid.IntRange(1, 10000).Draw(t, "run"))*time.Millisecond, m.now)
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
	if len(tk.group.idle) > 0 && d.warm == nil {
		t.Fatalf("a ticket gets a new slot though one is warm")
	}
	if tk.slot != nil {
		t.Fatalf("a ticket gets a second slot")
	}
	if d.warm != nil && (d.warm.ticket != nil || d.warm.group != tk.group || d.warm.state != warm || d.warm.kept) {
		t.Fatalf("ticket of %v gets slot %+v", tk.key, d.warm)
	}
	if at := slices.Index(m.waiting, tk); at >= 0 {
		of := func(w *ticket) bool { return w.group == tk.group }
		if d.warm != nil && slices.ContainsFunc(m.waiting[:at], of) {
			t.Fatalf("a ticket gets a warm slot before one that came earlier")
		}
		if slices.ContainsFunc(m.waiting[:at], of) && slices.ContainsFunc(m.waiting[at+1:], of) {
			t.Fatalf("a ticket in the middle of a line is served")
		}
		m.waiting = slices.Delete(m.waiting, at, at+1)
	}
	for _, v := range d.evict {
		if v.ticket != nil || v.group == tk.group {
			t.Fatalf("evicts %+v", v)
		}
	}
	s, err := m.p.carry(tk, d, m.now)
	if err != nil {
		t.Fatal(err)
	}
	m.dying = append(m.dying, d.evict...)
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

// pass lets time pass.
func (m *poolModel) pass(t *rapid.T, d time.Duration) {
	m.now = m.now.Add(d)
	m.p.crowded = rapid.Bool().Draw(t, "crowded")
	m.p.look(m.now)
	m.pump(t)
}

// finishAll ends all that runs, each after some time; then nothing may wait any
// more.
func (m *poolModel) finishAll(t *rapid.T) {
	for idle := 0; idle < 1000; {
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
			m.run(t, s)
			must(t, m.p.settle(s, m.now))
		default:
			if len(m.waiting) == 0 {
				return
			}
			idle++
		}
		m.pump(t)
		m.check(t)
		m.pass(t, lookEvery)
	}
	t.Fatalf("%d wait for ever", len(m.waiting))
}

func must(t *rapid.T, err error) {
	if err != nil {
		t.Fatal(err)
	}
}
