package flow

import (
	"container/list"
	"time"

	"hearth/whisk"
)

// item is one row of the queue in memory.
type item struct {
	id      whisk.ActivationID
	ns      whisk.Namespace
	ready   time.Time // since when it waits, or will, for its next attempt
	expires time.Time // when it is given up if it has not started
	action  whisk.ActionName
	call    *whisk.Call // nil: it is parked, and has to be read again
	size    int64       // bytes held
	ended   func()      // to be called once, when the activation has ended

	composite bool // a sequence or a composition
	claimed   bool // it was claimed from the store, so nothing is known of its caller

	// attempt is the number of the one that is next or under way, from 1; 0: the
	// call is run once.
	attempt int

	// holder is the name under which this process holds the row, as far as it
	// knows; 0: it does not.
	holder int64

	// regained, guarded by Flow.mu, is as whom this process has claimed the row
	// anew while workers had the item; 0: it has not.
	regained int64

	// until is when the latest start counts as broken off, at the earliest.
	until time.Time

	// token, if not 0, is of a start that may stand in the store although the
	// call did not run: it has to be taken back first.
	token int64

	placed time.Time // since when it has a place at the invokers; zero: it has none
	window int       // the epoch of the window then

	refused  int // times in a row that no invoker had room
	failures int // offers that failed otherwise

	// What follows is the backlog's.
	order   int64               // of its coming
	age     *appointment[*item] // nil: it does not wait
	sleep   *appointment[*item] // nil: it waits in its line
	line    *line               // in which it waits, or from which workers have it
	at      *list.Element       // in the line
	epoch   int                 // of the line when workers got it
	patient bool                // they have it so that an invoker may queue it
	calm    time.Time           // not to be offered so before
}

// itemOverhead is what an item costs beside its arguments and environment,
// parkedSize what one does that is parked.
const (
	itemOverhead = 1024
	parkedSize   = 512
)

func sizeOf(c *whisk.Call) int64 { return itemOverhead + int64(len(c.Args)+len(c.Env)) }

// newItem returns the item of a call. It is run again when it fails if it asks
// for that and again is true: nobody waits for its result.
func (f *Flow) newItem(c *whisk.Call, created time.Time, again bool, ended func()) *item {
	if c.APIKey != "" {
		open := *c
		open.APIKey = ""
		c = &open
	}
	it := &item{
		id: c.ID, ns: c.Namespace, ready: created, action: c.Target.Name, call: c, ended: ended,
		size: sizeOf(c), composite: composite(c),
	}
	if again && c.Retry != nil {
		it.attempt = 1
	}
	it.expires = created.Add(f.maxAge(it))
	return it
}

// maxAge is how long the item may wait without having started.
func (f *Flow) maxAge(it *item) time.Duration {
	if r := it.call.Retry; it.attempt > 0 && r != nil && r.MaxAge > 0 {
		return r.MaxAge
	}
	return f.cfg.MaxAge
}

// itemOf returns the item of a row that was claimed.
func (f *Flow) itemOf(row whisk.QueueRow) (*item, error) {
	c, err := f.unseal(row.ID, row.Payload)
	if err != nil {
		return nil, err
	}
	created := time.UnixMilli(row.Created)
	it := f.newItem(c, created, false, func() {})
	it.ns, it.attempt, it.claimed, it.holder = row.Namespace, row.Attempt, true, row.Holder
	it.expires = created.Add(f.maxAge(it))
	it.ready = time.UnixMilli(max(row.Created, row.Due))
	return it, nil
}

// waited is how long an item has waited for the attempt. Rows of an earlier
// process go by the wall's clock, which may have been set back.
func (it *item) waited() time.Duration { return max(0, time.Since(it.ready)) }

// numbered returns the item's call with the number of the attempt, for whoever
// makes a record of it.
func (it *item) numbered() *whisk.Call {
	c := *it.call
	c.Attempt = it.attempt
	return &c
}
