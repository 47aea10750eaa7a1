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

func chaos(t *testing.T, seed uint64) {
	var mu sync.Mutex
	rnd := rand.New(rand.NewPCG(seed, 0))
	chance := func(p float64) bool { mu.Lock(); defer mu.Unlock(); return rnd.Float64() < p }
	pick := func(n int) int { mu.Lock(); defer mu.Unlock(); return rnd.IntN(n) }
	inBubble(t, func(c *Config, d *fakeDriver) {
		c.MemoryMB, c.QueueLimit = 1024, 20
		c.IdleTimeout = 3 * time.Second
		d.createFor = 30 * time.Millisecond
		d.create = func(sandbox.Spec) error {
			if chance(0.03) {
				return fmt.Errorf("no luck")
			}
			return nil
		}
		d.init = func(*sandbox.Init) sandbox.Outcome {
			time.Sleep(5 * time.Millisecond)
			return sandbox.Outcome{OK: chance(0.95), Took: 5 * time.Millisecond}
		}
	}, func(r *rig) {
		var all []*chaosCall
		for i := range 300 {
			name := fmt.Sprintf("a%d", pick(6))
			args := fmt.Sprintf(`{"ms":%d}`, pick(300))
			switch {
			case chance(0.05):
				args = `{"out":"7"}`
			case chance(0.05):
				args = `{"break":true}`
			case chance(0.02):
				args = `{"ms":1500}` // beyond the limit
			}
			c := withCode(newTestCall(name, args), name)
			c.Target.Limits.Timeout = 1000
			c = withMB(c, []int64{128, 256, 512, 128, 128, 1024}[name[1]-'0'])
			c.NoQueue = chance(0.1)
			cc := &chaosCall{c: c}
			all = append(all, cc)
			if err := r.v.Call(c, func(x whisk.Reply) { r.answer(&mu, cc, x, chance) }); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Duration(pick(200)) * time.Millisecond)
			if chance(0.1) {
				b := r.boxes()
				if len(b) > 0 {
					b[pick(len(b))].breakDown()
				}
			}
			if chance(0.1) {
				mu.Lock()
				o := all[rnd.IntN(i+1)]
				waits := !o.ended() && len(o.kinds) > 0
				o.gone = o.gone || waits
				mu.Unlock()
				if waits {
					r.v.Cancel(o.c.ID)
				}
			}
		}
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		done := 0
		for _, cc := range all {
			if !cc.ended() {
				t.Errorf("call %v has not ended: %v", cc.c.ID, cc.kinds)
			}
			for i, k := range cc.kinds {
				if (k == whisk.Done || k == whisk.Busy) && i < len(cc.kinds)-1 {
					t.Errorf("replies after the last: %v", cc.kinds)
				}
				if k == whisk.Done {
					done++
				}
			}
		}
		if n := r.v.journal.Len(); n != done {
			t.Errorf("%d records in the journal, %d calls done", n, done)
		}
		if done < 50 {
			t.Errorf("only %d calls were done", done)
		}
	})
}

// answer is a router that goes on, cancels, or says nothing.
func (r *rig) answer(mu *sync.Mutex, cc *chaosCall, x whisk.Reply, chance func(float64) bool) {
	mu.Lock()
	cc.kinds = append(cc.kinds, x.Kind)
	mu.Unlock()
	if x.Load.UsedMB > x.Load.CapacityMB || x.Load.UsedMB < 0 || x.Load.Running < 0 {
		r.t.Errorf("load = %+v", x.Load)
	}
	cancel := func() {
		mu.Lock()
		cc.gone = true
		mu.Unlock()
		r.v.Cancel(cc.c.ID)
	}
	switch x.Kind {
	case whisk.NeedCode:
		switch {
		case chance(0.1):
			cancel()
		case chance(0.1):
			r.v.Code(cc.c.ID, []byte("wrong"))
		case chance(0.9):
			r.v.Code(cc.c.ID, []byte(cc.c.Target.Name.Name))
		}
	case whisk.Ready:
		switch {
		case chance(0.1):
			cancel()
		case chance(0.9):
			r.v.Go(cc.c.ID)
		}
	case whisk.Done:
		if chance(0.3) {
			if st, rec, err := r.v.Lookup(r.t.Context(), cc.c.ID); st != whisk.FinishedCall || err != nil || rec.ID != cc.c.ID {
				r.t.Errorf("lookup after done = %v, %v", st, err)
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
		var again func(whisk.Reply)
		again = func(x whisk.Reply) {
			if x.Kind == whisk.Done && !stop.Load() && passed.Add(1) < 1000 {
				if err := r.v.Call(newTestCall("small", `{"ms":10}`), again); err != nil {
					t.Error(err)
				}
			}
		}
		for range 3 {
			again(whisk.Reply{Kind: whisk.Done})
			time.Sleep(time.Millisecond)
		}
		large := withMB(newTestCall("large", `{}`), 512)
		out := r.call(large)
		r.expect(out, whisk.Queued)
		r.expect(out, whisk.Ready)
		stop.Store(true)
		if n := passed.Load(); n > maxPassed+10 {
			t.Errorf("passed %d times", n)
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
		big := fmt.Sprintf(`{"x":%q}`, strings.Repeat("x", 50<<10))
		var outs []*replies
		for range 4 {
			outs = append(outs, r.call(newTestCall("a", big)))
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
		r.done(r.call(newTestCall("a", `{}`)))
	})
}
