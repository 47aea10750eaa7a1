package api

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// frontGate counts connections and bounds them.
type frontGate struct {
	cfg FrontConfig
	m   *frontMetrics

	mu     sync.Mutex // guards what follows, and the fields of connections that say so
	closed bool
	conns  int
	from   map[netip.Prefix]int
	lists  [frontGone]frontList // by state, each with what has been in it longest first
	header int64                // bytes that unfinished headers take
	round  uint64               // of watching; see long
	held   int                  // connections in use: those counted, and those shed whose goroutines have not ended
	gone   chan struct{}        // closed once the gate is closed and the last connection has gone
}

func newFrontGate(cfg FrontConfig, m *frontMetrics) *frontGate {
	return &frontGate{cfg: cfg, m: m, from: map[netip.Prefix]int{}, gone: make(chan struct{})}
}

// enter counts a new connection in, displacing a waiting one where a bound
// asks for it, or returns nil.
func (g *frontGate) enter(nc net.Conn) *frontConn {
	c := &frontConn{Conn: nc, gate: g, from: sourceOf(nc.RemoteAddr()), since: time.Now()}
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.closed:
		return nil
	case c.from.IsValid() && g.from[c.from] >= g.cfg.MaxConnsPerAddress && !g.shedLocked(c.from):
		g.m.refusedAddress.Inc()
		return nil
	case g.conns >= g.cfg.MaxConns && !g.shedLocked(netip.Prefix{}):
		g.m.refusedTotal.Inc()
		return nil
	}
	g.m.accepted.Inc()
	g.conns++
	g.held++
	if c.from.IsValid() {
		g.from[c.from]++
	}
	g.pushLocked(c, frontHeader)
	return c
}

// busy puts a connection into the state in which x is served. It reports false
// if it was shed.
func (g *frontGate) busy(c *frontConn, x *frontExchange) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	c.exchange, c.round = x, g.round
	return g.moveLocked(c, frontBusy)
}

// idle puts a connection between requests. It reports false if it was shed, or
// if there is to be no other request.
func (g *frontGate) idle(c *frontConn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	c.exchange = nil
	return g.moveLocked(c, frontIdle) && !g.closed
}

// long begins a round, and returns what is being served since before the last.
func (g *frontGate) long() []*frontExchange {
	g.mu.Lock()
	defer g.mu.Unlock()
	var xs []*frontExchange
	for c := g.lists[frontBusy].first; c != nil && c.round < g.round; c = c.next {
		xs = append(xs, c.exchange)
	}
	g.round++
	return xs
}

// release ends a connection and the accounting for it.
func (g *frontGate) release(c *frontConn) {
	c.abort()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.releaseLocked(c)
}

// releaseLocked follows the last use of a connection.
func (g *frontGate) releaseLocked(c *frontConn) {
	g.leaveLocked(c)
	if g.held--; g.closed && g.held == 0 {
		close(g.gone)
	}
}

// charge adds to the memory that a header takes which is not whole yet, and
// sheds the largest where all together are over their bound.
func (g *frontGate) charge(c *frontConn, n int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if s := frontState(c.state.Load()); s != frontHeader && s != frontIdle {
		return
	}
	c.header += n
	g.header += n
	for g.header > g.cfg.HeaderMemory {
		longest := c
		for _, s := range []frontState{frontHeader, frontIdle} {
			for x := g.lists[s].first; x != nil; x = x.next {
				if x.header > longest.header {
					longest = x
				}
			}
		}
		g.m.shedMemory.Inc()
		g.dropLocked(longest)
		if longest == c {
			return
		}
	}
}

// promptHeader is how long an honest client may take to its first header
// before it counts as one that only holds a connection.
const promptHeader = time.Second

// shedLocked displaces the connection, of the address if it is valid, that
// should go first. It reports whether there was one.
func (g *frontGate) shedLocked(from netip.Prefix) bool {
	header := g.lists[frontHeader].longest(from)
	if header != nil && time.Since(header.since) >= promptHeader {
		g.m.shedHeader.Inc()
		g.dropLocked(header)
		return true
	}
	if idle := g.lists[frontIdle].longest(from); idle != nil {
		g.m.shedIdle.Inc()
		g.dropLocked(idle)
		return true
	}
	if header != nil {
		g.m.shedHeader.Inc()
		g.dropLocked(header)
		return true
	}
	return false
}

// dropLocked counts a connection out and closes it.
func (g *frontGate) dropLocked(c *frontConn) {
	g.leaveLocked(c)
	c.abort()
}

// moveLocked puts a connection into the state, unless it was shed.
func (g *frontGate) moveLocked(c *frontConn, to frontState) bool {
	from := frontState(c.state.Load())
	if from == frontGone {
		return false
	}
	g.removeLocked(c, from)
	g.header -= c.header
	c.header = 0
	g.pushLocked(c, to)
	return true
}

// leaveLocked counts a connection out, once.
func (g *frontGate) leaveLocked(c *frontConn) {
	from := frontState(c.state.Load())
	if from == frontGone {
		return
	}
	g.removeLocked(c, from)
	c.state.Store(uint32(frontGone))
	g.header -= c.header
	c.header = 0
	g.conns--
	if c.from.IsValid() {
		if g.from[c.from]--; g.from[c.from] == 0 {
			delete(g.from, c.from)
		}
	}
}

func (g *frontGate) pushLocked(c *frontConn, s frontState) {
	c.state.Store(uint32(s))
	g.lists[s].push(c)
	g.m.states[s].Inc()
}

func (g *frontGate) removeLocked(c *frontConn, s frontState) {
	g.lists[s].remove(c)
	g.m.states[s].Dec()
}

// close lets nobody in any more, and sheds those that have asked for nothing.
func (g *frontGate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	g.dropAllLocked(frontHeader)
	g.dropAllLocked(frontIdle)
	if g.held == 0 {
		close(g.gone)
	}
}

// abort breaks off what is being served.
func (g *frontGate) abort() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.dropAllLocked(frontBusy)
}

func (g *frontGate) dropAllLocked(s frontState) {
	for c := g.lists[s].first; c != nil; c = g.lists[s].first {
		g.dropLocked(c)
	}
}

// stopping reports whether close was called.
func (g *frontGate) stopping() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed
}

// empty returns a channel that is closed when, after close, the last
// connection has gone.
func (g *frontGate) empty() <-chan struct{} { return g.gone }

// count returns how many connections there are, those being closed included.
func (g *frontGate) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.held
}

// frontList is a list of connections through their own links.
type frontList struct{ first, last *frontConn }

// longest returns the connection that has been in the list longest, of the
// address if it is valid; nil if there is none.
func (l *frontList) longest(from netip.Prefix) *frontConn {
	c := l.first
	for c != nil && from.IsValid() && c.from != from {
		c = c.next
	}
	return c
}

func (l *frontList) push(c *frontConn) {
	c.prev, c.next = l.last, nil
	if l.last == nil {
		l.first = c
	} else {
		l.last.next = c
	}
	l.last = c
}

func (l *frontList) remove(c *frontConn) {
	if c.prev == nil {
		l.first = c.next
	} else {
		c.prev.next = c.next
	}
	if c.next == nil {
		l.last = c.prev
	} else {
		c.next.prev = c.prev
	}
	c.prev, c.next = nil, nil
}
