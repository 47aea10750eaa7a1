package router

import (
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

// slow answers done after so long.
func slow(d time.Duration) func(*fake, *whisk.Call, func(whisk.Reply)) error {
	return func(_ *fake, c *whisk.Call, reply func(whisk.Reply)) error {
		time.AfterFunc(d, func() { reply(done(c)) })
		return nil
	}
}

// busyThen waits before it says that it is busy after all, and at the second
// time answers done.
func busyThen(d time.Duration) func(*fake, *whisk.Call, func(whisk.Reply)) error {
	n := 0
	return func(f *fake, c *whisk.Call, reply func(whisk.Reply)) error {
		if n++; n > 1 {
			return answerDone(f, c, reply)
		}
		reply(whisk.Reply{Kind: whisk.Queued})
		time.AfterFunc(d, func() { reply(whisk.Reply{Kind: whisk.Busy}) })
		return nil
	}
}

func TestFollow(t *testing.T) {
	closed := make(chan struct{})
	close(closed)
	for _, tt := range []struct {
		name string
		fake *fake
		at   time.Duration // from now; 0: the caller never leaves by itself
		done <-chan struct{}
		back time.Duration // when Follow returns
		left bool
		end  time.Duration // when Then is called
		err  error
	}{
		{name: "ends first", fake: &fake{call: slow(time.Second)}, at: 2 * time.Second, back: time.Second},
		{name: "time comes first", fake: &fake{call: slow(3 * time.Second)}, at: 2 * time.Second, back: 2 * time.Second, left: true, end: 3 * time.Second},
		{name: "the caller has gone", fake: &fake{call: slow(time.Second)}, done: closed, left: true, end: time.Second},
		{name: "no room, so elsewhere", fake: &fake{call: busyFirst(1)}, left: true, end: 25 * time.Millisecond},
		{name: "no room at all", fake: &fake{call: answerBusy}, left: true, end: 5 * time.Second, err: whisk.ErrOverloaded},
		{name: "given back after it was left", fake: &fake{call: busyThen(time.Second)}, at: time.Millisecond, back: time.Millisecond, left: true, end: time.Second},
		{name: "never answers", fake: &fake{call: silent}, at: time.Second, back: time.Second, left: true, end: 150 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &store{}
				r := newRouter(t, s, tt.fake)
				c, begun := newCall(), time.Now()
				at := begun.Add(time.Hour)
				if tt.at > 0 {
					at = begun.Add(tt.at)
				}
				type outcome struct {
					rec *whisk.Activation
					err error
				}
				then := make(chan outcome, 2)
				rec, err := r.Follow(t.Context(), c, 5*time.Second, whisk.Leave{
					At: at, Done: tt.done, Then: func(rec *whisk.Activation, err error) { then <- outcome{rec, err} },
				})
				if got := time.Since(begun); got != tt.back {
					t.Errorf("back after %v, want %v", got, tt.back)
				}
				if left := err == whisk.ErrLeft; left != tt.left {
					t.Fatalf("left = %v (%v), want %v", left, err, tt.left)
				}
				if tt.left {
					o := <-then
					rec, err = o.rec, o.err
					if got := time.Since(begun); got != tt.end {
						t.Errorf("the outcome came after %v, want %v", got, tt.end)
					}
				}
				if err != tt.err || err == nil && s.records[c.ID] != rec {
					t.Errorf("got %v, %v, want err %v", rec, err, tt.err)
				}
				time.Sleep(time.Hour)
				if len(then) != 0 {
					t.Error("the outcome was given twice")
				}
				for _, m := range r.view.Load().members {
					if m.ownMB != 0 {
						t.Errorf("%d MB are left held", m.ownMB)
					}
				}
			})
		})
	}
}
