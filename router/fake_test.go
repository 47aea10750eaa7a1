package router

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"hearth/whisk"
)

// fake is an invoker whose answers a test scripts.
type fake struct {
	id     string
	call   func(f *fake, c *whisk.Call, reply func(whisk.Reply)) error
	lookup func(id whisk.ActivationID) (whisk.CallState, *whisk.Activation, error)

	mu      sync.Mutex
	replies map[whisk.ActivationID]func(whisk.Reply)
	calls   []*whisk.Call
	gone    []whisk.ActivationID // Go
	cancels []whisk.ActivationID
	acks    []whisk.ActivationID
	code    map[whisk.ActivationID][]byte
	journal []*whisk.Activation
	onGo    func(c *whisk.Call, reply func(whisk.Reply))
}

func (f *fake) Call(c *whisk.Call, reply func(whisk.Reply)) error {
	f.mu.Lock()
	f.calls = append(f.calls, c)
	if f.replies == nil {
		f.replies = map[whisk.ActivationID]func(whisk.Reply){}
	}
	f.replies[c.ID] = reply
	f.mu.Unlock()
	return f.call(f, c, reply)
}

func (f *fake) answer(id whisk.ActivationID, rep whisk.Reply) {
	f.mu.Lock()
	reply := f.replies[id]
	f.mu.Unlock()
	reply(rep)
}

func (f *fake) Go(id whisk.ActivationID) {
	f.mu.Lock()
	f.gone = append(f.gone, id)
	var c *whisk.Call
	if i := slices.IndexFunc(f.calls, func(c *whisk.Call) bool { return c.ID == id }); i >= 0 {
		c = f.calls[i]
	}
	f.mu.Unlock()
	f.answer(id, done(c))
}

func (f *fake) Cancel(id whisk.ActivationID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cancels = append(f.cancels, id)
}

func (f *fake) Code(id whisk.ActivationID, code []byte) {
	f.mu.Lock()
	if f.code == nil {
		f.code = map[whisk.ActivationID][]byte{}
	}
	f.code[id] = code
	c := f.calls[len(f.calls)-1]
	f.mu.Unlock()
	f.answer(id, done(c))
}

func (f *fake) Ack(ids ...whisk.ActivationID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.acks = append(f.acks, ids...)
	f.journal = slices.DeleteFunc(f.journal, func(a *whisk.Activation) bool { return slices.Contains(ids, a.ID) })
}

func (f *fake) Lookup(_ context.Context, id whisk.ActivationID) (whisk.CallState, *whisk.Activation, error) {
	if f.lookup == nil {
		return 0, nil, errors.New("not connected")
	}
	return f.lookup(id)
}

func (f *fake) Unacked(_ context.Context, limit int) ([]*whisk.Activation, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.journal[:min(limit, len(f.journal))]), nil
}

func (f *fake) hello() whisk.Hello {
	return whisk.Hello{
		ID: f.id, Incarnation: "1", Images: []string{"image-of-" + f.id},
		Runtimes: []whisk.Runtime{{Kind: "nodejs:20"}},
		Load:     whisk.Load{CapacityMB: 1024, QueueLimit: 4},
	}
}

// Scripts for fake.call.
func answerDone(_ *fake, c *whisk.Call, reply func(whisk.Reply)) error { reply(done(c)); return nil }
func answerBusy(_ *fake, _ *whisk.Call, reply func(whisk.Reply)) error {
	reply(whisk.Reply{Kind: whisk.Busy})
	return nil
}
func answerLost(_ *fake, _ *whisk.Call, reply func(whisk.Reply)) error {
	reply(whisk.Reply{Kind: whisk.Lost})
	return nil
}
func answerNeedCode(_ *fake, _ *whisk.Call, reply func(whisk.Reply)) error {
	reply(whisk.Reply{Kind: whisk.NeedCode})
	return nil
}
func silent(*fake, *whisk.Call, func(whisk.Reply)) error { return nil }
func unreachable(*fake, *whisk.Call, func(whisk.Reply)) error {
	return errors.New("connection refused")
}

// busyFirst refuses n times, then answers done.
func busyFirst(n int) func(*fake, *whisk.Call, func(whisk.Reply)) error {
	return func(f *fake, c *whisk.Call, reply func(whisk.Reply)) error {
		f.mu.Lock()
		n--
		busy := n >= 0
		f.mu.Unlock()
		if busy {
			return answerBusy(f, c, reply)
		}
		return answerDone(f, c, reply)
	}
}

func finished(c *whisk.Call) *whisk.Activation {
	a := c.Record()
	a.Start, a.End = 1, 2
	a.Response = whisk.Response{Result: []byte(`{"ok":true}`)}
	return a
}

func done(c *whisk.Call) whisk.Reply { return whisk.Reply{Kind: whisk.Done, Record: finished(c)} }

// store is a recorder and a code store.
type store struct {
	mu      sync.Mutex
	records map[whisk.ActivationID]*whisk.Activation
	refuse  error
	codeErr error
	fetched int
}

func (s *store) Record(rec *whisk.Activation, done func(error)) {
	s.mu.Lock()
	err := s.refuse
	if s.records == nil {
		s.records = map[whisk.ActivationID]*whisk.Activation{}
	}
	if s.records[rec.ID] == nil && err == nil {
		s.records[rec.ID] = rec
	}
	s.mu.Unlock()
	done(err)
}

func (s *store) Activation(_ context.Context, _ whisk.Namespace, id whisk.ActivationID) (*whisk.Activation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.records[id]; a != nil {
		return a, nil
	}
	return nil, whisk.ErrNotFound
}

func (s *store) Code(context.Context, whisk.Digest) ([]byte, error) {
	s.mu.Lock()
	s.fetched++
	s.mu.Unlock()
	time.Sleep(10 * time.Millisecond)
	return []byte("code"), s.codeErr
}

func newCall() *whisk.Call {
	return &whisk.Call{
		ID: whisk.NewActivationID(), Namespace: "guest",
		Target: &whisk.Target{
			Name:   whisk.ActionName{Namespace: "guest", Name: "hello"},
			Exec:   whisk.Exec{Kind: "nodejs:20", Code: whisk.Digest{1}},
			Limits: whisk.Limits{Timeout: 60_000, Memory: 256},
		},
		Args: []byte(`{}`),
	}
}

// newRouter returns a router of the fakes; their ids come in ring order for
// newCall's action: the first is its home.
func newRouter(t testing.TB, s *store, fakes ...*fake) *Router {
	t.Helper()
	cfg := DefaultConfig()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	r := New(cfg, s, s)
	for i := range fakes {
		fakes[i].id = string(rune('a' + i))
		r.Join(fakes[i].hello(), fakes[i])
	}
	var order []string
	r.view.Load().ring.Walk(newCall().Target.Name.Path(), func(id string) bool {
		order = append(order, id)
		return true
	})
	for i, id := range order {
		fakes[i].id = id
		r.Join(fakes[i].hello(), fakes[i])
	}
	return r
}
