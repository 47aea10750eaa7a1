package invoker

import (
	"container/heap"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"hearth/whisk"
)

// sim runs a pool in virtual time as an invoker would, on a machine whose
// processors runs and starts of sandboxes share evenly.
type sim struct {
	t          testing.TB
	p          *pool
	now        time.Time
	processors float64
	work       []*simWork
	events     simEvents
	rnd        *rand.Rand

	used    float64   // processor seconds since the last sample
	sampled time.Time // when that was
	queued  map[*ticket]*simCall
	seq     int

	// Since the last reset:
	calls         []*simCall
	colds, evicts int
	most          int // slots at once
}

// simAction is what an action's runs and starts need: processor time, or just
// time.
type simAction struct {
	key             warmKey
	cpu, idle, cost time.Duration
}

type simCall struct {
	ticket
	a     *simAction
	ended time.Time // zero: not yet
	done  func()    // may be nil
}

type simWork struct {
	left float64 // processor seconds
	then func()
}

type simEvent struct {
	at   time.Time
	n    int
	then func()
}

type simEvents []simEvent

func (e simEvents) Len() int { return len(e) }
func (e simEvents) Less(i, j int) bool {
	return e[i].at.Before(e[j].at) || e[i].at.Equal(e[j].at) && e[i].n < e[j].n
}
func (e simEvents) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *simEvents) Push(x any)   { *e = append(*e, x.(simEvent)) }
func (e *simEvents) Pop() any {
	x := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return x
}

const simMB = 128

func newSim(t testing.TB, slots int64) *sim {
	s := &sim{
		t: t, p: newPool(slots*simMB, 2), now: time.Unix(1e9, 0), processors: 2,
		rnd: rand.New(rand.NewPCG(1, 2)), queued: make(map[*ticket]*simCall),
	}
	s.look()
	return s
}

func simNamed(ns, name string) *simAction {
	k := keyNamed(name)
	k.namespace = whisk.Namespace(ns)
	return &simAction{key: k, cpu: time.Millisecond, cost: 50 * time.Millisecond}
}

func (s *sim) after(d time.Duration, then func()) {
	s.seq++
	heap.Push(&s.events, simEvent{s.now.Add(d), s.seq, then})
}

// compute calls then when the processors have done so much work.
func (s *sim) compute(d time.Duration, then func()) {
	s.work = append(s.work, &simWork{d.Seconds(), then})
}

// run lets time pass.
func (s *sim) run(d time.Duration) {
	for end := s.now.Add(d); s.now.Before(end); {
		next := end
		if len(s.events) > 0 && s.events[0].at.Before(next) {
			next = s.events[0].at
		}
		rate, least := s.rate(), 1e9
		for _, w := range s.work {
			least = min(least, w.left)
		}
		step := next.Sub(s.now)
		finishes := least/rate <= step.Seconds()
		if finishes {
			step = time.Duration(least / rate * 1e9)
		}
		s.now = s.now.Add(step)
		s.used += step.Seconds() * rate * float64(len(s.work))
		var over []*simWork
		for _, w := range s.work {
			if w.left -= step.Seconds() * rate; w.left < 1e-9 {
				over = append(over, w)
			}
		}
		s.work = slices.DeleteFunc(s.work, func(w *simWork) bool { return w.left < 1e-9 })
		for _, w := range over {
			w.then()
		}
		for !finishes && len(s.events) > 0 && !s.events[0].at.After(s.now) {
			heap.Pop(&s.events).(simEvent).then()
		}
	}
}

// rate is how much of a processor each piece of work gets.
func (s *sim) rate() float64 { return min(1, s.processors/max(1, float64(len(s.work)))) }

func (s *sim) look() {
	if d := s.now.Sub(s.sampled); d >= sampleEvery {
		share := s.used / s.processors / d.Seconds()
		s.p.crowded = share >= crowdedFrom || s.p.crowded && share >= crowdedTo
		s.used, s.sampled = 0, s.now
	}
	s.p.look(s.now)
	s.pump()
	s.after(lookEvery, s.look)
}

// call makes a call; done is told of its end.
func (s *sim) call(a *simAction, done func()) {
	c := &simCall{a: a, done: done}
	c.ticket = ticket{key: a.key, mb: simMB, arrived: s.now}
	s.calls = append(s.calls, c)
	if d := s.p.place(&c.ticket, true, s.now); !d.wait() {
		s.seat(c, d)
		return
	}
	s.queued[&c.ticket] = c
	s.p.enter(&c.ticket, s.now)
	s.pump()
}

func (s *sim) pump() {
	for {
		t, d := s.p.next(s.now)
		if t == nil {
			return
		}
		s.seat(s.queued[t], d)
	}
}

func (s *sim) check(err error) {
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *sim) seat(c *simCall, d decision) {
	delete(s.queued, &c.ticket)
	b, err := s.p.carry(&c.ticket, d, s.now)
	s.check(err)
	s.most = max(s.most, len(s.p.slots))
	if d.warm != nil {
		s.check(s.p.move(b, running))
		s.runIn(c, b)
		return
	}
	s.colds++
	s.evicts += len(d.evict)
	for _, v := range d.evict {
		s.p.gone(v)
	}
	s.pump()
	s.check(s.p.move(b, starting))
	begun := s.now
	s.compute(c.a.cost, func() {
		s.check(s.p.move(b, running))
		s.p.made(b, s.now.Sub(begun), s.now)
		s.runIn(c, b)
	})
}

func (s *sim) runIn(c *simCall, b *slot) {
	began := s.now
	s.compute(c.a.cpu, func() {
		s.after(c.a.idle, func() {
			c.ended = s.now
			s.p.use(b, s.now.Sub(began), s.now)
			s.check(s.p.settle(b, s.now))
			s.pump()
			if c.done != nil {
				c.done()
			}
		})
	})
}

// callers are so many that call again as soon as they have their answer, each
// time what pick says.
func (s *sim) callers(n int, pick func() *simAction) {
	var again func()
	again = func() { s.call(pick(), again) }
	for range n {
		again()
	}
}

// poisson calls an action so often a second.
func (s *sim) poisson(rate float64, a *simAction) {
	s.call(a, nil)
	s.after(time.Duration(s.rnd.ExpFloat64()/rate*1e9), func() { s.poisson(rate, a) })
}

// reset forgets what was counted.
func (s *sim) reset() { s.calls, s.colds, s.evicts, s.most = nil, 0, 0, 0 }

// latencies returns those of the ended calls of an action, or of all, in order.
func (s *sim) latencies(a *simAction) latencies {
	var out latencies
	for _, c := range s.calls {
		if (a == nil || c.a == a) && !c.ended.IsZero() {
			out = append(out, c.ended.Sub(c.arrived))
		}
	}
	slices.Sort(out)
	return out
}

// latencies are in order.
type latencies []time.Duration

func (l latencies) at(share float64) time.Duration { return l[int(share*float64(len(l)-1))] }
