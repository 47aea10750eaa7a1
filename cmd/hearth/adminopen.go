package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"hearth/auth"
	"hearth/client"
)

// adminFlags say which platform an operator means.
type adminFlags struct {
	data      string
	masterKey string
	url       string
	tokenFile string
	offline   bool
	verbose   bool
	config    string
	storage   storeFlags
}

func (f *adminFlags) register(cmd *cobra.Command) {
	fs := cmd.PersistentFlags()
	fs.StringVar(&f.data, "data", defaultDataDir(), "the platform's folder")
	fs.StringVar(&f.masterKey, "master-key-file", "", "file with the master key (default: master.key in --data)")
	fs.StringVar(&f.url, "admin-url", "", "the admin API of a server, such as http://127.0.0.1:3234/admin/v1 (default: that of the server on --data)")
	fs.StringVar(&f.tokenFile, "admin-token-file", "", "file with the admin API's token (default: admin.token in --data)")
	fs.BoolVar(&f.offline, "offline", false, "work on the folder even if a server with an admin API runs on it")
	f.storage.register(fs)
	fs.BoolVarP(&f.verbose, "verbose", "v", false, "tell where the command works")
	fs.StringVar(&f.config, "config", "", "the server's settings file, for its data and master-key-file (default "+defaultConfigFile+", if it is there)")
	cmd.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		return loadSharedSettings(cmd.InheritedFlags(), os.LookupEnv)
	}
}

// open finds the platform. What it returns must be done with.
func (f *adminFlags) open(ctx context.Context, stderr io.Writer) (op operator, done func() error, err error) {
	say := func(format string, args ...any) {
		if f.verbose {
			_, _ = fmt.Fprintf(stderr, format+"\n", args...)
		}
	}
	if f.url != "" {
		if f.offline {
			return nil, nil, usageError(errors.New("--admin-url and --offline exclude each other"))
		}
		say("asking %s", f.url)
		return f.online(f.url)
	}
	if err := f.storage.validate(); err != nil {
		return nil, nil, err
	}
	if f.storage.shared() {
		say("working on the database")
		return f.onDatabase(ctx)
	}
	dir, err := filepath.Abs(f.data)
	if err != nil {
		return nil, nil, fmt.Errorf("data folder: %w", err)
	}
	lock, err := lockShared(dir)
	if err != nil {
		return nil, nil, err
	}
	var ends endpoints
	if lock == nil { // a server runs, or starts
		if ends, err = readEndpoints(dir); err != nil {
			return nil, nil, fmt.Errorf("data folder: %w", err)
		}
		switch {
		case ends.PID == 0:
			return nil, nil, fmt.Errorf("the hearth on %s is not ready yet, or is at work on all of it; try again", dir)
		case ends.Admin != "" && !f.offline:
			say("asking %s", ends.Admin)
			return f.online(ends.Admin)
		case ends.Memory:
			return nil, nil, fmt.Errorf("the server on %s keeps its state in memory (--store none): only its admin API can change it", dir)
		}
	}
	say("working on %s", dir)
	return f.onStore(ctx, dir, lock)
}

func (f *adminFlags) online(url string) (operator, func() error, error) {
	name := f.tokenFile
	if name == "" {
		name = filepath.Join(f.data, adminTokenFile)
	}
	token, err := readToken(name)
	if err != nil {
		return nil, nil, err
	}
	a, err := client.NewAdmin(client.AdminConfig{URL: url, Token: token})
	if err != nil {
		return nil, nil, usageError(err)
	}
	return a, func() error { a.Close(); return nil }, nil
}

// onStore opens the store of a folder. Without a lock a server has it open too:
// SQLite lets both write, and the server follows the change log; only the
// schema must not change beneath it.
func (f *adminFlags) onStore(ctx context.Context, dir string, lock *os.File) (_ operator, _ func() error, err error) {
	unlock := func() error {
		if lock == nil {
			return nil
		}
		return lock.Close()
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, unlock())
		}
	}()
	data := &dataDir{path: dir, lock: lock}
	if _, err := os.Stat(data.file(storeFile)); err != nil {
		return nil, nil, fmt.Errorf("there is no platform in %s: name its folder with --data, or start it once (%w)", dir, err)
	}
	db, err := f.storage.open(ctx, data, lock == nil, nil, nil)
	if err != nil {
		return nil, nil, err
	}
	keys, err := openKeys(ctx, f.masterKey, data, db)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return auth.NewAccounts(keys, db, nil), func() error { return errors.Join(db.Close(), unlock()) }, nil
}

// onDatabase opens a PostgreSQL database, on which routers may be at work: they
// follow the change log.
func (f *adminFlags) onDatabase(ctx context.Context) (operator, func() error, error) {
	engine, err := f.storage.open(ctx, nil, true, nil, nil)
	if err != nil {
		return nil, nil, err
	}
	master := f.masterKey
	if master == "" {
		master = filepath.Join(f.data, masterFile)
	}
	keys, err := openKeys(ctx, master, nil, engine)
	if err != nil {
		return nil, nil, errors.Join(err, engine.Close())
	}
	return auth.NewAccounts(keys, engine, nil), engine.Close, nil
}

// lockShared keeps servers, but not other commands, off a folder. It returns
// nil if a server has it.
func lockShared(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no platform in %s: name its folder with --data, or start it once", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, nil
		}
		return nil, fmt.Errorf("lock data folder %s: %w", dir, err)
	}
	return f, nil
}
