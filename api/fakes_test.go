package api

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"hearth/auth"
	"hearth/store"
	"hearth/whisk"
)

// world is an API over real entities and rights, and fakes of all else that it
// stands on.
type world struct {
	t      testing.TB
	server *Server
	*store.Entities
	engine *store.None

	mu       sync.Mutex
	ids      map[whisk.AuthKey]*whisk.Identity
	lostCode bool // no code can be read
	records  []*whisk.Activation
	runtimes whisk.Runtimes
	putErr   error  // of the next PutAction
	onPut    func() // if not nil, PutAction calls it first
	queries  []whisk.ActivationQuery
	charges  int // invocations charged
	inFlight int
	refuse   error // of the throttle
	fires    []whisk.Fire
	fireErr  error

	invoke func(ctx context.Context, c *whisk.Call, wait time.Duration, ended func()) (*whisk.Activation, error)
	submit func(ctx context.Context, c *whisk.Call, ended func()) error
	cancel func(ns whisk.Namespace, id whisk.ActivationID) (*whisk.Activation, error)
	redone []whisk.ActivationID // dead letters that were redriven
}

var (
	aliceKey = whisk.AuthKey{UUID: "11111111-1111-4111-8111-111111111111", Key: strings.Repeat("a", 64)}
	bobKey   = whisk.AuthKey{UUID: "22222222-2222-4222-8222-222222222222", Key: strings.Repeat("b", 64)}
)

func identity(name string, k whisk.AuthKey, l whisk.SystemLimits) *whisk.Identity {
	return &whisk.Identity{Subject: name + "-subject", Namespace: whisk.Namespace(name), UUID: k.UUID, Limits: l}
}

func newWorld(t testing.TB, change ...func(*Config)) *world {
	t.Helper()
	cfg := DefaultConfig()
	for _, c := range change {
		c(&cfg)
	}
	engine := store.NewNone()
	w := &world{
		t: t, engine: engine, Entities: store.NewEntities(engine, store.EntitiesConfig{}),
		ids: map[whisk.AuthKey]*whisk.Identity{
			aliceKey: identity("alice", aliceKey, cfg.Limits),
			bobKey:   identity("bob", bobKey, cfg.Limits),
		},
		runtimes: whisk.NewRuntimes([]whisk.Runtime{
			{Kind: "nodejs:18", Image: "n18"}, {Kind: "nodejs:20", Image: "n20", Default: true, Attached: true},
			{Kind: "python:3", Image: "p3", Default: true},
			{Kind: "nodejs:6", Image: "n6", Deprecated: true},
			{Kind: "java:8", Image: "j8", Default: true, Attached: true, RequireMain: true},
		}),
	}
	s, err := New(cfg, Deps{
		Auth: w, Owners: w, Throttle: counters{w}, Rights: auth.NewEntitlement(w, w), Entities: w, APIs: w, Records: w, Flow: w, DeadLetters: engine,
		CheckKind: auth.CheckKind,
		Runtimes:  func() whisk.Runtimes { return w.runtimes },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.server = s
	return w
}

func (w *world) Authenticate(_ context.Context, k whisk.AuthKey) (*whisk.Identity, error) {
	if id, ok := w.ids[k]; ok {
		return id, nil
	}
	return nil, &whisk.Error{Kind: whisk.Unauthenticated}
}

func (w *world) Owner(_ context.Context, ns whisk.Namespace) (*whisk.Identity, error) {
	for _, id := range w.ids {
		if id.Namespace == ns {
			return id, nil
		}
	}
	return nil, whisk.ErrNotFound
}

func (w *world) Invocation(id *whisk.Identity) (func(), error) {
	if err := w.Charge(id); err != nil {
		return nil, err
	}
	return w.Begin(id)
}

func (w *world) Charge(*whisk.Identity) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.charges++
	return w.refuse
}

func (w *world) Begin(*whisk.Identity) (func(), error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refuse != nil {
		return nil, w.refuse
	}
	w.inFlight++
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.inFlight--
	}, nil
}

// counters charges a world.
type counters struct{ *world }

// Fire charges the firing of a trigger.
func (c counters) Fire(*whisk.Identity) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.charges++
	return c.refuse
}

// Fire notes it, if the trigger has an active rule.
func (w *world) Fire(_ context.Context, e whisk.Fire) (whisk.ActivationID, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range e.Trigger.Rules {
		if l.Active {
			w.fires = append(w.fires, e)
			return id(9), w.fireErr
		}
	}
	return whisk.ActivationID{}, nil
}

// Identity returns who holds the credential of that uuid.
func (w *world) Identity(_ context.Context, uuid string) (*whisk.Identity, error) {
	for _, id := range w.ids {
		if id.UUID == uuid {
			return id, nil
		}
	}
	return nil, &whisk.Error{Kind: whisk.Unauthenticated}
}

func (w *world) PutAction(ctx context.Context, a *whisk.Action, code []byte, ifRevision int64) (*whisk.Action, error) {
	if w.onPut != nil {
		w.onPut()
	}
	if err := w.putErr; err != nil {
		w.putErr = nil
		return nil, err
	}
	return w.Entities.PutAction(ctx, a, code, ifRevision)
}

func (w *world) Code(ctx context.Context, d whisk.Digest) ([]byte, error) {
	if w.lostCode {
		return nil, whisk.ErrNotFound
	}
	return w.Entities.Code(ctx, d)
}

// stored returns an action of alice's.
func (w *world) stored(name string) *whisk.Action {
	w.t.Helper()
	a, err := w.Action(w.t.Context(), alices(name))
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

// count returns how many actions alice has.
func (w *world) count() int {
	w.t.Helper()
	n, err := w.CountActions(w.t.Context(), "alice", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func part[T any](all []T, skip, limit int) []T {
	all = all[min(skip, len(all)):]
	return all[:min(limit, len(all))]
}

func (w *world) Activation(_ context.Context, ns whisk.Namespace, id whisk.ActivationID) (*whisk.Activation, error) {
	for _, r := range w.records {
		if r.Namespace == ns && r.ID == id {
			return r, nil
		}
	}
	return nil, whisk.ErrNotFound
}

func (w *world) Activations(_ context.Context, q whisk.ActivationQuery) ([]*whisk.Activation, error) {
	w.queries = append(w.queries, q)
	return part(w.records, q.Skip, q.Limit), nil
}

func (w *world) CountActivations(_ context.Context, q whisk.ActivationQuery) (int, error) {
	w.queries = append(w.queries, q)
	return len(w.records), nil
}

func (w *world) Invoke(ctx context.Context, c *whisk.Call, wait time.Duration, ended func()) (*whisk.Activation, error) {
	if w.invoke != nil {
		return w.invoke(ctx, c, wait, ended)
	}
	defer ended()
	return w.run(c, whisk.Response{Result: c.Args, Size: len(c.Args)}), nil
}

func (w *world) Submit(ctx context.Context, c *whisk.Call, ended func()) error {
	if w.submit != nil {
		return w.submit(ctx, c, ended)
	}
	ended()
	return nil
}

// run returns the record of a call that answered with r.
func (w *world) Cancel(_ context.Context, ns whisk.Namespace, id whisk.ActivationID) (*whisk.Activation, error) {
	return w.cancel(ns, id)
}

func (w *world) Redrive(_ context.Context, by *whisk.Identity, _ string, dead whisk.ActivationID, ended func()) (whisk.ActivationID, error) {
	if _, err := w.engine.DeadLetter(context.Background(), by.Namespace, dead); err != nil {
		return whisk.ActivationID{}, err
	}
	w.redone = append(w.redone, dead)
	ended()
	return id(99), nil
}

func (w *world) run(c *whisk.Call, r whisk.Response) *whisk.Activation {
	rec := c.Record()
	rec.Start, rec.End, rec.Duration, rec.Response = 1000, 1012, 11, r
	rec.Logs = []string{"2024-01-01T00:00:00.123456789Z stdout: hello"}
	rec.Facts.Wait, rec.Facts.Init, rec.Facts.Sandbox = 3, 5, whisk.Cold
	return rec
}
