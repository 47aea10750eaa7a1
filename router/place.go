package router

import (
	"time"

	"hearth/whisk"
)

// Load bounds: an invoker below quietShare of its capacity is always within
// its bound; above, it may be spread times as full as the pool's mean.
const (
	quietShare = 0.7
	spread     = 1.25
)

// maxTries bounds Config.Tries so that candidates fit the caller's stack.
const maxTries = 16

// candidates appends to dst the invokers to offer the call to, best first, at
// most n of them.
//
// Algorithm: walk the key's order on the ring and keep those that can run the
// target and are not draining. Those within their load bound come first, in ring
// order; then those over it, in ring order too. So a quiet mesh keeps an
// action at home, a hot one spreads it along the ring, and if all are over
// their bounds the home is tried anyway. The mean is only computed when
// somebody is above quietShare.
//
// Example: shares A 0.9, B 0.2, C 0.8 in ring order give the mean 0.63 and the
// bound max(1.25 × 0.63, 0.7) = 0.79, and so the order B, A, C.
func (v *view) candidates(dst []*member, t *whisk.Target, key string, now time.Time, n int) []*member {
	var over [maxTries]*member
	late := over[:0]
	bound := 0.0 // of this call, not yet known
	v.ring.Walk(key, func(id string) bool {
		m := v.members[id]
		if !offers(&m.hello, t) {
			return true
		}
		share, draining := m.share(now)
		if draining {
			return true
		}
		if share >= quietShare && bound == 0 {
			bound = max(quietShare, spread*v.meanShare(t, now))
		}
		if share < quietShare || share <= bound {
			dst = append(dst, m)
		} else if len(late) < cap(late) {
			late = append(late, m)
		}
		return len(dst) < n
	})
	for _, m := range late {
		if len(dst) < n {
			dst = append(dst, m)
		}
	}
	return dst
}

// meanShare returns how full the invokers that can run the target are on the
// average.
func (v *view) meanShare(t *whisk.Target, now time.Time) float64 {
	sum, n := 0.0, 0
	for _, m := range v.members {
		if !offers(&m.hello, t) {
			continue
		}
		if share, draining := m.share(now); !draining {
			sum += share
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}
