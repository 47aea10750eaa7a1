package invokertest

import (
	"context"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"hearth/router"
	"hearth/whisk"
)

// runner is a scripted invoker that finishes its calls by itself: some after
// they were queued, some after they got their code.
type runner struct {
	*Scripted

	mu  sync.Mutex
	ran map[whisk.ActivationID]int
}

func (v *runner) Call(c *whisk.Call, reply func(whisk.Reply)) error {
	v.Scripted.mu.Lock()
	v.calls[c.ID] = call{c, reply}
	v.states[c.ID] = whisk.RunningCall
	v.Scripted.mu.Unlock()
	switch rand.N(4) {
	case 0:
		v.Reply(c.ID, whisk.Reply{Kind: whisk.Queued})
		time.AfterFunc(rand.N(5*time.Millisecond), func() { v.Reply(c.ID, whisk.Reply{Kind: whisk.Ready}) })
	case 1:
		v.Reply(c.ID, whisk.Reply{Kind: whisk.NeedCode})
	default:
		v.begin(c.ID)
	}
	return nil
}

func (v *runner) begin(id whisk.ActivationID) {
	v.mu.Lock()
	v.ran[id]++
	v.mu.Unlock()
	v.Scripted.mu.Lock()
	v.states[id] = whisk.RunningCall
	v.Scripted.mu.Unlock()
	time.AfterFunc(rand.N(10*time.Millisecond), func() { v.Finish(id, []byte(`{}`)) })
}

func (v *runner) Go(id whisk.ActivationID)             { v.begin(id) }
func (v *runner) Code(id whisk.ActivationID, _ []byte) { v.begin(id) }
func (v *runner) Cancel(whisk.ActivationID)            {}

// memory is a store that inserts if absent.
type memory struct {
	mu      sync.Mutex
	records map[whisk.ActivationID]*whisk.Activation
}

func (s *memory) Record(rec *whisk.Activation, done func(error)) {
	s.mu.Lock()
	if s.records[rec.ID] == nil {
		s.records[rec.ID] = rec
	}
	s.mu.Unlock()
	done(nil)
}

func (s *memory) Activation(_ context.Context, _ whisk.Namespace, id whisk.ActivationID) (*whisk.Activation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.records[id]; a != nil {
		return a, nil
	}
	return nil, whisk.ErrNotFound
}

func (*memory) Code(context.Context, whisk.Digest) ([]byte, error) { return []byte("code"), nil }

// A router over a connection that breaks again and again: each call ends in
// one record, which the router answered with, or never started; none ran
// twice, and nothing stays in the invoker's journal.
func TestRouterOverBreakingConnection(t *testing.T) {
	s := &memory{records: map[whisk.ActivationID]*whisk.Activation{}}
	r := router.New(router.DefaultConfig(), s, s)
	v := &runner{Scripted: NewScripted(), ran: map[whisk.ActivationID]int{}}
	v.Echo()
	_, ctl := serve(t, "unix:"+filepath.Join(t.TempDir(), "s"), nil, nil, v.Scripted, v, r)

	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 16 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				c := NewCall()
				c.Unstored = false
				rec, err := r.Invoke(t.Context(), c, 5*time.Second)
				stored, _ := s.Activation(t.Context(), "", c.ID)
				v.mu.Lock()
				ran := v.ran[c.ID]
				v.mu.Unlock()
				switch {
				case err != nil && (ran > 0 || stored != nil || !errors.Is(err, whisk.ErrOverloaded)):
					t.Errorf("%v, but it ran %d times, stored %v", err, ran, stored)
				case err == nil && (ran > 1 || rec != stored):
					t.Errorf("ran %d times, answered %p, stored %p", ran, rec, stored)
				}
			}
		})
	}
	for range 10 {
		ctl.Break(t)
		ctl.Mend(t)
	}
	close(stop)
	wg.Wait()
	deadline := time.Now().Add(patience)
	for {
		if err := r.Collect(t.Context()); err != nil {
			t.Fatal(err)
		}
		left, err := v.Unacked(t.Context(), 10)
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("%d records stay in the journal, %v", len(left), err)
		}
		if len(left) == 0 {
			return
		}
	}
}
