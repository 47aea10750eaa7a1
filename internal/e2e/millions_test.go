package e2e

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"hearth/internal/pgtest"
	"hearth/store"
	"hearth/store/postgres"
	"hearth/store/sqlite"
	"hearth/whisk"
)

// TestMillions: ten million records in SQLite and as many in PostgreSQL, most
// of them in one namespace. It shows how long pages of lists take, and the
// expiry of old ones.
func TestMillions(t *testing.T) {
	const per = 4096
	batches := size(20, 10_000_000/per)
	t.Run("sqlite", func(t *testing.T) {
		e, err := sqlite.Open(t.Context(), sqlite.DefaultConfig(filepath.Join(t.TempDir(), "db")))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = e.Close() })
		millions(t, e, batches, per)
	})
	t.Run("postgres", func(t *testing.T) {
		e, err := postgres.Open(t.Context(), postgres.DefaultConfig(pgtest.Start(t, pgtest.Config{}).DSN(nil)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = e.Close() })
		millions(t, e, batches, per)
	})
}

// The records of TestMillions: one every 10 ms, six of ten in the namespace
// big, one action of a hundred rare.
const (
	firstRecord = 1_700_000_000_000
	recordEvery = 10
)

func millions(t *testing.T, e store.Engine, batches, per int) {
	ctx, began := t.Context(), time.Now()
	draw := rand.New(rand.NewPCG(1, 2))
	ops := make([]store.Op, per)
	logs := []string{"2026-11-23T10:00:00.000000000Z stdout: one line of what it printed"}
	for b := range batches {
		for i := range ops {
			n := b*per + i
			a := &whisk.Activation{
				ID: whisk.NewActivationID(), Namespace: "big", Name: fmt.Sprint("action", draw.IntN(50)), Version: whisk.FirstVersion, Subject: "someone",
				Start: firstRecord + int64(n)*recordEvery, End: firstRecord + int64(n)*recordEvery + 5, Duration: 5, Logs: logs,
				Response: whisk.Response{Result: []byte(`{"payload":"Hello, World!"}`), Size: 27},
				Facts:    whisk.Facts{Path: "big/action", Kind: "nodejs:20", Limits: &whisk.Limits{Timeout: 60000, Memory: 256, Logs: 10, Concurrency: 1}, Sandbox: whisk.Warm},
			}
			switch draw.IntN(10) {
			case 0, 1, 2, 3:
				a.Namespace = whisk.Namespace(fmt.Sprint("small", draw.IntN(200)))
			case 4:
				if draw.IntN(10) == 0 {
					a.Name = "rare"
				}
			}
			ops[i] = store.Op{Kind: store.OpRecord, Record: a}
		}
		if _, err := e.Commit(ctx, ops); err != nil {
			t.Fatal(err)
		}
	}
	total := batches * per
	t.Logf("%d records written in %v", total, time.Since(began).Round(time.Millisecond))
	end := int64(firstRecord + total*recordEvery)
	for _, tt := range []struct {
		name string
		q    whisk.ActivationQuery
	}{
		{"newest 30", whisk.ActivationQuery{Limit: 30, Brief: true}},
		{"newest 200, whole", whisk.ActivationQuery{Limit: 200}},
		{"of one action", whisk.ActivationQuery{Limit: 200, Brief: true, Name: "action7"}},
		{"of a rare action", whisk.ActivationQuery{Limit: 200, Brief: true, Name: "rare"}},
		{"of no action", whisk.ActivationQuery{Limit: 200, Brief: true, Name: "none"}},
		{"since the last minute", whisk.ActivationQuery{Limit: 200, Brief: true, Since: end - 60_000}},
		{"oldest by upto", whisk.ActivationQuery{Limit: 200, Brief: true, Upto: firstRecord + 60_000}},
		{"a window in the middle", whisk.ActivationQuery{Limit: 200, Brief: true, Since: (firstRecord + end) / 2, Upto: (firstRecord+end)/2 + 60_000}},
		{"skip 10,000", whisk.ActivationQuery{Limit: 200, Brief: true, Skip: 10_000}},
		{"skip a tenth", whisk.ActivationQuery{Limit: 200, Brief: true, Skip: total / 10}},
		{"one action, skip a thousandth", whisk.ActivationQuery{Limit: 200, Brief: true, Name: "action7", Skip: total / 1000}},
	} {
		tt.q.Namespace = "big"
		took, rows := best(t, func() (int, error) {
			list, err := e.Activations(ctx, tt.q)
			return len(list), err
		})
		t.Logf("%-32s %4d rows %10v", tt.name, rows, took)
	}
	for _, name := range []string{"", "action7", "rare"} {
		took, n := best(t, func() (int, error) {
			return e.CountActivations(ctx, whisk.ActivationQuery{Namespace: "big", Name: name})
		})
		t.Logf("count %-26q %9d %10v", name, n, took)
	}
	began = time.Now()
	n, err := e.ExpireActivations(ctx, "big", time.UnixMilli(end), 1000)
	if err != nil || n != 1000 {
		t.Fatal(n, err)
	}
	t.Logf("%d expired in %v", n, time.Since(began))
}

// best returns the shortest time of three, and what was counted.
func best(t *testing.T, do func() (int, error)) (took time.Duration, n int) {
	t.Helper()
	for i := range 3 {
		began := time.Now()
		var err error
		if n, err = do(); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(began); i == 0 || d < took {
			took = d
		}
	}
	return took.Round(10 * time.Microsecond), n
}
