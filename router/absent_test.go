package router

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

// TestNobodyOffers: a call that nobody can run waits while somebody may come
// who can, and then goes to its home to be refused there.
func TestNobodyOffers(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(*whisk.Target)
	}{
		{"kind", func(t *whisk.Target) { t.Exec.Kind = "cobol:1" }},
		{"image", func(t *whisk.Target) { t.Exec.Kind, t.Exec.Image = whisk.Blackbox, "nobody/has:it" }},
		{"memory", func(t *whisk.Target) { t.Limits.Memory = 2048 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				home, next := &fake{call: answerDone}, &fake{call: answerDone}
				r := newRouter(t, &store{}, home, next)
				invoke := func() error {
					c := newCall()
					tt.edit(c.Target)
					_, err := r.Invoke(t.Context(), c, 5*time.Second)
					return err
				}
				begun := time.Now()
				if err := invoke(); !errors.Is(err, whisk.ErrOverloaded) || time.Since(begun) != 5*time.Second {
					t.Errorf("just started: %v after %v", err, time.Since(begun))
				}
				time.Sleep(time.Minute)

				able := whisk.Hello{ID: "able", Runtimes: []whisk.Runtime{{Kind: "cobol:1"}, {Kind: "nodejs:20"}},
					Images: []string{"nobody/has:it"}, Load: whisk.Load{CapacityMB: 4096}}
				r.Join(able, &fake{call: answerDone})
				r.Leave("able")
				if err := invoke(); !errors.Is(err, whisk.ErrOverloaded) {
					t.Errorf("who can has just left: %v", err)
				}
				busy := able
				busy.Load.Draining = true
				r.Join(busy, &fake{call: answerBusy})
				if err := invoke(); !errors.Is(err, whisk.ErrOverloaded) {
					t.Errorf("who can drains: %v", err)
				}
				r.Leave("able")
				if len(home.calls)+len(next.calls) != 0 {
					t.Fatalf("handed over %d times", len(home.calls)+len(next.calls))
				}
				time.Sleep(time.Minute)
				begun = time.Now()
				if err := invoke(); err != nil || time.Since(begun) != 0 {
					t.Errorf("who can stays away: %v after %v", err, time.Since(begun))
				}
				if len(home.calls) != 1 || len(next.calls) != 0 {
					t.Errorf("home was asked %d times, the next %d times", len(home.calls), len(next.calls))
				}
			})
		})
	}
}

// TestSmallHome: an action that is too large for its home runs elsewhere.
func TestSmallHome(t *testing.T) {
	home, large := &fake{call: answerDone}, &fake{call: answerDone}
	r := newRouter(t, &store{}, home, large)
	h := large.hello()
	h.Load.CapacityMB = 4096
	r.Join(h, large)
	c := newCall()
	c.Target.Limits.Memory = 2048
	if _, err := r.Invoke(t.Context(), c, time.Second); err != nil {
		t.Fatal(err)
	}
	if len(home.calls) != 0 || len(large.calls) != 1 {
		t.Errorf("home was asked %d times, the larger one %d times", len(home.calls), len(large.calls))
	}
}
