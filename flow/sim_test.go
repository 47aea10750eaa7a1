package flow

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

// sim is a random history of processes over one store.
type sim struct {
	t     *testing.T
	r     *rand.Rand
	w     *world
	cfg   Config
	l     *life
	calls []*simCall
	wg    sync.WaitGroup
}

// simCall is what a client knows of one call.
type simCall struct {
	c      *whisk.Call
	by     *life
	n      counter
	id     bool              // the client was given the id
	answer *whisk.Activation // the client was given the record
}

// TestConservation checks the law over random histories: every id that a
// client received ends in exactly one record, and no code runs twice, whatever
// fails and whenever processes are killed.
func TestConservation(t *testing.T) {
	seeds := 40
	if testing.Short() {
		seeds = 20
	}
	for seed := range seeds {
		synctest.Test(t, func(t *testing.T) {
			t.Log("seed", seed)
			s := &sim{t: t, r: rand.New(rand.NewPCG(uint64(seed), 1)), w: newWorld(), cfg: testConfig()}
			s.cfg.MaxRows = 4 + s.r.IntN(20)
			s.cfg.Workers = 1 + s.r.IntN(10)
			s.cfg.StoreTimeout = time.Second
			s.cfg.DrainBudget = time.Second
			s.cfg.Composites = 1 + s.r.IntN(5)
			s.define()
			s.l = start(s.w, s.cfg, 3)
			for range 150 {
				s.step()
			}
			s.check()
		})
	}
}

func (s *sim) ms(most int) time.Duration { return time.Duration(s.r.IntN(most)) * time.Millisecond }

func (s *sim) step() {
	switch n := s.r.IntN(100); {
	case n < 25:
		s.submit()
	case n < 50:
		s.invoke()
	case n < 75:
		time.Sleep(s.ms(200))
	case n < 85:
		s.l.v.set(func() { s.l.v.room = s.r.IntN(6) })
	case n < 90:
		mute := s.r.IntN(2) == 0
		s.w.set(func() { s.w.away, s.w.mute = !mute, mute })
	case n < 95:
		s.w.back()
	case n < 98:
		s.w.set(func() { s.w.delay = s.ms(50) })
	default:
		// Killed, or stopped; the invoker died with it, its journal did not.
		s.l.p.dead.Store(s.r.IntN(2) == 0)
		s.l.cancel()
		<-s.l.done
		s.l.p.dead.Store(true)
		s.l = start(s.w, s.cfg, s.r.IntN(6))
	}
}

// define makes sequences of actions that each come once in them, and a
// conductor that calls one as often as it is told to.
func (s *sim) define() {
	for i := range 5 {
		s.w.define(fmt.Sprint("x", i), gives(1+s.r.IntN(200), `{}`))
	}
	s.w.sequence("inner", "x3", "x4")
	s.w.sequence("s", "x0", "x1", "x2")
	s.w.sequence("nested", "x0", "inner", "x1")
	s.w.conductor("c", func(args json.RawMessage) (int, whisk.Response) {
		var in struct{ Left int }
		if json.Unmarshal(args, &in) != nil || in.Left == 0 {
			return 10, response(`{"end":1}`)
		}
		return 10, response(fmt.Sprintf(`{"action":"x0","state":{"left":%d}}`, in.Left-1))
	})
}

func (s *sim) call() *simCall {
	ms := s.r.IntN(400)
	if s.r.IntN(10) == 0 {
		ms *= 10 // may outlive the drain budget
	}
	c := &simCall{c: newCall(whisk.Namespace(fmt.Sprint("ns", s.r.IntN(3))), ms), by: s.l}
	switch s.r.IntN(4) {
	case 0:
		c.c = callOf(s.w.actions[[]string{"ns/s", "ns/nested"}[s.r.IntN(2)]], ``)
	case 1:
		c.c = callOf(s.w.actions["ns/c"], fmt.Sprintf(`{"left":%d}`, s.r.IntN(4)))
	}
	c.c.Unstored = s.r.IntN(8) == 0
	s.calls = append(s.calls, c)
	return c
}

func (s *sim) submit() {
	c := s.call()
	ctx, cancel := context.WithTimeout(context.Background(), s.ms(2000))
	s.wg.Go(func() {
		defer cancel()
		err := c.by.Submit(ctx, c.c, c.n.end)
		c.id = err == nil && !c.by.p.dead.Load()
	})
}

func (s *sim) invoke() {
	c := s.call()
	ctx, cancel := context.WithTimeout(context.Background(), s.ms(2000))
	wait := s.ms(500)
	s.wg.Go(func() {
		defer cancel()
		rec, err := c.by.Invoke(ctx, c.c, wait, c.n.end)
		if c.by.p.dead.Load() {
			return
		}
		c.answer = rec
		c.id = rec != nil || err == whisk.ErrPending
	})
}

func (s *sim) check() {
	s.w.back()
	s.l.v.set(func() { s.l.v.room = 5 })
	time.Sleep(30 * time.Minute)
	s.wg.Wait()
	synctest.Wait()
	s.l.wantClean(s.t)
	s.l.stop()
	for id, row := range s.w.rows {
		i := slices.IndexFunc(s.calls, func(c *simCall) bool { return c.c.ID == id })
		s.t.Errorf("call %d: a row in state %d is left; ran %d times: held by %v, this is %v", i, row.State, s.w.runs[id], row.Holder, s.l.life)
	}
	for i, c := range s.calls {
		rec := s.w.records[c.c.ID]
		switch {
		case c.id && rec == nil && !c.c.Unstored:
			s.t.Errorf("call %d: the client has the id, but there is no record", i)
		case c.answer != nil && rec != nil && rec.Response.Status != c.answer.Response.Status:
			s.t.Errorf("call %d: the client got %v, the record says %v", i, c.answer.Response.Status, rec.Response.Status)
		}
		if n := s.w.runs[c.c.ID]; n > 1 {
			s.t.Errorf("call %d ran %d times", i, n)
		}
		if rec != nil && composite(c.c) {
			s.checkComposite(i, c.c, rec)
		}
		if n := c.n.n.Load(); n > 1 || n == 0 && c.by == s.l {
			s.t.Errorf("call %d: ended was called %d times", i, n)
		}
	}
}

// checkComposite checks that all that a record names has a record, and that
// nothing in it ran twice.
func (s *sim) checkComposite(i int, c *whisk.Call, rec *whisk.Activation) {
	for _, text := range rec.Logs {
		id, _ := whisk.ParseActivationID(text)
		inside := s.w.records[id]
		if inside == nil || inside.Cause != rec.ID {
			s.t.Errorf("call %d: no record of the component %s", i, text)
		} else if inside.Facts.Kind == whisk.Sequence {
			s.checkComposite(i, c, inside)
		}
	}
	var in struct{ Left int }
	_ = json.Unmarshal(c.Args, &in)
	for name, n := range s.w.within[rec.ID] {
		if n > 1 && !c.Target.Conductor || n > in.Left+1 {
			s.t.Errorf("call %d: %s ran %d times", i, name, n)
		}
	}
}
