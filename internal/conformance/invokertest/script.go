package invokertest

import (
	"context"
	"errors"
	"slices"
	"sync"

	"hearth/router"
	"hearth/whisk"
)

// Event is something that the router's side told the scripted invoker.
type Event struct {
	What string // "call", "go", "cancel", "code", "ack"
	ID   whisk.ActivationID
	Code []byte
}

// Scripted is an invoker that does nothing of its own: a test reads what it
// was told from Events and answers with Reply.
type Scripted struct {
	Events chan Event

	mu      sync.Mutex
	calls   map[whisk.ActivationID]call
	states  map[whisk.ActivationID]whisk.CallState
	journal []*whisk.Activation
	refuse  bool
	auto    bool
}

type call struct {
	call  *whisk.Call
	reply func(whisk.Reply)
}

var _ router.Invoker = (*Scripted)(nil)

// NewScripted returns an invoker without calls.
func NewScripted() *Scripted {
	return &Scripted{
		Events: make(chan Event, 4096),
		calls:  map[whisk.ActivationID]call{},
		states: map[whisk.ActivationID]whisk.CallState{},
	}
}

// Hello is how it introduces itself.
func (s *Scripted) Hello() whisk.Hello {
	return whisk.Hello{
		ID: "scripted", Incarnation: "1", Isolation: "full", Images: []string{"some/image"},
		Runtimes: []whisk.Runtime{{Kind: "nodejs:20", Image: "openwhisk/nodejs", Default: true}},
		Load:     whisk.Load{CapacityMB: 2048, QueueLimit: 16},
	}
}

// Call implements [router.Invoker].
func (s *Scripted) Call(c *whisk.Call, reply func(whisk.Reply)) error {
	s.mu.Lock()
	refuse, auto := s.refuse, s.auto
	if !refuse {
		s.calls[c.ID] = call{c, reply}
		s.states[c.ID] = whisk.RunningCall
	}
	s.mu.Unlock()
	if refuse {
		return errors.New("refused")
	}
	if auto {
		s.Finish(c.ID, c.Args)
		return nil
	}
	s.Events <- Event{What: "call", ID: c.ID}
	return nil
}

// Go implements [router.Invoker].
func (s *Scripted) Go(id whisk.ActivationID) { s.Events <- Event{What: "go", ID: id} }

// Cancel implements [router.Invoker].
func (s *Scripted) Cancel(id whisk.ActivationID) { s.Events <- Event{What: "cancel", ID: id} }

// Code implements [router.Invoker].
func (s *Scripted) Code(id whisk.ActivationID, code []byte) {
	s.Events <- Event{What: "code", ID: id, Code: code}
}

// Ack implements [router.Invoker].
func (s *Scripted) Ack(ids ...whisk.ActivationID) {
	s.mu.Lock()
	s.journal = slices.DeleteFunc(s.journal, func(a *whisk.Activation) bool { return slices.Contains(ids, a.ID) })
	auto := s.auto
	s.mu.Unlock()
	for _, id := range ids {
		if !auto {
			s.Events <- Event{What: "ack", ID: id}
		}
	}
}

// Lookup implements [router.Invoker].
func (s *Scripted) Lookup(_ context.Context, id whisk.ActivationID) (whisk.CallState, *whisk.Activation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse {
		return 0, nil, errors.New("the journal is broken")
	}
	for _, a := range s.journal {
		if a.ID == id {
			return whisk.FinishedCall, a, nil
		}
	}
	return s.states[id], nil, nil
}

// Unacked implements [router.Invoker].
func (s *Scripted) Unacked(_ context.Context, limit int) ([]*whisk.Activation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse {
		return nil, errors.New("the journal is broken")
	}
	return slices.Clone(s.journal[:min(max(limit, 0), len(s.journal))]), nil
}

// Refuse makes it fail, or stop failing, whatever it is asked.
func (s *Scripted) Refuse(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = on
}

// Echo makes it finish each call at once, with its arguments as the result,
// and report nothing to Events about calls and acks.
func (s *Scripted) Echo() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.auto = true
}

// Received returns a call as it arrived.
func (s *Scripted) Received(id whisk.ActivationID) *whisk.Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[id].call
}

// Reply answers a call.
func (s *Scripted) Reply(id whisk.ActivationID, r whisk.Reply) {
	s.mu.Lock()
	reply := s.calls[id].reply
	switch r.Kind {
	case whisk.Busy:
		delete(s.states, id)
	case whisk.Queued, whisk.Ready, whisk.NeedCode:
		s.states[id] = whisk.WaitingCall
	}
	s.mu.Unlock()
	reply(r)
}

// Finish journals a call's record with the result and answers with it.
func (s *Scripted) Finish(id whisk.ActivationID, result []byte, logs ...string) *whisk.Activation {
	s.mu.Lock()
	c := s.calls[id]
	a := c.call.Record()
	a.Start, a.End, a.Duration = 1_000, 1_020, 20
	a.Facts.Sandbox = whisk.Cold
	a.Response = whisk.Response{Result: result, Size: len(result)}
	a.Logs = logs
	s.journal = append(s.journal, a)
	s.states[id] = whisk.FinishedCall
	s.mu.Unlock()
	c.reply(whisk.Reply{Kind: whisk.Done, Record: a, Load: whisk.Load{UsedMB: 256, CapacityMB: 2048, Running: 1, QueueLimit: 16}})
	return a
}
