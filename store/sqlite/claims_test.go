package sqlite

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"hearth/store"
	"hearth/whisk"
)

// heldRow is a row as a plain list of who holds what has it.
type heldRow struct {
	id      whisk.ActivationID
	holder  int64
	over    bool // its lease
	started bool
}

func (r *heldRow) free() bool { return !r.started && (r.holder == 0 || r.over) }

// TestClaimHeads holds claims against a plain list, while rows are held, freed,
// renewed and forgotten in any order: what the memory of held rows passes over
// must not be free. Leases are over when the test says so.
func TestClaimHeads(t *testing.T) {
	d := open(t, t.TempDir())
	defer closeDB(t, d)
	run(t, d, "PRAGMA synchronous = OFF")
	rapid.Check(t, func(t *rapid.T) {
		if _, err := d.writer.Exec("DELETE FROM queue"); err != nil {
			t.Fatal(err)
		}
		d.claims = newClaims(time.Hour)
		d.insert.queue.lose()
		var rows []*heldRow
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			holder := rapid.SampledFrom([]int64{0, 1, 1, 2}).Draw(t, "holder")
			what := rapid.SampledFrom([]string{"enqueue", "start", "requeue", "release", "claim", "claim", "renew", "run out"}).Draw(t, "step")
			if len(rows) == 0 || what == "enqueue" {
				r := &heldRow{id: whisk.NewActivationID(), holder: holder}
				rows = append(rows, r)
				row := &store.QueueRow{ID: r.id, Namespace: whisk.Namespace(fmt.Sprint("ns", len(rows)%2)), Holder: holder}
				mustCommit(t, d, store.Op{Kind: store.OpEnqueue, Row: row})
				continue
			}
			switch what {
			case "renew":
				_ = d.RenewClaims(t.Context(), max(holder, 1))
				for _, r := range rows {
					r.over = r.over && r.holder != max(holder, 1)
				}
			case "run out":
				runOut(d.claims)
				for _, r := range rows {
					r.over = r.holder != 0
				}
			case "claim":
				n := rapid.IntRange(1, 6).Draw(t, "rows")
				checkClaim(t, d, rows, max(holder, 1), n)
			default:
				rapid.SampledFrom(rows).Draw(t, "row").change(t, d, what, holder)
			}
		}
	})
}

func mustCommit(t *rapid.T, d *DB, o store.Op) {
	if results, err := d.Commit(t.Context(), []store.Op{o}); err != nil || !results[0].OK {
		t.Fatal(results, err)
	}
}

// change does to a row what can be done to it.
func (r *heldRow) change(t *rapid.T, d *DB, what string, holder int64) {
	switch {
	case what == "start" && !r.started:
		mustCommit(t, d, store.Op{Kind: store.OpStart, ID: r.id, Token: 1, Holder: r.holder, For: time.Hour})
		r.started = true
	case what == "requeue" && r.started:
		mustCommit(t, d, store.Op{Kind: store.OpRequeue, ID: r.id, Token: 1, Holder: holder})
		*r = heldRow{id: r.id, holder: holder}
	case what == "release" && !r.started && r.holder != 0:
		mustCommit(t, d, store.Op{Kind: store.OpRelease, ID: r.id, Holder: r.holder})
		*r = heldRow{id: r.id}
	}
}

// runOut has all leases be over, as far as they are remembered.
func runOut(c *claims) {
	past := time.Now().Add(-time.Second)
	for id, h := range c.held {
		c.held[id] = hold{h.holder, past}
	}
	for ns, h := range c.heads {
		h.until = past
		c.heads[ns] = h
	}
}

func checkClaim(t *rapid.T, d *DB, rows []*heldRow, holder int64, n int) {
	got, err := d.Claim(t.Context(), store.ClaimQuery{Holder: holder, Limit: n, Bytes: 1 << 20, PerNamespace: n})
	if err != nil {
		t.Fatal(err)
	}
	free := map[whisk.ActivationID]*heldRow{}
	for _, r := range rows {
		if r.free() {
			free[r.id] = r
		}
	}
	if len(got) != min(n, len(free)) {
		t.Fatalf("claimed %d rows of at most %d, want %d", len(got), n, min(n, len(free)))
	}
	for _, g := range got {
		r := free[g.ID]
		if r == nil {
			t.Fatalf("claimed a row that is not free")
		}
		r.holder, r.over = holder, false
	}
}
