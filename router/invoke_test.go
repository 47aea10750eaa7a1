package router

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

func TestInvoke(t *testing.T) {
	for _, tt := range []struct {
		name     string
		fakes    []*fake
		noQueue  bool
		codeErr  error
		took     time.Duration // of virtual time
		calls    []int         // per fake
		overload bool
		status   whisk.Status
		message  string
	}{
		{name: "done", fakes: []*fake{{call: answerDone}}, calls: []int{1}},
		{name: "no invoker", overload: true, took: 5 * time.Second},
		{name: "no invoker, no queue", noQueue: true, overload: true},
		{name: "busy, next", fakes: []*fake{{call: answerBusy}, {call: answerDone}}, calls: []int{1, 1}},
		{name: "unreachable, next", fakes: []*fake{{call: unreachable}, {call: answerDone}}, calls: []int{1, 1}},
		{name: "no queue, all busy", fakes: []*fake{{call: answerBusy}, {call: answerBusy}}, noQueue: true, calls: []int{1, 1}, overload: true},
		{name: "all busy until patience ends", fakes: []*fake{{call: answerBusy}}, took: 5 * time.Second, overload: true},
		{name: "busy, then room", fakes: []*fake{{call: busyFirst(3)}}, took: 75 * time.Millisecond, calls: []int{4}},
		{name: "need code", fakes: []*fake{{call: answerNeedCode}}, took: 10 * time.Millisecond, calls: []int{1}},
		{name: "need code, gone", fakes: []*fake{{call: answerNeedCode}}, codeErr: whisk.ErrNotFound, took: 10 * time.Millisecond,
			calls: []int{1}, status: whisk.WhiskError, message: msgNoCode},
		{name: "need code, store away", fakes: []*fake{{call: answerNeedCode}}, codeErr: errors.New("away"), took: 10 * time.Millisecond,
			calls: []int{1}, overload: true},
		{name: "deadline", fakes: []*fake{{call: silent}}, took: 150 * time.Second, calls: []int{1}, status: whisk.WhiskError, message: msgDeadline},
		{name: "lost, never back", fakes: []*fake{{call: answerLost}, {call: answerDone}}, took: 2 * time.Second,
			calls: []int{1, 0}, status: whisk.WhiskError, message: msgLost},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &store{codeErr: tt.codeErr}
				r := newRouter(t, s, tt.fakes...)
				c := newCall()
				c.NoQueue = tt.noQueue
				begun := time.Now()
				rec, err := r.Invoke(t.Context(), c, 5*time.Second)
				if got := time.Since(begun); got != tt.took {
					t.Errorf("took %v, want %v", got, tt.took)
				}
				if got := errors.Is(err, whisk.ErrOverloaded); got != tt.overload {
					t.Fatalf("overloaded = %v (%v), want %v", got, err, tt.overload)
				}
				for i, want := range tt.calls {
					if got := len(tt.fakes[i].calls); got != want {
						t.Errorf("calls at %d = %d, want %d", i, got, want)
					}
				}
				if n := r.waiting.count.Load(); n != 0 || r.waiting.bytes != 0 {
					t.Errorf("left waiting: %d calls, %d bytes", n, r.waiting.bytes)
				}
				for _, m := range r.view.Load().members {
					if m.ownMB != 0 {
						t.Errorf("%s is left holding %d MB", m.hello.ID, m.ownMB)
					}
				}
				if tt.overload {
					if s.records[c.ID] != nil {
						t.Error("a call that never started has a record")
					}
					return
				}
				if rec.ID != c.ID || rec.Response.Status != tt.status || !strings.Contains(string(rec.Response.Result), tt.message) {
					t.Errorf("record = %v %v %s", rec.ID, rec.Response.Status, rec.Response.Result)
				}
				if s.records[c.ID] != rec {
					t.Error("the record is not stored")
				}
			})
		})
	}
}

func TestQueuedReadyGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{call: func(_ *fake, c *whisk.Call, reply func(whisk.Reply)) error {
			reply(whisk.Reply{Kind: whisk.Queued})
			go func() {
				time.Sleep(4 * time.Minute) // longer than a run may take: waiting does not count
				reply(whisk.Reply{Kind: whisk.Ready})
			}()
			return nil
		}}
		r := newRouter(t, &store{}, f)
		c := newCall()
		rec, err := r.Invoke(t.Context(), c, 5*time.Second)
		if err != nil || rec.ID != c.ID || !slices.Equal(f.gone, []whisk.ActivationID{c.ID}) || len(f.cancels) > 0 {
			t.Errorf("record %v, %v; go %v, cancels %v", rec, err, f.gone, f.cancels)
		}
	})
}

func TestQueuedTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{call: func(_ *fake, _ *whisk.Call, reply func(whisk.Reply)) error {
			reply(whisk.Reply{Kind: whisk.Queued})
			return nil
		}}
		s := &store{}
		r := newRouter(t, s, f)
		c, begun := newCall(), time.Now()
		rec, err := r.Invoke(t.Context(), c, 5*time.Second)
		if err != nil || rec.Response.Status != whisk.WhiskError || time.Since(begun) != r.cfg.MaxAge {
			t.Errorf("got %v, %v after %v", rec, err, time.Since(begun))
		}
		if !slices.Equal(f.cancels, []whisk.ActivationID{c.ID}) || s.records[c.ID] == nil {
			t.Errorf("cancels = %v, stored = %v", f.cancels, s.records[c.ID])
		}
	})
}

// A call whose connection breaks while it waits has not started: it moves on.
func TestLostWhileWaitingMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		home := &fake{call: func(_ *fake, _ *whisk.Call, reply func(whisk.Reply)) error {
			reply(whisk.Reply{Kind: whisk.Queued})
			reply(whisk.Reply{Kind: whisk.Lost})
			return nil
		}}
		next := &fake{call: answerDone}
		r := newRouter(t, &store{}, home, next)
		if rec, err := r.Invoke(t.Context(), newCall(), time.Second); err != nil || rec.Response.Status != whisk.Success {
			t.Errorf("got %v, %v", rec, err)
		}
		if len(next.calls) != 1 {
			t.Errorf("calls at the next = %d, want 1", len(next.calls))
		}
	})
}

func TestServerStops(t *testing.T) {
	for _, started := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			f := &fake{call: func(_ *fake, _ *whisk.Call, reply func(whisk.Reply)) error {
				if !started {
					reply(whisk.Reply{Kind: whisk.Queued})
				}
				return nil
			}}
			s := &store{}
			r := newRouter(t, s, f)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			c := newCall()
			rec, err := r.Invoke(ctx, c, 5*time.Second)
			switch {
			case started && (err != nil || rec.Response.Status != whisk.WhiskError || s.records[c.ID] != rec):
				t.Errorf("started: %v, %v", rec, err)
			case !started && (!errors.Is(err, whisk.ErrOverloaded) || s.records[c.ID] != nil):
				t.Errorf("not started: %v, %v", rec, err)
			}
			if !slices.Equal(f.cancels, []whisk.ActivationID{c.ID}) {
				t.Errorf("cancels = %v", f.cancels)
			}
		})
	}
}

func TestAckOnCommit(t *testing.T) {
	for _, refuse := range []error{nil, errors.New("full")} {
		synctest.Test(t, func(t *testing.T) {
			f := &fake{call: answerDone}
			s := &store{refuse: refuse}
			r := newRouter(t, s, f)
			c := newCall()
			rec, err := r.Invoke(t.Context(), c, time.Second)
			if err != nil || rec.ID != c.ID {
				t.Fatalf("got %v, %v", rec, err)
			}
			if got := len(f.acks) == 1; got != (refuse == nil) {
				t.Fatalf("refused %v: acks = %v", refuse, f.acks)
			}
			s.refuse = nil // the store has room again: what it did not take is collected
			if refuse != nil {
				f.journal = append(f.journal, rec)
				if err := r.Collect(t.Context()); err != nil || s.records[c.ID] == nil || len(f.acks) != 1 {
					t.Errorf("collect: %v; stored %v, acks %v", err, s.records[c.ID], f.acks)
				}
			}
		})
	}
}

// Replies after the end, and more than the protocol has, neither block the
// invoker nor reach another call.
func TestDeliverNeverBlocks(t *testing.T) {
	v := &fake{}
	r := New(DefaultConfig(), nil, discard{})
	a := newFollowing(r, &member{invoker: v}, newCall(), time.Now())
	for range 100 {
		a.deliver(whisk.Reply{Kind: whisk.NeedCode})
	}
	for range 3 {
		a.deliver(whisk.Reply{Kind: whisk.Done})
		a.deliver(whisk.Reply{Kind: whisk.Ready})
	}
	var last whisk.ReplyKind
	n := len(a.replies)
	for range n {
		last = (<-a.replies).Kind
	}
	if n != replyRoom || last != whisk.Done || len(v.gone) != 0 {
		t.Errorf("%d replies, last %v, %d goes; want %d, done, none after the end", n, last, len(v.gone), replyRoom)
	}
}

// A call that this router gave up while it waited is not started by a late
// Ready; one that is ready is no longer given up as waiting.
func TestReadyAgainstWithdrawal(t *testing.T) {
	for _, late := range []bool{true, false} {
		v := &goes{}
		a := newFollowing(New(DefaultConfig(), nil, discard{}), &member{invoker: v}, newCall(), time.Now())
		a.deliver(whisk.Reply{Kind: whisk.Queued})
		if !late {
			a.deliver(whisk.Reply{Kind: whisk.Ready})
		}
		withdrawn := a.withdraw()
		a.deliver(whisk.Reply{Kind: whisk.Ready})
		if withdrawn != late || (v.n > 0) == late {
			t.Errorf("late %t: withdrawn %t, %d goes", late, withdrawn, v.n)
		}
	}
}

type goes struct {
	Invoker
	n int
}

func (g *goes) Go(whisk.ActivationID) { g.n++ }

// BenchmarkInvokeWarm is the router's part of a warm call: an invoker that
// answers from another goroutine.
func BenchmarkInvokeWarm(b *testing.B) {
	work := make(chan func(), 64)
	go func() {
		for f := range work {
			f()
		}
	}()
	defer close(work)
	call := func(c *whisk.Call, reply func(whisk.Reply)) error {
		rep := whisk.Reply{Kind: whisk.Done, Record: &whisk.Activation{ID: c.ID}}
		work <- func() { reply(rep) }
		return nil
	}
	r := New(DefaultConfig(), nil, discard{})
	r.Join(whisk.Hello{ID: "a", Runtimes: []whisk.Runtime{{Kind: "nodejs:20"}}}, callOnly{call: call})
	c := newCall()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Invoke(b.Context(), c, time.Second); err != nil {
			b.Fatal(err)
		}
	}
}

type callOnly struct {
	Invoker
	call func(*whisk.Call, func(whisk.Reply)) error
}

func (v callOnly) Call(c *whisk.Call, reply func(whisk.Reply)) error { return v.call(c, reply) }
func (callOnly) Ack(...whisk.ActivationID)                           {}

type discard struct{ recorder }

func (discard) Record(_ *whisk.Activation, done func(error)) { done(nil) }
