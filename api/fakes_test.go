package api

import (
	"context"
	"crypto/sha256"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hearth/whisk"
)

// world is an API over fakes of all that it stands on.
type world struct {
	t      testing.TB
	server *Server

	mu       sync.Mutex
	ids      map[whisk.AuthKey]*whisk.Identity
	actions  map[whisk.ActionName]*whisk.Action
	codes    map[whisk.Digest][]byte
	records  []*whisk.Activation
	runtimes whisk.Runtimes
	revision int64
	putErr   error // of the next PutAction
	queries  []whisk.ActivationQuery
	charges  int // invocations charged
	inFlight int
	refuse   error // of the throttle

	invoke func(ctx context.Context, c *whisk.Call, wait time.Duration, ended func()) (*whisk.Activation, error)
	submit func(ctx context.Context, c *whisk.Call, ended func()) error
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
	w := &world{
		t:       t,
		actions: map[whisk.ActionName]*whisk.Action{}, codes: map[whisk.Digest][]byte{},
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
		Auth: w, Throttle: w, Entities: w, Records: w, Flow: w,
		CheckKind: func(id *whisk.Identity, kind string) error {
			if k := id.Overrides.AllowedKinds; len(k) > 0 && !slices.Contains(k, kind) {
				return whisk.Errorf(whisk.Forbidden, "The supplied authentication is not authorized to access actions of kind '%s'.", kind)
			}
			return nil
		},
		Runtimes: func() whisk.Runtimes { return w.runtimes },
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

func (w *world) Invocation(*whisk.Identity) (func(), error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.charges++
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

func (w *world) Action(_ context.Context, n whisk.ActionName) (*whisk.Action, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n.Name == "trigger" {
		return nil, whisk.ErrCollection
	}
	if a, ok := w.actions[n]; ok {
		return a, nil
	}
	return nil, whisk.ErrNotFound
}

func (w *world) PutAction(_ context.Context, a *whisk.Action, code []byte, ifRevision int64) (*whisk.Action, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.putErr; err != nil {
		w.putErr = nil
		return nil, err
	}
	old, exists := w.actions[a.Name]
	switch {
	case ifRevision == 0 && exists:
		return nil, whisk.ErrExists
	case ifRevision != 0 && (!exists || old.Revision != ifRevision):
		return nil, whisk.ErrChanged
	}
	if code != nil {
		if whisk.Digest(sha256.Sum256(code)) != a.Exec.Code {
			w.t.Errorf("PutAction(%s): code has another digest", a.Name)
		}
		w.codes[a.Exec.Code] = slices.Clone(code)
	}
	w.revision++
	c := *a
	c.Revision = w.revision
	w.actions[a.Name] = &c
	return &c, nil
}

func (w *world) DeleteAction(_ context.Context, n whisk.ActionName, ifRevision int64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	a, ok := w.actions[n]
	if !ok {
		return whisk.ErrNotFound
	}
	if a.Revision != ifRevision {
		return whisk.ErrChanged
	}
	delete(w.actions, n)
	return nil
}

func (w *world) Actions(_ context.Context, ns whisk.Namespace, _ *string, skip, limit int) ([]*whisk.Action, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []*whisk.Action
	for _, a := range w.actions {
		if a.Name.Namespace == ns {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b *whisk.Action) int { return int(b.Revision - a.Revision) })
	return part(all, skip, limit), nil
}

func part[T any](all []T, skip, limit int) []T {
	all = all[min(skip, len(all)):]
	return all[:min(limit, len(all))]
}

func (w *world) CountActions(ctx context.Context, ns whisk.Namespace, _ *string) (int, error) {
	all, err := w.Actions(ctx, ns, nil, 0, 1<<30)
	return len(all), err
}

func (w *world) Code(_ context.Context, d whisk.Digest) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c, ok := w.codes[d]; ok {
		return c, nil
	}
	return nil, whisk.ErrNotFound
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
func (w *world) run(c *whisk.Call, r whisk.Response) *whisk.Activation {
	rec := c.Record()
	rec.Start, rec.End, rec.Duration, rec.Response = 1000, 1012, 11, r
	rec.Logs = []string{"2024-01-01T00:00:00.123456789Z stdout: hello"}
	rec.Facts.Wait, rec.Facts.Init, rec.Facts.Sandbox = 3, 5, whisk.Cold
	return rec
}
