package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/VictoriaMetrics/metrics"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"hearth/store"
	"hearth/whisk"
)

// Config are the settings of a [DB].
type Config struct {
	Path string // of the database file; created with mode 0600
	// Readers is how many reads go on at once. Each may cost a connection of
	// about 2 MB.
	Readers int
	// BusyTimeout bounds the wait for a lock that another process holds.
	BusyTimeout time.Duration
	// ChangesKept is how long a change can be read from the change log.
	ChangesKept time.Duration
	// ClaimLease is for how long a claim of a queue row holds.
	ClaimLease time.Duration
	// KeepSchema refuses a database that would have to be brought up to date:
	// another process may have it open.
	KeepSchema bool
	Logger     *slog.Logger // nil: none
	Metrics    *metrics.Set // nil: a new set
}

// DefaultConfig returns the usual settings for a file.
func DefaultConfig(path string) Config {
	return Config{
		Path: path, Readers: 4, BusyTimeout: 5 * time.Second, ChangesKept: 24 * time.Hour, ClaimLease: store.ClaimLease,
	}
}

// Validate reports the first setting that makes no sense.
func (c Config) Validate() error {
	switch {
	case c.Path == "":
		return errors.New("sqlite: no path")
	case c.Readers < 1:
		return fmt.Errorf("sqlite: readers must be at least 1, got %d", c.Readers)
	case c.BusyTimeout < 0 || c.ChangesKept <= 0 || c.ClaimLease <= 0:
		return errors.New("sqlite: busy timeout must not be negative, and changes and claims must be kept for a while")
	}
	return nil
}

// DB is a database. It implements [store.Engine].
type DB struct {
	cfg    Config
	log    *slog.Logger
	damage damage
	writer *sql.DB // one connection
	reader *sql.DB

	insert      *inserts        // used only within a transaction of writer
	served      whisk.Namespace // whose row was claimed last; used only with writer's connection
	claims      *claims
	leading     leading
	changesFrom *sql.Stmt // of reader: asked often
}

var _ store.Engine = (*DB)(nil)

// Open opens the database of cfg, creating it or bringing it up to date if
// need be. A database of a newer Hearth is refused. The caller closes it.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Metrics == nil {
		cfg.Metrics = metrics.NewSet()
	}
	if err := registerSums(); err != nil {
		return nil, err
	}
	d := &DB{cfg: cfg, log: cfg.Logger, damage: newDamage(cfg.Metrics), claims: newClaims(cfg.ClaimLease), leading: leading{by: map[string]hold{}}}
	if err := d.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", cfg.Path, err), d.Close())
	}
	return d, nil
}

func (d *DB) open(ctx context.Context) error {
	path, err := filepath.Abs(d.cfg.Path)
	if err != nil {
		return err
	}
	// SQLite would create it readable for all; its other files take its mode.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	busy := "busy_timeout(" + strconv.FormatInt(d.cfg.BusyTimeout.Milliseconds(), 10) + ")"
	d.writer, err = sql.Open("sqlite", dsn(path, url.Values{
		"_txlock": {"immediate"},
		"_pragma": {
			busy, "synchronous(FULL)",
			"cache_size(-16000)",           // KiB
			"wal_autocheckpoint(4000)",     // pages: 16 MB of log
			"journal_size_limit(67108864)", // what stays of a log that had grown
		},
	}))
	if err != nil {
		return err
	}
	d.writer.SetMaxOpenConns(1)
	if err := migrate(ctx, d.writer, d.cfg.KeepSchema, d.log); err != nil {
		return err
	}
	if d.insert, err = prepareInserts(ctx, d.writer); err != nil {
		return err
	}
	d.reader, err = sql.Open("sqlite", dsn(path, url.Values{"_pragma": {busy, "query_only(ON)"}}))
	if err != nil {
		return err
	}
	d.reader.SetMaxOpenConns(d.cfg.Readers)
	d.reader.SetMaxIdleConns(d.cfg.Readers)
	d.changesFrom, err = d.reader.PrepareContext(ctx, changesText)
	return err
}

// dsn escapes the path: it may hold question marks and percent signs.
func dsn(path string, settings url.Values) string {
	return (&url.URL{Scheme: "file", Path: path, RawQuery: settings.Encode()}).String()
}

// Close closes the database. Calls after it fail.
func (d *DB) Close() error {
	var errs []error
	if d.changesFrom != nil {
		errs = append(errs, d.changesFrom.Close())
	}
	if d.reader != nil {
		errs = append(errs, d.reader.Close())
	}
	if d.insert != nil {
		errs = append(errs, d.insert.close())
	}
	if d.writer != nil {
		errs = append(errs, d.writer.Close())
	}
	return errors.Join(errs...)
}

// write runs f in one transaction of the writer, which is rolled back if f
// fails.
func (d *DB) write(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := d.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		_ = tx.Rollback() // fails only where ctx has done it already
		return err
	}
	return tx.Commit()
}

// blob makes nil an empty blob: SQLite would take it for NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// nullable makes an empty slice NULL.
func nullable(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}
