package router

import (
	"container/list"
	"sync"
	"sync/atomic"
)

// maxPasses bounds how many waiting calls one ended call can wake in turn: a
// woken call that finds no room (its action's invokers are still full) passes
// the wake-up on.
const maxPasses = 8

// waiter is a call that all invokers refused.
type waiter struct {
	seq   uint64 // order of arrival, from 1
	bytes int64
	woken chan int // capacity 1; how often the wake-up may be passed on
	at    *list.Element
}

// waiting is the queue of refused calls, first come first woken, bounded in
// count and bytes.
type waiting struct {
	maxCalls int
	maxBytes int64
	count    atomic.Int64 // len(calls), readable without the lock

	mu    sync.Mutex
	calls *list.List // of *waiter, by seq
	bytes int64
	last  uint64 // seq given out
}

func newWaiting(maxCalls int, maxBytes int64) *waiting {
	return &waiting{maxCalls: maxCalls, maxBytes: maxBytes, calls: list.New()}
}

// enter puts a new waiter at the end, nil if it does not fit.
func (q *waiting) enter(bytes int64) *waiter {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.calls.Len() >= q.maxCalls || q.bytes+bytes > q.maxBytes {
		return nil
	}
	q.last++
	w := &waiter{seq: q.last, bytes: bytes, woken: make(chan int, 1)}
	w.at = q.calls.PushBack(w)
	q.bytes += bytes
	q.count.Add(1)
	return w
}

// leave takes the waiter out; it may be out already. A wake-up that it did not
// use is returned, so that it can be passed on.
func (q *waiting) leave(w *waiter) (passes int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.remove(w)
	select {
	case passes = <-w.woken:
	default:
	}
	return passes
}

func (q *waiting) remove(w *waiter) {
	if w.at == nil {
		return
	}
	q.calls.Remove(w.at)
	w.at = nil
	q.bytes -= w.bytes
	q.count.Add(-1)
}

// again puts a waiter that left and found no room back to its place. It was
// counted when it entered, so the bounds do not refuse it.
func (q *waiting) again(w *waiter) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.bytes += w.bytes
	q.count.Add(1)
	for e := q.calls.Front(); e != nil; e = e.Next() {
		if e.Value.(*waiter).seq > w.seq {
			w.at = q.calls.InsertBefore(w, e)
			return
		}
	}
	w.at = q.calls.PushBack(w)
}

// first reports whether w is the next to be woken.
func (q *waiting) first(w *waiter) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	f := q.calls.Front()
	return f != nil && f.Value == any(w)
}

// wake takes the first waiter that came later than seq after out of the queue
// and wakes it; passes is how many may be woken in turn, this one included.
func (q *waiting) wake(passes int, after uint64) {
	if passes <= 0 || q.count.Load() == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for e := q.calls.Front(); e != nil; e = e.Next() {
		if w := e.Value.(*waiter); w.seq > after {
			q.remove(w)
			w.woken <- passes - 1 // has room: it was in the queue, so nobody woke it since it entered
			return
		}
	}
}

// wakeAll wakes every waiter, for a change that may concern them all.
func (q *waiting) wakeAll() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for e := q.calls.Front(); e != nil; e = q.calls.Front() {
		w := e.Value.(*waiter)
		q.remove(w)
		w.woken <- 0
	}
}
