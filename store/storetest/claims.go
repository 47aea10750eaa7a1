package storetest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"hearth/store"
	"hearth/whisk"
)

// everything claims all that there is.
func everything(holder int64) store.ClaimQuery {
	return store.ClaimQuery{Holder: holder, Limit: 1000, Bytes: 1 << 30, PerNamespace: 1000}
}

func enqueueOp(r *store.QueueRow) store.Op { return store.Op{Kind: store.OpEnqueue, Row: r} }

func startOp(id whisk.ActivationID, token, holder int64) store.Op {
	return store.Op{Kind: store.OpStart, ID: id, Token: token, Holder: holder, For: time.Minute}
}

// claimed returns the ids of the rows that a holder claims, and fails if they
// are not shown as its own.
func claimed(t *testing.T, e store.Engine, q store.ClaimQuery) []whisk.ActivationID {
	t.Helper()
	var out []whisk.ActivationID
	for _, r := range must(e.Claim(t.Context(), q))(t) {
		if r.Holder != q.Holder || r.State != store.RowQueued {
			t.Errorf("claimed by %d: %+v", q.Holder, r)
		}
		out = append(out, r.ID)
	}
	return out
}

func queueHolders(t *testing.T, e store.Engine) {
	const ann, bob = 11, -12
	free, held := newRow("ns", "free"), newRow("ns", "held")
	held.Holder, held.Attempt = ann, 3
	commit(t, e, enqueueOp(free), enqueueOp(held))
	if got := claimed(t, e, everything(bob)); !slices.Equal(got, []whisk.ActivationID{free.ID}) {
		t.Errorf("bob claims %v, want the free row", got)
	}
	if got := claimed(t, e, everything(ann)); len(got) != 0 {
		t.Errorf("ann claims %v, want nothing", got)
	}
	for _, step := range []struct {
		name   string
		op     store.Op
		ok     bool
		holder int64
	}{
		{"start by nobody", startOp(held.ID, 1, 0), false, ann},
		{"start by another", startOp(held.ID, 1, bob), false, ann},
		{"release by another", store.Op{Kind: store.OpRelease, ID: held.ID, Holder: bob}, false, ann},
		{"release by nobody", store.Op{Kind: store.OpRelease, ID: held.ID}, false, ann},
		{"release", store.Op{Kind: store.OpRelease, ID: held.ID, Holder: ann}, true, 0},
		{"release again", store.Op{Kind: store.OpRelease, ID: held.ID, Holder: ann}, false, 0},
		{"start what is free, as its holder", startOp(held.ID, 1, ann), false, 0},
		{"start what is free", startOp(held.ID, 1, 0), true, 0},
		{"release what is started", store.Op{Kind: store.OpRelease, ID: held.ID}, false, 0},
		{"requeue for a holder", store.Op{Kind: store.OpRequeue, ID: held.ID, Token: 1, Holder: ann}, true, ann},
		{"start", startOp(held.ID, 2, ann), true, ann},
		{"renew, whoever says so", startOp(held.ID, 2, bob), true, ann},
		{"requeue for nobody", store.Op{Kind: store.OpRequeue, ID: held.ID, Token: 2}, true, 0},
		{"start it anew", startOp(held.ID, 3, 0), true, 0},
	} {
		if ok := commit(t, e, step.op)[0]; ok != step.ok {
			t.Errorf("%s: OK = %v, want %v", step.name, ok, step.ok)
		}
		row := must(e.QueueRow(t.Context(), "ns", held.ID))(t)
		if row.Holder != step.holder || row.Attempt != 3 {
			t.Errorf("%s: row %+v, want holder %d", step.name, row, step.holder)
		}
	}
	if got := claimed(t, e, everything(ann)); len(got) != 0 {
		t.Errorf("ann claims %v, want nothing: one row is held, the other has started", got)
	}
	// In one commit each op sees those before it.
	r := newRow("ns", "x")
	r.Holder = ann
	ok := commit(t, e, enqueueOp(r), startOp(r.ID, 1, bob), startOp(r.ID, 1, ann),
		store.Op{Kind: store.OpRequeue, ID: r.ID, Token: 1, Holder: bob}, store.Op{Kind: store.OpRelease, ID: r.ID, Holder: bob}, startOp(r.ID, 2, 0))
	if want := []bool{true, false, true, true, true, true}; !slices.Equal(ok, want) {
		t.Errorf("in one commit: OK = %v, want %v", ok, want)
	}
}

func queueRow(t *testing.T, e store.Engine) {
	ctx := t.Context()
	r := newRow("ns", "call")
	r.Attempt, r.Due, r.Code = 2, 77, whisk.Digest{9}
	commit(t, e, enqueueOp(r))
	got := must(e.QueueRow(ctx, "ns", r.ID))(t)
	want := *r
	if want.Seq = got.Seq; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("row %+v, want %+v", got, want)
	}
	_, err := e.QueueRow(ctx, "other", r.ID)
	wantErr(t, "read through another namespace", err, whisk.ErrNotFound)
	_, err = e.QueueRow(ctx, "ns", whisk.NewActivationID())
	wantErr(t, "read what is not there", err, whisk.ErrNotFound)
}

// claimTurns has namespaces served in turn, each one's oldest rows first.
func claimTurns(t *testing.T, e store.Engine) {
	name := map[whisk.ActivationID]string{}
	for i, n := range []int{10, 3, 1} {
		for k := range n {
			r := newRow(whisk.Namespace(fmt.Sprint("ns", i)), string(make([]byte, 1000)))
			name[r.ID] = fmt.Sprintf("%d.%d", i, k)
			commit(t, e, enqueueOp(r))
		}
	}
	for _, tt := range []struct {
		name                string
		limit, perNamespace int
		bytes               int64
		of0, of1, of2       int
	}{
		{name: "one of each", limit: 3, perNamespace: 5, bytes: 1 << 20, of0: 1, of1: 1, of2: 1},
		{name: "few of each", limit: 100, perNamespace: 2, bytes: 1 << 20, of0: 2, of1: 2},
		{name: "few bytes", limit: 100, perNamespace: 100, bytes: 2500, of0: 2},
		{name: "at least one", limit: 100, perNamespace: 100, bytes: 1, of0: 1},
		{name: "the rest", limit: 100, perNamespace: 100, bytes: 1 << 20, of0: 4},
		{name: "nothing", limit: 100, perNamespace: 100, bytes: 1 << 20},
	} {
		counts := [3]int{}
		last := [3]int{-1, -1, -1}
		for _, id := range claimed(t, e, store.ClaimQuery{Holder: 1, Limit: tt.limit, Bytes: tt.bytes, PerNamespace: tt.perNamespace}) {
			var ns, k int
			if _, err := fmt.Sscanf(name[id], "%d.%d", &ns, &k); err != nil {
				t.Fatal(err)
			}
			if k <= last[ns] {
				t.Errorf("%s: row %d of namespace %d comes behind row %d", tt.name, k, ns, last[ns])
			}
			counts[ns], last[ns] = counts[ns]+1, k
			delete(name, id)
		}
		if want := [3]int{tt.of0, tt.of1, tt.of2}; counts != want {
			t.Errorf("%s: claimed %v of each namespace, want %v", tt.name, counts, want)
		}
		for id, left := range name { // nothing older than what was claimed is left
			var ns, k int
			if _, err := fmt.Sscanf(left, "%d.%d", &ns, &k); err != nil || k < last[ns] {
				t.Errorf("%s: row %s of %s is left, and row %d claimed", tt.name, left, id, last[ns])
			}
		}
	}
}

// claimDue leaves rows alone that are not due.
func claimDue(t *testing.T, e store.Engine) {
	now := time.Now()
	later, past, plain := newRow("ns", "later"), newRow("ns", "past"), newRow("ns", "plain")
	later.Due, past.Due = now.Add(time.Hour).UnixMilli(), now.Add(-time.Hour).UnixMilli()
	commit(t, e, enqueueOp(later), enqueueOp(past), enqueueOp(plain))
	if got := claimed(t, e, everything(1)); !slices.Equal(got, []whisk.ActivationID{past.ID, plain.ID}) {
		t.Errorf("claimed %v, want the two that are due, the oldest first", got)
	}
	soon := newRow("ns", "soon")
	soon.Due = now.Add(50 * time.Millisecond).UnixMilli()
	commit(t, e, enqueueOp(soon))
	eventually(t, "a row becomes due", func() bool { return slices.Contains(claimed(t, e, everything(1)), soon.ID) })
	if time.Now().UnixMilli() < soon.Due {
		t.Errorf("claimed before it was due")
	}
}

func overdue(t *testing.T, e store.Engine) {
	const n = 4
	var want []whisk.ActivationID
	for i := range n { // the later they were enqueued, the longer they are overdue
		r := newRow("ns", "call")
		commit(t, e, enqueueOp(r), store.Op{Kind: store.OpStart, ID: r.ID, Token: 1, For: -time.Duration(i+1) * time.Minute})
		want = append([]whisk.ActivationID{r.ID}, want...)
	}
	queued, running := newRow("ns", "queued"), newRow("ns", "running")
	running.Token = 5
	commit(t, e, enqueueOp(queued), store.Op{Kind: store.OpStartNew, Row: running, For: time.Hour})
	for _, limit := range []int{n + 9, n - 1, 0} {
		var got []whisk.ActivationID
		for _, r := range must(e.Overdue(t.Context(), limit))(t) {
			got = append(got, r.ID)
			if string(r.Payload) != "call" || r.State != store.RowStarted {
				t.Errorf("overdue: %+v", r)
			}
		}
		if !slices.Equal(got, want[:min(limit, n)]) {
			t.Errorf("at most %d overdue: %v, want %v", limit, got, want[:min(limit, n)])
		}
	}
}

// claimRace has holders claim and start the same rows at once: each is
// started once.
func claimRace(t *testing.T, e store.Engine) {
	const holders, rows = 4, 60
	var ops []store.Op
	for i := range rows {
		ops = append(ops, enqueueOp(newRow(whisk.Namespace(fmt.Sprint("ns", i%3)), "call")))
	}
	commit(t, e, ops...)
	var mu sync.Mutex
	started := map[whisk.ActivationID]int{}
	var wg sync.WaitGroup
	for h := range int64(holders) {
		wg.Go(func() {
			for idle := 0; idle < 3; {
				got, err := e.Claim(t.Context(), store.ClaimQuery{Holder: h + 1, Limit: 5, Bytes: 1 << 20, PerNamespace: 2})
				if err != nil {
					t.Errorf("claim: %v", err)
					return
				}
				if len(got) == 0 {
					idle++
					continue
				}
				for _, r := range got {
					results, err := e.Commit(t.Context(), []store.Op{startOp(r.ID, 100+h, h+1)})
					if err != nil || !results[0].OK {
						t.Errorf("start what was claimed: %v, %v", results, err)
						return
					}
					mu.Lock()
					started[r.ID]++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	if len(started) != rows {
		t.Errorf("%d rows were started, want %d", len(started), rows)
	}
	for id, n := range started {
		if n != 1 {
			t.Errorf("%s was started %d times", id, n)
		}
	}
}
