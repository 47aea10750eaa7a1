package store

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// RecorderConfig are the settings of a [Recorder]. Zero fields take the values
// of [DefaultRecorderConfig].
type RecorderConfig struct {
	// MaxPending and MaxPendingBytes bound what waits for its commit. Beyond
	// them records are dropped, which their invokers' journals outlive, and
	// queue rows refused. Raising them costs that much memory when the
	// database is down.
	MaxPending      int
	MaxPendingBytes int64
	// MaxBatch and MaxBatchBytes bound one commit, and so how long a queue row
	// may wait for the commit before its own.
	MaxBatch      int
	MaxBatchBytes int64
	// Linger is how long a record may wait for others to share its commit,
	// which costs about as much as ten records. Nobody waits for a record
	// alone; whatever somebody waits for goes at once, and takes the records
	// with it. Negative is no lingering.
	//
	// Under load a commit lingers on, up to BusyLinger, for as long as many
	// records keep coming: the pages that a commit changes and the disk's
	// flush cost about as much for 1000 records as for 50.
	Linger, BusyLinger time.Duration
	// CommitTimeout bounds one attempt of a commit; RetryMin and RetryMax are
	// the pauses after failed ones, doubling.
	CommitTimeout      time.Duration
	RetryMin, RetryMax time.Duration
	// FlushTimeout bounds how long Run goes on for what is pending when its
	// context ends.
	FlushTimeout time.Duration
	// ReadWait bounds how long a list waits for what is pending.
	ReadWait time.Duration

	Logger  *slog.Logger // nil: none
	Metrics *metrics.Set // nil: a new set
}

// DefaultRecorderConfig returns the usual settings.
func DefaultRecorderConfig() RecorderConfig {
	return RecorderConfig{
		MaxPending: 1 << 16, MaxPendingBytes: 64 << 20,
		MaxBatch: 4096, MaxBatchBytes: 16 << 20,
		Linger:        20 * time.Millisecond,
		BusyLinger:    100 * time.Millisecond,
		CommitTimeout: 30 * time.Second,
		RetryMin:      10 * time.Millisecond, RetryMax: time.Second,
		FlushTimeout: 10 * time.Second,
		ReadWait:     time.Second,
	}
}

// Validate reports the first setting that makes no sense.
func (c RecorderConfig) Validate() error {
	for _, v := range []struct {
		name string
		n    int64
	}{
		{"maximum pending", int64(c.MaxPending)}, {"maximum pending bytes", c.MaxPendingBytes},
		{"maximum batch", int64(c.MaxBatch)}, {"maximum batch bytes", c.MaxBatchBytes},
		{"commit timeout", int64(c.CommitTimeout)}, {"retry minimum", int64(c.RetryMin)},
		{"retry maximum", int64(c.RetryMax)}, {"flush timeout", int64(c.FlushTimeout)},
		{"read wait", int64(c.ReadWait)},
	} {
		if v.n < 0 {
			return fmt.Errorf("store: %s must not be negative, got %d", v.name, v.n)
		}
	}
	return nil
}

func (c RecorderConfig) withDefaults() RecorderConfig {
	def := DefaultRecorderConfig()
	for _, v := range []struct{ have, def *int }{{&c.MaxPending, &def.MaxPending}, {&c.MaxBatch, &def.MaxBatch}} {
		if *v.have == 0 {
			*v.have = *v.def
		}
	}
	for _, v := range []struct{ have, def *int64 }{{&c.MaxPendingBytes, &def.MaxPendingBytes}, {&c.MaxBatchBytes, &def.MaxBatchBytes}} {
		if *v.have == 0 {
			*v.have = *v.def
		}
	}
	for _, v := range []struct{ have, def *time.Duration }{
		{&c.Linger, &def.Linger}, {&c.BusyLinger, &def.BusyLinger}, {&c.CommitTimeout, &def.CommitTimeout}, {&c.RetryMin, &def.RetryMin},
		{&c.RetryMax, &def.RetryMax}, {&c.FlushTimeout, &def.FlushTimeout}, {&c.ReadWait, &def.ReadWait},
	} {
		if *v.have == 0 {
			*v.have = *v.def
		}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Metrics == nil {
		c.Metrics = metrics.NewSet()
	}
	return c
}

// busyRecords is how many records must come in half of Linger for a commit to
// linger on.
const busyRecords = 16

// lingers returns after what time to look again whether to commit entries of
// which the oldest has this age and so many have come since the last look; 0
// is now.
func (c RecorderConfig) lingers(age time.Duration, came int) time.Duration {
	switch {
	case age < c.Linger:
		return min(max(c.Linger/2, 1), c.Linger-age)
	case c.Linger > 0 && came >= busyRecords && age < c.BusyLinger:
		return min(max(c.Linger/2, 1), c.BusyLinger-age)
	}
	return 0
}
