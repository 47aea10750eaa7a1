package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"hearth/store"
	"hearth/whisk"
)

func commitOpErrors(t *testing.T, e store.Engine) {
	first, last := record("ns", "", "a", 1), record("ns", "", "a", 2)
	ops := []store.Op{
		recordOp(first), {Kind: store.OpRecord}, {Kind: store.OpEnqueue}, {Kind: 99},
		recordOp(&whisk.Activation{Namespace: "ns"}), {Kind: store.OpStart}, recordOp(last),
	}
	results := must(e.Commit(t.Context(), ops))(t)
	for i, r := range results {
		if good := i == 0 || i == len(ops)-1; good != (r.Err == nil) || good != r.OK {
			t.Errorf("op %d: %+v", i, r)
		}
	}
	for _, a := range []*whisk.Activation{first, last} {
		must(e.Activation(t.Context(), "ns", a.ID))(t)
	}
	must(e.Commit(t.Context(), nil))(t)
}

func commitLarge(t *testing.T, e store.Engine) {
	const n = 3000
	ops := make([]store.Op, 0, n+1)
	for i := range n {
		ops = append(ops, recordOp(record(whisk.Namespace(fmt.Sprint("ns", i%7)), "", fmt.Sprint("a", i%50), int64(i))))
	}
	big := record("big", "", "a", 1)
	big.Response.Result = make([]byte, 1<<20)
	ops = append(ops, recordOp(big))
	for i, ok := range commit(t, e, ops...) {
		if !ok {
			t.Fatalf("op %d is not OK", i)
		}
	}
	total := 0
	for i := range 7 {
		total += must(e.CountActivations(t.Context(), store.ActivationQuery{Namespace: whisk.Namespace(fmt.Sprint("ns", i))}))(t)
	}
	if total != n {
		t.Errorf("counted %d records, want %d", total, n)
	}
	if got := must(e.Activation(t.Context(), "big", big.ID))(t); len(got.Response.Result) != 1<<20 {
		t.Errorf("the big record has a result of %d bytes", len(got.Response.Result))
	}
}

// commitConcurrent has many commit the same ids while others read: each id
// gets one record, and exactly one commit says so.
func commitConcurrent(t *testing.T, e store.Engine) {
	const writers, n = 4, 40
	records := make([]*whisk.Activation, n)
	for i := range records {
		records[i] = record("ns", "", "a", int64(i))
	}
	var mu sync.Mutex
	won := map[whisk.ActivationID]int{}
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range records {
				a := records[(i+w*7)%n]
				results, err := e.Commit(t.Context(), []store.Op{recordOp(a)})
				if err != nil || results[0].Err != nil {
					t.Errorf("commit: %v %v", err, results)
					return
				}
				if _, err := e.Activation(t.Context(), "ns", a.ID); err != nil {
					t.Errorf("a committed record cannot be read: %v", err)
				}
				if results[0].OK {
					mu.Lock()
					won[a.ID]++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	for _, a := range records {
		if won[a.ID] != 1 {
			t.Errorf("%d commits inserted one record", won[a.ID])
		}
	}
}

// commitCancelled gives up a commit: all of it happened or none, and the next
// one works.
func commitCancelled(t *testing.T, e store.Engine) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a, b := record("ns", "", "new-name", 1), record("new-ns", "", "new-name", 2)
	_, err := e.Commit(ctx, []store.Op{recordOp(a), recordOp(b)})
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want %v", err, context.Canceled)
	}
	_, errA := e.Activation(t.Context(), "ns", a.ID)
	_, errB := e.Activation(t.Context(), "new-ns", b.ID)
	if (errA == nil) != (errB == nil) || err == nil && errA != nil {
		t.Errorf("commit: %v; then %v and %v", err, errA, errB)
	}
	commit(t, e, recordOp(a), recordOp(b))
	must(e.Activation(t.Context(), "ns", a.ID))(t)
	must(e.Activation(t.Context(), "new-ns", b.ID))(t)
}
