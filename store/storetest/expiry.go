package storetest

import (
	"slices"
	"sync"
	"testing"
	"time"

	"hearth/store"
	"hearth/whisk"
)

// shortLease is for how long claims hold in tests of their end. All that is
// looked at is what must be so however slow the machine is.
const shortLease = 150 * time.Millisecond

// eventually waits until something is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// claimExpiry has claims run out, and be renewed.
func claimExpiry(t *testing.T, e store.Engine) {
	const ann, bob = 1, 2
	left, kept, requeued := newRow("ns", "left"), newRow("ns", "kept"), newRow("ns", "requeued")
	requeued.Token = 9
	kept.Holder = ann
	commit(t, e, store.Op{Kind: store.OpStartNew, Row: requeued, For: time.Minute})

	claimedAt := time.Now()
	commit(t, e, enqueueOp(left), enqueueOp(kept), store.Op{Kind: store.OpRequeue, ID: requeued.ID, Token: 9, Holder: ann})
	if got := claimed(t, e, everything(ann)); !slices.Equal(got, []whisk.ActivationID{left.ID}) && time.Since(claimedAt) < shortLease {
		t.Fatalf("ann claims %v, want the free row", got)
	}
	var got []whisk.ActivationID
	eventually(t, "claims run out", func() bool {
		before := time.Now()
		ids := claimed(t, e, everything(bob))
		if len(ids) > 0 && time.Since(claimedAt) < shortLease {
			t.Errorf("bob claims %d rows %v after ann did", len(ids), before.Sub(claimedAt))
		}
		got = append(got, ids...)
		return len(got) == 3
	})
	ok := commit(t, e, startOp(left.ID, 1, ann), startOp(kept.ID, 1, ann), startOp(requeued.ID, 1, ann),
		startOp(left.ID, 2, bob), startOp(kept.ID, 2, bob))
	if want := []bool{false, false, false, true, true}; !slices.Equal(ok, want) {
		t.Errorf("starts by who held them and by who does: %v, want %v", ok, want)
	}
	// A lease that is over is none the worse until somebody else claims.
	late := newRow("ns", "late")
	late.Holder = ann
	commit(t, e, enqueueOp(late))
	time.Sleep(shortLease + 50*time.Millisecond)
	if ok := commit(t, e, startOp(late.ID, 3, ann)); !ok[0] {
		t.Errorf("a row that nobody else has claimed cannot be started by its holder")
	}
}

// claimRenewal has a holder renew all along: its rows stay its own.
func claimRenewal(t *testing.T, e store.Engine) {
	const ann, bob = 1, 2
	began := time.Now()
	commit(t, e, enqueueOp(newRow("ns", "a")), enqueueOp(newRow("ns", "b")))
	claimed(t, e, everything(ann))
	for renewed := began; time.Since(began) < 4*shortLease; time.Sleep(shortLease / 8) {
		at := time.Now()
		wantErr(t, "renew", e.RenewClaims(t.Context(), ann), nil)
		if late := time.Since(renewed) >= shortLease; late {
			t.Skip("the machine is too slow to renew in time")
		}
		renewed = at
		got := claimed(t, e, everything(bob))
		if len(got) > 0 && time.Since(renewed) < shortLease {
			t.Fatalf("bob claims %d rows that ann has renewed", len(got))
		}
	}
	wantErr(t, "renew for who holds nothing", e.RenewClaims(t.Context(), 99), nil)
}

// claimExpiryRace has holders take rows from each other all the time, as their
// leases run out: none is started twice.
func claimExpiryRace(t *testing.T, e store.Engine) {
	const holders, rows = 3, 12
	for range rows {
		commit(t, e, enqueueOp(newRow("ns", "call")))
	}
	var mu sync.Mutex
	started := map[whisk.ActivationID]int{}
	end := time.Now().Add(20 * time.Second)
	var wg sync.WaitGroup
	for h := range int64(holders) {
		wg.Go(func() {
			for turn := 0; time.Now().Before(end); turn++ {
				got, err := e.Claim(t.Context(), everything(h+1))
				if err != nil {
					t.Errorf("claim: %v", err)
					return
				}
				time.Sleep(shortLease * time.Duration(turn%3) / 2) // the lease of some is over
				for i, r := range got {
					if i%2 == 0 { // the others are left to whoever comes
						results, err := e.Commit(t.Context(), []store.Op{startOp(r.ID, 100+h, h+1)})
						if err != nil {
							t.Errorf("start: %v", err)
							return
						}
						if results[0].OK {
							mu.Lock()
							started[r.ID]++
							mu.Unlock()
						}
					}
				}
				mu.Lock()
				all := len(started) == rows
				mu.Unlock()
				if all {
					return
				}
			}
		})
	}
	wg.Wait()
	for id, n := range started {
		if n != 1 {
			t.Errorf("%s was started %d times", id, n)
		}
	}
	if len(started) != rows {
		t.Errorf("%d rows were started, want %d", len(started), rows)
	}
}

func leadership(t *testing.T, e store.Engine) {
	ctx := t.Context()
	const ann, bob = 5, -6
	lead := func(what string, holder int64, ttl time.Duration, want int64) {
		t.Helper()
		if term := must(e.Lead(ctx, "alarms", holder, ttl))(t); term != want {
			t.Errorf("%s: term %d, want %d", what, term, want)
		}
	}
	lead("first", ann, time.Hour, 1)
	lead("renewed", ann, time.Hour, 1)
	lead("another", bob, time.Hour, 0)
	if term := must(e.Lead(ctx, "scaling", bob, time.Hour))(t); term != 1 {
		t.Errorf("of another name: term %d, want 1", term)
	}
	wantErr(t, "resign for another", e.Resign(ctx, "alarms", bob), nil)
	lead("still", bob, time.Hour, 0)
	wantErr(t, "resign", e.Resign(ctx, "alarms", ann), nil)
	lead("next", bob, time.Millisecond, 2)
	eventually(t, "a leadership runs out", func() bool { return must(e.Lead(ctx, "alarms", ann, time.Hour))(t) == 3 })
	lead("too late", bob, time.Hour, 0)
	lead("shorter", ann, time.Millisecond, 3)
	time.Sleep(5 * time.Millisecond)
	lead("over, but nobody came", ann, time.Hour, 3)
	wantErr(t, "resign what nobody leads", e.Resign(ctx, "nothing", ann), nil)
}

// leadershipRace has many ask at once: one leads.
func leadershipRace(t *testing.T, e store.Engine) {
	const holders = 8
	for round := int64(1); round <= 3; round++ {
		terms := make([]int64, holders)
		var wg sync.WaitGroup
		for h := range holders {
			wg.Go(func() {
				var err error
				if terms[h], err = e.Lead(t.Context(), "x", int64(h+1), time.Hour); err != nil {
					t.Errorf("lead: %v", err)
				}
			})
		}
		wg.Wait()
		leader := slices.IndexFunc(terms, func(n int64) bool { return n != 0 })
		if leader < 0 || terms[leader] != round || slices.ContainsFunc(terms[leader+1:], func(n int64) bool { return n != 0 }) {
			t.Fatalf("round %d: terms %v, want one leader", round, terms)
		}
		wantErr(t, "resign", e.Resign(t.Context(), "x", int64(leader+1)), nil)
	}
}
