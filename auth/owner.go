package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"hearth/whisk"
)

// ErrNoOwner means that nobody can enter a namespace, if there is one.
var ErrNoOwner = &whisk.Error{Kind: whisk.NotFound, Message: whisk.ErrNotFound.Message}

// owners remembers by which credential each namespace is entered on nobody's
// behalf, and which are entered by none. A remembered credential is only a hint
// where to look: whether it still opens the namespace its own entry says.
type owners struct {
	max, maxNone int

	mu      sync.RWMutex // guards all below
	changes uint64       // counts drops, as in cacheShard
	uuids   map[whisk.Namespace]string
	none    map[whisk.Namespace]time.Time // until when
}

func newOwners(max, maxNone int) *owners {
	return &owners{max: max, maxNone: maxNone, uuids: map[whisk.Namespace]string{}, none: map[whisk.Namespace]time.Time{}}
}

// get returns the credential of a namespace; "" and true if there is none.
func (o *owners) get(ns whisk.Namespace, now time.Time) (uuid string, known bool, changes uint64) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	if uuid, ok := o.uuids[ns]; ok {
		return uuid, true, o.changes
	}
	until, ok := o.none[ns]
	return "", ok && now.Before(until), o.changes
}

// put remembers what the store said, "" for no credential, unless something was
// dropped since changes.
func (o *owners) put(ns whisk.Namespace, uuid string, until time.Time, changes uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.changes != changes {
		return
	}
	if uuid != "" {
		delete(o.none, ns)
		makeRoom(o.uuids, o.max)
		o.uuids[ns] = uuid
		return
	}
	delete(o.uuids, ns)
	makeRoom(o.none, o.maxNone)
	o.none[ns] = until
}

// makeRoom drops any entry of a full map: each costs one question to get back.
func makeRoom[V any](m map[whisk.Namespace]V, max int) {
	for ns := range m {
		if len(m) < max {
			return
		}
		delete(m, ns)
	}
}

// credentialChanged forgets what a new or changed credential may have made
// wrong: that there was none.
func (o *owners) credentialChanged() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.changes++
	clear(o.none)
}

func (o *owners) drop(ns whisk.Namespace) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.changes++
	delete(o.uuids, ns)
	delete(o.none, ns)
}

func (o *owners) dropAll() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.changes++
	clear(o.uuids)
	clear(o.none)
}

// Owner returns an identity of a namespace, for work that nobody with a key has
// asked for: that of one of its credentials, the same as long as it stands. Its
// errors are [ErrNoOwner], and one of kind [whisk.Unavailable] as of
// Authenticate. What is known is answered without the store.
func (a *Authenticator) Owner(ctx context.Context, ns whisk.Namespace) (*whisk.Identity, error) {
	uuid, known, changes := a.owners.get(ns, time.Now())
	if known && uuid == "" {
		return nil, ErrNoOwner
	}
	if known {
		if id, err := a.enter(ctx, ns, uuid); id != nil || err != nil {
			return id, err
		}
	}
	ns = whisk.Namespace(strings.Clone(string(ns))) // it came in a URL: keep none of that
	// As with credentials, but nobody joins a look-up from before a change.
	shared, key := context.WithoutCancel(ctx), fmt.Sprintf("owner of %s at %d", ns, changes)
	v, err, _ := a.flight.Do(key, func() (any, error) { return a.findOwner(shared, ns, changes) })
	if err != nil {
		return nil, err
	}
	return v.(*whisk.Identity), nil
}

// enter returns the identity of a credential, nil if it does not open ns.
func (a *Authenticator) enter(ctx context.Context, ns whisk.Namespace, uuid string) (*whisk.Identity, error) {
	e, proven, err := a.entry(ctx, uuid)
	if err != nil || e.id == nil || e.id.Namespace != ns {
		return nil, err
	}
	if !proven {
		a.cache.prove(uuid, e) // strangers' guesses shall not displace it
	}
	return e.id, nil
}

// findOwner asks the store for the first credential that opens ns.
func (a *Authenticator) findOwner(ctx context.Context, ns whisk.Namespace, changes uint64) (*whisk.Identity, error) {
	all, err := a.credentialsOf(ctx, ns)
	if err != nil {
		return nil, &whisk.Error{Kind: whisk.Unavailable, Message: "Credentials cannot be checked now, try again later.", Err: fmt.Errorf("look up the owner of a namespace: %w", err)}
	}
	for _, c := range all {
		if c.Blocked {
			continue
		}
		id, err := a.enter(ctx, ns, c.UUID)
		if err != nil {
			return nil, err
		}
		if id != nil {
			a.owners.put(ns, c.UUID, time.Time{}, changes)
			return id, nil
		}
	}
	a.owners.put(ns, "", time.Now().Add(a.cfg.UnprovenTTL), changes)
	return nil, ErrNoOwner
}

func (a *Authenticator) credentialsOf(ctx context.Context, ns whisk.Namespace) ([]whisk.Credential, error) {
	ctx, cancel := context.WithTimeout(ctx, a.cfg.LookupTimeout)
	defer cancel()
	select {
	case a.turns <- struct{}{}:
		defer func() { <-a.turns }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	a.m.lookups.Inc()
	all, err := a.store.Credentials(ctx, ns)
	if errors.Is(err, whisk.ErrNotFound) {
		return nil, nil
	}
	return all, err
}
