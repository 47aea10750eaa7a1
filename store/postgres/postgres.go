package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"hearth/store"
)

// Config are the settings of a [DB].
type Config struct {
	// DSN says how to connect, as libpq has it: a URL (postgres://…) or key=value
	// pairs. It may name several hosts: the one that takes writes is used. All
	// tables are in the first schema of its search_path. It holds a password,
	// and so is in no error and no log.
	DSN string
	// MaxConns bounds the connections. Four of them are kept for commits and
	// claims, one listens for changes, the others read and change entities.
	MaxConns int
	// ConnectTimeout bounds the time to connect to one host, unless the DSN does.
	ConnectTimeout time.Duration
	// StatementTimeout ends what runs for longer than any caller should wait,
	// unless the DSN says otherwise.
	StatementTimeout time.Duration
	// ChangesKept is how long a change can be read from the change log.
	ChangesKept time.Duration
	// ClaimLease is for how long a claim of a queue row holds. It must be the
	// same in all processes.
	ClaimLease time.Duration
	// KeepSchema refuses a database that would have to be brought up to date.
	KeepSchema bool
	Logger     *slog.Logger // nil: none
}

// The fewest connections, and those of them that are kept for commits.
const (
	minConns    = 8
	commitConns = 4
)

// DefaultConfig returns the usual settings for a database.
func DefaultConfig(dsn string) Config {
	return Config{
		DSN: dsn, MaxConns: 16, ConnectTimeout: 5 * time.Second, StatementTimeout: time.Minute,
		ChangesKept: 24 * time.Hour, ClaimLease: store.ClaimLease,
	}
}

// Validate reports the first setting that makes no sense.
func (c Config) Validate() error {
	switch {
	case c.DSN == "":
		return errors.New("postgres: no DSN")
	case c.MaxConns < minConns:
		return fmt.Errorf("postgres: connections must be at least %d, got %d", minConns, c.MaxConns)
	case c.ConnectTimeout <= 0 || c.StatementTimeout <= 0:
		return errors.New("postgres: connecting and statements need a time above 0")
	case c.ChangesKept <= 0 || c.ClaimLease <= 0:
		return errors.New("postgres: changes must be kept, and claims hold, for a while")
	}
	_, err := c.pool()
	return err
}

// pool returns the settings of the connections.
func (c Config) pool() (*pgxpool.Config, error) {
	p, err := pgxpool.ParseConfig(c.DSN)
	if err != nil { // it quotes the DSN
		return nil, errors.New("postgres: the DSN cannot be read: want postgres://user:password@host/database or key=value pairs")
	}
	if p.ConnConfig.ConnectTimeout == 0 || !strings.Contains(c.DSN, "connect_timeout") {
		p.ConnConfig.ConnectTimeout = c.ConnectTimeout
	}
	// A store that cannot be written to is none, as after a fail-over.
	p.ConnConfig.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	p.AfterConnect = keepSynced
	for name, value := range map[string]string{
		"application_name":  "hearth",
		"statement_timeout": strconv.FormatInt(c.StatementTimeout.Milliseconds(), 10),
		// A process that is stopped amid a transaction holds its locks no longer.
		"idle_in_transaction_session_timeout": "15000",
		// Every statement has an index to use and one good plan. With the
		// statistics of a table that was empty a moment ago the planner would
		// often find another.
		"plan_cache_mode":   "force_generic_plan",
		"enable_seqscan":    "off",
		"enable_bitmapscan": "off",
		"jit":               "off",
	} {
		if _, ok := p.ConnConfig.RuntimeParams[name]; !ok {
			p.ConnConfig.RuntimeParams[name] = value
		}
	}
	return p, nil
}

// keepSynced sees to it that a commit that has returned is on disk, whatever
// the database's own settings say.
func keepSynced(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'")
	return err
}

// DB is a database. It implements [store.Engine].
type DB struct {
	cfg     Config
	log     *slog.Logger
	pool    *pgxpool.Pool // reads, and writes of entities
	commits *pgxpool.Pool // commits and claims, which never wait for reads
	channel string        // on which changes are made known

	spaces, names interned
	served        atomic.Int32 // number of the namespace whose row was claimed last

	listen   sync.Mutex // guards the listener
	listener *pgx.Conn  // nil: not connected
}

var _ store.Engine = (*DB)(nil)

// Open opens the database of cfg, creating its tables or bringing them up to
// date if need be. A database of a newer Hearth that this one cannot work with
// is refused. The caller closes it.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	d := &DB{cfg: cfg, log: cfg.Logger, spaces: newInterned("spaces"), names: newInterned("names")}
	if err := d.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open the PostgreSQL database: %w", err), d.Close())
	}
	return d, nil
}

func (d *DB) open(ctx context.Context) error {
	settings, err := d.cfg.pool()
	if err != nil {
		return err
	}
	settings.MaxConns = int32(d.cfg.MaxConns - commitConns - 1)
	// Its connections outlive ctx.
	if d.pool, err = pgxpool.NewWithConfig(context.WithoutCancel(ctx), settings); err != nil {
		return err
	}
	settings = settings.Copy()
	settings.MaxConns = commitConns
	if d.commits, err = pgxpool.NewWithConfig(context.WithoutCancel(ctx), settings); err != nil {
		return err
	}
	return d.pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
		if err := checkServer(ctx, c.Conn(), d.log); err != nil {
			return err
		}
		if err := migrate(ctx, c.Conn(), migrationFiles, d.cfg.KeepSchema, d.log); err != nil {
			return err
		}
		return c.QueryRow(ctx, "SELECT 'hearth_' || current_schema()").Scan(&d.channel)
	})
}

// oldestServer is the first PostgreSQL that this package works with.
const oldestServer = 14

// checkServer refuses servers that would not do, and warns of those that do
// not keep what they promise.
func checkServer(ctx context.Context, conn *pgx.Conn, log *slog.Logger) error {
	var version int
	var encoding, schema, fsync, pages string
	err := conn.QueryRow(ctx, `SELECT current_setting('server_version_num')::integer / 10000, current_setting('server_encoding'),
		coalesce(current_schema(), ''), current_setting('fsync'), current_setting('full_page_writes')`).
		Scan(&version, &encoding, &schema, &fsync, &pages)
	switch {
	case err != nil:
		return err
	case version < oldestServer:
		return fmt.Errorf("the server is PostgreSQL %d; want %d or newer", version, oldestServer)
	case encoding != "UTF8":
		return fmt.Errorf("the encoding of the database is %s; make one with UTF8", encoding)
	case schema == "":
		return errors.New("no schema of the search_path is there; create it, or choose another in the DSN")
	}
	if fsync != "on" || pages != "on" {
		log.Warn("PostgreSQL may lose what it has promised when power fails", "fsync", fsync, "full_page_writes", pages)
	}
	return nil
}

// Close closes the database. It waits for calls under way; those after it fail.
func (d *DB) Close() error {
	for _, p := range []*pgxpool.Pool{d.pool, d.commits} {
		if p != nil {
			p.Close()
		}
	}
	return d.closeListener()
}
