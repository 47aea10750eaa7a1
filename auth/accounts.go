package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"hearth/whisk"
)

// accountStore is what Accounts reads and writes.
type accountStore interface {
	Credential(ctx context.Context, uuid string) (whisk.Credential, error) // whisk.ErrNotFound
	Credentials(ctx context.Context, ns whisk.Namespace) ([]whisk.Credential, error)
	SubjectCredentials(ctx context.Context, subject string) ([]whisk.Credential, error)
	Namespaces(ctx context.Context) ([]whisk.Namespace, error)
	ChangeSubject(ctx context.Context, subject string, decide func(have []whisk.Credential) (put []whisk.Credential, del []string, err error)) error
	NamespaceLimits(ctx context.Context, ns whisk.Namespace) (whisk.NamespaceLimits, error)
	ChangeLimits(ctx context.Context, ns whisk.Namespace, change func(whisk.NamespaceLimits) (whisk.NamespaceLimits, error)) error
}

// forgetful is a cache of identities.
type forgetful interface {
	Invalidate(uuid string)
	InvalidateNamespace(ns whisk.Namespace)
}

// Accounts is what an operator does with subjects, their namespaces and keys,
// and the limits of namespaces. A subject is there as long as it has a key.
// Refusals have the texts of OpenWhisk's wskadmin.
type Accounts struct {
	keys  *Keyring
	store accountStore
	cache forgetful // nil: none in this process
}

// NewAccounts returns the accounts of a store. cache, which may be nil, is told
// what has changed.
func NewAccounts(keys *Keyring, store accountStore, cache forgetful) *Accounts {
	return &Accounts{keys: keys, store: store, cache: cache}
}

// Refusals.
var (
	ErrNoSubject  = &whisk.Error{Kind: whisk.NotFound, Message: "missing"}
	ErrNoLimits   = &whisk.Error{Kind: whisk.NotFound, Message: "missing"}
	ErrUnknownKey = &whisk.Error{Kind: whisk.NotFound, Message: "Subject id is not recognized"}

	errBlocked   = &whisk.Error{Kind: whisk.Conflict, Message: "The subject you want to edit is blocked"}
	errHasKey    = &whisk.Error{Kind: whisk.Conflict, Message: "Namespace already exists"}
	errManyKeys  = &whisk.Error{Kind: whisk.Conflict, Message: "Namespace is not unique"}
	errUUIDInUse = &whisk.Error{Kind: whisk.Conflict, Message: "authorization id is already in use"}
)

// Create gives a subject, new or not, a key for a namespace that it has none
// for; with Revoke also for one that it has one for, which ends then. Errors
// are of kind [whisk.BadRequest] and [whisk.Conflict].
func (a *Accounts) Create(ctx context.Context, r whisk.AccountRequest) (whisk.AuthKey, error) {
	subject, ns, key, err := a.check(r)
	if err != nil {
		return whisk.AuthKey{}, err
	}
	c, err := a.keys.credential(key, subject, ns)
	if err != nil {
		return whisk.AuthKey{}, err
	}
	var dropped []string
	err = a.store.ChangeSubject(ctx, subject, func(have []whisk.Credential) (_ []whisk.Credential, del []string, err error) {
		dropped, err = replaced(have, ns, key.UUID, r.Revoke)
		return []whisk.Credential{c}, dropped, err
	})
	a.forget(append(dropped, key.UUID)...) // even on an error: it may have been stored
	if errors.Is(err, whisk.ErrExists) {
		return whisk.AuthKey{}, errUUIDInUse
	}
	if err != nil {
		return whisk.AuthKey{}, fmt.Errorf("create a key for %q: %w", subject, err)
	}
	return key, nil
}

// check returns what a request means.
func (a *Accounts) check(r whisk.AccountRequest) (subject string, ns whisk.Namespace, key whisk.AuthKey, err error) {
	subject = strings.TrimSpace(r.Subject)
	if err := CheckSubject(subject); err != nil {
		return "", "", key, err
	}
	ns = whisk.Namespace(strings.TrimSpace(string(r.Namespace)))
	if r.Namespace != "" && ns == "" {
		return "", "", key, whisk.Errorf(whisk.BadRequest, "Namespace must not be empty")
	}
	if ns == "" {
		ns = whisk.Namespace(subject)
	}
	if err := whisk.CheckNamespace(string(ns)); err != nil {
		return "", "", key, err
	}
	if r.Key == nil {
		return subject, ns, NewKey(), nil
	}
	return subject, ns, *r.Key, CheckKey(*r.Key)
}

// replaced returns the uuids that go when a key of the uuid comes.
func replaced(have []whisk.Credential, ns whisk.Namespace, uuid string, revoke bool) (del []string, err error) {
	inUse := false
	for _, c := range have {
		if c.Blocked {
			return nil, errBlocked
		}
		if c.Namespace == ns {
			del = append(del, c.UUID)
		}
		inUse = inUse || c.UUID == uuid
	}
	switch {
	case len(del) > 0 && !revoke:
		return nil, errHasKey
	case len(del) > 1:
		return nil, errManyKeys
	case inUse:
		return nil, errUUIDInUse
	}
	return del, nil
}

// Ensure makes the subject's key for the namespace one that opens it, for a
// platform that brings keys of its own. A uuid of another subject or namespace
// is [whisk.ErrExists]; a blocked one stays so.
func (a *Accounts) Ensure(ctx context.Context, subject string, ns whisk.Namespace, key whisk.AuthKey) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	if err := whisk.CheckNamespace(string(ns)); err != nil {
		return err
	}
	c, err := a.keys.credential(key, subject, ns)
	if err != nil {
		return err
	}
	err = a.store.ChangeSubject(ctx, subject, func(have []whisk.Credential) ([]whisk.Credential, []string, error) {
		for _, old := range have {
			if old.UUID != key.UUID {
				continue
			}
			if old.Namespace != ns {
				return nil, nil, whisk.ErrExists
			}
			if string(old.MAC) == string(c.MAC) {
				return nil, nil, nil
			}
			c.Blocked = old.Blocked
		}
		return []whisk.Credential{c}, nil, nil
	})
	a.forget(key.UUID)
	if err != nil {
		return fmt.Errorf("ensure the key of %q: %w", subject, err)
	}
	return nil
}

// Delete takes all keys from a subject, or those for one namespace. Errors are
// [ErrNoSubject] and, where it has no key for the namespace, one of kind
// [whisk.NotFound] that says so.
func (a *Accounts) Delete(ctx context.Context, subject string, ns whisk.Namespace) error {
	subject = strings.TrimSpace(subject)
	ns = whisk.Namespace(strings.TrimSpace(string(ns)))
	var dropped []string
	err := a.store.ChangeSubject(ctx, subject, func(have []whisk.Credential) ([]whisk.Credential, []string, error) {
		dropped = nil
		for _, c := range have {
			if ns == "" || c.Namespace == ns {
				dropped = append(dropped, c.UUID)
			}
		}
		switch {
		case len(have) == 0:
			return nil, nil, ErrNoSubject
		case len(dropped) == 0:
			return nil, nil, whisk.Errorf(whisk.NotFound, `Namespace "%s" does not exist for "%s"`, ns, subject)
		}
		return nil, dropped, nil
	})
	a.forget(dropped...)
	return err
}

// Block shuts all keys of a subject out, or lets them in again. A subject that
// is not there is [ErrNoSubject].
func (a *Accounts) Block(ctx context.Context, subject string, blocked bool) error {
	var changed []string
	err := a.store.ChangeSubject(ctx, strings.TrimSpace(subject), func(have []whisk.Credential) (put []whisk.Credential, _ []string, _ error) {
		if len(have) == 0 {
			return nil, nil, ErrNoSubject
		}
		changed = nil
		for _, c := range have {
			if c.Blocked != blocked {
				c.Blocked = blocked
				put, changed = append(put, c), append(changed, c.UUID)
			}
		}
		return put, nil, nil
	})
	a.forget(changed...)
	return err
}

func (a *Accounts) forget(uuids ...string) {
	if a.cache == nil {
		return
	}
	for _, uuid := range uuids {
		a.cache.Invalidate(uuid)
	}
}
