package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"

	"hearth/internal/pgtest"
)

// steps are migrations that each say from where they are compatible.
func steps(compatible ...int) fs.FS {
	out := fstest.MapFS{}
	for i, from := range compatible {
		script := fmt.Sprintf("-- compatible from: %d\nCREATE TABLE step%d (n int);\nINSERT INTO step%d VALUES (1);", from, i+1, i+1)
		out[fmt.Sprintf("migrations/%04d_step.sql", i+1)] = &fstest.MapFile{Data: []byte(script)}
	}
	return out
}

func migrateWith(t *testing.T, dsn string, files fs.FS, keep bool) error {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	return migrate(ctx, conn, files, keep, slog.New(slog.DiscardHandler))
}

// TestMigrateTogether has many begin with an empty database at once.
func TestMigrateTogether(t *testing.T) {
	dsn := pgtest.Shared(t).Schema(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := migrateWith(t, dsn, steps(1, 1, 2), false); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	// Each was carried out once, or its table would have been there.
	pgtest.Exec(t, dsn, `DO $$ BEGIN
		ASSERT (SELECT array_agg(number ORDER BY number) FROM hearth_schema) = ARRAY[1, 2, 3];
		ASSERT (SELECT count(*) FROM step3) = 1;
	END $$`)

	var all sync.WaitGroup
	dsn = pgtest.Shared(t).Schema(t)
	for range 8 {
		all.Go(func() {
			d, err := Open(t.Context(), DefaultConfig(dsn))
			if err != nil {
				t.Error(err)
				return
			}
			closeDB(t, d)
		})
	}
	all.Wait()
}

// TestMigrateVersions opens databases of other versions.
func TestMigrateVersions(t *testing.T) {
	for _, tt := range []struct {
		name     string
		database []int // from where its migrations are compatible
		program  int   // how many it knows
		keep     bool
		want     error
	}{
		{"the same", []int{1, 1}, 2, true, nil},
		{"older", []int{1}, 2, false, nil},
		{"older, to be kept", []int{1}, 2, true, ErrOlder},
		{"empty, to be kept", nil, 2, true, ErrOlder},
		{"newer and compatible", []int{1, 1, 2}, 2, false, nil},
		{"newer by two and compatible", []int{1, 1, 2, 2}, 2, true, nil},
		{"newer", []int{1, 1, 3}, 2, false, ErrNewer},
		{"newer, as of a step before the last", []int{1, 1, 3, 2}, 2, false, ErrNewer},
	} {
		dsn := pgtest.Shared(t).Schema(t)
		if len(tt.database) > 0 {
			if err := migrateWith(t, dsn, steps(tt.database...), false); err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
		}
		known := []int{1, 1, 1, 1}[:tt.program]
		if err := migrateWith(t, dsn, steps(known...), tt.keep); !errors.Is(err, tt.want) {
			t.Errorf("%s: error = %v, want %v", tt.name, err, tt.want)
		}
	}
}

// TestMigrateFails leaves nothing of a migration that fails.
func TestMigrateFails(t *testing.T) {
	dsn := pgtest.Shared(t).Schema(t)
	files := steps(1, 1).(fstest.MapFS)
	files["migrations/0002_step.sql"].Data = []byte("-- compatible from: 1\nCREATE TABLE half (n int);\nSELECT 1 / 0;")
	err := migrateWith(t, dsn, files, false)
	if err == nil || !strings.Contains(err.Error(), "0002_step.sql") {
		t.Errorf("error = %v, want one that names the migration", err)
	}
	if err := migrateWith(t, dsn, steps(1, 1), false); err != nil {
		t.Errorf("after it was mended: %v", err)
	}
	pgtest.Exec(t, dsn, "DO $$ BEGIN ASSERT to_regclass('half') IS NULL; ASSERT to_regclass('step2') IS NOT NULL; END $$")
}

func TestMigrationFiles(t *testing.T) {
	if _, err := migrations(migrationFiles); err != nil {
		t.Error(err)
	}
	for name, script := range map[string]string{
		"migrations/0002_x.sql": "-- compatible from: 1\n", "migrations/0001_x.sql": "CREATE TABLE x ();", "migrations/x.sql": "",
		"migrations/1_x.sql": "-- compatible from: 2\n", "migrations/01_x.sql": "-- compatible from: 0\n",
	} {
		if _, err := migrations(fstest.MapFS{name: {Data: []byte(script)}}); err == nil {
			t.Errorf("%s was taken: %q", name, script)
		}
	}
}
