package store

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

// fakeEngine remembers records by id and what each commit held. Methods that
// it lacks panic.
type fakeEngine struct {
	Engine
	took time.Duration // by each commit

	mu      sync.Mutex
	fail    func(attempt int) error // called with the number of each commit, from 1
	commits [][]Op
	records map[whisk.ActivationID]*whisk.Activation
}

func newFakeEngine() *fakeEngine {
	return &fakeEngine{records: map[whisk.ActivationID]*whisk.Activation{}}
}

func (f *fakeEngine) Commit(ctx context.Context, ops []Op) ([]Result, error) {
	select {
	case <-time.After(f.took):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.commits = append(f.commits, ops)
	if f.fail != nil {
		if err := f.fail(len(f.commits)); err != nil {
			return nil, err
		}
	}
	results := make([]Result, len(ops))
	for i, o := range ops {
		results[i].Err = o.Check()
		if o.Kind != OpRecord {
			results[i].OK = true
			continue
		}
		if f.records[o.Record.ID] == nil && results[i].Err == nil {
			f.records[o.Record.ID] = o.Record
			results[i].OK = true
		}
	}
	return results, nil
}

func (f *fakeEngine) Activation(_ context.Context, ns whisk.Namespace, id whisk.ActivationID) (*whisk.Activation, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if a := f.records[id]; a != nil && a.Namespace == ns {
		return a, nil
	}
	return nil, whisk.ErrNotFound
}

func (f *fakeEngine) Activations(context.Context, ActivationQuery) ([]*whisk.Activation, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []*whisk.Activation
	for _, a := range f.records {
		out = append(out, a)
	}
	return out, nil
}

// sizes returns the number of ops in each commit.
func (f *fakeEngine) sizes() []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []int
	for _, c := range f.commits {
		out = append(out, len(c))
	}
	return out
}

// start runs the recorder until the test ends or the returned function is
// called, which gives Run's error.
func start(t *testing.T, r *Recorder) func() error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	stop := sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() { _ = stop() })
	return stop
}

func someRecord() *whisk.Activation {
	return &whisk.Activation{ID: whisk.NewActivationID(), Namespace: "ns", Name: "a", Start: 1}
}

// pass lets virtual time pass and what is due by then happen.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
