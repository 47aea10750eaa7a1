package auth

import (
	"context"
	"errors"
	"sync"
	"testing"

	"hearth/whisk"
)

// fakeStore is the credentials part of a store.
type fakeStore struct {
	mu     sync.Mutex // guards all below
	creds  map[string]whisk.Credential
	limits map[whisk.Namespace]whisk.NamespaceLimits
	reads  int
	fail   error
	gate   chan struct{} // if not nil, Credential waits for it
}

func newFakeStore() *fakeStore {
	return &fakeStore{creds: map[string]whisk.Credential{}, limits: map[whisk.Namespace]whisk.NamespaceLimits{}}
}

func (f *fakeStore) Credential(ctx context.Context, uuid string) (whisk.Credential, error) {
	f.mu.Lock()
	gate := f.gate
	f.reads++
	f.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return whisk.Credential{}, ctx.Err()
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return whisk.Credential{}, f.fail
	}
	c, ok := f.creds[uuid]
	if !ok {
		return whisk.Credential{}, whisk.ErrNotFound
	}
	return c, nil
}

func (f *fakeStore) PutCredential(_ context.Context, c whisk.Credential) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return f.fail
	}
	f.creds[c.UUID] = c
	return nil
}

func (f *fakeStore) NamespaceLimits(_ context.Context, ns whisk.Namespace) (whisk.NamespaceLimits, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.limits[ns], f.fail
}

func (f *fakeStore) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fakeStore) readCount() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reads
}

var errStoreAway = errors.New("store away")

func testConfig() Config {
	cfg := DefaultConfig()
	cfg.Master = MasterKey{1, 2, 3}
	return cfg
}

func newTest(t *testing.T, cfg Config) (*Authenticator, *fakeStore) {
	t.Helper()
	st := newFakeStore()
	a, err := New(cfg, st)
	if err != nil {
		t.Fatal(err)
	}
	return a, st
}

func mustCreate(t *testing.T, a *Authenticator, subject string, ns whisk.Namespace) whisk.AuthKey {
	t.Helper()
	k, err := a.Create(t.Context(), subject, ns, nil)
	if err != nil {
		t.Fatal(err)
	}
	return k
}
