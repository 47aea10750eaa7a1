package store

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"hearth/whisk"
)

// expirer is what a Janitor needs of an engine.
type expirer interface {
	Lead(ctx context.Context, name string, holder int64, ttl time.Duration) (term int64, err error)
	Resign(ctx context.Context, name string, holder int64) error
	RecordNamespaces(context.Context) ([]whisk.Namespace, error)
	NamespaceLimits(context.Context, whisk.Namespace) (whisk.NamespaceLimits, error)
	ExpireActivations(ctx context.Context, ns whisk.Namespace, before time.Time, max int) (int, error)
	ExpireDeadLetters(ctx context.Context, before time.Time, max int) (int, error)
	SweepCode(ctx context.Context, olderThan time.Time) (int, error)
}

// JanitorConfig are the settings of a [Janitor].
type JanitorConfig struct {
	// RecordsKept is how long the records of a namespace are kept that has no
	// retention of its own, from the start of their runs. 0 is for ever.
	RecordsKept time.Duration
	// DeadKept is how long dead letters are kept, 0 for ever; CodeKept how long
	// code is that nothing names any more.
	DeadKept, CodeKept time.Duration
	// Every is the time from one round to the next. The first one begins so late
	// after the start, so that it does not slow that down.
	Every time.Duration
	// Batch is how many records or dead letters one transaction deletes. After
	// each there is a pause of Rest times as long as it took, and MinRest at
	// least, so that commits need not wait and the disk is not full of this.
	Batch   int
	Rest    int
	MinRest time.Duration
	// Timeout bounds one call of the store.
	Timeout time.Duration

	Logger  *slog.Logger // nil: none
	Metrics *metrics.Set // nil: a new set
}

// DefaultJanitorConfig returns the usual settings.
func DefaultJanitorConfig() JanitorConfig {
	const day = 24 * time.Hour
	return JanitorConfig{
		RecordsKept: 7 * day, DeadKept: 30 * day, CodeKept: day,
		Every: 5 * time.Minute, Batch: 500, Rest: 4, MinRest: 10 * time.Millisecond, Timeout: 30 * time.Second,
	}
}

// Validate reports the first setting that makes no sense.
func (c JanitorConfig) Validate() error {
	for _, v := range []struct {
		name   string
		n, min int64
	}{
		{"records kept", int64(c.RecordsKept), 0}, {"dead letters kept", int64(c.DeadKept), 0}, {"code kept", int64(c.CodeKept), 1},
		{"interval", int64(c.Every), 1}, {"batch", int64(c.Batch), 1}, {"rest", int64(c.Rest), 0}, {"least rest", int64(c.MinRest), 0},
		{"timeout", int64(c.Timeout), 1},
	} {
		if v.n < v.min {
			return fmt.Errorf("store: a janitor's %s must be at least %d, got %d", v.name, v.min, v.n)
		}
	}
	return nil
}

// Janitor deletes what has been kept for long enough. Of the janitors of one
// store one works at a time: it leads the others, under the name "janitor".
type Janitor struct {
	cfg    JanitorConfig
	store  expirer
	holder int64
	m      janitorMetrics
	leads  time.Time // until then for certain, by our own clock
}

// janitorName is what a janitor leads.
const janitorName = "janitor"

// NewJanitor returns a janitor that does nothing until Run. cfg must be valid.
func NewJanitor(cfg JanitorConfig, engine Engine) *Janitor { return newJanitor(cfg, engine) }

func newJanitor(cfg JanitorConfig, store expirer) *Janitor {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Metrics == nil {
		cfg.Metrics = metrics.NewSet()
	}
	var b [8]byte
	rand.Read(b[:]) // never fails since Go 1.24
	return &Janitor{cfg: cfg, store: store, holder: int64(binary.BigEndian.Uint64(b[:])) | 1, m: newJanitorMetrics(cfg.Metrics)}
}

// Run cleans up every so often until ctx ends.
func (j *Janitor) Run(ctx context.Context) error {
	t := time.NewTicker(j.cfg.Every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			j.resign(ctx)
			return ctx.Err()
		case <-t.C:
		}
		began := time.Now()
		err := j.round(ctx)
		switch {
		case ctx.Err() != nil || errors.Is(err, errNotLeading):
		case err != nil:
			j.m.failures.Inc()
			j.cfg.Logger.Warn("not everything could be cleaned up", "error", err)
		default:
			j.m.rounds.Inc()
			j.m.seconds.UpdateDuration(began)
		}
	}
}

var errNotLeading = errors.New("another janitor is at work")

// lead sees to it that no other janitor works for a while.
func (j *Janitor) lead(ctx context.Context) error {
	ttl := 3 * j.cfg.Timeout
	if time.Until(j.leads) > ttl/2 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, j.cfg.Timeout)
	defer cancel()
	asked := time.Now()
	term, err := j.store.Lead(ctx, janitorName, j.holder, ttl)
	if err != nil {
		return err
	}
	if term == 0 {
		return errNotLeading
	}
	j.leads = asked.Add(ttl)
	return nil
}

func (j *Janitor) resign(ctx context.Context) {
	if !time.Now().Before(j.leads) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = j.store.Resign(ctx, janitorName, j.holder) // else it runs out
}
