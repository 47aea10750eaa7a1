package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"hearth/api"
	"hearth/auth"
	"hearth/flow"
	"hearth/router"
	"hearth/store"
	"hearth/whisk"
)

// routerSide is all of a router process but its invokers.
type routerSide struct {
	flags      *routerFlags
	data       *dataDir
	log        *slog.Logger
	metrics    *metrics.Set
	engine     store.Engine
	keys       *auth.Keyring
	auth       *auth.Authenticator
	accounts   *auth.Accounts
	entities   *store.Entities
	rights     *auth.Entitlement
	follower   *store.Follower
	recorder   *store.Recorder
	router     *router.Router
	flow       *flow.Flow
	alarms     *flow.Alarms
	api        *api.Server
	guest      whisk.AuthKey
	guestOpens bool // the key opens its namespace: nobody has taken it away
	invokers   int  // how many there are; 0: the one in this process
}

// newRouterSide opens the store and joins the packages. invokers is how many
// processes run actions for it; 0 says that this one does, so that no run of an
// earlier life can still be under way.
func newRouterSide(ctx context.Context, f *routerFlags, data *dataDir, log *slog.Logger, invokers int) (_ *routerSide, err error) {
	s := &routerSide{flags: f, data: data, log: log, metrics: metrics.NewSet(), invokers: invokers}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.engine, err = f.storage.open(ctx, data, false, log, s.metrics); err != nil {
		return s, err
	}
	if err := s.openAccounts(ctx); err != nil {
		return s, err
	}
	if err := s.openEntities(); err != nil {
		return s, err
	}
	rc := store.DefaultRecorderConfig()
	rc.Logger, rc.Metrics = log, s.metrics
	s.recorder = store.NewRecorder(s.engine, rc)

	routing := router.DefaultConfig()
	routing.Logger, routing.Metrics = log, s.metrics
	if invokers == 0 {
		routing.AbsentAfter = 0 // the one invoker there is joins before the first call
	}
	if err := routing.Validate(); err != nil {
		return s, err
	}
	s.router = router.New(routing, s.entities, s.recorder)

	fc := flow.DefaultConfig()
	fc.Alone, fc.DrainBudget, fc.Logger, fc.Metrics = invokers == 0 && !f.storage.shared(), f.drain, log, s.metrics
	if !f.storage.shared() {
		fc.Gone = s.gone
	}
	fc.Hold = f.holdQueue
	fc.QueueWait, fc.SequenceLength = routing.MaxAge, f.limits.SequenceLength
	if err := fc.Validate(); err != nil {
		return s, err
	}
	throttle := auth.NewThrottle(auth.ThrottleConfig{Disabled: f.noThrottle, Metrics: s.metrics})
	s.flow = flow.New(fc, flow.Deps{
		Invoker: s.router, Queue: s.recorder, Rows: s.engine, Recorder: s.recorder, Sealer: s.keys, Keys: s.auth,
		Actions: s.rights, Throttle: throttle, Identities: s.auth, Runtimes: s.router.Runtimes, Builtins: s.builtins(),
	})
	s.alarms = s.newAlarms(throttle)

	ac := api.DefaultConfig()
	ac.Limits, ac.Logger, ac.Metrics = f.limits.SystemLimits, log, s.metrics
	ac.BodyBudget = max(ac.BodyBudget, 2*ac.Limits.EntitySize, 2*ac.Limits.PayloadSize)
	ac.VanityDomain = f.vanityDomain
	ac.SharedExecuteOnly = f.executeOnly
	ac.Build, ac.BuildNo = buildDate(), "hearth-"+buildVersion()
	s.api, err = api.New(ac, api.Deps{
		Auth: s.auth, Owners: s.auth, Throttle: throttle,
		Rights: s.rights, Entities: s.entities, APIs: s.entities, Records: s.recorder, Flow: s.flow, DeadLetters: s.engine, CheckKind: auth.CheckKind, Runtimes: s.router.Runtimes,
	})
	return s, err
}

func (s *routerSide) openEntities() error {
	encrypt, err := encryption(s.flags.encrypt)
	if err != nil {
		return err
	}
	cfg := store.EntitiesConfig{Sealer: s.keys, Encrypt: encrypt, Metrics: s.metrics}
	if err := cfg.Validate(); err != nil {
		return err
	}
	s.entities = store.NewEntities(s.engine, cfg)
	s.rights = auth.NewEntitlement(s.entities, s.auth)
	return s.follow()
}

func (s *routerSide) openAccounts(ctx context.Context) error {
	var err error
	if s.keys, err = openKeys(ctx, s.flags.masterKey, s.data, s.engine); err != nil {
		return err
	}
	cfg := auth.DefaultConfig()
	cfg.Keys, cfg.Limits, cfg.Logger, cfg.Metrics = s.keys, s.flags.limits.SystemLimits, s.log, s.metrics
	if s.auth, err = auth.New(cfg, s.engine); err != nil {
		return err
	}
	s.accounts = auth.NewAccounts(s.keys, s.engine, s.auth)
	given, err := s.flags.guest()
	if err != nil {
		return err
	}
	if s.guest, err = seedAccounts(ctx, s.accounts, s.engine, s.data, given); err != nil {
		return err
	}
	_, err = s.accounts.Whois(ctx, s.guest)
	s.guestOpens = err == nil
	if errors.Is(err, auth.ErrUnknownKey) {
		err = nil
	}
	return err
}

// start starts the stages up to flow; join brings the invokers in.
func (s *routerSide) start(ctx context.Context, st *stages, join func()) error {
	st.start("recorder", s.recorder.Run)
	janitor, err := s.newJanitor()
	if err != nil {
		return err
	}
	st.start("janitor", janitor.Run)
	st.start("changes", s.follower.Run)
	st.start("router", s.router.Run)
	join()
	// What journals hold is recorded before flow settles what is left open.
	if err := s.router.Collect(ctx); err != nil {
		s.log.Warn("not all invokers could be asked for records yet", "error", err)
	}
	st.start("flow", s.flow.Run)
	whole, err := s.installCatalog(ctx)
	if err != nil {
		return err
	}
	if !whole {
		st.start("catalog", s.completeCatalog)
	}
	st.start("alarms", s.alarms.Run)
	return ctx.Err()
}

// awaitInvokers gives the first connections a moment, so that a router that is
// ready can run something and knows what its invokers know.
func (s *routerSide) awaitInvokers(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	t := time.NewTicker(5 * time.Millisecond)
	defer t.Stop()
	for len(s.router.Hellos()) < s.invokers {
		select {
		case <-ctx.Done():
			s.log.Warn("not all invokers are there yet", "connected", len(s.router.Hellos()), "want", s.invokers)
			return
		case <-t.C:
		}
	}
}

// gone reports whether no invoker knows a call. Only a router whose list of
// invokers is all there is can tell.
func (s *routerSide) gone(ctx context.Context, id whisk.ActivationID) bool {
	return len(s.router.Hellos()) == s.invokers && s.router.Gone(ctx, id)
}

// health returns an error while no invoker is there.
func (s *routerSide) health() error {
	if len(s.router.Hellos()) == 0 {
		return errors.New("no invoker is connected")
	}
	return nil
}

// lateAnswers is how long after --drain requests may be answered whose runs
// were stopped then.
const lateAnswers = 3 * time.Second

// serve starts the stage that takes requests.
func (s *routerSide) serve(st *stages, listeners ...net.Listener) error {
	cfg := api.DefaultFrontConfig()
	// Runs have --drain from now; what they are answered with comes a bit later.
	cfg.Drain, cfg.Logger, cfg.Metrics = s.flags.drain+lateAnswers, s.log, s.metrics
	front, err := api.NewFront(cfg, s.api.Handler())
	if err != nil {
		return err
	}
	st.start("http", func(ctx context.Context) error {
		defer context.AfterFunc(ctx, s.flow.BeginDrain)()
		return front.Serve(ctx, listeners...)
	})
	return nil
}

// newJanitor returns the one who removes what nobody needs any more.
func (s *routerSide) newJanitor() (*store.Janitor, error) {
	cfg := store.DefaultJanitorConfig()
	cfg.RecordsKept, cfg.DeadKept = time.Duration(s.flags.recordsKept), time.Duration(s.flags.deadKept)
	cfg.Logger, cfg.Metrics = s.log, s.metrics
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return store.NewJanitor(cfg, s.engine), nil
}

func (s *routerSide) close() error {
	if s.engine == nil {
		return nil
	}
	return s.engine.Close()
}

// serveOps starts the operator's listener as a stage.
func serveOps(st *stages, ln net.Listener, h http.Handler) {
	st.start("ops", func(ctx context.Context) error {
		srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 64 << 10}
		stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
		defer stop()
		if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return ctx.Err()
	})
}
