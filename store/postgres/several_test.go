package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"hearth/internal/pgtest"
	"hearth/store"
	"hearth/whisk"
)

const routers = 8

// several opens one database so many times.
func several(t *testing.T) []*DB {
	t.Helper()
	dsn := pgtest.Shared(t).Schema(t)
	out := make([]*DB, routers)
	for i := range out {
		cfg := DefaultConfig(dsn)
		cfg.MaxConns = minConns
		out[i] = openWith(t, cfg)
		t.Cleanup(func() { closeDB(t, out[i]) })
	}
	return out
}

// TestSeveralWrite has several change the same documents, some of which depend
// on each other, while one reads the change log as it grows.
func TestSeveralWrite(t *testing.T) {
	dbs := several(t)
	const docs, each = 3, 12
	key := func(i int) store.Key { return store.Key{Namespace: "ns", Name: fmt.Sprint("a", i)} }
	for i := range docs {
		if _, err := dbs[0].PutDoc(t.Context(), store.Doc{Key: key(i), Collection: store.Actions}, 0); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	for w, d := range dbs {
		wg.Go(func() {
			for done := 0; done < each; {
				doc, err := d.Doc(t.Context(), key((w+done)%docs))
				if err != nil {
					t.Error(err)
					return
				}
				doc.Updated++
				writes := []store.Write{
					{Kind: store.WritePut, Doc: doc, IfRevision: doc.Revision},
					{Kind: store.WritePut, Doc: store.Doc{Key: store.Key{Namespace: whisk.Namespace(fmt.Sprint("own", w)), Name: fmt.Sprint(done)}, Collection: store.Rules}},
				}
				got, err := d.WriteDocs(t.Context(), writes)
				switch {
				case err == nil && got[1].Revision == got[0].Revision+1:
					done++
				case err == nil:
					t.Errorf("revisions %d and %d of one commit", got[0].Revision, got[1].Revision)
				case !errors.Is(err, whisk.ErrChanged):
					t.Error(err)
					return
				}
			}
		})
	}
	const changes = docs + 2*routers*each
	follow(t, dbs[0], changes)
	wg.Wait()
	total := int64(0)
	for i := range docs {
		doc, err := dbs[1].Doc(t.Context(), key(i))
		if err != nil {
			t.Fatal(err)
		}
		total += doc.Updated
	}
	if last, err := dbs[2].LastChange(t.Context()); err != nil || last != changes || total != routers*each {
		t.Errorf("last change %d, %v, want %d; %d updates, want %d", last, err, changes, total, routers*each)
	}
}

// follow reads the change log until there are so many: none is passed over.
func follow(t *testing.T, d *DB, changes int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for at := int64(0); at < changes; {
		if err := d.AwaitChange(ctx); err != nil {
			t.Fatalf("after %d changes: %v", at, err)
		}
		got, err := d.Changes(ctx, at, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range got {
			if at++; c.Seq != at {
				t.Fatalf("change %d comes behind change %d", c.Seq, at-1)
			}
		}
	}
}

// TestSeveralClaim has several claim, start, requeue and record the same rows,
// while others renew their leases.
func TestSeveralClaim(t *testing.T) {
	dbs := several(t)
	const rows = 300
	var ops []store.Op
	for i := range rows {
		ops = append(ops, store.Op{Kind: store.OpEnqueue, Row: &store.QueueRow{ID: whisk.NewActivationID(), Namespace: whisk.Namespace(fmt.Sprint("ns", i%7))}})
	}
	if _, err := dbs[0].Commit(t.Context(), ops); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	holder := map[whisk.ActivationID]int{} // who has a row now, 0 nobody, -1 it has ended
	ended := 0
	var wg sync.WaitGroup
	for w, d := range dbs {
		life := int64(w + 1)
		do := func(ops ...store.Op) bool {
			results, err := d.Commit(t.Context(), ops)
			if err != nil {
				t.Error(err)
				return false
			}
			for _, r := range results {
				if !r.OK || r.Err != nil {
					t.Errorf("results %+v", results)
					return false
				}
			}
			return true
		}
		wg.Go(func() {
			for turn := 0; ; turn++ {
				mu.Lock()
				all := ended == rows
				mu.Unlock()
				if all || t.Failed() {
					return
				}
				got, err := d.Claim(t.Context(), store.ClaimQuery{Holder: life, Limit: 6, Bytes: 1 << 20, PerNamespace: 2})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for _, r := range got {
					if h := holder[r.ID]; h != 0 {
						t.Errorf("router %d claims a row of router %d", w+1, h)
					}
					holder[r.ID] = w + 1
				}
				mu.Unlock()
				if err := d.RenewClaims(t.Context(), life); err != nil {
					t.Error(err)
				}
				for i, r := range got {
					start := store.Op{Kind: store.OpStart, ID: r.ID, Token: life, Holder: life, For: time.Minute}
					record := store.Op{Kind: store.OpRecord, Record: &whisk.Activation{ID: r.ID, Namespace: r.Namespace, Name: "a"}}
					mu.Lock()
					if holder[r.ID] = -1; (turn+i)%3 == 0 {
						holder[r.ID] = 0 // as soon as it is released
					} else {
						ended++
					}
					mu.Unlock()
					if (turn+i)%3 == 0 {
						do(start, store.Op{Kind: store.OpRequeue, ID: r.ID, Token: life, Holder: life}, store.Op{Kind: store.OpRelease, ID: r.ID, Holder: life})
					} else {
						do(start, record)
					}
				}
			}
		})
	}
	wg.Wait()
	if left, err := dbs[3].QueueRows(t.Context(), 0, 10); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	n := 0
	for i := range 7 {
		k, err := dbs[4].CountActivations(t.Context(), store.ActivationQuery{Namespace: whisk.Namespace(fmt.Sprint("ns", i))})
		if err != nil {
			t.Fatal(err)
		}
		n += k
	}
	if n != rows {
		t.Errorf("%d records, want %d", n, rows)
	}
}
