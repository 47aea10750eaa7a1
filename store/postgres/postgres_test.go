package postgres

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"hearth/internal/pgtest"
	"hearth/store"
	"hearth/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

func open(t testing.TB, dsn string) *DB {
	t.Helper()
	return openWith(t, DefaultConfig(dsn))
}

func openWith(t testing.TB, cfg Config) *DB {
	t.Helper()
	d, err := Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func closeDB(t testing.TB, d *DB) {
	t.Helper()
	if err := d.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// run runs a statement beside the engine's own.
func run(t testing.TB, d *DB, text string, args ...any) {
	t.Helper()
	if _, err := d.pool.Exec(context.Background(), text, args...); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func TestConformance(t *testing.T) {
	var mu sync.Mutex
	schemas := map[string]string{} // the DSN of what was opened in a folder
	storetest.Run(t, func(t *testing.T, dir string, lease time.Duration) store.Engine {
		mu.Lock()
		defer mu.Unlock()
		if schemas[dir] == "" {
			schemas[dir] = pgtest.Shared(t).Schema(t)
		}
		cfg := DefaultConfig(schemas[dir])
		cfg.ClaimLease = lease
		return openWith(t, cfg)
	})
}
