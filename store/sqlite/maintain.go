package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"hearth/store"
	"hearth/whisk"
)

var _ store.Checker = (*DB)(nil)

// Check implements [store.Checker].
func (d *DB) Check(ctx context.Context) (r store.Report, err error) {
	if r.Schema, err = schemaVersion(ctx, d.reader); err != nil {
		return r, err
	}
	rows, err := d.reader.QueryContext(ctx, "PRAGMA integrity_check(20)")
	if err != nil {
		return r, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return r, err
		}
		if text != "ok" {
			r.Problems = append(r.Problems, text)
		}
	}
	if err := rows.Err(); err != nil {
		return r, err
	}
	for _, table := range store.Tables {
		c := store.Count{Table: table}
		if table == "dead_letters" {
			table = "dead"
		}
		if err := d.reader.QueryRowContext(ctx, "SELECT count(*) FROM "+table).Scan(&c.Rows); err != nil {
			r.Problems = append(r.Problems, fmt.Sprintf("%s: %v", table, err))
			continue
		}
		r.Counts = append(r.Counts, c)
	}
	digests, err := d.digests(ctx)
	if err != nil {
		return r, err
	}
	problems, err := store.CheckCode(ctx, digests, d.Code)
	r.Problems = append(r.Problems, problems...)
	return r, err
}

func (d *DB) digests(ctx context.Context) ([]whisk.Digest, error) {
	rows, err := d.reader.QueryContext(ctx, "SELECT digest FROM codes")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []whisk.Digest
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil {
			return nil, err
		}
		out = append(out, whisk.Digest{})
		copy(out[len(out)-1][:], b)
	}
	return out, rows.Err()
}

// Backup writes the database as it is now to a new file, of mode 0600, while
// others go on with it. What is committed meanwhile is not in it.
func (d *DB) Backup(ctx context.Context, name string) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("backup: %s is there already", name)
	}
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	// SQLite takes an empty file for a new one.
	if _, err = d.writer.ExecContext(ctx, "VACUUM INTO ?", name); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("backup: %w", errors.Join(err, os.Remove(name)))
	}
	return nil
}
