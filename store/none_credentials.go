package store

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"

	"hearth/whisk"
)

// Credential implements [Engine].
func (n *None) Credential(_ context.Context, uuid string) (Credential, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	c, ok := n.credentials[uuid]
	if !ok {
		return Credential{}, whisk.ErrNotFound
	}
	return c, nil
}

// Credentials implements [Engine].
func (n *None) Credentials(_ context.Context, ns whisk.Namespace) ([]Credential, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.selectCredentials(func(c *Credential) bool { return c.Namespace == ns }), nil
}

// SubjectCredentials implements [Engine].
func (n *None) SubjectCredentials(_ context.Context, subject string) ([]Credential, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.selectCredentials(func(c *Credential) bool { return c.Subject == subject }), nil
}

// selectCredentials is called with mu held.
func (n *None) selectCredentials(want func(*Credential) bool) []Credential {
	var out []Credential
	for _, c := range n.credentials {
		if want(&c) {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b Credential) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.UUID, b.UUID))
	})
	return out
}

// Namespaces implements [Engine].
func (n *None) Namespaces(context.Context) ([]whisk.Namespace, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	set := map[whisk.Namespace]bool{}
	for _, c := range n.credentials {
		set[c.Namespace] = true
	}
	return slices.Sorted(maps.Keys(set)), nil
}

// ChangeSubject implements [Engine].
func (n *None) ChangeSubject(_ context.Context, subject string, decide Decide) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	put, del, err := decide(n.selectCredentials(func(c *Credential) bool { return c.Subject == subject }))
	if err != nil {
		return err
	}
	for _, c := range put {
		if old, ok := n.credentials[c.UUID]; ok && old.Subject != subject || c.Subject != subject {
			return whisk.ErrExists
		}
	}
	for _, uuid := range del {
		if n.credentials[uuid].Subject == subject {
			n.change(KindCredentials, uuid)
			delete(n.credentials, uuid)
		}
	}
	for _, c := range put {
		n.change(KindCredentials, c.UUID)
		c.MAC, c.Sealed = bytes.Clone(c.MAC), bytes.Clone(c.Sealed)
		n.credentials[c.UUID] = c
	}
	return nil
}

// NamespaceLimits implements [Engine].
func (n *None) NamespaceLimits(_ context.Context, ns whisk.Namespace) (whisk.NamespaceLimits, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.limits[ns], nil
}

// ChangeLimits implements [Engine].
func (n *None) ChangeLimits(_ context.Context, ns whisk.Namespace, change func(whisk.NamespaceLimits) (whisk.NamespaceLimits, error)) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	l, err := change(n.limits[ns])
	if err != nil {
		return err
	}
	n.change(KindLimits, string(ns))
	if n.limits[ns] = l; l.IsZero() {
		delete(n.limits, ns)
	}
	return nil
}

// Note implements [Engine].
func (n *None) Note(_ context.Context, name string) ([]byte, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.notes[name], nil
}

// PutNote implements [Engine].
func (n *None) PutNote(_ context.Context, name string, value []byte) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.notes[name] = bytes.Clone(value)
	return nil
}
