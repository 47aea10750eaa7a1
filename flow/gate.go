package flow

import "sync"

// gate counts who is inside and lets nobody in once it is closed.
type gate struct {
	mu     sync.Mutex // guards shut, and Add against Wait
	shut   bool
	inside sync.WaitGroup
}

// enter reports whether the gate was open; if so leave must follow.
func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		return false
	}
	g.inside.Add(1)
	return true
}

// follow enters on behalf of another goroutine. The caller is inside, so the
// gate's state does not matter.
func (g *gate) follow() { g.inside.Add(1) }

func (g *gate) leave() { g.inside.Done() }

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = true
}

func (g *gate) closed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.shut
}

// wait blocks until everybody has left. The gate must be closed.
func (g *gate) wait() { g.inside.Wait() }
