package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"strconv"
	"strings"
	"time"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// ErrNewer means that the database was written by a newer Hearth.
var ErrNewer = errors.New("the database was written by a newer version of Hearth")

type migration struct {
	number int
	name   string
	script string
}

// migrations returns the embedded ones, first to last; their numbers are 1, 2
// and so on.
func migrations() ([]migration, error) {
	files, err := fs.ReadDir(migrationFiles, "migrations") // sorted by name
	if err != nil {
		return nil, err
	}
	var out []migration
	for _, f := range files {
		digits, _, _ := strings.Cut(f.Name(), "_")
		n, err := strconv.Atoi(digits)
		if err != nil || n != len(out)+1 {
			return nil, fmt.Errorf("migration %s: want number %d", f.Name(), len(out)+1)
		}
		script, err := migrationFiles.ReadFile(path.Join("migrations", f.Name()))
		if err != nil {
			return nil, err
		}
		out = append(out, migration{n, f.Name(), string(script)})
	}
	return out, nil
}

// ErrOlder means that a database would have to be brought up to date, which was
// not allowed.
var ErrOlder = errors.New("the database was written by an older version of Hearth")

// migrate brings the schema up to date, unless keep forbids it. It changes
// nothing in a database that it refuses.
func migrate(ctx context.Context, db *sql.DB, keep bool, log *slog.Logger) error {
	all, err := migrations()
	if err != nil {
		return err
	}
	at, err := schemaVersion(ctx, db)
	if err != nil {
		return err
	}
	if at > len(all) {
		return fmt.Errorf("%w: its schema is %d, this one knows up to %d; start the newer Hearth, or restore a copy from before the upgrade",
			ErrNewer, at, len(all))
	}
	if keep && at < len(all) {
		return fmt.Errorf("%w: its schema is %d, this one works with %d; start the server on it anew", ErrOlder, at, len(all))
	}
	var mode string
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode=WAL").Scan(&mode); err != nil {
		return fmt.Errorf("switch to a write-ahead log: %w", err)
	}
	if mode != "wal" {
		return fmt.Errorf("switch to a write-ahead log: the file system allows only %q", mode)
	}
	for _, m := range all[at:] {
		if err := apply(ctx, db, m); err != nil {
			return fmt.Errorf("migration %s: %w", m.name, err)
		}
		log.Info("migrated the database", "migration", m.name)
	}
	return nil
}

// schemaVersion returns the number of the last migration carried out, 0 for an
// empty database.
func schemaVersion(ctx context.Context, db *sql.DB) (int, error) {
	var tables, ours int
	err := db.QueryRowContext(ctx, "SELECT count(*), count(*) FILTER (WHERE name = 'migrations') FROM sqlite_schema WHERE type = 'table'").
		Scan(&tables, &ours)
	if err != nil || tables == 0 {
		return 0, err
	}
	if ours == 0 {
		return 0, errors.New("the file is another program's database")
	}
	var n int
	err = db.QueryRowContext(ctx, "SELECT coalesce(max(number), 0) FROM migrations").Scan(&n)
	return n, err
}

func apply(ctx context.Context, db *sql.DB, m migration) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing to do after the commit
	const table = "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, at INTEGER NOT NULL)"
	if _, err := tx.ExecContext(ctx, table); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, m.script); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO migrations (number, name, at) VALUES (?, ?, ?)", m.number, m.name, time.Now().UnixMilli())
	if err != nil {
		return err
	}
	return tx.Commit()
}
