package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/VictoriaMetrics/metrics"
	"github.com/spf13/pflag"

	"hearth/store"
	"hearth/store/postgres"
	"hearth/store/sqlite"
)

// The kinds of stores.
const (
	storeSQLite   = "sqlite"
	storePostgres = "postgres"
	storeNone     = "none"
)

// dsnVariable is the environment's variable with the DSN of a PostgreSQL
// database. There is no flag for it: others on a machine can read arguments.
const dsnVariable = "HEARTH_STORE_DSN"

// storeFlags say where state is kept.
type storeFlags struct {
	kind    string
	dsnFile string
}

func (f *storeFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.kind, "store", storeSQLite, "where state is kept: sqlite (a file in --data), postgres (shared by many routers; its DSN is in "+
		dsnVariable+" or in --store-dsn-file), or none (in memory, records are dropped; for measuring)")
	fs.StringVar(&f.dsnFile, "store-dsn-file", "", "file with the DSN of --store postgres, such as postgres://hearth@10.1.2.3/hearth?sslmode=verify-full")
}

func (f *storeFlags) validate() error {
	switch f.kind {
	case storeSQLite, storePostgres, storeNone:
	default:
		return usageError(fmt.Errorf("--store %s: want sqlite, postgres or none", f.kind))
	}
	if f.kind == storePostgres {
		_, err := f.dsn()
		return err
	}
	if f.dsnFile != "" {
		return usageError(errors.New("--store-dsn-file says nothing without --store postgres"))
	}
	return nil
}

// dsn returns the DSN of --store postgres.
func (f *storeFlags) dsn() (string, error) {
	text := os.Getenv(dsnVariable)
	if f.dsnFile != "" {
		b, err := os.ReadFile(f.dsnFile)
		if err != nil {
			return "", fmt.Errorf("--store-dsn-file: %w", err)
		}
		text = string(b)
	}
	if text = strings.TrimSpace(text); text == "" {
		return "", usageError(fmt.Errorf("--store postgres needs a DSN, such as postgres://hearth@10.1.2.3/hearth, in %s or in --store-dsn-file", dsnVariable))
	}
	return text, nil
}

// open opens the store. keepSchema refuses one that would have to be brought up
// to date. log and set may be nil.
func (f *storeFlags) open(ctx context.Context, data *dataDir, keepSchema bool, log *slog.Logger, set *metrics.Set) (store.Engine, error) {
	switch f.kind {
	case storeNone:
		return store.NewNone(), nil
	case storePostgres:
		dsn, err := f.dsn()
		if err != nil {
			return nil, err
		}
		cfg := postgres.DefaultConfig(dsn)
		cfg.KeepSchema, cfg.Logger = keepSchema, log
		return postgres.Open(ctx, cfg)
	}
	cfg := sqlite.DefaultConfig(data.file(storeFile))
	cfg.KeepSchema, cfg.Logger, cfg.Metrics = keepSchema, log, set
	return sqlite.Open(ctx, cfg)
}

// shared reports whether other routers may work on the same store.
func (f *storeFlags) shared() bool { return f.kind == storePostgres }
