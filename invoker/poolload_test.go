package invoker

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func simActions(n int) []*simAction {
	var as []*simAction
	for i := range n {
		as = append(as, simNamed("guest", fmt.Sprint(i)))
	}
	return as
}

func evenly(rnd *rand.Rand, as []*simAction) func() *simAction {
	return func() *simAction { return as[rnd.IntN(len(as))] }
}

func zipf(rnd *rand.Rand, as []*simAction) func() *simAction {
	var sum float64
	var upTo []float64
	for i := range as {
		sum += 1 / float64(i+1)
		upTo = append(upTo, sum)
	}
	return func() *simAction {
		i, _ := slices.BinarySearch(upTo, rnd.Float64()*sum)
		return as[i]
	}
}

// A hundred actions in memory for a hundred sandboxes: none is evicted for a
// second one of another, and the whole is as fast as one action.
func TestLoadOfAHundredActions(t *testing.T) {
	s := newSim(t, 100)
	as := simActions(100)
	for _, a := range as {
		s.call(a, nil)
	}
	s.run(10 * time.Second)
	s.callers(64, evenly(s.rnd, as))
	s.reset()
	s.run(10 * time.Second)
	if n := len(s.latencies(nil)); s.colds > 0 || n < 19_800 {
		t.Errorf("%d cold starts, %d evictions, %d calls; want none and 20,000", s.colds, s.evicts, n)
	}
}

// In memory for 16 of them, those that are asked for most stay. The 16 most
// popular have 65% of the calls.
func TestLoadBeyondMemory(t *testing.T) {
	s := newSim(t, 16)
	s.callers(64, zipf(s.rnd, simActions(100)))
	s.run(10 * time.Second)
	s.reset()
	s.run(30 * time.Second)
	l := s.latencies(nil)
	if warm := 1 - float64(s.colds)/float64(len(l)); warm < 0.6 || l.at(1) > 3*time.Second {
		t.Errorf("%.0f%% warm, longest %v", 100*warm, l.at(1))
	}
}

// Many calls of a short run share few sandboxes.
func TestLoadOfShortRuns(t *testing.T) {
	s := newSim(t, 100)
	s.callers(64, evenly(s.rnd, simActions(1)))
	s.run(10 * time.Second)
	l := s.latencies(nil)
	if s.most > 4 || len(l) < 19_500 {
		t.Errorf("%d sandboxes, %d calls; want at most 4, and 20,000", s.most, len(l))
	}
}

// Runs that wait for others get more, while the processors have time to spare.
func TestLoadOfShortWaits(t *testing.T) {
	s := newSim(t, 100)
	as := simActions(1)
	as[0].cpu, as[0].idle = 100*time.Microsecond, 5*time.Millisecond
	s.callers(64, evenly(s.rnd, as))
	s.run(10 * time.Second)
	s.reset()
	s.run(time.Second)
	if n := len(s.latencies(nil)); n < 9_000 || s.most > 64 {
		t.Errorf("%d calls with %d sandboxes, want about 10,000", n, s.most)
	}
}

// Calls that sleep get as many sandboxes as there is memory for, at once but
// for about a cold start until that is seen.
func TestLoadOfSleepers(t *testing.T) {
	for _, c := range []struct {
		slots int64
		want  time.Duration
	}{
		{100, 1200 * time.Millisecond},
		{16, 4200 * time.Millisecond},
	} {
		s := newSim(t, c.slots)
		a := simActions(1)[0]
		a.cpu, a.idle, s.processors = 0, time.Second, 64
		for range 64 {
			s.call(a, nil)
		}
		s.run(20 * time.Second)
		if l := s.latencies(a); len(l) != 64 || l.at(1) > c.want {
			t.Errorf("memory for %d: %d calls, longest %v, want %v", c.slots, len(l), l.at(1), c.want)
		}
		s.reset()
		for range 16 {
			s.call(a, nil)
		}
		s.run(20 * time.Second)
		if l := s.latencies(a); l.at(1) > 1010*time.Millisecond {
			t.Errorf("memory for %d: later ones take %v", c.slots, l.at(1))
		}
	}
}

// A quiet action keeps its sandbox beside a busy one of the same namespace.
func TestLoadBesideABusyAction(t *testing.T) {
	s := newSim(t, 4)
	quiet, busy := simNamed("guest", "quiet"), simNamed("guest", "busy")
	s.poisson(50, quiet)
	s.run(5 * time.Second)
	s.callers(32, func() *simAction { return busy })
	s.reset()
	s.run(10 * time.Second)
	if l := s.latencies(quiet); l.at(0.99) > 5*time.Millisecond {
		t.Errorf("p99 %v", l.at(0.99))
	}
}

// One that comes when all memory is in use by long runs gets the first that
// comes free, whoever else waits for it.
func TestLoadOfSleepersLetsOthersIn(t *testing.T) {
	for _, ns := range []string{"guest", "other"} {
		s := newSim(t, 16)
		busy, quiet := simNamed("guest", "busy"), simNamed(ns, "quiet")
		busy.idle = time.Second
		s.callers(64, func() *simAction { return busy })
		s.run(5 * time.Second)
		s.poisson(50, quiet)
		s.run(10 * time.Second)
		if l := s.latencies(quiet); l.at(1) > 1200*time.Millisecond || l.at(0.85) > 10*time.Millisecond {
			t.Errorf("%s: p85 %v, longest %v", ns, l.at(0.85), l.at(1))
		}
	}
}

// A namespace whose calls come for more actions than there is memory for does
// not take another's only sandbox from it.
func TestLoadOfManyActionsSparesOthers(t *testing.T) {
	s := newSim(t, 16)
	quiet := simNamed("other", "quiet")
	s.poisson(50, quiet)
	s.run(5 * time.Second)
	s.callers(64, evenly(s.rnd, simActions(1000)))
	s.reset()
	s.run(30 * time.Second)
	l := s.latencies(quiet)
	cold := 0
	for _, d := range l {
		if d > quiet.cost {
			cold++
		}
	}
	if share := float64(cold) / float64(len(l)); share > 0.05 || l.at(1) > time.Second {
		t.Errorf("%.1f%% of %d calls were slow, longest %v", 100*share, len(l), l.at(1))
	}
}

// Actions that always have calls waiting take turns where there is no memory
// for all.
func TestLoadTakesTurns(t *testing.T) {
	s := newSim(t, 4)
	as := simActions(12)
	for _, a := range as {
		s.callers(4, func() *simAction { return a })
	}
	s.run(60 * time.Second)
	for _, a := range as {
		if l := s.latencies(a); len(l) < 500 || l.at(1) > 3*time.Second {
			t.Errorf("%s: %d calls, longest %v", a.key.action.Name, len(l), l.at(1))
		}
	}
}

// A call behind a very long run of its action's only sandbox gets a second
// one, in place of an idle one of an action that is seldom asked for.
func TestLoadBehindALongRun(t *testing.T) {
	s := newSim(t, 4)
	long := simNamed("guest", "long")
	long.idle = time.Minute
	for _, a := range simActions(3) {
		s.poisson(2, a)
	}
	s.run(5 * time.Second)
	s.call(long, nil)
	s.run(time.Second)
	s.call(long, nil)
	s.run(2 * time.Minute)
	if l := s.latencies(long); len(l) != 2 || l.at(1) > long.idle+4*time.Second {
		t.Errorf("%d ended, longest %v", len(l), l.at(1))
	}
}
