package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// changeLog is what a Follower reads.
type changeLog interface {
	Changes(ctx context.Context, after int64, limit int) ([]Change, error)
	LastChange(ctx context.Context) (int64, error)
}

// FollowerConfig are the settings of a [Follower].
type FollowerConfig struct {
	// Every is how often the log is looked at: how long a change made elsewhere
	// may go unseen. A look costs one read of the table's end.
	Every time.Duration
	// Timeout bounds one look.
	Timeout time.Duration
	// Changed is called with each change, in their order, those made by this
	// process too.
	Changed func(Change)
	// Lost is called where changes may have been missed: at the start, and when
	// the log does not reach back. Whatever is remembered must be forgotten.
	Lost    func()
	Logger  *slog.Logger // nil: none
	Metrics *metrics.Set // nil: a new set
}

// DefaultFollowerConfig returns the usual settings, but for what to call.
func DefaultFollowerConfig() FollowerConfig {
	return FollowerConfig{Every: 400 * time.Millisecond, Timeout: 10 * time.Second}
}

// Validate reports the first setting that makes no sense.
func (c FollowerConfig) Validate() error {
	if c.Every <= 0 || c.Timeout <= 0 {
		return errors.New("store: a follower needs an interval and a timeout above 0")
	}
	if c.Changed == nil || c.Lost == nil {
		return errors.New("store: a follower needs somebody to tell")
	}
	return nil
}

// Follower reads the change log as it grows and tells the caches of a process
// what others have changed.
type Follower struct {
	cfg      FollowerConfig
	log      changeLog
	followed *metrics.Counter
	lost     *metrics.Counter
}

// NewFollower returns a follower of the log that does nothing until Run. cfg
// must be valid.
func NewFollower(cfg FollowerConfig, log changeLog) *Follower {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Metrics == nil {
		cfg.Metrics = metrics.NewSet()
	}
	return &Follower{
		cfg: cfg, log: log,
		followed: cfg.Metrics.NewCounter("store_changes_followed_total"),
		lost:     cfg.Metrics.NewCounter("store_changes_lost_total"),
	}
}

// Run follows the log until ctx ends. While the store is away nothing is told:
// what is remembered stands.
func (f *Follower) Run(ctx context.Context) error {
	at, known := int64(0), false
	away := false
	t := time.NewTicker(f.cfg.Every)
	defer t.Stop()
	for {
		next, err := f.look(ctx, at, known)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
			at, known = next, true
		case !away:
			f.cfg.Logger.Warn("the change log cannot be followed, what is cached stands", "error", err)
		}
		away = err != nil
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
	}
}

// changesAtOnce bounds the changes that are read at once.
const changesAtOnce = 1000

// look tells what follows at, and returns where to go on. What it has told
// before it fails it tells again the next time.
func (f *Follower) look(ctx context.Context, at int64, known bool) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, f.cfg.Timeout)
	defer cancel()
	if !known {
		return f.restart(ctx)
	}
	for {
		changes, err := f.log.Changes(ctx, at, changesAtOnce)
		if errors.Is(err, ErrChangesLost) {
			f.lost.Inc()
			f.cfg.Logger.Warn("changes were missed, all that was cached is forgotten", "after", at)
			return f.restart(ctx)
		}
		if err != nil {
			return at, fmt.Errorf("follow changes after %d: %w", at, err)
		}
		for _, c := range changes {
			f.cfg.Changed(c)
			at = c.Seq
		}
		f.followed.Add(len(changes))
		if len(changes) < changesAtOnce {
			return at, nil
		}
	}
}

// restart forgets everything and goes on behind the last change of before.
func (f *Follower) restart(ctx context.Context) (int64, error) {
	at, err := f.log.LastChange(ctx)
	if err != nil {
		return 0, err
	}
	f.cfg.Lost()
	return at, nil
}
