package auth

import (
	"context"
	"crypto/hmac"
	"errors"
	"strings"

	"hearth/whisk"
)

// Subject lists the keys of a subject, by namespace. One that is not there is
// [ErrNoSubject].
func (a *Accounts) Subject(ctx context.Context, subject string) ([]whisk.Account, error) {
	list, err := a.store.SubjectCredentials(ctx, strings.TrimSpace(subject))
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, ErrNoSubject
	}
	return a.accounts(list)
}

// Keys lists the keys that open a namespace, by subject. Blocked subjects' do
// not.
func (a *Accounts) Keys(ctx context.Context, ns whisk.Namespace) ([]whisk.Account, error) {
	list, err := a.store.Credentials(ctx, ns)
	if err != nil {
		return nil, err
	}
	open := list[:0]
	for _, c := range list {
		if !c.Blocked {
			open = append(open, c)
		}
	}
	return a.accounts(open)
}

func (a *Accounts) accounts(list []whisk.Credential) ([]whisk.Account, error) {
	out := make([]whisk.Account, 0, len(list))
	for _, c := range list {
		key, err := a.keys.key(c.UUID, c.Sealed)
		if err != nil {
			return nil, err
		}
		out = append(out, whisk.Account{Subject: c.Subject, Namespace: c.Namespace, Key: key, Blocked: c.Blocked})
	}
	return out, nil
}

// Namespaces lists the namespaces that somebody has a key for.
func (a *Accounts) Namespaces(ctx context.Context) ([]whisk.Namespace, error) {
	return a.store.Namespaces(ctx)
}

// Whois returns who holds a key; nobody, or a blocked subject, is
// [ErrUnknownKey].
func (a *Accounts) Whois(ctx context.Context, key whisk.AuthKey) (whisk.Account, error) {
	if !wellFormed(key) {
		return whisk.Account{}, ErrUnknownKey
	}
	c, err := a.store.Credential(ctx, key.UUID)
	if errors.Is(err, whisk.ErrNotFound) {
		return whisk.Account{}, ErrUnknownKey
	}
	if err != nil {
		return whisk.Account{}, err
	}
	if mac := a.keys.mac(key); !hmac.Equal(mac[:], c.MAC) || c.Blocked {
		return whisk.Account{}, ErrUnknownKey
	}
	return whisk.Account{Subject: c.Subject, Namespace: c.Namespace, Key: key}, nil
}

// Limits returns what is overridden for a namespace; if nothing is, the error
// is [ErrNoLimits].
func (a *Accounts) Limits(ctx context.Context, ns whisk.Namespace) (whisk.NamespaceLimits, error) {
	l, err := a.store.NamespaceLimits(ctx, ns)
	if err == nil && l.IsZero() {
		err = ErrNoLimits
	}
	return l, err
}

// SetLimits lays over onto what is overridden for a namespace already. The
// namespace need not have keys yet. Errors are of kind [whisk.BadRequest].
func (a *Accounts) SetLimits(ctx context.Context, ns whisk.Namespace, over whisk.NamespaceLimits) error {
	if err := whisk.CheckNamespace(string(ns)); err != nil {
		return err
	}
	if err := over.Validate(); err != nil {
		return err
	}
	err := a.store.ChangeLimits(ctx, ns, func(l whisk.NamespaceLimits) (whisk.NamespaceLimits, error) {
		return l.Merge(over), nil
	})
	a.forgetNamespace(ns)
	return err
}

// DeleteLimits gives a namespace the system's limits again. If it has no
// others the error is [ErrNoLimits].
func (a *Accounts) DeleteLimits(ctx context.Context, ns whisk.Namespace) error {
	err := a.store.ChangeLimits(ctx, ns, func(l whisk.NamespaceLimits) (whisk.NamespaceLimits, error) {
		if l.IsZero() {
			return l, ErrNoLimits
		}
		return whisk.NamespaceLimits{}, nil
	})
	a.forgetNamespace(ns)
	return err
}

func (a *Accounts) forgetNamespace(ns whisk.Namespace) {
	if a.cache != nil {
		a.cache.InvalidateNamespace(ns)
	}
}
