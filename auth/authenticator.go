package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"golang.org/x/sync/singleflight"

	"hearth/whisk"
)

// credentials is what the store is asked.
type credentials interface {
	Credential(ctx context.Context, uuid string) (whisk.Credential, error) // whisk.ErrNotFound
	Credentials(ctx context.Context, ns whisk.Namespace) ([]whisk.Credential, error)
	NamespaceLimits(ctx context.Context, ns whisk.Namespace) (whisk.NamespaceLimits, error)
}

// Authenticator knows who holds which key. It has no goroutines of its own and
// may be used by many.
type Authenticator struct {
	cfg    Config
	store  credentials
	log    *slog.Logger
	m      authMetrics
	cache  *cache
	owners *owners
	flight singleflight.Group
	turns  chan struct{} // one token for each lookup under way
}

// New returns an Authenticator over the store's credentials.
func New(cfg Config, store credentials) (*Authenticator, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Metrics == nil {
		cfg.Metrics = metrics.NewSet()
	}
	a := &Authenticator{
		cfg: cfg, store: store, log: cfg.Logger,
		cache: newCache(cfg.Identities, cfg.Unproven), owners: newOwners(cfg.Identities, cfg.Unproven),
		turns: make(chan struct{}, cfg.Lookups),
	}
	a.m = newAuthMetrics(cfg.Metrics, a.cache)
	return a, nil
}

// Authenticate returns who holds the key. Its errors are [ErrInvalid], and one
// of kind [whisk.Unavailable] when the store does not answer and the key is not
// known yet. With the store away known keys stay valid.
func (a *Authenticator) Authenticate(ctx context.Context, key whisk.AuthKey) (*whisk.Identity, error) {
	if !wellFormed(key) {
		a.m.refused.Inc()
		return nil, ErrInvalid
	}
	e, proven, err := a.entry(ctx, key.UUID)
	if err != nil {
		a.m.failed.Inc()
		return nil, err
	}
	mac := a.cfg.Keys.mac(key)
	if !hmac.Equal(mac[:], e.mac[:]) || e.id == nil {
		a.m.refused.Inc()
		return nil, ErrInvalid
	}
	if !proven {
		a.cache.prove(e.id.UUID, e)
	}
	a.m.accepted.Inc()
	return e.id, nil
}

// Identity returns who holds the credential of that uuid, for work that has
// been let in before. For one that is unknown or blocked the error is
// [ErrInvalid].
func (a *Authenticator) Identity(ctx context.Context, uuid string) (*whisk.Identity, error) {
	e, _, err := a.entry(ctx, uuid)
	if err != nil {
		return nil, err
	}
	if e.id == nil {
		return nil, ErrInvalid
	}
	return e.id, nil
}

// entry returns what is known of uuid, asking the store where nothing fresh is.
func (a *Authenticator) entry(ctx context.Context, uuid string) (e *entry, proven bool, err error) {
	now := time.Now()
	e, proven = a.cache.get(uuid, now)
	if e != nil && now.Before(e.until) {
		return e, proven, nil
	}
	uuid = strings.Clone(uuid) // it came with a key in one string: keep none of that
	// The lookup is shared, so it must not end with this request.
	shared := context.WithoutCancel(ctx)
	v, err, _ := a.flight.Do(uuid, func() (any, error) { return a.load(shared, uuid, e) })
	if err != nil {
		return nil, false, err
	}
	return v.(*entry), false, nil
}

// load asks the store for uuid and caches the answer. If the store fails, old
// stands for a little longer.
func (a *Authenticator) load(ctx context.Context, uuid string, old *entry) (*entry, error) {
	ctx, cancel := context.WithTimeout(ctx, a.cfg.LookupTimeout)
	defer cancel()
	changes := a.cache.changes(uuid)
	e, err := a.lookup(ctx, uuid)
	now := time.Now()
	if err != nil {
		if old == nil || old.id == nil {
			return nil, &whisk.Error{Kind: whisk.Unavailable, Message: "Credentials cannot be checked now, try again later.", Err: fmt.Errorf("look up credential: %w", err)}
		}
		a.log.Warn("credential lookup failed, the cached one stands", "err", err)
		e = &entry{mac: old.mac, sealed: old.sealed, id: old.id, until: now.Add(a.cfg.UnprovenTTL)}
	}
	e.used.Store(now.Unix())
	a.cache.put(uuid, e, changes)
	return e, nil
}

func (a *Authenticator) lookup(ctx context.Context, uuid string) (*entry, error) {
	select {
	case a.turns <- struct{}{}:
		defer func() { <-a.turns }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	a.m.lookups.Inc()
	c, err := a.store.Credential(ctx, uuid)
	if errors.Is(err, whisk.ErrNotFound) || err == nil && (c.Blocked || len(c.MAC) != sha256.Size) {
		return &entry{until: time.Now().Add(a.cfg.UnprovenTTL)}, nil
	}
	if err != nil {
		return nil, err
	}
	over, err := a.store.NamespaceLimits(ctx, c.Namespace)
	if err != nil && !errors.Is(err, whisk.ErrNotFound) {
		return nil, err
	}
	limits := a.cfg.Limits.For(over)
	var bounds *whisk.Bounds
	if b := limits.Bounds(); b != a.cfg.Limits.Bounds() {
		bounds = &b
	}
	return &entry{
		mac:    [32]byte(c.MAC),
		sealed: c.Sealed,
		until:  time.Now().Add(a.cfg.IdentityTTL),
		id: &whisk.Identity{
			Subject: c.Subject, Namespace: c.Namespace, UUID: uuid,
			Overrides: over, Limits: limits, Bounds: bounds,
		},
	}, nil
}

// APIKey returns "uuid:key" of a credential, for a call that must carry it. For
// one that is unknown or blocked the error is [ErrInvalid].
func (a *Authenticator) APIKey(ctx context.Context, uuid string) (string, error) {
	e, _, err := a.entry(ctx, uuid)
	if err != nil {
		return "", err
	}
	if e.id == nil {
		return "", ErrInvalid
	}
	key, err := a.cfg.Keys.key(uuid, e.sealed)
	if err != nil {
		return "", err
	}
	return key.Compact(), nil
}

// Invalidate forgets what is known of a credential, because it has changed.
func (a *Authenticator) Invalidate(uuid string) {
	a.cache.drop(uuid)
	a.flight.Forget(uuid)
	a.owners.credentialChanged()
}

// InvalidateNamespace forgets all credentials of a namespace, because its
// limits have changed.
func (a *Authenticator) InvalidateNamespace(ns whisk.Namespace) {
	a.cache.dropNamespace(ns)
	a.owners.drop(ns)
}

// InvalidateAll forgets all credentials, because changes may have been missed.
func (a *Authenticator) InvalidateAll() {
	a.cache.dropAll()
	a.owners.dropAll()
}
