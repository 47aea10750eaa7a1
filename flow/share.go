package flow

import "hearth/whisk"

// share is what of something there is in the backlog.
type share struct {
	rows   int // but for those that are parked
	parked int
	bytes  int64
}

func (s share) plus(n int, it *item) share {
	if it.call == nil {
		s.parked += n
	} else {
		s.rows += n
	}
	s.bytes += int64(n) * it.size
	return s
}

// spot is where an item waits: among those of an action, called from a
// namespace.
type spot struct {
	ns     whisk.Namespace
	action whisk.ActionName
}

func (it *item) spot() spot { return spot{it.ns, it.action} }

// count notes n more of an item.
func (b *backlog) count(it *item, n int) {
	b.all = b.all.plus(n, it)
	tally(b.spaces, it.ns, n, it)
	tally(b.spots, it.spot(), n, it)
}

func tally[K comparable](shares map[K]share, k K, n int, it *item) {
	if shares[k] = shares[k].plus(n, it); shares[k] == (share{}) {
		delete(shares, k)
	}
}
