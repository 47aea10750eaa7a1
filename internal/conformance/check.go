package conformance

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// T is what a check reports to; *testing.T is one.
type T interface {
	Context() context.Context
	Helper()
	Errorf(format string, args ...any)
	FailNow() // ends the goroutine
	Skip(args ...any)
}

// J and L are JSON objects and arrays.
type (
	J map[string]any
	L []any
)

// C is one check under way.
type C struct {
	T
	h    *Host
	mu   sync.Mutex
	ends []func() // guarded by mu
}

// Do runs one check on the host, when there is room, and removes what it made.
func (h *Host) Do(t T, check Check) {
	h.slots <- struct{}{}
	c := &C{T: t, h: h}
	defer func() {
		for i := len(c.ends) - 1; i >= 0; i-- {
			c.ends[i]()
		}
		<-h.slots
	}()
	check.Run(c)
}

// fatal ends the check as failed.
func (c *C) fatal(format string, args ...any) {
	c.Helper()
	c.Errorf(format, args...)
	c.FailNow()
}

// atEnd runs f when the check has ended; the last one first.
func (c *C) atEnd(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ends = append(c.ends, f)
}

// end is the context of what is done at the end, when the check's own may be
// over.
func (c *C) end() context.Context { return context.WithoutCancel(c.Context()) }

// atOnce makes n calls at the same time.
func (c *C) atOnce(n int, call func() *Answer) []*Answer {
	c.Helper()
	out := make([]*Answer, n)
	var wg sync.WaitGroup
	for i := range out {
		wg.Go(func() { out[i] = call() })
	}
	wg.Wait()
	for _, a := range out {
		if a == nil { // it failed, and has told so
			c.FailNow()
		}
	}
	return out
}

// name returns a name that nothing else has.
func (c *C) name(what string) string {
	return fmt.Sprintf("%s-%d-%s", c.h.run, c.h.names.Add(1), what)
}

// ns is the namespace of the key that the suite runs with.
func (c *C) ns() string { return c.h.own.Namespace }

// full is the full name of an entity of the suite's namespace, with a slash.
func (c *C) full(name string) string { return "/" + c.ns() + "/" + name }

// second returns an account of another namespace, or skips the check.
func (c *C) second() Account {
	if c.h.second == nil {
		c.Skip("needs HEARTH_TEST_KEY2, the key of another namespace")
	}
	return *c.h.second
}

// hearthOnly skips the check on other hosts, which differ there.
func (c *C) hearthOnly() {
	if !c.h.hearth {
		c.Skip("a deviation of Hearth's")
	}
}

// strictOnly skips the check on hosts that are not set up for it.
func (c *C) strictOnly() {
	if !c.h.strict {
		c.Skip("needs a host with settings of its own")
	}
}

// await calls happened until it is true, and fails the check when patience
// is over.
func (c *C) await(what string, happened func() bool) {
	c.Helper()
	deadline := time.Now().Add(c.h.patience)
	for pause := 5 * time.Millisecond; !happened(); pause = min(2*pause, 200*time.Millisecond) {
		if time.Now().After(deadline) {
			c.fatal("%s: did not happen within %s", what, c.h.patience)
		}
		select {
		case <-c.Context().Done():
			c.fatal("%s: %v", what, c.Context().Err())
		case <-time.After(pause):
		}
	}
}

// record returns the record of an activation once it is there.
func (c *C) record(id string) *Answer {
	c.Helper()
	var a *Answer
	c.await("record of "+id, func() bool {
		a = c.get("activations/" + id)
		return a.Status != http.StatusNotFound
	})
	return a.want(http.StatusOK).field("activationId", id)
}
