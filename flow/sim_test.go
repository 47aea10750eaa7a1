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
	lives []*life // at a time
	calls []*simCall
	wg    sync.WaitGroup
}

// simCall is what a client knows of one call.
type simCall struct {
	c         *whisk.Call
	by        *life
	n         counter
	id        bool              // the client was given the id
	answer    *whisk.Activation // the client was given the record
	cancelled *whisk.Activation // the client was told that it was cancelled
}

// TestConservation checks the law over random histories: every id that a
// client received ends in exactly one record, and no code runs twice, but as
// another attempt where that was asked for, whatever fails and whenever
// processes are killed or stand still.
func TestConservation(t *testing.T) {
	for _, routers := range []int{1, 2, 3} {
		t.Run(fmt.Sprint(routers), func(t *testing.T) {
			seeds := 25
			if testing.Short() {
				seeds = 10
			}
			for seed := range seeds {
				synctest.Test(t, func(t *testing.T) { simulate(t, uint64(seed), routers) })
			}
		})
	}
}

func simulate(t *testing.T, seed uint64, routers int) {
	t.Log("seed", seed)
	s := &sim{t: t, r: rand.New(rand.NewPCG(seed, uint64(routers))), w: newWorld(), cfg: testConfig()}
	s.cfg.Alone = routers == 1
	s.cfg.MaxRows = 4 + s.r.IntN(20)
	s.cfg.Workers = 1 + s.r.IntN(10)
	s.cfg.StoreTimeout = time.Second
	s.cfg.DrainBudget = time.Second
	s.cfg.Composites = 1 + s.r.IntN(5)
	s.define()
	for range routers {
		s.lives = append(s.lives, start(s.w, s.cfg, 3))
	}
	for range 150 {
		s.step()
	}
	s.check()
}

// any returns one of the lives.
func (s *sim) any() *life { return s.lives[s.r.IntN(len(s.lives))] }

func (s *sim) ms(most int) time.Duration { return time.Duration(s.r.IntN(most)) * time.Millisecond }

func (s *sim) step() {
	switch n := s.r.IntN(100); {
	case n < 25:
		s.submit()
	case n < 45:
		s.invoke()
	case n < 50:
		s.cancel()
	case n < 74:
		time.Sleep(s.ms(200))
	case n < 75:
		time.Sleep(s.ms(30_000))
	case n < 84:
		v := s.any().v
		v.set(func() { v.room = s.r.IntN(6) })
	case n < 88:
		mute := s.r.IntN(2) == 0
		s.w.set(func() { s.w.away, s.w.mute = !mute, mute })
	case n < 93:
		s.w.back()
	case n < 95:
		s.w.set(func() { s.w.delay = s.ms(50) })
	case n < 97:
		if !s.cfg.Alone {
			s.any().p.pause(s.ms(40_000))
		}
	default:
		// Killed, or stopped; the invoker died with it, its journal did not.
		i := s.r.IntN(len(s.lives))
		l := s.lives[i]
		l.p.dead.Store(s.r.IntN(2) == 0)
		l.cancel()
		<-l.done
		l.p.dead.Store(true)
		s.lives[i] = start(s.w, s.cfg, s.r.IntN(6))
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
	c := &simCall{c: newCall(whisk.Namespace(fmt.Sprint("ns", s.r.IntN(3))), ms), by: s.any()}
	switch s.r.IntN(4) {
	case 0:
		c.c = callOf(s.w.actions[[]string{"ns/s", "ns/nested"}[s.r.IntN(2)]], ``)
	case 1:
		c.c = callOf(s.w.actions["ns/c"], fmt.Sprintf(`{"left":%d}`, s.r.IntN(4)))
	}
	c.c.Unstored = s.r.IntN(8) == 0
	if s.r.IntN(3) == 0 {
		c.c.Retry = &whisk.Retry{Attempts: 1 + s.r.IntN(4), Backoff: s.ms(3000)}
		if fails := s.r.IntN(6); fails > 0 {
			s.w.set(func() { s.w.failing[c.c.ID] = fails - 1 })
		}
	}
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

// cancel cancels some call, by any router.
func (s *sim) cancel() {
	if len(s.calls) == 0 {
		return
	}
	c, l := s.calls[len(s.calls)-1-s.r.IntN(min(10, len(s.calls)))], s.any()
	s.wg.Go(func() {
		rec, err := l.Cancel(context.Background(), c.c.Namespace, c.c.ID)
		if err == nil && !l.p.dead.Load() {
			c.cancelled = rec
		}
	})
}

func (s *sim) check() {
	s.w.back()
	for _, l := range s.lives {
		l.v.set(func() { l.v.room = 5 })
	}
	time.Sleep(25 * time.Minute)
	s.wg.Wait()
	synctest.Wait()
	for _, l := range s.lives {
		l.wantClean(s.t)
	}
	for _, l := range s.lives {
		l.stop()
	}
	for id, row := range s.w.rows {
		i := slices.IndexFunc(s.calls, func(c *simCall) bool { return c.c.ID == id })
		s.t.Errorf("call %d: a row in state %d is left, held by %d; ran %d times", i, row.State, row.Holder, s.w.runs[id])
	}
	for i, c := range s.calls {
		s.checkCall(i, c)
	}
}

func (s *sim) checkCall(i int, c *simCall) {
	rec := s.w.records[c.c.ID]
	switch {
	case c.id && rec == nil && !c.c.Unstored:
		s.t.Errorf("call %d: the client has the id, but there is no record", i)
	case c.answer != nil && rec != nil && rec.Response.Status != c.answer.Response.Status:
		s.t.Errorf("call %d: the client got %v, the record says %v", i, c.answer.Response.Status, rec.Response.Status)
	case c.cancelled != nil && rec != nil && string(rec.Response.Result) != string(c.cancelled.Response.Result):
		s.t.Errorf("call %d was cancelled, the record says %s", i, rec.Response.Result)
	}
	s.checkRuns(i, c.c, rec)
	if rec != nil && composite(c.c) && rec.Attempt <= 1 {
		s.checkComposite(i, c.c, rec)
	}
	// Another router may have ended it, of which this one need not hear.
	if n := c.n.n.Load(); n > 1 || n == 0 && slices.Contains(s.lives, c.by) {
		s.t.Errorf("call %d: ended was called %d times", i, n)
	}
}

// checkRuns checks that each attempt ran once at most, and none after one that
// succeeded.
func (s *sim) checkRuns(i int, c *whisk.Call, rec *whisk.Activation) {
	tries, last := s.w.tries[c.ID], 1
	for number, n := range tries {
		if n > 1 {
			s.t.Errorf("call %d: attempt %d ran %d times", i, number, n)
		}
		last = max(last, number)
	}
	if n := s.w.runs[c.ID]; n > last {
		s.t.Errorf("call %d ran %d times in %d attempts", i, n, last)
	}
	if c.Retry == nil && last > 1 || c.Retry != nil && last > c.Retry.Attempts {
		s.t.Errorf("call %d: attempt %d of %+v", i, last, c.Retry)
	}
	if rec != nil && rec.Attempt > 0 && rec.Attempt < last {
		s.t.Errorf("call %d: the record is of attempt %d of %d", i, rec.Attempt, last)
	}
	if _, dead := s.w.dead[c.ID]; rec != nil && dead != rec.Dead {
		s.t.Errorf("call %d: dead letter %v, the record says %v", i, dead, rec.Dead)
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
