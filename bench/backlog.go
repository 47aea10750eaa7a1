package bench

import "time"

const (
	// maxBacklog is how many requests can be due and wait for a free client.
	maxBacklog = 1 << 16

	// drainTime is how long after the last due time those that wait are still sent.
	drainTime = 10 * time.Second
)

// backlog turns a schedule into requests to send now: a queue, bounded, of
// what is due. It moves only when asked, and comes to what it would be, had it
// taken in each arrival at its time, because nothing leaves it in between.
type backlog struct {
	arrivals *schedule
	next     time.Duration // of the arrivals, if more
	more     bool
	last     time.Duration // the latest due time seen

	due         []time.Duration // ring
	first, size int

	overflow int64 // measured arrivals that found the ring full, or were never sent
}

func newBacklog(s *schedule, bound int) *backlog {
	b := &backlog{arrivals: s, due: make([]time.Duration, bound)}
	b.advance()
	return b
}

func (b *backlog) advance() {
	if b.next, b.more = b.arrivals.next(); b.more {
		b.last = b.next
	}
}

// take returns the due time of the request to send, or how long to wait
// before asking again. When nothing is left, ok is false.
func (b *backlog) take(now time.Duration) (due, wait time.Duration, ok bool) {
	for b.more && b.next <= now {
		if b.size == len(b.due) {
			b.lose(b.next)
		} else {
			b.due[(b.first+b.size)%len(b.due)] = b.next
			b.size++
		}
		b.advance()
	}
	if !b.more && now > b.last+drainTime {
		for b.size > 0 {
			b.lose(b.pop())
		}
	}
	switch {
	case b.size > 0:
		return b.pop(), 0, true
	case b.more:
		return 0, b.next - now, true
	}
	return 0, 0, false
}

func (b *backlog) pop() time.Duration {
	due := b.due[b.first]
	b.first = (b.first + 1) % len(b.due)
	b.size--
	return due
}

func (b *backlog) lose(due time.Duration) {
	if due >= 0 {
		b.overflow++
	}
}
