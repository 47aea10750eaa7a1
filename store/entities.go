package store

import (
	"context"
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
	// CacheBytes bounds the cache of entities, by their stored size and some
	// overhead. An action is at most about 2 MB (its parameters and
	// annotations), as a rule 1 KB; one that is invoked counts twice.
	CacheBytes int64
	// LoadTimeout bounds one read of an entity that requests wait for.
	LoadTimeout time.Duration
	// Sealer opens parameters that are stored encrypted, and with Encrypt it
	// seals all that are written; nil takes them as they are.
	Sealer  ParameterSealer
	Encrypt bool
	Metrics *metrics.Set // nil: a new set
}

// DefaultEntitiesConfig returns the usual settings.
func DefaultEntitiesConfig() EntitiesConfig {
	return EntitiesConfig{CacheBytes: 64 << 20, LoadTimeout: 10 * time.Second}
}

// Validate reports the first setting that makes no sense.
func (c EntitiesConfig) Validate() error {
	if c.Encrypt && c.Sealer == nil {
		return fmt.Errorf("store: parameters cannot be encrypted without a sealer")
	}
	if c.CacheBytes < 0 || c.LoadTimeout < 0 {
		return fmt.Errorf("store: cache bytes and load timeout must not be negative")
	}
	return nil
}

// Entities reads and writes actions, packages, triggers and rules. Those it
// returns are shared and immutable. Encrypted parameters are open in what it
// returns one by one, and beside that as they are stored; lists have only the
// stored form. A write is seen at once by every later read
// through the same Entities.
type Entities struct {
	engine  Engine
	timeout time.Duration
	sealer  ParameterSealer
	encrypt bool
	cache   *entityCache
	absent  *absent // names that resolve to nothing, and namespaces without APIs
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
		engine: engine, timeout: cfg.LoadTimeout, sealer: cfg.Sealer, encrypt: cfg.Encrypt, cache: newEntityCache(cfg.CacheBytes), absent: newAbsent(),
		hits:   cfg.Metrics.NewCounter(`store_entity_reads_total{from="cache"}`),
		misses: cfg.Metrics.NewCounter(`store_entity_reads_total{from="engine"}`),
	}
	cfg.Metrics.NewGauge("store_entity_cache_bytes", func() float64 { return float64(e.cache.size()) })
	return e
}

// find returns the entity of that key: [whisk.ErrNotFound];
// [whisk.ErrCollection] if it is of another collection than T's. Readers that
// miss the cache at the same time share one read, which none of them can cancel
// for the others.
func find[T any](ctx context.Context, e *Entities, key Key) (*T, error) {
	v, ok := e.cache.get(key)
	if ok {
		e.hits.Inc()
	} else {
		var err error
		if v, err = e.load(ctx, key); err != nil {
			return nil, err
		}
	}
	if entity, ok := v.(*T); ok {
		return entity, nil
	}
	return nil, whisk.ErrCollection
}

// findKnown is look, unless it found before that there is nothing of that key.
func findKnown[T any](e *Entities, key Key, look func() (*T, error)) (*T, error) {
	if e.absent.has(key) {
		e.hits.Inc()
		return nil, whisk.ErrNotFound
	}
	changes := e.absent.begin()
	v, err := look()
	if errors.Is(err, whisk.ErrNotFound) {
		e.absent.add(key, changes)
	}
	return v, err
}

// load reads an entity of any collection from the engine.
func (e *Entities) load(ctx context.Context, key Key) (any, error) {
	loaded := e.loads.DoChan(key.String(), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.timeout)
		defer cancel()
		e.misses.Inc()
		generation := e.cache.begin()
		d, err := e.engine.Doc(ctx, key)
		if err != nil {
			return nil, err
		}
		v, err := decode(d)
		if err != nil {
			return nil, err
		}
		if err := e.openEntity(v); err != nil {
			return nil, fmt.Errorf("open %s of %s: %w: %w", d.Key, d.Collection, whisk.ErrCorrupted, err)
		}
		e.cache.put(cached{cacheKey{Key: key}, v, d.Revision, 2*int64(len(d.Body)) + cacheOverhead, generation})
		return v, nil
	})
	select {
	case r := <-loaded:
		return r.Val, r.Err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// cacheOverhead is about what a small entity takes beyond its text.
const cacheOverhead = 1024

// Changed makes later reads see a change that was not made through e. Changes
// of anything but entities, and those that e knows already, change nothing.
func (e *Entities) Changed(c Change) {
	key, ok := c.DocKey()
	if !ok {
		return
	}
	e.absent.forget() // whatever is known: that it is there may have been seen in passing
	if !e.cache.knows(key, c.Seq) {
		e.forget(key)
	}
}

// forget makes later reads find nothing cached and join no read that began
// before.
func (e *Entities) forget(key Key) {
	e.cache.drop(key)
	e.absent.forget()
	e.loads.Forget(key.String())
}

// ForgetAll makes later reads see whatever was changed. One that is under way
// may still be joined, but only until it ends.
func (e *Entities) ForgetAll() {
	e.cache.dropAll()
	e.absent.forget()
}

// write carries writes out and makes later reads see them.
func (e *Entities) write(ctx context.Context, writes ...Write) ([]Doc, error) {
	defer func() { // after a failure too: they may have been written
		for _, w := range writes {
			if w.Kind == WritePut || w.Kind == WriteDelete {
				e.forget(w.Doc.Key)
			}
		}
	}()
	return e.engine.WriteDocs(ctx, writes)
}

// conflict says that the entity in the way is of another collection than c, if
// so.
func (e *Entities) conflict(ctx context.Context, c Collection, key Key, err error) error {
	if !errors.Is(err, whisk.ErrExists) && !errors.Is(err, whisk.ErrChanged) {
		return err
	}
	if d, e := e.engine.Doc(ctx, key); e == nil && d.Collection != c {
		return whisk.ErrCollection
	}
	return err
}

// remove deletes the entity of a collection.
func (e *Entities) remove(ctx context.Context, c Collection, key Key, ifRevision int64) error {
	for {
		d, err := e.engine.Doc(ctx, key)
		damaged := errors.Is(err, whisk.ErrCorrupted) // and can be deleted all the same
		if errors.Is(err, whisk.ErrNotFound) {
			e.forget(key) // who is told so must not read it after that
		}
		if err != nil && !damaged {
			return err
		}
		if d.Collection != c && !damaged {
			return whisk.ErrCollection
		}
		seen := ifRevision
		if seen == 0 && !damaged {
			seen = d.Revision // what was seen to be of the collection, and nothing else
		}
		_, err = e.write(ctx, Write{Kind: WriteDelete, Doc: Doc{Key: key}, IfRevision: seen})
		if ifRevision != 0 || !errors.Is(err, whisk.ErrChanged) {
			return err
		}
	}
}

// all lists entities of q. Lists show no parameters, so they are not opened.
func all[T any](ctx context.Context, e *Entities, q DocQuery) ([]*T, error) {
	docs, err := e.engine.Docs(ctx, q)
	if err != nil {
		return nil, err
	}
	out := make([]*T, 0, len(docs))
	for _, d := range docs {
		v, err := decode(d)
		if err != nil {
			return nil, err
		}
		entity, ok := v.(*T)
		if !ok {
			return nil, whisk.ErrCollection
		}
		out = append(out, entity)
	}
	return out, nil
}
