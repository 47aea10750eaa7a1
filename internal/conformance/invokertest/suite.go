package invokertest

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"hearth/router"
	"hearth/whisk"
)

// Controls are a test's hands on the other side of a transport.
type Controls struct {
	Invoker *Scripted

	// Break breaks the connection, Mend allows the next one and returns when
	// it stands. Nil where there is no connection.
	Break func(t *testing.T)
	Mend  func(t *testing.T)
}

// patience bounds the wait for anything that must happen.
const patience = 20 * time.Second

// Run runs the suite. start returns a transport that is up, to a fresh
// scripted invoker.
func Run(t *testing.T, start func(t *testing.T) (router.Invoker, Controls)) {
	for _, tt := range []struct {
		name string
		test func(*testing.T, *rig)
	}{
		{"Done", testDone}, {"CallArrivesWhole", testCallArrivesWhole}, {"Busy", testBusy}, {"Refused", testRefused},
		{"QueuedReadyGo", testQueuedReadyGo}, {"CancelQueued", testCancel}, {"NeedCode", testNeedCode},
		{"BigPayloads", testBigPayloads}, {"ManyInFlight", testManyInFlight}, {"UnknownIDs", testUnknownIDs},
		{"Lookup", testLookup}, {"UnackedAndAck", testUnackedAndAck}, {"LookupErrors", testErrors},
		{"Lost", testLost}, {"LostWhileQueued", testLostWhileQueued}, {"CallsWhileDown", testDown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, c := start(t)
			tt.test(t, &rig{v: v, Controls: c})
		})
	}
}

type rig struct {
	v router.Invoker
	Controls
}

// NewCall returns a call with something in every field.
func NewCall() *whisk.Call {
	return &whisk.Call{
		ID: whisk.NewActivationID(), TransactionID: "tid", Namespace: "guest", Subject: "someone", UUID: "uuid",
		APIKey: "uuid:key", Cause: whisk.NewActivationID(), InFlow: true, Waited: 3 * time.Millisecond, Unstored: true,
		Target: &whisk.Target{
			Name:    whisk.ActionName{Namespace: "whisk.system", Package: "pkg", Name: "hello"},
			Binding: "guest/bound", Version: whisk.Version{Patch: 1}, Revision: 7, WantsKey: true,
			Exec:   whisk.Exec{Kind: "nodejs:20", Code: whisk.Digest{1, 2, 3}, Size: 99, Binary: true, Main: "main"},
			Limits: whisk.Limits{Timeout: 60_000, Memory: 256, Logs: 10, Concurrency: 1},
		},
		Env:  json.RawMessage(`{"K":"<&> é"}`),
		Args: json.RawMessage(`{"big": 12345678901234567890, "html":"<b>"}`),
	}
}

// call hands a call over and returns its replies.
func (r *rig) call(t *testing.T, c *whisk.Call) chan whisk.Reply {
	t.Helper()
	replies := make(chan whisk.Reply, 16)
	if err := r.v.Call(c, func(rep whisk.Reply) { replies <- rep }); err != nil {
		t.Fatalf("call: %v", err)
	}
	r.expect(t, "call", c.ID)
	return replies
}

func (r *rig) expect(t *testing.T, what string, id whisk.ActivationID) Event {
	t.Helper()
	select {
	case e := <-r.Invoker.Events:
		if e.What != what || e.ID != id {
			t.Fatalf("the invoker was told %s %v, want %s %v", e.What, e.ID, what, id)
		}
		return e
	case <-time.After(patience):
		t.Fatalf("the invoker was not told %s", what)
	}
	return Event{}
}

func want(t *testing.T, replies chan whisk.Reply, kind whisk.ReplyKind) whisk.Reply {
	t.Helper()
	select {
	case r := <-replies:
		if r.Kind != kind {
			t.Fatalf("reply = %v, want %v", r.Kind, kind)
		}
		return r
	case <-time.After(patience):
		t.Fatalf("no reply, want %v", kind)
	}
	return whisk.Reply{}
}

func wantNone(t *testing.T, replies chan whisk.Reply) {
	t.Helper()
	select {
	case r := <-replies:
		t.Errorf("one more reply: %v", r.Kind)
	default:
	}
}

func testDone(t *testing.T, r *rig) {
	c := NewCall()
	replies := r.call(t, c)
	sent := r.Invoker.Finish(c.ID, []byte(`{"n": 1e400, "s":"<&>"}`), "line one", "", "zeile drei é\x00")
	got := want(t, replies, whisk.Done)
	if !reflect.DeepEqual(got.Record, sent) {
		t.Errorf("record arrived as\n%+v, want\n%+v", got.Record, sent)
	}
	if wantLoad := (whisk.Load{UsedMB: 256, CapacityMB: 2048, Running: 1, QueueLimit: 16}); got.Load != wantLoad {
		t.Errorf("load = %+v, want %+v", got.Load, wantLoad)
	}
	r.v.Ack(c.ID)
	r.expect(t, "ack", c.ID)
	wantNone(t, replies)
}

func testCallArrivesWhole(t *testing.T, r *rig) {
	full, bare := NewCall(), NewCall()
	bare.Env, bare.Args, bare.APIKey, bare.Cause = nil, nil, "", whisk.ActivationID{}
	for _, c := range []*whisk.Call{full, bare} {
		r.call(t, c)
		if got := r.Invoker.Received(c.ID); !reflect.DeepEqual(got, c) {
			t.Errorf("call arrived as\n%+v, want\n%+v", got, c)
		}
	}
}

func testBusy(t *testing.T, r *rig) {
	c := NewCall()
	replies := r.call(t, c)
	load := whisk.Load{UsedMB: 2048, CapacityMB: 2048, Running: 8, Queued: 16, QueueLimit: 16, Draining: true}
	r.Invoker.Reply(c.ID, whisk.Reply{Kind: whisk.Busy, Load: load})
	if got := want(t, replies, whisk.Busy); got.Load != load {
		t.Errorf("load = %+v, want %+v", got.Load, load)
	}
	replies = r.call(t, c) // the same id may be offered again
	r.Invoker.Finish(c.ID, []byte(`{}`))
	want(t, replies, whisk.Done)
}

// An invoker that refuses a call has not taken it: an error or Busy say so.
func testRefused(t *testing.T, r *rig) {
	r.Invoker.Refuse(true)
	replies := make(chan whisk.Reply, 1)
	if err := r.v.Call(NewCall(), func(rep whisk.Reply) { replies <- rep }); err == nil {
		want(t, replies, whisk.Busy)
	}
}

func testQueuedReadyGo(t *testing.T, r *rig) {
	c := NewCall()
	replies := r.call(t, c)
	r.Invoker.Reply(c.ID, whisk.Reply{Kind: whisk.Queued})
	want(t, replies, whisk.Queued)
	r.Invoker.Reply(c.ID, whisk.Reply{Kind: whisk.Ready})
	want(t, replies, whisk.Ready)
	r.v.Go(c.ID)
	r.expect(t, "go", c.ID)
	r.Invoker.Finish(c.ID, []byte(`{}`))
	want(t, replies, whisk.Done)
}

func testCancel(t *testing.T, r *rig) {
	for _, kinds := range [][]whisk.ReplyKind{{whisk.Queued}, {whisk.Queued, whisk.Ready}, {whisk.NeedCode}} {
		c := NewCall()
		replies := r.call(t, c)
		for _, k := range kinds {
			r.Invoker.Reply(c.ID, whisk.Reply{Kind: k})
			want(t, replies, k)
		}
		r.v.Cancel(c.ID)
		r.expect(t, "cancel", c.ID)
		replies = r.call(t, c) // and it may be offered again
		r.Invoker.Reply(c.ID, whisk.Reply{Kind: whisk.Busy})
		want(t, replies, whisk.Busy)
	}
}

// What is said about ids that nobody knows does no harm.
func testUnknownIDs(t *testing.T, r *rig) {
	id := whisk.NewActivationID()
	if state, rec, err := r.v.Lookup(t.Context(), id); err != nil || state != whisk.UnknownCall || rec != nil {
		t.Errorf("lookup = %v, %v, %v", state, rec, err)
	}
	r.v.Ack()
	r.v.Ack(id)
	r.expect(t, "ack", id)
}

func testLookup(t *testing.T, r *rig) {
	c := NewCall()
	replies := r.call(t, c)
	check := func(want whisk.CallState) *whisk.Activation {
		t.Helper()
		state, rec, err := r.v.Lookup(t.Context(), c.ID)
		if err != nil || state != want || (rec != nil) != (want == whisk.FinishedCall) {
			t.Fatalf("lookup = %v, %v, %v, want state %v", state, rec, err, want)
		}
		return rec
	}
	check(whisk.RunningCall)
	r.Invoker.Reply(c.ID, whisk.Reply{Kind: whisk.Queued})
	want(t, replies, whisk.Queued)
	check(whisk.WaitingCall)
	sent := r.Invoker.Finish(c.ID, bigJSON(1<<20, "r"), "a line")
	want(t, replies, whisk.Done)
	if got := check(whisk.FinishedCall); !reflect.DeepEqual(got, sent) {
		t.Error("the record looked up differs from the one sent")
	}
}

func testUnackedAndAck(t *testing.T, r *rig) {
	var ids []whisk.ActivationID
	for range 5 {
		c := NewCall()
		replies := r.call(t, c)
		r.Invoker.Finish(c.ID, []byte(`{"a":1}`), "log")
		want(t, replies, whisk.Done)
		ids = append(ids, c.ID)
	}
	recs, err := r.v.Unacked(t.Context(), 3)
	if err != nil || len(recs) != 3 || recs[0].ID != ids[0] || string(recs[2].Response.Result) != `{"a":1}` || len(recs[2].Logs) != 1 {
		t.Fatalf("unacked = %v, %v", recs, err)
	}
	r.v.Ack(ids[0], ids[1])
	r.expect(t, "ack", ids[0])
	r.expect(t, "ack", ids[1])
	if recs, err = r.v.Unacked(t.Context(), 10); err != nil || len(recs) != 3 || recs[0].ID != ids[2] {
		t.Errorf("unacked after acks = %v, %v", recs, err)
	}
}

func testErrors(t *testing.T, r *rig) {
	r.Invoker.Refuse(true)
	for name, err := range map[string]error{"lookup": second(r.v.Lookup(t.Context(), whisk.NewActivationID())), "unacked": last(r.v.Unacked(t.Context(), 1))} {
		if err == nil || !strings.Contains(err.Error(), "the journal is broken") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[A, B any](_ A, _ B, err error) error { return err }
func last[A any](_ A, err error) error           { return err }
