package bench

import (
	"math"
	"math/rand/v2"
	"time"
)

// schedule yields the due times of an open plan, ascending, counted from the
// end of the warm-up; those of the warm-up are negative.
type schedule struct {
	plan  Plan
	i     int64         // arrivals of the plan yielded
	warm  int64         // arrivals of the warm-up yielded
	gone  time.Duration // Poisson: the last arrival
	gaps  *rand.Rand
	ended bool
}

func newSchedule(p Plan) *schedule {
	return &schedule{plan: p, gaps: rand.New(rand.NewPCG(p.Seed, 0x6865617274680000))}
}

// next returns the next due time, false when there is none.
func (s *schedule) next() (time.Duration, bool) {
	if due, ok := s.warming(); ok {
		return due, true
	}
	if s.ended || s.plan.Count > 0 && s.i >= s.plan.Count {
		return 0, false
	}
	due, ok := s.due()
	if !ok || s.plan.Duration > 0 && due >= s.plan.Duration {
		s.ended = true
		return 0, false
	}
	s.i++
	return due, true
}

// warming yields the warm-up's arrivals, evenly at the plan's mean rate.
func (s *schedule) warming() (time.Duration, bool) {
	rate := s.plan.meanRate()
	if s.plan.Warmup == 0 || rate == 0 {
		return 0, false
	}
	due := even(s.warm, rate) - s.plan.Warmup
	if due >= 0 {
		return 0, false
	}
	s.warm++
	return due, true
}

// due returns when arrival s.i is due, false if the law has no more.
func (s *schedule) due() (time.Duration, bool) {
	switch p := &s.plan; p.Arrival {
	case Poisson:
		if s.i > 0 { // the first is due at once, as in all plans
			s.gone += seconds(s.gaps.ExpFloat64() / p.Rate)
		}
		return s.gone, true
	case Ramp:
		return ramped(s.i, p.Rate, p.Duration), true
	case Burst:
		return bursting(s.i, p.Rate), true
	case Trace:
		if s.i >= int64(len(p.Trace)) {
			return 0, false
		}
		return p.Trace[s.i], true
	default:
		return even(s.i, p.Rate), true
	}
}

// meanRate returns the arrivals per second of an open plan.
func (p Plan) meanRate() float64 {
	switch p.Arrival {
	case Ramp:
		return p.Rate / 2
	case Trace:
		last := p.Trace[len(p.Trace)-1]
		if last <= 0 {
			return 0
		}
		return min(float64(len(p.Trace))/last.Seconds(), maxRate)
	}
	return p.Rate
}

// even spaces arrivals by 1/rate.
func even(i int64, rate float64) time.Duration { return seconds(float64(i) / rate) }

// ramped inverts the sum of a rate that grows from 0 to rate within d: by time
// t, rate·t²/2d requests were due.
func ramped(i int64, rate float64, d time.Duration) time.Duration {
	return seconds(math.Sqrt(2 * float64(i) * d.Seconds() / rate))
}

// burstShare is the share of each second within which its requests are due.
const burstShare = 0.1

// bursting is even, with each whole second squeezed into its first tenth.
func bursting(i int64, rate float64) time.Duration {
	whole, part := math.Modf(float64(i) / rate)
	return seconds(whole + part*burstShare)
}

// seconds converts, and stops at the longest duration there is.
func seconds(s float64) time.Duration {
	if s >= math.MaxInt64/float64(time.Second) {
		return math.MaxInt64
	}
	return time.Duration(s * float64(time.Second))
}
