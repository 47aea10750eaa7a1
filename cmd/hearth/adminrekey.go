package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"hearth/auth"
	"hearth/flow"
	"hearth/store"
	"hearth/store/sqlite"
	"hearth/whisk"
)

func newRekeyCmd(f *adminFlags) *cobra.Command {
	var fresh, encrypt string
	cmd := &cobra.Command{
		Use: "rekey", Short: "change the master key and seal everything anew",
		Long: `Rekey seals everything that is kept under the master key under another: users' keys, activations that
wait in the queue, dead letters, alarms, and encrypted parameters. No server may run on the folder, nor on
the PostgreSQL database. Either all of it is
changed or nothing; when it is interrupted, the next start, or rekey again, makes sense of it.

Without files the key in the data folder is replaced by a random one, and kept beside it under the
name of the day: copies of the data of before need it. Delete it when there are none.`,
		Args: noWords,
	}
	cmd.Flags().StringVar(&fresh, "new-master-key-file", "", "file with the new key, 64 hexadecimal digits (default: a random one, in --data)")
	cmd.Flags().StringVar(&encrypt, "encrypt-parameters", "", "seal all parameters from now on (aes-256) or none (off); without it each stays as it is")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		r := rekeying{named: f.masterKey, fresh: fresh}
		switch on, err := encryption(encrypt); {
		case encrypt == "":
		case err != nil:
			return usageError(err)
		default:
			r.encrypt = &on
		}
		switch {
		case f.url != "":
			return usageError(errors.New("rekey works on the folder alone, not by --admin-url"))
		case f.masterKey != "" && fresh == "":
			return usageError(errors.New("a key in a file of its own needs another for the new key: --new-master-key-file"))
		}
		out := newPrinter(cmd.OutOrStdout())
		run := func() error { return r.run(cmd.Context(), f.data, out) }
		if err := f.storage.validate(); err != nil {
			return err
		}
		if f.storage.shared() {
			run = func() error { return r.onDatabase(cmd.Context(), &f.storage, out) }
		}
		if err := run(); err != nil {
			return err
		}
		return out.err
	}
	return cmd
}

// rekeying is one change of the master key.
type rekeying struct {
	named, fresh string // the files; "" is the data folder's
	encrypt      *bool  // nil: each parameter as it was

	credentials, rows, letters, docs int
}

func (r *rekeying) run(ctx context.Context, dir string, out *printer) (err error) {
	if _, err := os.Stat(filepath.Join(dir, storeFile)); err != nil {
		return fmt.Errorf("there is no platform in %s: name its folder with --data (%w)", dir, err)
	}
	data, err := openData(dir) // no server may run, and none starts meanwhile
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, data.close()) }()
	db, err := sqlite.Open(ctx, sqlite.DefaultConfig(data.file(storeFile)))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()

	if r.named == "" && r.fresh == "" {
		done, err := finishRekey(ctx, data, db)
		if err != nil || done {
			if done {
				out.printf("Finished a change of the master key that was interrupted.\n")
			}
			return err
		}
	}
	return r.reseal(ctx, data, db, out)
}

// onDatabase is run for a PostgreSQL database.
func (r *rekeying) onDatabase(ctx context.Context, storage *storeFlags, out *printer) (err error) {
	if r.named == "" || r.fresh == "" {
		return usageError(errors.New("for a PostgreSQL database name both keys: --master-key-file and --new-master-key-file"))
	}
	db, err := storage.open(ctx, nil, true, nil, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return r.reseal(ctx, nil, db, out)
}

func (r *rekeying) reseal(ctx context.Context, data *dataDir, db store.Engine, out *printer) error {
	next, err := r.next(data)
	if err != nil {
		return err
	}
	if under, err := isUnder(ctx, db, next); err != nil || under {
		if under {
			out.printf("Everything is under that master key already.\n")
		}
		return err
	}
	from, err := openKeys(ctx, r.named, data, db)
	if err != nil {
		return err
	}
	if err := db.Rewrite(ctx, r.rewriter(from, next)); err != nil {
		return err
	}
	out.printf("Sealed anew: %d keys, %d queued activations, %d dead letters, %d entities.\n", r.credentials, r.rows, r.letters, r.docs)
	return r.swap(ctx, data, db, out)
}

// next returns the keys that everything is to be under.
func (r *rekeying) next(data *dataDir) (*auth.Keyring, error) {
	var master auth.MasterKey
	var err error
	if r.fresh != "" {
		master, err = auth.LoadMasterKey(r.fresh)
	} else { // one that was made and not used yet is as good as another
		master, err = auth.LoadOrCreateMasterKey(data.file(nextMasterFile))
	}
	if err != nil {
		return nil, err
	}
	return auth.NewKeyring(master)
}

func (r *rekeying) rewriter(from, to *auth.Keyring) store.Rewriter {
	return store.Rewriter{
		Credential: func(c store.Credential) (store.Credential, error) {
			r.credentials++
			return to.Reseal(from, c)
		},
		Row: func(row store.QueueRow) ([]byte, error) {
			r.rows++
			return flow.Reseal(row, from, to)
		},
		Dead: func(l store.DeadLetter) ([]byte, error) {
			r.letters++
			return flow.Reseal(whisk.QueueRow{ID: l.ID, Payload: l.Payload}, from, to)
		},
		Doc: func(d store.Doc) ([]byte, error) {
			r.docs++
			return store.Reseal(d, from, to, r.encrypt)
		},
		Alarm: func(a whisk.Alarm) ([]byte, error) { return flow.ResealAlarm(a, from, to) },
		Notes: map[string][]byte{auth.NoteKeyID: to.ID()},
	}
}

// swap makes the key files fit the store.
func (r *rekeying) swap(ctx context.Context, data *dataDir, db store.Engine, out *printer) error {
	switch {
	case r.fresh == "":
		_, err := finishRekey(ctx, data, db)
		return err
	case r.named == "":
		kept, err := setAside(data)
		if err != nil {
			return err
		}
		out.printf("The old key is in %s now.\n", kept)
	}
	out.printf("Start with --master-key-file %s from now on.\n", r.fresh)
	return nil
}
