package flow

import (
	"container/heap"
	"time"
)

// agenda holds things by their times.
type agenda[T any] struct{ entries appointments[T] }

// appointment is a place in an agenda.
type appointment[T any] struct {
	at    time.Time
	what  T
	index int
}

// add enters what for a time. It must be removed before it is entered again.
func (a *agenda[T]) add(at time.Time, what T) *appointment[T] {
	e := &appointment[T]{at: at, what: what}
	heap.Push(&a.entries, e)
	return e
}

func (a *agenda[T]) remove(e *appointment[T]) { heap.Remove(&a.entries, e.index) }

// due returns the first entry if its time has come, else nil.
func (a *agenda[T]) due(now time.Time) *appointment[T] {
	if len(a.entries) == 0 || now.Before(a.entries[0].at) {
		return nil
	}
	return a.entries[0]
}

// sooner returns the earlier of t, which may be zero for never, and the time of
// the first entry.
func (a *agenda[T]) sooner(t time.Time) time.Time {
	if len(a.entries) > 0 && (t.IsZero() || a.entries[0].at.Before(t)) {
		return a.entries[0].at
	}
	return t
}

// appointments is the heap of an agenda.
type appointments[T any] []*appointment[T]

func (h appointments[T]) Len() int           { return len(h) }
func (h appointments[T]) Less(i, j int) bool { return h[i].at.Before(h[j].at) }

func (h appointments[T]) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push implements [heap.Interface].
func (h *appointments[T]) Push(x any) {
	e := x.(*appointment[T])
	e.index = len(*h)
	*h = append(*h, e)
}

// Pop implements [heap.Interface].
func (h *appointments[T]) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return e
}
