package api

import (
	"sync"
	"sync/atomic"

	"hearth/whisk"
)

// budget is how many bytes may be held at once, over all requests, and how many
// of them in large pieces for one namespace: its bodies may come as slowly as it
// likes, and others shall have room meanwhile.
type budget struct {
	max, share int64
	used       atomic.Int64

	mu     sync.Mutex // guards what follows
	shares map[whisk.Namespace]int64
}

// largePiece is what counts in a namespace's share, if it is larger.
const largePiece = 64 << 10

// setMax sets the bounds. A share has room for one of the largest bodies while it
// grows.
func (b *budget) setMax(n, largestBody int64) {
	b.max, b.share, b.shares = n, max(n/2, 2*largestBody), map[whisk.Namespace]int64{}
}

// take reserves n bytes, or none and reports false.
func (b *budget) take(n int64) bool {
	if b.used.Add(n) > b.max {
		b.used.Add(-n)
		return false
	}
	return true
}

func (b *budget) release(n int64) { b.used.Add(-n) }

// takeShare is take for a namespace's share.
func (b *budget) takeShare(ns whisk.Namespace, n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.shares[ns]+n > b.share {
		return false
	}
	b.shares[ns] += n
	return true
}

func (b *budget) releaseShare(ns whisk.Namespace, n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.shares[ns] -= n; b.shares[ns] <= 0 {
		delete(b.shares, ns)
	}
}

// reserve takes n bytes of the budget until the request ends.
func (q *request) reserve(n int64) error {
	if !q.budget.take(n) {
		return whisk.ErrOverloaded
	}
	if n > largePiece && q.identity != nil {
		if !q.budget.takeShare(q.identity.Namespace, n) {
			q.budget.release(n)
			return whisk.ErrOverloaded
		}
		q.shared += n
	}
	q.reserved += n
	return nil
}

// unreserve gives n bytes back that were reserved at once, before the request
// ends.
func (q *request) unreserve(n int64) {
	q.budget.release(n)
	q.reserved -= n
	if n > largePiece && q.shared >= n {
		q.budget.releaseShare(q.identity.Namespace, n)
		q.shared -= n
	}
}

// unreserveAll gives back what the request still has.
func (q *request) unreserveAll() {
	q.budget.release(q.reserved)
	if q.shared > 0 {
		q.budget.releaseShare(q.identity.Namespace, q.shared)
	}
}

// inTurn calls f, which fetches what may be large and reserves it once it knows
// how large it is. So that many at once cannot bring in more than the budget
// before they know, each waits for n turns, about as many as it may fetch
// records; 0 is for what is small.
func (q *request) inTurn(n int64, f func() error) error {
	if n == 0 {
		return f()
	}
	if err := q.turns.Acquire(q.Context(), n); err != nil {
		return err
	}
	defer q.turns.Release(n)
	return f()
}

// turnsAtOnce is how many records may be on their way from the store, where
// there are a few copies of each: at 11 MB, OpenWhisk's largest, they take about
// as much as the budget.
const turnsAtOnce = 10
