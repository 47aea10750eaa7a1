package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"hearth/store"
	"hearth/store/sqlite"
)

func newAdminStoreCmd(f *adminFlags) *cobra.Command {
	cmd := newGroup("store", "Look after the database", `Store works on the database itself: the file in the --data folder, or with --store postgres the database
whose DSN is in HEARTH_STORE_DSN or --store-dsn-file.

  hearth admin store check                  # read all of it; beside a running server, too
  hearth admin store backup /backup/hearth  # copy the file; beside a running server, too
  hearth admin store migrate                # bring the schema up to date, as a server does when it starts
  hearth admin store export /backup/all     # everything in one file that either kind of store can import
  hearth admin store import /backup/all     # into a new folder or database`)
	cmd.AddCommand(newStoreCheckCmd(f), newStoreBackupCmd(f), newStoreMigrateCmd(f), newStoreExportCmd(f), newStoreImportCmd(f))
	return cmd
}

// openStore opens the database. Unless keepSchema is set it is brought up to
// date, for which no server may run on the folder.
func (f *adminFlags) openStore(ctx context.Context, keepSchema bool) (_ store.Engine, done func() error, err error) {
	switch {
	case f.url != "":
		return nil, nil, usageError(errors.New("this works on the database alone, not by --admin-url"))
	case f.storage.validate() != nil:
		return nil, nil, f.storage.validate()
	case f.storage.kind == storeNone:
		return nil, nil, usageError(errors.New("--store none keeps nothing"))
	case f.storage.shared():
		e, err := f.storage.open(ctx, nil, keepSchema, nil, nil)
		if err != nil {
			return nil, nil, err
		}
		return e, e.Close, nil
	}
	dir, err := filepath.Abs(f.data)
	if err != nil {
		return nil, nil, fmt.Errorf("data folder: %w", err)
	}
	data := &dataDir{path: dir}
	if _, err := os.Stat(data.file(storeFile)); err != nil {
		return nil, nil, fmt.Errorf("there is no platform in %s: name its folder with --data, or start it once (%w)", dir, err)
	}
	unlock := func() error { return nil }
	if !keepSchema {
		if data, err = openData(dir); err != nil {
			return nil, nil, err
		}
		unlock = data.close
	}
	e, err := f.storage.open(ctx, data, keepSchema, nil, nil)
	if err != nil {
		return nil, nil, errors.Join(err, unlock())
	}
	return e, func() error { return errors.Join(e.Close(), unlock()) }, nil
}

func newStoreCheckCmd(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use: "check", Short: "read the whole database and say what is wrong with it", Args: noWords,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			e, done, err := f.openStore(cmd.Context(), true)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, done()) }()
			c, ok := e.(store.Checker)
			if !ok {
				return errors.New("this store cannot be checked")
			}
			r, err := c.Check(cmd.Context())
			if err != nil {
				return err
			}
			out := newPrinter(cmd.OutOrStdout())
			out.printf("schema %d\n", r.Schema)
			for _, n := range r.Counts {
				out.printf("%-17s %10d\n", n.Table, n.Rows)
			}
			for _, p := range r.Problems {
				out.printf("problem: %s\n", p)
			}
			if len(r.Problems) > 0 {
				return errors.Join(out.err, fmt.Errorf("the database is damaged (%d problems): restore a backup", len(r.Problems)))
			}
			out.printf("ok: no problem found\n")
			return out.err
		},
	}
}

func newStoreBackupCmd(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use: "backup FILE", Short: "copy the database to a new file, beside a running server too",
		Long: `Backup writes the SQLite database as it is now to a new file of mode 0600. To restore it, put it into the place of
hearth.db in a --data folder on which no server runs, without the files hearth.db-wal and hearth.db-shm of before.
It is of use only with its master key (master.key, or the --master-key-file), which is not in it: keep a copy elsewhere.`,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if len(args) != 1 {
				return usageError(errors.New("want \"hearth admin store backup FILE\""))
			}
			if f.storage.shared() {
				return usageError(errors.New("back a PostgreSQL database up with its own tools, such as pg_dump"))
			}
			e, done, err := f.openStore(cmd.Context(), true)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, done()) }()
			if err := e.(*sqlite.DB).Backup(cmd.Context(), args[0]); err != nil {
				return err
			}
			out := newPrinter(cmd.OutOrStdout())
			out.printf("ok: the database is in %s; it needs its master key, which is not in it\n", args[0])
			return out.err
		},
	}
}

func newStoreMigrateCmd(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use: "migrate", Short: "bring the schema up to date", Args: noWords,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, done, err := f.openStore(cmd.Context(), false)
			if err != nil {
				return err
			}
			if err := done(); err != nil {
				return err
			}
			out := newPrinter(cmd.OutOrStdout())
			out.printf("ok: the schema is up to date\n")
			return out.err
		},
	}
}
