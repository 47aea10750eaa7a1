package sqlite

import (
	"path/filepath"
	"testing"

	"hearth/store"
	"hearth/store/storetest"
)

func open(t testing.TB, dir string) *DB {
	t.Helper()
	d, err := Open(t.Context(), DefaultConfig(filepath.Join(dir, "hearth.db")))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T, dir string) store.Engine { return open(t, dir) })
}
