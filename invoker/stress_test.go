package invoker

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hearth/invoker/sandbox"
	"hearth/whisk"
)

// A router that answers in every way it may, and actions that do all they
// should not: each call ends once, and nothing is left.
func TestEveryCallEndsOnce(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { chaos(t, seed) })
	}
}

type chaosCall struct {
	c     *whisk.Call
	kinds []whisk.ReplyKind
	gone  bool // cancelled by us
}

func (cc *chaosCall) ended() bool {
	n := len(cc.kinds)
	return cc.gone || n > 0 && (cc.kinds[n-1] == whisk.Busy || cc.kinds[n-1] == whisk.Done)
}

// dice are seeded and may be thrown from any goroutine.
type dice struct {
	mu  sync.Mutex
	rnd *rand.Rand
}

func (d *dice) chance(p float64) bool { d.mu.Lock(); defer d.mu.Unlock(); return d.rnd.Float64() < p }
func (d *dice) pick(n int) int        { d.mu.Lock(); defer d.mu.Unlock(); return d.rnd.IntN(n) }

// chaosTest is one test's calls and dice; mu guards the calls' fields.
type chaosTest struct {
	dice
	*rig
	mu  sync.Mutex
	all []*chaosCall
}

func chaos(t *testing.T, seed uint64) {
	x := &chaosTest{dice: dice{rnd: rand.New(rand.NewPCG(seed, 0))}}
	inBubble(t, func(c *Config, d *fakeDriver) {
		c.MemoryMB, c.QueueLimit = 1024, 20
		c.IdleTimeout = 3 * time.Second
		d.createFor = 30 * time.Millisecond
		d.create = func(sandbox.Spec) error {
			if x.chance(0.03) {
				return fmt.Errorf("no luck")
			}
			return nil
		}
		d.init = func(*sandbox.Init) sandbox.Outcome {
			time.Sleep(5 * time.Millisecond)
			return sandbox.Outcome{OK: x.chance(0.95), Took: 5 * time.Millisecond}
		}
	}, func(r *rig) {
		x.rig = r
		for range 300 {
			cc := &chaosCall{c: x.newCall()}
			x.all = append(x.all, cc)
			if err := r.v.Call(cc.c, func(rep whisk.Reply) { x.answer(cc, rep) }); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Duration(x.pick(200)) * time.Millisecond)
			x.meddle()
		}
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		x.verify()
	})
}

func (x *chaosTest) newCall() *whisk.Call {
	name := fmt.Sprintf("a%d", x.pick(6))
	args := fmt.Sprintf(`{"ms":%d}`, x.pick(300))
	switch {
	case x.chance(0.05):
		args = `{"out":"7"}`
	case x.chance(0.05):
		args = `{"break":true}`
	case x.chance(0.02):
		args = `{"ms":1500}` // beyond the limit
	}
	c := withCode(newTestCall(name, args), name)
	c = withMB(c, []int64{128, 256, 512, 128, 128, 1024}[name[1]-'0'])
	c.Target.Limits.Timeout = 1000
	c.NoQueue = x.chance(0.1)
	return c
}

// meddle now and then breaks a sandbox or cancels a call.
func (x *chaosTest) meddle() {
	if b := x.boxes(); len(b) > 0 && x.chance(0.1) {
		b[x.pick(len(b))].breakDown()
	}
	if x.chance(0.1) {
		o := x.all[x.pick(len(x.all))]
		x.mu.Lock()
		waits := !o.ended() && len(o.kinds) > 0
		o.gone = o.gone || waits
		x.mu.Unlock()
		if waits {
			x.v.Cancel(o.c.ID)
		}
	}
}

func (x *chaosTest) verify() {
	x.mu.Lock()
	defer x.mu.Unlock()
	done := 0
	for _, cc := range x.all {
		if !cc.ended() {
			x.t.Errorf("call %v has not ended: %v", cc.c.ID, cc.kinds)
		}
		for i, k := range cc.kinds {
			if (k == whisk.Done || k == whisk.Busy) && i < len(cc.kinds)-1 {
				x.t.Errorf("replies after the last: %v", cc.kinds)
			}
			if k == whisk.Done {
				done++
			}
		}
	}
	if n := x.v.journal.Len(); n != done {
		x.t.Errorf("%d records in the journal, %d calls done", n, done)
	}
	if done < 50 {
		x.t.Errorf("only %d calls were done", done)
	}
}

// answer is a router that goes on, cancels, or says nothing.
func (x *chaosTest) answer(cc *chaosCall, rep whisk.Reply) {
	x.mu.Lock()
	cc.kinds = append(cc.kinds, rep.Kind)
	x.mu.Unlock()
	if l := rep.Load; l.UsedMB > l.CapacityMB || l.UsedMB < 0 || l.Running < 0 {
		x.t.Errorf("load = %+v", l)
	}
	cancel := func() {
		x.mu.Lock()
		cc.gone = true
		x.mu.Unlock()
		x.v.Cancel(cc.c.ID)
	}
	switch rep.Kind {
	case whisk.NeedCode:
		switch {
		case x.chance(0.1):
			cancel()
		case x.chance(0.1):
			x.v.Code(cc.c.ID, []byte("wrong"))
		case x.chance(0.9):
			x.v.Code(cc.c.ID, []byte(cc.c.Target.Name.Name))
		}
	case whisk.Ready:
		switch {
		case x.chance(0.1):
			cancel()
		case x.chance(0.9):
			x.v.Go(cc.c.ID)
		}
	case whisk.Done:
		if x.chance(0.3) {
			if st, rec, err := x.v.Lookup(x.t.Context(), cc.c.ID); st != whisk.FinishedCall || err != nil || rec.ID != cc.c.ID {
				x.t.Errorf("lookup after done = %v, %v", st, err)
			}
		}
	}
}

// A call that needs much memory is not passed over for ever by those that find
// their sandbox warm.
func TestLargeCallIsNotStarved(t *testing.T) {
	inBubble(t, func(c *Config, _ *fakeDriver) { c.QueueLimit = 100 }, func(r *rig) {
		var passed atomic.Int32
		var stop atomic.Bool
		var again func()
		again = func() {
			c := newTestCall("small", `{"ms":10}`)
			if err := r.v.Call(c, func(x whisk.Reply) {
				switch {
				case x.Kind == whisk.Ready:
					r.v.Go(c.ID)
				case x.Kind == whisk.Done && !stop.Load() && passed.Add(1) < 1000:
					again()
				}
			}); err != nil {
				t.Error(err)
			}
		}
		for range 3 {
			again()
			time.Sleep(time.Millisecond)
		}
		begun := time.Now()
		large := withMB(newTestCall("large", `{}`), 512)
		out := r.call(large)
		r.expect(out, whisk.Queued)
		r.expect(out, whisk.Ready)
		stop.Store(true)
		if d := time.Since(begun); d > time.Second {
			t.Errorf("it waited %v", d)
		}
		r.v.Go(large.ID)
		r.done(out)
	})
}

// While the journal takes nothing, finished calls wait and new ones are turned
// away; acknowledgements bring it back.
func TestFullJournal(t *testing.T) {
	inBubble(t, func(c *Config, _ *fakeDriver) {
		c.Journal.MaxBytes, c.Journal.SegmentBytes = 64<<10, 16<<10
	}, func(r *rig) {
		big := fmt.Sprintf(`{"ms":10,"x":%q}`, strings.Repeat("x", 50<<10))
		var outs []*replies
		for i := range 4 { // all of them begin before the first has ended
			outs = append(outs, r.call(newTestCall(fmt.Sprint(i), big)))
		}
		time.Sleep(time.Second)
		var ended, waiting []*replies
		for _, o := range outs {
			if o.kinds() == "done" {
				ended = append(ended, o)
			} else {
				waiting = append(waiting, o)
			}
		}
		if len(ended) != 2 || r.v.journal.Size() > 128<<10 {
			t.Errorf("%d ended, %d bytes", len(ended), r.v.journal.Size())
		}
		r.expect(r.call(newTestCall("a", `{}`)), whisk.Busy)
		for _, o := range ended {
			r.v.Ack(r.done(o).ID)
		}
		for _, o := range waiting {
			r.v.Ack(r.done(o).ID)
		}
		time.Sleep(2 * r.v.cfg.Journal.FsyncInterval) // the journal lets go of what was acknowledged
		r.done(r.call(newTestCall("a", `{}`)))
	})
}
