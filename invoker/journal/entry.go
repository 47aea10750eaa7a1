package journal

import (
	"time"

	"hearth/whisk"
)

// entry is where one unacknowledged record lies.
type entry struct {
	id         whisk.ActivationID
	seg        *segment // nil: dropped, or not yet written
	off        int64
	size       int
	at         time.Time // of the append; zero for those of earlier lives
	prev, next *entry    // in order of appending
}

// list is an intrusive doubly linked list of entries.
type list struct{ first, last *entry }

func (l *list) push(e *entry) {
	e.prev, e.next = l.last, nil
	if l.last == nil {
		l.first = e
	} else {
		l.last.next = e
	}
	l.last = e
}

func (l *list) remove(e *entry) {
	if e.prev == nil {
		l.first = e.next
	} else {
		e.prev.next = e.next
	}
	if e.next == nil {
		l.last = e.prev
	} else {
		e.next.prev = e.prev
	}
	e.prev, e.next = nil, nil
}
