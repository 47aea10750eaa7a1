package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"golang.org/x/sync/singleflight"

	"hearth/whisk"
)

// EntitiesConfig are the settings of [Entities]. Zero fields take the values
// of [DefaultEntitiesConfig].
type EntitiesConfig struct {
	// CacheBytes bounds the cache of actions, by their stored size and some
	// overhead. An action is at most about 2 MB (its parameters and
	// annotations), as a rule 1 KB.
	CacheBytes int64
	// LoadTimeout bounds one read of an action that requests wait for.
	LoadTimeout time.Duration
	Metrics     *metrics.Set // nil: a new set
}

// DefaultEntitiesConfig returns the usual settings.
func DefaultEntitiesConfig() EntitiesConfig {
	return EntitiesConfig{CacheBytes: 64 << 20, LoadTimeout: 10 * time.Second}
}

// Validate reports the first setting that makes no sense.
func (c EntitiesConfig) Validate() error {
	if c.CacheBytes < 0 || c.LoadTimeout < 0 {
		return fmt.Errorf("store: cache bytes and load timeout must not be negative")
	}
	return nil
}

// Entities reads and writes actions. Those it returns are shared and
// immutable. A write is seen at once by every later read through the same
// Entities.
type Entities struct {
	engine  Engine
	timeout time.Duration
	cache   *actionCache
	loads   singleflight.Group

	hits, misses *metrics.Counter
}

// NewEntities returns entities kept in the engine, which the caller closes.
func NewEntities(engine Engine, cfg EntitiesConfig) *Entities {
	def := DefaultEntitiesConfig()
	if cfg.CacheBytes == 0 {
		cfg.CacheBytes = def.CacheBytes
	}
	if cfg.LoadTimeout == 0 {
		cfg.LoadTimeout = def.LoadTimeout
	}
	if cfg.Metrics == nil {
		cfg.Metrics = metrics.NewSet()
	}
	e := &Entities{
		engine: engine, timeout: cfg.LoadTimeout, cache: newActionCache(cfg.CacheBytes),
		hits:   cfg.Metrics.NewCounter(`store_action_reads_total{from="cache"}`),
		misses: cfg.Metrics.NewCounter(`store_action_reads_total{from="engine"}`),
	}
	cfg.Metrics.NewGauge("store_action_cache_bytes", func() float64 { return float64(e.cache.size()) })
	return e
}

// Action returns an action: [whisk.ErrNotFound]; [whisk.ErrCollection] if the
// name is another collection's. Readers that miss the cache at the same time
// share one read, which none of them can cancel for the others.
func (e *Entities) Action(ctx context.Context, name whisk.ActionName) (*whisk.Action, error) {
	key := Key(name)
	if a, ok := e.cache.get(key); ok {
		e.hits.Inc()
		return a, nil
	}
	loaded := e.loads.DoChan(key.String(), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.timeout)
		defer cancel()
		return e.load(ctx, key)
	})
	select {
	case r := <-loaded:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*whisk.Action), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (e *Entities) load(ctx context.Context, key Key) (*whisk.Action, error) {
	e.misses.Inc()
	generation := e.cache.begin()
	d, err := e.engine.Doc(ctx, key)
	if err != nil {
		return nil, err
	}
	a, err := decodeAction(d)
	if err != nil {
		return nil, err
	}
	const overhead = 1024 // of the decoded structs
	e.cache.put(key, a, 2*int64(len(d.Body))+overhead, generation)
	return a, nil
}

// changed makes later reads see a write: they find nothing cached and join no
// read that began before it.
func (e *Entities) changed(key Key) {
	e.cache.drop(key)
	e.loads.Forget(key.String())
}

// PutAction writes an action and returns it with its new revision. code, if
// not nil, is stored under a.Exec.Code; nil keeps what is stored there.
// ifRevision 0 creates: [whisk.ErrExists]; else it must be the stored one:
// [whisk.ErrChanged]. [whisk.ErrCollection] if the name is another
// collection's.
func (e *Entities) PutAction(ctx context.Context, a *whisk.Action, code []byte, ifRevision int64) (*whisk.Action, error) {
	d, err := encodeAction(a)
	if err != nil {
		return nil, err
	}
	if code != nil {
		if whisk.Digest(sha256.Sum256(code)) != a.Exec.Code {
			return nil, fmt.Errorf("store action %s: its code has another digest", a.Name)
		}
		if err := e.engine.PutCode(ctx, a.Exec.Code, code); err != nil {
			return nil, fmt.Errorf("store the code of action %s: %w", a.Name, err)
		}
	}
	defer e.changed(d.Key) // after a failure too: it may have been written
	stored, err := e.engine.PutDoc(ctx, d, ifRevision)
	if err != nil {
		return nil, e.conflict(ctx, d.Key, err)
	}
	out := *a
	out.Revision = stored.Revision
	return &out, nil
}

// DeleteAction deletes an action: [whisk.ErrNotFound], [whisk.ErrCollection];
// [whisk.ErrChanged] if ifRevision is neither 0 nor the stored one.
func (e *Entities) DeleteAction(ctx context.Context, name whisk.ActionName, ifRevision int64) error {
	key := Key(name)
	d, err := e.engine.Doc(ctx, key)
	if err != nil {
		return err
	}
	if d.Collection != Actions {
		return whisk.ErrCollection
	}
	if ifRevision == 0 {
		ifRevision = d.Revision // what was seen to be an action, and nothing else
	}
	defer e.changed(key)
	return e.engine.DeleteDoc(ctx, key, ifRevision)
}

// conflict says that the entity in the way is none of the actions, if so.
func (e *Entities) conflict(ctx context.Context, key Key, err error) error {
	if !errors.Is(err, whisk.ErrExists) && !errors.Is(err, whisk.ErrChanged) {
		return err
	}
	if d, e := e.engine.Doc(ctx, key); e == nil && d.Collection != Actions {
		return whisk.ErrCollection
	}
	return err
}

// Actions lists actions, last updated first: all of a namespace, or those of
// a package, "" being the default one. Limit 0 is no limit.
func (e *Entities) Actions(ctx context.Context, ns whisk.Namespace, pkg *string, skip, limit int) ([]*whisk.Action, error) {
	docs, err := e.engine.Docs(ctx, DocQuery{Collection: Actions, Namespace: ns, Package: pkg, Skip: skip, Limit: limit})
	if err != nil {
		return nil, err
	}
	out := make([]*whisk.Action, 0, len(docs))
	for _, d := range docs {
		a, err := decodeAction(d)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// CountActions counts what Actions would list without skip and limit.
func (e *Entities) CountActions(ctx context.Context, ns whisk.Namespace, pkg *string) (int, error) {
	return e.engine.CountDocs(ctx, DocQuery{Collection: Actions, Namespace: ns, Package: pkg})
}

// Code returns the text of an action's code or [whisk.ErrNotFound].
func (e *Entities) Code(ctx context.Context, d whisk.Digest) ([]byte, error) {
	return e.engine.Code(ctx, d)
}
