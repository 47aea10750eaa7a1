package invoker

import (
	"context"
	"errors"
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
		for range 4 {
			running = append(running, r.call(newTestCall("a", `{"ms":1000}`)))
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
		for range 4 {
			r.call(newTestCall("a", `{"ms":1000}`))
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
		for range 4 {
			r.call(newTestCall("a", `{"ms":1000}`))
		}
		first, second := newTestCall("b", `{}`), newTestCall("a", `{}`)
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
		for range 3 {
			r.call(newTestCall("a", `{"ms":5000}`))
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

func TestCodeIsAskedForOnce(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		a := withCode(newTestCall("a", `{"ms":10}`), "code a")
		b := withCode(newTestCall("b", `{"ms":10}`), "code a")
		d := withCode(newTestCall("d", `{"ms":10}`), "code a")
		d.NoQueue = true
		qa, qb, qd := r.call(a), r.call(b), r.call(d)
		r.expect(qa, whisk.NeedCode)
		r.v.Code(a.ID, []byte("code a"))
		r.done(qa)
		r.done(qd)
		r.expect(qb, whisk.Queued)
		r.expect(qb, whisk.Ready)
		r.v.Go(b.ID)
		r.done(qb)
		c := withCode(newTestCall("c", `{}`), "code a") // cached
		r.done(r.call(c))
	})
}

func TestNextAsksForCodeWhenTheFirstLeaves(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		calls, outs := []*whisk.Call{}, []*replies{}
		for range 4 {
			c := withCode(newTestCall("a", `{}`), "code")
			c.NoQueue = true
			calls, outs = append(calls, c), append(outs, r.call(c))
		}
		r.expect(outs[0], whisk.NeedCode)
		r.v.Cancel(calls[0].ID)
		r.expect(outs[1], whisk.NeedCode)
		r.v.Code(calls[1].ID, []byte("wrong"))
		rec := r.done(outs[1])
		if string(rec.Response.Result) != `{"error":"Action could not be fetched."}` || rec.Response.Status != whisk.WhiskError {
			t.Errorf("response = %+v", rec.Response)
		}
		r.expect(outs[2], whisk.NeedCode)
		r.expect(outs[2], whisk.Busy) // after CodeTimeout
		r.expect(outs[3], whisk.NeedCode)
		r.v.Code(calls[3].ID, []byte("code"))
		r.done(outs[3])
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
			{"too large", func(t *whisk.Target) { t.Limits.Memory = 1024 }, whisk.WhiskError, textProvision},
			{"no such kind", func(t *whisk.Target) { t.Exec.Kind = "cobol:1" }, whisk.WhiskError, textProvision},
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

func TestSpoiledSandboxIsReplaced(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		for _, args := range []string{`{"out":"7"}`, `{"ms":70000}`, `{"break":true}`} {
			r.done(r.call(newTestCall("a", args)))
			synctest.Wait()
			if rec := r.done(r.call(newTestCall("a", `{}`))); rec.Facts.Sandbox != whisk.Cold {
				t.Errorf("after %s: start = %v, want cold", args, rec.Facts.Sandbox)
			}
			if rec := r.done(r.call(newTestCall("a", `{"out":"{\"error\":1}"}`))); rec.Facts.Sandbox != whisk.Warm {
				t.Errorf("after %s: second start = %v, want warm", args, rec.Facts.Sandbox)
			}
			if rec := r.done(r.call(newTestCall("a", `{}`))); rec.Facts.Sandbox != whisk.Warm {
				t.Errorf("after an application error: start = %v, want warm", rec.Facts.Sandbox)
			}
		}
	})
}

func (r *rig) boxes() []*fakeBox {
	r.d.mu.Lock()
	defer r.d.mu.Unlock()
	var out []*fakeBox
	for b := range r.d.live {
		out = append(out, b)
	}
	return out
}

func TestSandboxThatDiesIdle(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.done(r.call(newTestCall("a", `{}`)))
		r.boxes()[0].breakDown()
		synctest.Wait()
		if n := len(r.boxes()); n != 0 {
			t.Errorf("%d sandboxes are left, want 0", n)
		}
		r.done(r.call(newTestCall("a", `{}`)))
		r.boxes()[0].breakDown() // and nobody has noticed yet
		if rec := r.done(r.call(newTestCall("a", `{}`))); rec.Facts.Sandbox != whisk.Cold || rec.Response.Status != whisk.Success {
			t.Errorf("start = %v, response = %+v", rec.Facts.Sandbox, rec.Response)
		}
	})
}

func TestSandboxThatDiesReserved(t *testing.T) {
	for _, cancel := range []bool{true, false} {
		inBubble(t, func(c *Config, _ *fakeDriver) { c.MemoryMB = 128 }, func(r *rig) {
			r.call(newTestCall("a", `{"ms":10}`))
			c := newTestCall("a", `{}`)
			q := r.call(c)
			r.expect(q, whisk.Queued)
			r.expect(q, whisk.Ready)
			r.boxes()[0].breakDown()
			synctest.Wait()
			if cancel {
				r.v.Cancel(c.ID)
				synctest.Wait()
				if n := len(r.boxes()); n != 0 {
					t.Errorf("%d sandboxes are left, want 0", n)
				}
				return
			}
			r.v.Go(c.ID)
			if rec := r.done(q); rec.Facts.Sandbox != whisk.Cold {
				t.Errorf("start = %v, want cold", rec.Facts.Sandbox)
			}
		})
	}
}

func TestIdleSandboxesAreEvicted(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		for range 4 {
			r.call(newTestCall("a", `{"ms":1000}`))
		}
		time.Sleep(2 * time.Second)
		if rec := r.done(r.call(withMB(newTestCall("b", `{}`), 256))); rec.Facts.Sandbox != whisk.Cold {
			t.Errorf("start = %v", rec.Facts.Sandbox)
		}
		if n := len(r.boxes()); n != 3 {
			t.Errorf("%d sandboxes, want 3", n)
		}
		time.Sleep(r.v.cfg.IdleTimeout + 2*sweepInterval)
		synctest.Wait()
		if n := len(r.boxes()); n != 0 {
			t.Errorf("%d sandboxes after the idle timeout, want 0", n)
		}
	})
}

func TestDrain(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		out := r.call(newTestCall("a", `{"ms":1000}`))
		for range 3 {
			r.call(newTestCall("a", `{"ms":2000}`))
		}
		queued := r.call(newTestCall("b", `{}`))
		r.expect(queued, whisk.Queued)
		if err := r.v.Drain(r.t.Context()); err != nil {
			t.Errorf("Drain = %v", err)
		}
		r.expect(queued, whisk.Busy)
		rec := r.done(out)
		if rec.Response.Status != whisk.Success {
			t.Errorf("response = %+v", rec.Response)
		}
		if l := r.expect(r.call(newTestCall("a", `{}`)), whisk.Busy).Load; !l.Draining {
			t.Errorf("load = %+v", l)
		}
		if st, _, _ := r.v.Lookup(r.t.Context(), rec.ID); st != whisk.FinishedCall {
			t.Errorf("state = %v, want finished", st)
		}
	})
}

func TestDrainStopsWhatOutlivesIt(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		out := r.call(newTestCall("a", `{"ms":50000}`))
		ctx, cancel := context.WithTimeout(r.t.Context(), time.Second)
		defer cancel()
		if err := r.v.Drain(ctx); err == nil {
			t.Error("Drain = nil, want an error")
		}
		rec := r.done(out)
		if rec.Response.Status != whisk.WhiskError || !strings.Contains(string(rec.Response.Result), textStopped) {
			t.Errorf("response = %v %s", rec.Response.Status, rec.Response.Result)
		}
	})
}

func TestCloseRecordsWhatRuns(t *testing.T) {
	code := "some code"
	running, finished := withCode(newTestCall("a", `{"ms":50000}`), code), withCode(newTestCall("a", `{"ms":20}`), code)
	var cfg Config
	inBubble(t, nil, func(r *rig) {
		cfg = r.v.cfg
		r.expect(r.call(running), whisk.NeedCode)
		finished.NoQueue = true
		r.call(finished)
		r.v.Code(running.ID, []byte(code))
		time.Sleep(time.Second)
	})
	cfg.Metrics = nil
	inBubble(t, func(c *Config, _ *fakeDriver) { c.Dir = cfg.Dir }, func(r *rig) {
		recs, err := r.v.Unacked(r.t.Context(), 10)
		if err != nil || len(recs) != 2 {
			t.Fatalf("Unacked = %d records, %v; want 2", len(recs), err)
		}
		if recs[0].ID != finished.ID || recs[0].Response.Status != whisk.Success {
			t.Errorf("first = %+v", recs[0])
		}
		if recs[1].ID != running.ID || recs[1].Response.Status != whisk.WhiskError || recs[1].Facts.Sandbox != whisk.Cold {
			t.Errorf("second = %+v", recs[1])
		}
		if err := r.v.Call(running, nil); !errors.Is(err, ErrDuplicate) {
			t.Errorf("Call with an id of an earlier life = %v", err)
		}
		r.v.Ack(recs[0].ID, recs[1].ID)
		synctest.Wait() // for the code to be adopted
		r.done(r.call(withCode(newTestCall("a", `{}`), code)))
		r.v.Close()
		if err := r.v.Call(newTestCall("a", `{}`), nil); !errors.Is(err, ErrClosed) {
			t.Errorf("Call after Close = %v", err)
		}
	})
}
