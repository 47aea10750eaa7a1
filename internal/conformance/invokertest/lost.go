package invokertest

import (
	"context"
	"reflect"
	"testing"
	"time"

	"hearth/whisk"
)

func needBreak(t *testing.T, r *rig) {
	if r.Break == nil {
		t.Skip("this transport has no connection that could break")
	}
}

// A call that was handed over whole is lost with its connection; over the next
// one the invoker tells how it ended, and offers the record.
func testLost(t *testing.T, r *rig) {
	needBreak(t, r)
	a, b := NewCall(), NewCall()
	repliesA, repliesB := r.call(t, a), r.call(t, b)
	r.Break(t)
	want(t, repliesA, whisk.Lost)
	want(t, repliesB, whisk.Lost)
	sent := r.Invoker.Finish(a.ID, []byte(`{"late":true}`))
	r.Mend(t)
	state, rec, err := r.v.Lookup(t.Context(), a.ID)
	if err != nil || state != whisk.FinishedCall || !reflect.DeepEqual(rec, sent) {
		t.Errorf("lookup of the finished = %v, %v, %v", state, rec, err)
	}
	if state, _, err = r.v.Lookup(t.Context(), b.ID); err != nil || state != whisk.RunningCall {
		t.Errorf("lookup of the running = %v, %v", state, err)
	}
	if recs, err := r.v.Unacked(t.Context(), 10); err != nil || len(recs) != 1 || recs[0].ID != a.ID {
		t.Errorf("unacked = %v, %v", recs, err)
	}
	wantNone(t, repliesA)
	wantNone(t, repliesB)
}

// A call that waits when its connection breaks is dropped by the invoker.
func testLostWhileQueued(t *testing.T, r *rig) {
	needBreak(t, r)
	c := NewCall()
	replies := r.call(t, c)
	r.Invoker.Reply(c.ID, whisk.Reply{Kind: whisk.Queued})
	want(t, replies, whisk.Queued)
	r.Break(t)
	want(t, replies, whisk.Lost)
	r.expect(t, "cancel", c.ID)

	r.Mend(t)
	c = NewCall() // and one that comes to wait after the break
	replies = r.call(t, c)
	r.Break(t)
	want(t, replies, whisk.Lost)
	r.Invoker.Reply(c.ID, whisk.Reply{Kind: whisk.Queued})
	r.expect(t, "cancel", c.ID)
}

func testDown(t *testing.T, r *rig) {
	needBreak(t, r)
	r.Break(t)
	deadline := time.Now().Add(patience)
	for { // the break may not have been noticed yet
		replies := make(chan whisk.Reply, 1)
		err := r.v.Call(NewCall(), func(rep whisk.Reply) { replies <- rep })
		if err != nil {
			break
		}
		if rep := <-replies; rep.Kind != whisk.Lost && rep.Kind != whisk.Busy || time.Now().After(deadline) {
			t.Fatalf("reply over a broken connection: %v", rep.Kind)
		}
	}
	r.v.Go(whisk.NewActivationID())
	r.v.Cancel(whisk.NewActivationID())
	r.v.Code(whisk.NewActivationID(), []byte("c"))
	r.v.Ack(whisk.NewActivationID())
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, _, err := r.v.Lookup(ctx, whisk.NewActivationID()); err == nil {
		t.Error("a lookup succeeded without a connection")
	}
	r.Mend(t)
	c := NewCall()
	replies := r.call(t, c)
	r.Invoker.Finish(c.ID, []byte(`{}`))
	want(t, replies, whisk.Done)
}
