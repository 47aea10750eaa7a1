package auth

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"

	"hearth/whisk"
)

// fakeStore is the credentials part of a store.
type fakeStore struct {
	mu     sync.Mutex // guards all below
	creds  map[string]whisk.Credential
	limits map[whisk.Namespace]whisk.NamespaceLimits
	notes  map[string][]byte
	reads  int
	fail   error
	gate   chan struct{} // if not nil, Credential waits for it
}

func newFakeStore() *fakeStore {
	return &fakeStore{creds: map[string]whisk.Credential{}, limits: map[whisk.Namespace]whisk.NamespaceLimits{}, notes: map[string][]byte{}}
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

func (f *fakeStore) ChangeSubject(_ context.Context, subject string, decide func([]whisk.Credential) ([]whisk.Credential, []string, error)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return f.fail
	}
	put, del, err := decide(f.list(func(c whisk.Credential) bool { return c.Subject == subject }))
	if err != nil {
		return err
	}
	for _, c := range put {
		if old, ok := f.creds[c.UUID]; ok && old.Subject != subject {
			return whisk.ErrExists
		}
	}
	for _, uuid := range del {
		delete(f.creds, uuid)
	}
	for _, c := range put {
		f.creds[c.UUID] = c
	}
	return nil
}

func (f *fakeStore) list(want func(whisk.Credential) bool) (out []whisk.Credential) {
	for _, c := range f.creds {
		if want(c) {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b whisk.Credential) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.UUID, b.UUID))
	})
	return out
}

func (f *fakeStore) Credentials(_ context.Context, ns whisk.Namespace) ([]whisk.Credential, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reads++
	return f.list(func(c whisk.Credential) bool { return c.Namespace == ns }), f.fail
}

func (f *fakeStore) SubjectCredentials(_ context.Context, subject string) ([]whisk.Credential, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.list(func(c whisk.Credential) bool { return c.Subject == subject }), f.fail
}

func (f *fakeStore) Namespaces(context.Context) ([]whisk.Namespace, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	set := map[whisk.Namespace]bool{}
	for _, c := range f.creds {
		set[c.Namespace] = true
	}
	return slices.Sorted(maps.Keys(set)), f.fail
}

func (f *fakeStore) ChangeLimits(_ context.Context, ns whisk.Namespace, change func(whisk.NamespaceLimits) (whisk.NamespaceLimits, error)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	l, err := change(f.limits[ns])
	if err != nil {
		return err
	}
	f.limits[ns] = l
	return f.fail
}

func (f *fakeStore) Note(_ context.Context, name string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.notes[name], f.fail
}

func (f *fakeStore) PutNote(_ context.Context, name string, value []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.notes[name] = value
	return f.fail
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
	cfg.Keys = testKeys(1)
	return cfg
}

// testKeys returns those of the master key that begins with b, 2, 3.
func testKeys(b byte) *Keyring {
	r, err := NewKeyring(MasterKey{b, 2, 3})
	if err != nil {
		panic(err)
	}
	return r
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

// mustCreate adds a key for a namespace, whether there are others or not.
func mustCreate(t *testing.T, a *Authenticator, subject string, ns whisk.Namespace) whisk.AuthKey {
	t.Helper()
	k := NewKey()
	if err := NewAccounts(a.cfg.Keys, a.store.(*fakeStore), a).Ensure(t.Context(), subject, ns, k); err != nil {
		t.Fatal(err)
	}
	return k
}
