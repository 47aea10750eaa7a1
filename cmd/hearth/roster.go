package main

import (
	"log/slog"
	"slices"
	"sync"

	"hearth/router"
	"hearth/whisk"
)

// members is what a roster asks of the router.
type members interface {
	Join(h whisk.Hello, v router.Invoker)
	Leave(id string)
}

// roster joins a router's invokers to it while their connections stand. The
// router knows an invoker by its id; of several with one id only the first is
// joined, and the next takes its place when it goes.
type roster struct {
	to  members
	log *slog.Logger

	mu   sync.Mutex // guards byID, and the order of what is told to the router
	byID map[string][]rosterEntry
}

type rosterEntry struct {
	addr  string
	hello whisk.Hello
	v     router.Invoker
}

func newRoster(to members, log *slog.Logger) *roster {
	return &roster{to: to, log: log, byID: map[string][]rosterEntry{}}
}

// up notes that the connection to an address stands.
func (r *roster) up(e rosterEntry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	same := append(r.byID[e.hello.ID], e)
	r.byID[e.hello.ID] = same
	if len(same) == 1 {
		r.to.Join(e.hello, e.v)
		return
	}
	r.log.Error("two invokers have the same id, so this one is not used: give each its own --id",
		"id", e.hello.ID, "this", e.addr, "used", same[0].addr)
}

// down notes that it has gone.
func (r *roster) down(id, addr string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	same := r.byID[id]
	i := slices.IndexFunc(same, func(e rosterEntry) bool { return e.addr == addr })
	if i < 0 {
		return
	}
	same = slices.Delete(same, i, i+1)
	r.byID[id] = same
	switch {
	case len(same) == 0:
		delete(r.byID, id)
		r.to.Leave(id)
	case i == 0:
		r.to.Join(same[0].hello, same[0].v)
	}
}
