package auth

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"hearth/whisk"
)

// Config is an Authenticator's.
type Config struct {
	// Keys compare credentials and open them.
	Keys *Keyring

	// Limits are the system's; each identity gets them with its namespace's
	// overrides laid over.
	Limits whisk.SystemLimits

	// Identities bounds the cached identities that were opened with the right
	// key, about 500 bytes each. The least recently used are dropped.
	Identities int

	// IdentityTTL is how long one of those stands without a look at the store.
	// A change made by this process shows at once whatever it is.
	IdentityTTL time.Duration

	// Unproven bounds the lookups that are remembered though no right key came
	// for them: unknown uuids, blocked credentials, wrong keys.
	Unproven int

	// UnprovenTTL is how long those are remembered, and also how long an
	// expired identity stands before the store is asked again while it is away.
	UnprovenTTL time.Duration

	// Lookups bounds the questions to the store at any one time; more wait.
	Lookups int

	// LookupTimeout bounds one question, waiting for its turn included.
	LookupTimeout time.Duration

	Logger  *slog.Logger // nil: discarded
	Metrics *metrics.Set // nil: a set of its own
}

// DefaultConfig returns everything but the keys.
func DefaultConfig() Config {
	return Config{
		Limits:        whisk.DefaultSystemLimits(),
		Identities:    100_000,
		IdentityTTL:   time.Minute,
		Unproven:      8_192,
		UnprovenTTL:   5 * time.Second,
		Lookups:       16,
		LookupTimeout: 5 * time.Second,
	}
}

// Validate reports the first setting that makes no sense.
func (c Config) Validate() error {
	if c.Keys == nil {
		return errors.New("auth: the keys are missing")
	}
	if err := c.Limits.Validate(); err != nil {
		return fmt.Errorf("auth: %w", err)
	}
	for _, v := range []struct {
		name string
		n    int64
	}{
		{"cached identities", int64(c.Identities)}, {"identity lifetime", int64(c.IdentityTTL)},
		{"unproven lookups", int64(c.Unproven)}, {"unproven lifetime", int64(c.UnprovenTTL)},
		{"lookups at a time", int64(c.Lookups)}, {"lookup timeout", int64(c.LookupTimeout)},
	} {
		if v.n <= 0 {
			return fmt.Errorf("auth: %s must be greater than 0, got %d", v.name, v.n)
		}
	}
	return nil
}
