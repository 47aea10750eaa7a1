package invoker

import (
	"sync"

	"hearth/whisk"
)

// mailbox brings the replies of one call to its router: one after the other,
// in the order in which they were put, whoever delivers them.
type mailbox struct {
	reply func(whisk.Reply)

	mu      sync.Mutex // guards waiting and busy
	waiting []whisk.Reply
	room    [1]whisk.Reply // where waiting begins: mostly there is one reply
	busy    bool           // somebody delivers
}

// put adds a reply; deliver brings it. Replies are put under Invoker.mu, so
// that their order is that of the changes they tell of, and delivered without.
func (m *mailbox) put(r whisk.Reply) {
	m.mu.Lock()
	if m.waiting == nil {
		m.waiting = m.room[:0]
	}
	m.waiting = append(m.waiting, r)
	m.mu.Unlock()
}

// deliver brings what waits, unless somebody is at it already and will.
func (m *mailbox) deliver() {
	m.mu.Lock()
	if m.busy {
		m.mu.Unlock()
		return
	}
	m.busy = true
	for len(m.waiting) > 0 {
		r := m.waiting[0]
		m.waiting = m.waiting[1:]
		m.mu.Unlock()
		m.reply(r)
		m.mu.Lock()
	}
	m.busy = false
	m.mu.Unlock()
}
