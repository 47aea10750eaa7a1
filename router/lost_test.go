package router

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

func TestLost(t *testing.T) {
	type answer struct {
		state whisk.CallState
		err   error
	}
	away := answer{err: errors.New("not connected")}
	for _, tt := range []struct {
		name      string
		answers   []answer // then the last for ever
		nextLife  bool     // the invoker comes back under another incarnation
		before    bool     // its own record was stored before the router's
		took      time.Duration
		ok        bool
		cancelled bool
	}{
		{name: "finished", answers: []answer{{state: whisk.FinishedCall}}, ok: true},
		{name: "away, then finished", answers: []answer{away, away, {state: whisk.FinishedCall}}, took: 200 * time.Millisecond, ok: true},
		{name: "running, then finished", answers: []answer{{state: whisk.RunningCall}, {state: whisk.RunningCall}, {state: whisk.FinishedCall}},
			took: 200 * time.Millisecond, ok: true},
		{name: "running for ever", answers: []answer{{state: whisk.RunningCall}}, took: 150 * time.Second, cancelled: true},
		{name: "running, then away", answers: []answer{{state: whisk.RunningCall}, away}, took: 2 * time.Second, cancelled: true},
		{name: "unknown to the same life", answers: []answer{{}}, took: 2 * time.Second, cancelled: true},
		{name: "unknown to the next life", answers: []answer{{}}, nextLife: true},
		{name: "waiting", answers: []answer{{state: whisk.WaitingCall}}, took: 2 * time.Second, cancelled: true},
		{name: "unknown, but stored before", answers: []answer{{}}, nextLife: true, before: true, ok: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fake{call: answerLost}
				s := &store{}
				r := newRouter(t, s, f)
				c := newCall()
				n := 0
				f.lookup = func(whisk.ActivationID) (whisk.CallState, *whisk.Activation, error) {
					a := tt.answers[min(n, len(tt.answers)-1)]
					n++
					if a.state == whisk.FinishedCall {
						return a.state, finished(c), a.err
					}
					return a.state, nil, a.err
				}
				if tt.before {
					s.Record(finished(c), func(error) {})
				}
				if tt.nextLife {
					f.call = func(f *fake, c *whisk.Call, reply func(whisk.Reply)) error {
						h := f.hello()
						h.Incarnation = "2"
						r.Join(h, f)
						return answerLost(f, c, reply)
					}
				}
				begun := time.Now()
				rec, err := r.Invoke(t.Context(), c, time.Second)
				if err != nil {
					t.Fatal(err)
				}
				if got := rec.Response.Status == whisk.Success; got != tt.ok {
					t.Errorf("record %v %s, want success = %v", rec.Response.Status, rec.Response.Result, tt.ok)
				}
				if got := time.Since(begun); got != tt.took {
					t.Errorf("took %v, want %v", got, tt.took)
				}
				if got := len(f.cancels) > 0; got != tt.cancelled {
					t.Errorf("cancelled = %v, want %v", got, tt.cancelled)
				}
				if s.records[c.ID] != rec {
					t.Errorf("returned %v, stored %v", rec, s.records[c.ID])
				}
				if len(f.calls) != 1 {
					t.Errorf("handed over %d times", len(f.calls))
				}
			})
		})
	}
}

func TestAnotherCallsRecordIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{call: func(_ *fake, _ *whisk.Call, reply func(whisk.Reply)) error {
			reply(done(newCall()))
			return nil
		}}
		s := &store{}
		r := newRouter(t, s, f)
		c := newCall()
		rec, err := r.Invoke(t.Context(), c, time.Second)
		if err != nil || rec.ID != c.ID || rec.Response.Status != whisk.WhiskError || len(s.records) != 1 {
			t.Errorf("got %v, %v; %d records", rec, err, len(s.records))
		}
	})
}

// TestFailureRecordIsCommitted: nobody is answered with a failure record that
// the store does not have, unless the server stops.
func TestFailureRecordIsCommitted(t *testing.T) {
	full := &whisk.Error{Kind: whisk.Unavailable, Message: "full"}
	for _, tt := range []struct {
		name   string
		refuse error // by the recorder, for a minute
		stop   bool  // the server stops after five seconds
		took   time.Duration
		stored bool
	}{
		{name: "at once", stored: true},
		{name: "full for a while", refuse: full, took: time.Minute, stored: true},
		{name: "full when the server stops", refuse: full, stop: true, took: 7 * time.Second},
		{name: "can never be stored", refuse: errors.New("too large")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &store{refuse: tt.refuse}
				r := newRouter(t, s, &fake{})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tt.stop {
					time.AfterFunc(5*time.Second, cancel)
				}
				time.AfterFunc(time.Minute, func() {
					s.mu.Lock()
					s.refuse = nil
					s.mu.Unlock()
				})
				c := newCall()
				begun := time.Now()
				rec := r.fail(ctx, c, "lost")
				if rec == nil || rec.ID != c.ID || (s.records[c.ID] == rec) != tt.stored {
					t.Errorf("returned %v, stored %v", rec, s.records[c.ID])
				}
				if took := time.Since(begun); took < tt.took || took > tt.took+2*commitRetryMax {
					t.Errorf("took %v, want about %v", took, tt.took)
				}
			})
		})
	}
}
