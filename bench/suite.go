package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"hearth/client"
	"hearth/whisk"
)

// SuiteConfig says how scenarios are run. Start from [DefaultSuiteConfig].
type SuiteConfig struct {
	// Exe is this program, which servers and floors are started from.
	Exe string
	Env []string // their environment; nil is this process's

	// Database makes an empty PostgreSQL database for a server and returns its
	// DSN and what drops it; nil leaves out what needs one.
	Database func(context.Context) (dsn string, drop func(context.Context) error, err error)

	// Host and Key name an OpenWhisk server to measure instead of servers that
	// are started; cases that need a server of their own are then left out.
	Host, Key string
	Insecure  bool // accept any certificate of Host

	Rounds   int           // of each case
	Duration time.Duration // of each measurement
	Settle   time.Duration // load before the first round
	Warmup   time.Duration // load before each measurement
	Quick    bool          // make all counts small: to see that all works, not how fast
	Seed     uint64

	// Profile is a folder for CPU profiles of the servers that are started,
	// one for each case, taken during the last round. "" takes none.
	Profile string

	// Say tells what is being done, one line at a time; may be nil.
	SoFar func([]Row) // is given all rows after each scenario; nil: nobody is
	Say   func(line string)
	// Watch returns what shows the progress of one measurement; may be nil.
	Watch func(title string) func(Progress)
}

// DefaultSuiteConfig returns what is used for figures to be published.
func DefaultSuiteConfig() SuiteConfig {
	return SuiteConfig{Rounds: 5, Duration: 5 * time.Second, Settle: 3 * time.Second, Warmup: time.Second, Seed: 1}
}

// QuickSuiteConfig returns what shows in little time that all works.
func QuickSuiteConfig() SuiteConfig {
	return SuiteConfig{Rounds: 1, Duration: 300 * time.Millisecond, Settle: 100 * time.Millisecond, Quick: true, Seed: 1}
}

// Validate reports the first setting that makes no sense.
func (c SuiteConfig) Validate() error {
	switch {
	case c.Exe == "":
		return errors.New("bench: no program to start servers from")
	case c.Rounds < 1 || c.Rounds > 1000:
		return fmt.Errorf("bench: %d rounds: must be within 1 and 1000", c.Rounds)
	case c.Duration <= 0 || c.Settle < 0 || c.Warmup < 0:
		return errors.New("bench: the duration must be above 0, settling and warm-up not below")
	case c.Host != "" && !strings.Contains(c.Key, ":"):
		return errors.New("bench: a host needs a key, UUID:KEY")
	}
	return nil
}

// Suite runs scenarios: it starts servers and floors, measures them in
// interleaved rounds, and stops them.
type Suite struct {
	cfg SuiteConfig
}

// NewSuite returns a suite; it starts nothing yet.
func NewSuite(cfg SuiteConfig) (*Suite, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Say == nil {
		cfg.Say = func(string) {}
	}
	if cfg.Watch == nil {
		cfg.Watch = func(string) func(Progress) { return nil }
	}
	return &Suite{cfg: cfg}, nil
}

// Run runs the scenarios one after the other and returns their rows. What a
// scenario could not measure is in its rows; an error ends the run, with the
// rows so far.
func (s *Suite) Run(ctx context.Context, list []*Scenario) ([]Row, error) {
	var rows []Row
	for i, sc := range list {
		s.cfg.Say(fmt.Sprintf("[%d/%d] %s: %s", i+1, len(list), sc.Name, sc.Title))
		r, err := s.scenario(ctx, sc)
		rows = append(rows, r...)
		if s.cfg.SoFar != nil {
			s.cfg.SoFar(rows)
		}
		if err != nil {
			return rows, fmt.Errorf("scenario %s: %w", sc.Name, err)
		}
	}
	return rows, nil
}

// stage is one scenario while it runs.
type stage struct {
	*Suite
	sc      *Scenario
	servers map[Server]*server
	floors  map[string]*server
	ready   map[string]*prepared // by subject
	made    map[*server]map[whisk.ActionName]bool
	results map[string][]*Result // by subject, a result a round
	skipped map[string]string    // cases that cannot be measured, and why
}

func (s *Suite) scenario(ctx context.Context, sc *Scenario) (rows []Row, err error) {
	if sc.Needs != "" {
		return []Row{{Scenario: sc.Name, Name: sc.Title, NA: "needs " + sc.Needs}}, nil
	}
	st := &stage{
		Suite: s, sc: sc, servers: map[Server]*server{}, floors: map[string]*server{},
		ready: map[string]*prepared{}, made: map[*server]map[whisk.ActionName]bool{}, results: map[string][]*Result{}, skipped: map[string]string{},
	}
	defer func() { err = errors.Join(err, st.stop()) }()
	for round := range s.cfg.Rounds {
		for i := range sc.Cases {
			if s.cfg.Quick && sc.Cases[i].rung {
				st.skipped[sc.Cases[i].Name] = "left out of a quick run"
				continue
			}
			if err := st.measure(ctx, &sc.Cases[i], round); err != nil {
				return st.rows(), fmt.Errorf("%s: %w", sc.Cases[i].Name, err)
			}
		}
	}
	return st.rows(), nil
}

// stop stops all servers and floors, and removes what was made on a server
// that was there before.
func (st *stage) stop() error {
	var errs []error
	for _, m := range st.ready {
		errs = append(errs, m.close())
	}
	for _, s := range slices.Collect(maps.Values(st.servers)) {
		errs = append(errs, s.stop())
	}
	for _, s := range slices.Collect(maps.Values(st.floors)) {
		errs = append(errs, s.stop())
	}
	return errors.Join(errs...)
}

// server returns the server that a case needs, started if need be. A reason
// says why there is none.
func (st *stage) server(ctx context.Context, spec Server) (s *server, reason string, err error) {
	if s := st.servers[spec]; s != nil {
		return s, "", s.alive()
	}
	if st.cfg.Host != "" {
		if spec != (Server{}) {
			return nil, "needs " + spec.String() + ", started by bench itself", nil
		}
		u, err := client.BaseURL(st.cfg.Host)
		if err != nil {
			return nil, "", err
		}
		s = &server{url: strings.TrimSuffix(u.String(), "/api"), key: st.cfg.Key}
	} else {
		if spec.Store == "postgres" && st.cfg.Database == nil {
			return nil, "needs a PostgreSQL database: give the DSN of one in HEARTH_STORE_DSN", nil
		}
		st.cfg.Say("  starting " + spec.String())
		if s, err = startServer(ctx, program{st.cfg.Exe, st.cfg.Env, st.cfg.Database}, spec); err != nil {
			return nil, "", err
		}
	}
	st.servers[spec] = s
	return s, "", nil
}

// floor returns a floor, started if need be.
func (st *stage) floor(ctx context.Context, name string) (*server, error) {
	if s := st.floors[name]; s != nil {
		return s, s.alive()
	}
	s, err := startFloor(ctx, program{exe: st.cfg.Exe, env: st.cfg.Env}, name)
	if err != nil {
		return nil, err
	}
	st.floors[name] = s
	return s, nil
}

// floorsOf returns the floors that a case's figures are set against.
func (c *Case) floorsOf() []string {
	var names []string
	for _, f := range c.Figures {
		if name, ok := strings.CutPrefix(f.Over, "floor "); ok && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// client returns a client for a server.
func (s *server) client(insecure bool) (*client.Client, error) {
	cfg := client.DefaultConfig()
	cfg.Host, cfg.UserAgent, cfg.Insecure = s.url, "hearth-bench", insecure
	cfg.Key.UUID, cfg.Key.Key, _ = strings.Cut(s.key, ":")
	return client.New(cfg)
}

// isLocal reports whether a URL leads to this machine.
func isLocal(base string) bool {
	u, err := url.Parse(base)
	if err != nil {
		return false
	}
	h := u.Hostname()
	return h == "localhost" || h == "::1" || strings.HasPrefix(h, "127.")
}
