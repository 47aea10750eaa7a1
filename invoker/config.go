package invoker

import (
	"errors"
	"log/slog"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"hearth/invoker/journal"
)

// Config holds an invoker's settings.
type Config struct {
	// ID is the slot: the name under which routers know this invoker, stable
	// over restarts.
	ID string

	// Dir holds journal and code cache, created for the owner alone.
	Dir string

	// MemoryMB is the memory that all sandboxes share, each counted with its
	// action's limit whether it uses it or not.
	MemoryMB int64

	// QueueLimit is how many calls may wait for a sandbox, and QueueBytes how
	// many bytes of arguments and environment they may hold. Beyond either the
	// answer is Busy. Waiting calls can be moved to other invokers, so a long
	// queue helps only where there are none.
	QueueLimit int
	QueueBytes int64

	// IdleTimeout is how long a sandbox stays warm without use.
	IdleTimeout time.Duration

	// ReadyTimeout is how long a reserved sandbox waits for the router's go,
	// CodeTimeout how long a call waits for its code, CreateTimeout how long
	// the driver may take to start a sandbox.
	ReadyTimeout  time.Duration
	CodeTimeout   time.Duration
	CreateTimeout time.Duration

	// ResultBytes is the longest result: the activation fails beyond it, and
	// shows TruncationBytes of what it was.
	ResultBytes, TruncationBytes int64

	// CodeCacheBytes bounds the code kept on disk. Code of live sandboxes is
	// kept beyond it.
	CodeCacheBytes int64

	// Journal sizes the journal; its Dir and Logger are set by the invoker.
	Journal journal.Config

	// OfferAfter is the age from which Unacked offers a record: by then its
	// router should have acknowledged it.
	OfferAfter time.Duration

	// Env is given to every process in a sandbox: __OW_API_HOST for one.
	Env map[string]string

	// PidLimit bounds the processes and threads in a sandbox; 0 is the
	// driver's default.
	PidLimit int

	Logger  *slog.Logger // nil discards
	Metrics *metrics.Set // of this invoker alone; nil: nobody reads them
}

// DefaultConfig returns the settings of a server, without ID and directory.
func DefaultConfig() Config {
	return Config{
		MemoryMB:        2048,
		QueueLimit:      256,
		QueueBytes:      64 << 20,
		IdleTimeout:     10 * time.Minute,
		ReadyTimeout:    5 * time.Second,
		CodeTimeout:     30 * time.Second,
		CreateTimeout:   30 * time.Second,
		ResultBytes:     1 << 20,
		TruncationBytes: 1 << 20,
		CodeCacheBytes:  1 << 30,
		Journal:         journal.DefaultConfig(),
		OfferAfter:      5 * time.Second,
	}
}

// Validate reports the first setting that makes no sense.
func (c Config) Validate() error {
	if c.ID == "" {
		return errors.New("invoker: no id given")
	}
	if c.Dir == "" {
		return errors.New("invoker: no directory given")
	}
	for _, v := range []struct {
		name string
		n    int64
	}{
		{"memory", c.MemoryMB}, {"queue bytes", c.QueueBytes}, {"idle timeout", int64(c.IdleTimeout)},
		{"ready timeout", int64(c.ReadyTimeout)}, {"code timeout", int64(c.CodeTimeout)},
		{"create timeout", int64(c.CreateTimeout)}, {"result bytes", c.ResultBytes}, {"truncation bytes", c.TruncationBytes},
		{"code cache bytes", c.CodeCacheBytes}, {"offer age", int64(c.OfferAfter)},
	} {
		if v.n <= 0 {
			return errors.New("invoker: " + v.name + " must be greater than 0")
		}
	}
	if c.QueueLimit < 0 || c.PidLimit < 0 {
		return errors.New("invoker: queue limit and pid limit must not be negative")
	}
	c.Journal.Dir = c.Dir
	return c.Journal.Validate()
}
