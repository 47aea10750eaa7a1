package invoker

import (
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

// warmUp makes an action's run time known.
func (r *rig) warmUp(action, args string) {
	for range averaged {
		r.done(r.call(newTestCall(action, args)))
	}
}

func TestCallWaitsForItsOwnSandbox(t *testing.T) {
	inBubble(t, func(c *Config, d *fakeDriver) {
		c.MemoryMB, d.createFor = 256, 100*time.Millisecond
	}, func(r *rig) {
		r.warmUp("a", `{"ms":10}`)
		r.warmUp("b", `{"ms":10}`)
		first, second := r.call(newTestCall("a", `{"ms":10}`)), r.call(newTestCall("a", `{"ms":10}`))
		for _, x := range []*replies{first, second, r.call(newTestCall("b", `{"ms":10}`))} {
			if rec := r.done(x); rec.Facts.Sandbox != whisk.Warm {
				t.Errorf("start = %v, want warm", rec.Facts.Sandbox)
			}
		}
		if r.d.created != 2 {
			t.Errorf("created = %d, want 2", r.d.created)
		}
	})
}

// A call that is to wait but a moment says nothing of it; if that takes longer,
// it does and then waits for the router's go.
func TestShortWaitIsSilent(t *testing.T) {
	inBubble(t, func(c *Config, d *fakeDriver) {
		c.MemoryMB, d.createFor = 128, 100*time.Millisecond
	}, func(r *rig) {
		r.warmUp("a", `{"ms":10}`)
		for _, c := range []struct{ first, want string }{
			{`{"ms":15}`, "done"},
			{`{"ms":90}`, "queued,ready,done"},
		} {
			r.call(newTestCall("a", c.first))
			second := newTestCall("a", `{}`)
			out := r.call(second)
			synctest.Wait()
			if k := out.kinds(); k != "" {
				t.Errorf("after %s: said %s at once", c.first, k)
			}
			time.Sleep(100 * time.Millisecond)
			r.v.Go(second.ID)
			synctest.Wait()
			if k := out.kinds(); k != c.want {
				t.Errorf("after %s: replies = %s, want %s", c.first, k, c.want)
			}
		}
	})
}

// When the invoker is asked nothing it does nothing.
func TestWatchSleeps(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		asked := 0
		r.v.share = func() float64 { asked++; return 0 }
		r.done(r.call(newTestCall("a", `{"ms":1000}`)))
		time.Sleep(time.Second)
		synctest.Wait()
		before := asked
		time.Sleep(time.Hour)
		synctest.Wait()
		if before < 5 || asked != before {
			t.Errorf("asked for the load %d times during a call, and %d times in an idle hour", before, asked-before)
		}
	})
}

func TestCrowdedPoolStaysSmall(t *testing.T) {
	for _, c := range []struct {
		share float64
		want  int
	}{{1, 2}, {0, 8}} {
		inBubble(t, func(c *Config, d *fakeDriver) {
			c.MemoryMB, c.QueueLimit, d.createFor = 1024, 100, 40*time.Millisecond
		}, func(r *rig) {
			r.v.pool.spread = 2
			r.v.share = func() float64 { return c.share }
			end := time.Now().Add(2 * time.Second)
			var again func()
			again = func() {
				call := newTestCall("a", `{"ms":1}`)
				if err := r.v.Call(call, func(x whisk.Reply) {
					switch {
					case x.Kind == whisk.Ready:
						r.v.Go(call.ID)
					case x.Kind == whisk.Done && time.Now().Before(end):
						again()
					}
				}); err != nil {
					t.Error(err)
				}
			}
			for range 32 {
				again()
			}
			time.Sleep(3 * time.Second)
			if n := len(r.boxes()); n != c.want {
				t.Errorf("at a load of %v: %d sandboxes, want %d", c.share, n, c.want)
			}
		})
	}
}

func TestProcessorTime(t *testing.T) {
	for _, c := range []struct {
		text      string
		used, all uint64
		ok        bool
	}{
		{"cpu  10 1 5 100 20 2 3 4 7 8\ncpu0 1 1 1 1\n", 25, 145, true},
		{"cpu 10 1 5 100\n", 16, 116, true},
		{"cpu 10 1\n", 0, 0, false},
		{"cpu 10 x 5 100 20\n", 0, 0, false},
		{"intr 1 2 3 4 5 6\n", 0, 0, false},
		{"", 0, 0, false},
	} {
		used, all, ok := processorTime([]byte(c.text))
		if used != c.used || all != c.all || ok != c.ok {
			t.Errorf("%q: %d of %d, %v; want %d of %d, %v", c.text, used, all, ok, c.used, c.all, c.ok)
		}
	}
}
