package invoker

import (
	"math"
	"slices"
	"time"
)

// useHalfLife is the time in which a use counts half for what a sandbox is
// worth.
const useHalfLife = time.Minute

// victims returns the idle slots that are worth least and hold need MB
// together, nil if all of them do not.
func (p *pool) victims(need int64, now time.Time) []*slot {
	type candidate struct {
		s     *slot
		value float64
	}
	var cs []candidate
	var sum int64
	for _, idle := range p.idle {
		for _, s := range idle {
			cs = append(cs, candidate{s, s.value(now)})
			sum += s.mb
		}
	}
	if sum < need {
		return nil
	}
	slices.SortFunc(cs, func(a, b candidate) int {
		switch {
		case a.value != b.value:
			return cmpFloat(a.value, b.value)
		case !a.s.idleSince.Equal(b.s.idleSince):
			return a.s.idleSince.Compare(b.s.idleSince)
		}
		return a.s.id - b.s.id
	})
	n := 0
	for got := int64(0); got < need; n++ {
		got += cs[n].s.mb
	}
	// A large last one may make some of the smaller ones before it needless.
	var out []*slot
	got := int64(0)
	for i := n - 1; i >= 0 && got < need; i-- {
		out = append(out, cs[i].s)
		got += cs[i].s.mb
	}
	return out
}

func cmpFloat(a, b float64) int {
	if a < b {
		return -1
	}
	return 1
}

// value is what keeping the slot saves: cost of its making × recent rate of
// use, for each MB.
func (s *slot) value(now time.Time) float64 {
	return s.cost.Seconds() * decay(s.uses, now.Sub(s.usedAt)) / float64(s.mb)
}

func decay(uses float64, d time.Duration) float64 {
	return uses * math.Exp2(-float64(d)/float64(useHalfLife))
}
