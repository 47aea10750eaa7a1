package api

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/VictoriaMetrics/metrics"

	"hearth/whisk"
)

// Config is how the API behaves. Start from [DefaultConfig].
type Config struct {
	// Limits are the operator's bounds. What holds for one caller comes with
	// its identity; these are published at GET / and bound what is read
	// before an entity is known.
	Limits whisk.SystemLimits

	// BodyBudget is how many bytes of request bodies, and of code on its way
	// out, may be in memory at once in this process. A request beyond it gets
	// 503, and so does one that would give its namespace more than half of it in
	// pieces of over 64 KB. It must hold at least two entities of the largest
	// size, since a buffer that grows is copied. Raising it costs that much
	// memory under load.
	BodyBudget int64

	// SharedExecuteOnly lets others invoke what is in a published package, and
	// not see it.
	SharedExecuteOnly bool

	// Build and BuildNo are shown at GET /api/v1. Clients expect Build to be
	// a date, so it begins with "20". That BuildNo begins with "hearth" tells
	// clients whose deviations from OpenWhisk to expect.
	Build, BuildNo string

	// VanityDomain is the domain below which each namespace has a host of its
	// own for its web actions: with "example.com", that of the namespace guest
	// is guest.example.com. "": there are no such hosts.
	VanityDomain string

	Logger  *slog.Logger // nil discards
	Metrics *metrics.Set // nil makes one that nobody reads
}

// DefaultConfig returns OpenWhisk's limits and a budget of 512 MB.
func DefaultConfig() Config {
	return Config{
		Limits:     whisk.DefaultSystemLimits(),
		BodyBudget: 512 << 20,
		Build:      "2026-01-01T00:00:00Z",
		BuildNo:    "hearth",

		VanityDomain: "localhost",
	}
}

// Validate reports the first setting that makes no sense.
func (c Config) Validate() error {
	if err := c.Limits.Validate(); err != nil {
		return err
	}
	if least := 2 * max(c.Limits.EntitySize, c.Limits.PayloadSize); c.BodyBudget < least {
		return fmt.Errorf("body budget is %d bytes, want at least %d, twice the largest request", c.BodyBudget, least)
	}
	if !strings.HasPrefix(c.Build, "20") {
		return fmt.Errorf("build %q is not a date", c.Build)
	}
	return nil
}

// Deps are the packages that the API stands on. All are needed.
type Deps struct {
	Auth     authenticator
	Owners   owners
	Throttle throttle
	Rights   rights
	Entities entities
	APIs     apis
	Records  records
	Flow     flow

	DeadLetters deadLetters

	// CheckKind returns an error of kind Forbidden if the caller may not use
	// actions of the kind.
	CheckKind func(id *whisk.Identity, kind string) error

	// Runtimes returns the manifest as it stands; called often, so it should
	// be a snapshot.
	Runtimes func() whisk.Runtimes
}

func (d Deps) validate() error {
	for name, missing := range map[string]bool{
		"Auth": d.Auth == nil, "Owners": d.Owners == nil, "Throttle": d.Throttle == nil, "Rights": d.Rights == nil, "Entities": d.Entities == nil, "APIs": d.APIs == nil, "Records": d.Records == nil,
		"Flow": d.Flow == nil, "DeadLetters": d.DeadLetters == nil, "CheckKind": d.CheckKind == nil, "Runtimes": d.Runtimes == nil,
	} {
		if missing {
			return fmt.Errorf("dependency %s is missing", name)
		}
	}
	return nil
}

// authenticator finds out who holds a key. A wrong key is an error of kind
// Unauthenticated.
type authenticator interface {
	Authenticate(ctx context.Context, key whisk.AuthKey) (*whisk.Identity, error)
}
