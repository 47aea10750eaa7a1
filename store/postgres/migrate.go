package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Errors of [Open] about a database of another version.
var (
	// ErrNewer means that a newer Hearth has changed the database in a way that
	// this one cannot work with.
	ErrNewer = errors.New("the database was written by a newer version of Hearth")
	// ErrOlder means that a database would have to be brought up to date, which
	// was not allowed.
	ErrOlder = errors.New("the database was written by an older version of Hearth")
)

// migration is one step of the schema. Its script begins with the line
//
//	-- compatible from: N
//
// which says that programs whose last migration is N, or any between, go on
// working beside it.
type migration struct {
	number, compatible int
	name               string
	script             string
}

// migrations returns those in the folder, first to last; their numbers are 1,
// 2 and so on.
func migrations(files fs.FS) ([]migration, error) {
	list, err := fs.ReadDir(files, "migrations") // sorted by name
	if err != nil {
		return nil, err
	}
	var out []migration
	for _, f := range list {
		digits, _, _ := strings.Cut(f.Name(), "_")
		n, err := strconv.Atoi(digits)
		if err != nil || n != len(out)+1 {
			return nil, fmt.Errorf("migration %s: want number %d", f.Name(), len(out)+1)
		}
		script, err := fs.ReadFile(files, path.Join("migrations", f.Name()))
		if err != nil {
			return nil, err
		}
		first, _, _ := strings.Cut(string(script), "\n")
		digits, ok := strings.CutPrefix(first, "-- compatible from: ")
		from, err := strconv.Atoi(digits)
		if !ok || err != nil || from < 1 || from > n {
			return nil, fmt.Errorf("migration %s: does not say from which number it is compatible", f.Name())
		}
		out = append(out, migration{n, from, f.Name(), string(script)})
	}
	return out, nil
}

// schema is how far a database is.
type schema struct {
	number     int // of the last migration
	compatible int // the oldest program that works with it
}

// check says whether a program that knows so many migrations works with it,
// and whether the ones that are missing may and must be carried out.
func (s schema) check(known int, keep bool) (behind bool, err error) {
	switch {
	case s.number > known && s.compatible > known:
		return false, fmt.Errorf("%w: its schema is %d and needs %d, this one knows up to %d; start the newer Hearth, or restore a copy from before the upgrade",
			ErrNewer, s.number, s.compatible, known)
	case s.number < known && keep:
		return false, fmt.Errorf("%w: its schema is %d, this one works with %d; start the router on it anew", ErrOlder, s.number, known)
	}
	return s.number < known, nil
}

// readSchema returns the zero value for an empty database.
func readSchema(ctx context.Context, q querier) (s schema, err error) {
	var there bool
	if err := q.QueryRow(ctx, "SELECT to_regclass('hearth_schema') IS NOT NULL").Scan(&there); err != nil || !there {
		return s, err
	}
	err = q.QueryRow(ctx, "SELECT coalesce(max(number), 0), coalesce(max(compatible), 0) FROM hearth_schema").Scan(&s.number, &s.compatible)
	return s, err
}

// migrateLock is the advisory lock, beside the schema's number, under which
// migrations are carried out.
const migrateLock = 0x68656172 // "hear"

// migrate brings the schema up to date, unless keep forbids it. Any number of
// processes may do so at once. It changes nothing in a database that it
// refuses.
func migrate(ctx context.Context, conn *pgx.Conn, files fs.FS, keep bool, log *slog.Logger) error {
	all, err := migrations(files)
	if err != nil {
		return err
	}
	for {
		at, err := readSchema(ctx, conn)
		if err != nil {
			return fmt.Errorf("read the schema's version: %w", err)
		}
		behind, err := at.check(len(all), keep)
		if err != nil || !behind {
			return err
		}
		m := all[at.number]
		done := false
		err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			done, err = apply(ctx, tx, m)
			return err
		})
		if err != nil {
			return fmt.Errorf("migration %s: %w", m.name, err)
		}
		if done {
			log.Info("migrated the database", "migration", m.name)
		}
	}
}

// apply carries out a migration, unless another process has done so meanwhile.
func apply(ctx context.Context, tx pgx.Tx, m migration) (bool, error) {
	const begin = `SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;
		SELECT pg_advisory_xact_lock(%d, hashtext(current_schema()))`
	if _, err := tx.Exec(ctx, fmt.Sprintf(begin, migrateLock)); err != nil {
		return false, err
	}
	// It looks for the table anew, as a SELECT of what was not there before
	// would not.
	const table = `CREATE TABLE IF NOT EXISTS hearth_schema
		(number integer PRIMARY KEY, compatible integer NOT NULL, name text NOT NULL, at timestamptz NOT NULL DEFAULT now())`
	if _, err := tx.Exec(ctx, table); err != nil {
		return false, err
	}
	var done bool
	if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM hearth_schema WHERE number >= $1)", m.number).Scan(&done); err != nil || done {
		return false, err
	}
	if _, err := tx.Exec(ctx, m.script); err != nil {
		return false, err
	}
	_, err := tx.Exec(ctx, "INSERT INTO hearth_schema (number, compatible, name) VALUES ($1, $2, $3)", m.number, m.compatible, m.name)
	return err == nil, err
}
