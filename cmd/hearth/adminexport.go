package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"hearth/store"
)

func newStoreExportCmd(f *adminFlags) *cobra.Command {
	var skip bool
	cmd := &cobra.Command{
		Use: "export FILE", Short: "write everything to a file that either kind of store can import, beside a running server too",
		Long: `Export writes all that the store holds, as it is at one moment, to a new file of mode 0600: entities with their
revisions and code, credentials, limits, alarms, calls that wait, dead letters and records. Keys and waiting calls stay
sealed under the master key, which is not in the file: keep a copy of it elsewhere.

What runs while it is exported is in the file as begun, and becomes a failure where that is imported. To move a platform,
stop its servers first.`,
	}
	cmd.Flags().BoolVar(&skip, "skip-damaged", false, "leave out what is damaged, and name it, instead of giving up")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usageError(errors.New("want \"hearth admin store export FILE\""))
		}
		e, done, err := f.openStore(cmd.Context(), true)
		if err != nil {
			return err
		}
		var damaged func(error) error
		if skip {
			damaged = func(err error) error {
				_, e := fmt.Fprintf(cmd.ErrOrStderr(), "left out: %v\n", err)
				return e
			}
		}
		counts, err := exportTo(cmd.Context(), args[0], e, damaged)
		if err := errors.Join(err, done()); err != nil {
			return err
		}
		out := newPrinter(cmd.OutOrStdout())
		printCounts(out, counts)
		out.printf("ok: all of it is in %s; it needs its master key, which is not in it\n", args[0])
		return out.err
	}
	return cmd
}

// exportTo writes an export to a new file, whole or not at all.
func exportTo(ctx context.Context, name string, e store.Engine, damaged func(error) error) (_ []store.ExportCount, err error) {
	from, ok := e.(store.Dumper)
	if !ok {
		return nil, errors.New("this store cannot be exported")
	}
	file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("export: %s is there already", name)
	}
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	counts, err := store.Export(ctx, file, from, damaged)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, errors.Join(err, os.Remove(name))
	}
	return counts, syncFolder(filepath.Dir(name))
}

func newStoreImportCmd(f *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use: "import FILE", Short: "fill an empty store with what was exported from another",
		Long: `Import fills a store that nothing was kept in yet, be it a new --data folder or a new PostgreSQL database, with an
export. The whole file is checked first; then all of it is there, or nothing. Put the platform's master.key into the
folder, or name it by --master-key-file, before you start a server on it.`,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if len(args) != 1 {
				return usageError(errors.New("want \"hearth admin store import FILE\""))
			}
			file, err := os.Open(args[0])
			if err != nil {
				return fmt.Errorf("import: %w", err)
			}
			defer func() { err = errors.Join(err, file.Close()) }()
			if _, err := store.CheckExport(cmd.Context(), file); err != nil { // before anything is made for it
				return fmt.Errorf("import %s: %w", args[0], err)
			}
			e, done, err := f.newStore(cmd.Context())
			if err != nil {
				return err
			}
			into, ok := e.(store.Dumper)
			if !ok {
				return errors.Join(errors.New("this store cannot import"), done())
			}
			counts, err := store.Import(cmd.Context(), file, into)
			if errors.Is(err, store.ErrNotEmpty) {
				err = fmt.Errorf("%w: name a --data folder, or a database, that no server has run on", err)
			}
			if err := errors.Join(err, done()); err != nil {
				return err
			}
			out := newPrinter(cmd.OutOrStdout())
			printCounts(out, counts)
			out.printf("ok: all of %s is in the store; start it with the master key of before\n", args[0])
			return out.err
		},
	}
}

// newStore opens the database to be filled, which is made if it is not there.
func (f *adminFlags) newStore(ctx context.Context) (store.Engine, func() error, error) {
	if f.storage.shared() || f.url != "" || f.storage.validate() != nil || f.storage.kind == storeNone {
		return f.openStore(ctx, false)
	}
	data, err := openData(f.data)
	if err != nil {
		return nil, nil, err
	}
	e, err := f.storage.open(ctx, data, false, nil, nil)
	if err != nil {
		return nil, nil, errors.Join(err, data.close())
	}
	return e, func() error { return errors.Join(e.Close(), data.close()) }, nil
}

func printCounts(out *printer, counts []store.ExportCount) {
	for _, c := range counts {
		out.printf("%-20s %10d\n", c.Of, c.Items)
	}
}
