package invoker

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hearth/invoker/sandbox"
	"hearth/whisk"
)

func TestColdThenWarm(t *testing.T) {
	inBubble(t, func(_ *Config, d *fakeDriver) { d.createFor = 50 * time.Millisecond }, func(r *rig) {
		c := newTestCall("a", `{"ms":20}`)
		c.Waited = 3 * time.Millisecond
		first := r.done(r.call(c))
		f := first.Facts
		if f.Sandbox != whisk.Cold || f.Wait != 53 || f.Init != 1 || first.Duration != 21 || first.End-first.Start != 21 {
			t.Errorf("first = %+v, facts %+v", first, f)
		}
		if string(first.Response.Result) != `{"ms":20}` || first.Response.Status != whisk.Success || len(first.Logs) != 1 {
			t.Errorf("response = %+v, logs %q", first.Response, first.Logs)
		}
		second := r.done(r.call(newTestCall("a", `{"ms":20}`)))
		if f := second.Facts; f.Sandbox != whisk.Warm || f.Wait != 0 || f.Init != 0 || second.Duration != 20 {
			t.Errorf("second = %+v, facts %+v", second, f)
		}
		if r.d.created != 1 {
			t.Errorf("created = %d, want 1", r.d.created)
		}
	})
}

// A client that calls again at once after Done finds the sandbox free.
func TestDoneComesAfterTheSandboxIsFree(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		const n = 50
		var next func(i int) func(whisk.Reply)
		end := make(chan struct{})
		next = func(i int) func(whisk.Reply) {
			return func(x whisk.Reply) {
				if x.Kind != whisk.Done {
					t.Errorf("reply = %v", x.Kind)
				}
				if i == n {
					close(end)
					return
				}
				if err := r.v.Call(newTestCall("a", `{}`), next(i+1)); err != nil {
					t.Error(err)
				}
			}
		}
		next(0)(whisk.Reply{Kind: whisk.Done})
		<-end
		if r.d.created != 1 {
			t.Errorf("created = %d, want 1", r.d.created)
		}
	})
}

func TestWarmOnlyForTheSameKey(t *testing.T) {
	inBubble(t, func(c *Config, _ *fakeDriver) { c.MemoryMB = 4096 }, func(r *rig) {
		variants := []func(*whisk.Call){
			func(c *whisk.Call) {},
			func(c *whisk.Call) { c.Namespace = "other" },
			func(c *whisk.Call) { c.Target.Name.Package = "pkg" },
			func(c *whisk.Call) { c.Target.Revision = 2 },
			func(c *whisk.Call) { c.Env = []byte(`{"A":"1"}`) },
			func(c *whisk.Call) { c.Env = []byte(`{"A":"2"}`) },
			func(c *whisk.Call) { c.APIKey = "u:k" },
			func(c *whisk.Call) { c.Target.Limits.Timeout = 1000 },
			func(c *whisk.Call) { c.Target.Limits.Logs = 0 },
		}
		for round, want := range []whisk.Start{whisk.Cold, whisk.Warm} {
			for i, change := range variants {
				c := newTestCall("a", `{}`)
				change(c)
				if got := r.done(r.call(c)).Facts.Sandbox; got != want {
					t.Errorf("round %d, variant %d: start = %v, want %v", round, i, got, want)
				}
			}
		}
	})
}

func TestQueueReadyGo(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		var running []*replies
		for i := range 4 {
			running = append(running, r.call(newTestCall(fmt.Sprint(i), `{"ms":1000}`)))
		}
		b := newTestCall("b", `{"ms":10}`)
		q := r.call(b)
		if l := r.expect(q, whisk.Queued).Load; l.UsedMB != 512 || l.Running != 4 {
			t.Errorf("load = %+v", l)
		}
		c := newTestCall("c", `{}`)
		c.NoQueue = true
		r.expect(r.call(c), whisk.Busy)
		if st, _, _ := r.v.Lookup(r.t.Context(), b.ID); st != whisk.WaitingCall {
			t.Errorf("state = %v, want waiting", st)
		}
		r.expect(q, whisk.Ready)
		time.Sleep(2 * time.Second) // within the patience
		r.v.Go(b.ID)
		if rec := r.done(q); rec.Facts.Sandbox != whisk.Cold || rec.Facts.Wait < 3000 {
			t.Errorf("facts = %+v", rec.Facts)
		}
		for _, x := range running {
			r.done(x)
		}
		if q.kinds() != "queued,ready,done" {
			t.Errorf("replies = %s", q.kinds())
		}
	})
}

func TestQueueIsBounded(t *testing.T) {
	inBubble(t, func(c *Config, _ *fakeDriver) { c.QueueBytes = 100 }, func(r *rig) {
		for i := range 4 {
			r.call(newTestCall(fmt.Sprint(i), `{"ms":1000}`))
		}
		r.expect(r.call(newTestCall("b", `{"x":"`+strings.Repeat("x", 100)+`"}`)), whisk.Busy)
		for range 4 {
			r.expect(r.call(newTestCall("b", `{}`)), whisk.Queued)
		}
		r.expect(r.call(newTestCall("b", `{}`)), whisk.Busy)
	})
}

func TestReadyWithoutGoIsDropped(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		for i := range 4 {
			r.call(newTestCall(fmt.Sprint("a", i), `{"ms":1000}`))
		}
		first, second := newTestCall("b", `{}`), newTestCall("a3", `{}`)
		q1, q2 := r.call(first), r.call(second)
		r.expect(q1, whisk.Queued)
		r.expect(q2, whisk.Queued)
		r.expect(q1, whisk.Ready)
		r.expect(q2, whisk.Ready)
		r.expect(q1, whisk.Busy)
		r.expect(q2, whisk.Busy)
		r.v.Go(first.ID) // too late: nothing happens
		if st, _, _ := r.v.Lookup(r.t.Context(), first.ID); st != whisk.UnknownCall {
			t.Errorf("state = %v, want unknown", st)
		}
	})
}

func TestCancel(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		busy := r.call(newTestCall("a", `{"ms":1000}`))
		for i := range 3 {
			r.call(newTestCall(fmt.Sprint(i), `{"ms":5000}`))
		}
		queued, ready, fetching := newTestCall("b", `{}`), newTestCall("c", `{}`), withCode(newTestCall("d", `{}`), "code")
		qr := r.call(ready)
		qq := r.call(queued)
		qf := r.call(fetching)
		r.expect(qf, whisk.NeedCode)
		r.expect(qr, whisk.Queued)
		r.expect(qr, whisk.Ready)
		r.expect(qq, whisk.Queued)
		r.v.Cancel(ready.ID) // its reservation goes to the next
		r.expect(qq, whisk.Ready)
		r.v.Cancel(queued.ID)
		r.v.Cancel(fetching.ID)
		r.v.Code(fetching.ID, []byte("code"))
		r.done(busy)
		synctest.Wait()
		if s := qr.kinds() + ";" + qq.kinds() + ";" + qf.kinds(); s != "queued,ready;queued,ready;need code" {
			t.Errorf("replies = %s", s)
		}
		running := newTestCall("e", `{"ms":100}`)
		out := r.call(running)
		synctest.Wait()
		r.v.Cancel(running.ID) // too late
		r.done(out)
	})
}

func TestDuplicateIDs(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		c := newTestCall("a", `{"ms":10}`)
		out := r.call(c)
		if err := r.v.Call(c, nil); !errors.Is(err, ErrDuplicate) {
			t.Errorf("while running: %v", err)
		}
		r.done(out)
		if err := r.v.Call(c, nil); !errors.Is(err, ErrDuplicate) {
			t.Errorf("in the journal: %v", err)
		}
		if st, rec, err := r.v.Lookup(r.t.Context(), c.ID); st != whisk.FinishedCall || err != nil || rec.ID != c.ID {
			t.Errorf("lookup = %v, %v, %v", st, rec, err)
		}
		r.v.Ack(c.ID)
		if st, _, _ := r.v.Lookup(r.t.Context(), c.ID); st != whisk.UnknownCall {
			t.Errorf("after ack: %v", st)
		}
	})
}

func TestImpossibleCalls(t *testing.T) {
	inBubble(t, func(_ *Config, d *fakeDriver) {
		d.create = func(s sandbox.Spec) error {
			if s.Kind == whisk.Blackbox {
				return whisk.Errorf(whisk.BadRequest, "Failed to pull container image '%s'.", s.Image)
			}
			return errors.New("no more processes")
		}
	}, func(r *rig) {
		for _, c := range []struct {
			name   string
			change func(*whisk.Target)
			status whisk.Status
			text   string
		}{
			{"too large", func(t *whisk.Target) { t.Limits.Memory = 1024 }, whisk.WhiskError, textProvision + " No invoker has 1024 MB for one sandbox."},
			{"no such kind", func(t *whisk.Target) { t.Exec.Kind = "cobol:1" }, whisk.WhiskError, textProvision + " No invoker offers the kind 'cobol:1'."},
			{"no such image", func(t *whisk.Target) { t.Exec.Kind, t.Exec.Image = whisk.Blackbox, "me/img:2" }, whisk.DeveloperError, "Failed to pull container image 'me/img:2'."},
			{"create fails", func(*whisk.Target) {}, whisk.WhiskError, textProvision},
			{"bad image", func(t *whisk.Target) { t.Exec.Kind, t.Exec.Image = whisk.Blackbox, "img" }, whisk.DeveloperError, "Failed to pull container image 'img'."},
		} {
			call := newTestCall("a", `{}`)
			c.change(call.Target)
			got := r.done(r.call(call)).Response
			if got.Status != c.status || string(got.Result) != `{"error":"`+c.text+`"}` {
				t.Errorf("%s: %v %s", c.name, got.Status, got.Result)
			}
		}
	})
}
