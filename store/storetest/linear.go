package storetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"hearth/store"
	"hearth/whisk"
)

// register is one way to read and write entities.
type register interface {
	get(ctx context.Context, name string) (revision int64, body string, err error)
	put(ctx context.Context, name, body string, ifRevision int64) (revision int64, err error)
	remove(ctx context.Context, name string, ifRevision int64) error
}

// documents are entities as an engine has them.
type documents struct{ store.Engine }

func (d documents) get(ctx context.Context, name string) (int64, string, error) {
	got, err := d.Doc(ctx, store.Key{Namespace: "ns", Name: name})
	return got.Revision, string(got.Body), err
}

func (d documents) put(ctx context.Context, name, body string, ifRevision int64) (int64, error) {
	x := doc(store.Actions, "ns", "", name, 1)
	x.Body = []byte(body)
	got, err := d.PutDoc(ctx, x, ifRevision)
	return got.Revision, err
}

func (d documents) remove(ctx context.Context, name string, ifRevision int64) error {
	return d.DeleteDoc(ctx, store.Key{Namespace: "ns", Name: name}, ifRevision)
}

// actions are entities as a router has them, through its cache.
type actions struct{ *store.Entities }

func (a actions) get(ctx context.Context, name string) (int64, string, error) {
	got, err := a.Action(ctx, whisk.ActionName{Namespace: "ns", Name: name})
	if err != nil {
		return 0, "", err
	}
	return got.Revision, got.Exec.Main, nil
}

func (a actions) put(ctx context.Context, name, body string, ifRevision int64) (int64, error) {
	x := action("", name, nil)
	x.Exec.Main = body
	got, err := a.PutAction(ctx, x, nil, ifRevision)
	if err != nil {
		return 0, err
	}
	return got.Revision, nil
}

func (a actions) remove(ctx context.Context, name string, ifRevision int64) error {
	return a.DeleteAction(ctx, whisk.ActionName{Namespace: "ns", Name: name}, ifRevision)
}

// station is an engine that is opened anew now and then, under the hands of
// those who use it.
type station struct {
	over func(store.Engine) register

	mu     sync.RWMutex // guards all below
	engine store.Engine
	reg    register
	ctx    context.Context // ends when the engine is closed
	cancel context.CancelFunc
}

func (s *station) open(t *testing.T, open Open, dir string) {
	s.engine = open(t, dir, store.ClaimLease)
	s.reg = s.over(s.engine)
	s.ctx, s.cancel = context.WithCancel(t.Context())
}

// crash ends what is under way, with an unknown outcome, and goes on with what
// is on disk. Calls may outlast the engine that they were made of; where calm is
// set they may not, as two caches need not agree.
func (s *station) crash(t *testing.T, open Open, dir string, calm bool) {
	s.mu.RLock()
	old, cancel := s.engine, s.cancel
	s.mu.RUnlock()
	cancel()
	s.mu.Lock() // where calm is set, when all calls have ended
	if calm {
		wantErr(t, "close", old.Close(), nil)
	}
	s.open(t, open, dir)
	s.mu.Unlock()
	if !calm {
		_ = old.Close() // while it is used
	}
}

// use calls f, which may be cut off by a crash, or by its own end.
func (s *station) use(calm bool, limit time.Duration, f func(context.Context, register)) {
	s.mu.RLock()
	reg, parent := s.reg, s.ctx
	if calm {
		defer s.mu.RUnlock()
	} else {
		s.mu.RUnlock()
	}
	ctx, cancel := context.WithTimeout(parent, limit)
	defer cancel()
	f(ctx, reg)
}

// linearDocs and linearEntities have many read and write the same few entities
// while the engine crashes, and ask whether all that they saw can be explained
// by one order, for each entity, of calls that took effect at once.
func linearDocs(t *testing.T, open Open) {
	linear(t, open, false, func(e store.Engine) register { return documents{e} })
}

func linearEntities(t *testing.T, open Open) {
	linear(t, open, true, func(e store.Engine) register { return actions{store.NewEntities(e, store.EntitiesConfig{})} })
}

func linear(t *testing.T, open Open, calm bool, over func(store.Engine) register) {
	const clients, calls, names, crashes = 5, 150, 3, 6
	dir := t.TempDir()
	s := &station{over: over}
	s.open(t, open, dir)
	h := &history{began: time.Now(), revisions: map[string]int64{}}
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(7, uint64(c)))
			seen := map[string]int64{} // by name: the revision that was read or written last
			for i := range calls {
				in := linearCall{name: fmt.Sprint("e", rng.IntN(names)), body: fmt.Sprintf("%d.%d", c, i)}
				in.kind = [...]callKind{callGet, callGet, callPut, callPut, callRemove}[rng.IntN(5)]
				if rng.IntN(4) > 0 {
					in.ifRevision = seen[in.name]
				}
				limit := time.Minute
				if rng.IntN(6) == 0 {
					limit = time.Duration(rng.IntN(3000)) * time.Microsecond
				}
				s.use(calm, limit, func(ctx context.Context, r register) {
					if out := h.call(ctx, c, r, in); out.known && out.err == nil {
						seen[in.name] = out.revision
					}
				})
			}
		})
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		wg.Wait()
	}()
	for range crashes {
		select {
		case <-ended:
		case <-time.After(30 * time.Millisecond):
			s.crash(t, open, dir, calm)
		}
	}
	<-ended
	s.cancel()
	wantErr(t, "close", s.engine.Close(), nil)
	result, unknown := h.check(30 * time.Second)
	if result != porcupine.Ok {
		t.Errorf("what %d calls saw is not linearizable: %v", len(h.calls), result)
	}
	t.Logf("%d calls, %d of unknown outcome", len(h.calls), unknown)
}
