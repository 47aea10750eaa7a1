package process

import (
	"errors"
	"log/slog"
	"path/filepath"
	"time"
)

// defaultPids bounds the processes and threads of a sandbox, as OpenWhisk does.
const defaultPids = 1024

// Config configures a [Driver].
type Config struct {
	// Dir holds the sandboxes' folders and the launchers. It belongs to this
	// driver alone: what an earlier life left in it is removed. As root, where
	// the sandboxes' user ids cannot get through to it, a folder below
	// FallbackDir takes its place.
	Dir string

	// FallbackDir, see Dir. It may be made and removed again.
	FallbackDir string

	// LockDir is where the invokers of a host agree, as root, on who has which
	// user ids. It must be the same for all of them.
	LockDir string

	// SearchPath lists the folders in which interpreters are looked for, the
	// first that serves is taken. A program that is a script (such as a
	// version manager's shim) never is.
	SearchPath []string

	// NodeModules is a folder of npm modules that nodejs actions can load besides
	// those they bring; "" is none. Sandboxes read it where it is, or, where
	// their user ids cannot, a copy that New makes in Dir.
	NodeModules string

	// StartTimeout is how long a launcher may take until it answers.
	StartTimeout time.Duration

	// Logger may be nil.
	Logger *slog.Logger
}

// DefaultConfig returns a Config for the folder, as invokers use it.
func DefaultConfig(dir string) Config {
	return Config{
		Dir:          dir,
		FallbackDir:  "/var/lib/hearth",
		LockDir:      "/run/hearth",
		SearchPath:   []string{"/usr/bin", "/usr/local/bin", "/bin"},
		StartTimeout: 20 * time.Second,
	}
}

// Validate reports the first setting that makes no sense.
func (c Config) Validate() error {
	switch {
	case c.Dir == "":
		return errors.New("process driver: no folder given")
	case c.StartTimeout <= 0:
		return errors.New("process driver: the start timeout must be greater than 0")
	}
	for _, d := range c.SearchPath {
		if !filepath.IsAbs(d) {
			return errors.New("process driver: the search path must hold absolute folders only, not " + d)
		}
	}
	return nil
}
