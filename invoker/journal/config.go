package journal

import (
	"errors"
	"log/slog"
	"time"
)

// Config says where a journal lives and how large it may get.
type Config struct {
	// Dir holds the segments; it is created, for its owner alone. One process
	// at a time has it, by a lock on the file "lock".
	Dir string

	// MaxBytes is the size on disk from which Full reports true, so that no
	// new work is taken. Records of work under way are still taken up to twice
	// as much. It is what a store that is away for a while may cost.
	MaxBytes int64

	// SegmentBytes is the size at which the next segment is begun. The smaller
	// it is, the sooner disk comes free, and the more files there are.
	SegmentBytes int64

	// FsyncInterval is how often Run syncs what is unacknowledged to disk. It
	// bounds what a loss of power can lose; kill -9 loses nothing at any value.
	FsyncInterval time.Duration

	// Logger gets damage and failures; nil discards.
	Logger *slog.Logger
}

// DefaultConfig returns the settings of a server, without a directory.
func DefaultConfig() Config {
	return Config{MaxBytes: 256 << 20, SegmentBytes: 8 << 20, FsyncInterval: time.Second}
}

// Validate reports the first setting that makes no sense.
func (c Config) Validate() error {
	switch {
	case c.Dir == "":
		return errors.New("journal: no directory given")
	case c.SegmentBytes <= 0:
		return errors.New("journal: the segment size must be greater than 0")
	case c.MaxBytes < c.SegmentBytes:
		return errors.New("journal: the maximal size must hold a segment")
	case c.FsyncInterval <= 0:
		return errors.New("journal: the fsync interval must be greater than 0")
	}
	return nil
}
