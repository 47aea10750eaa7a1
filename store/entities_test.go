package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

// slowDocs is an engine whose reads take a while: what they return is what was
// stored when they began.
type slowDocs struct {
	*None
	took  time.Duration
	mu    sync.Mutex
	reads int
}

func (s *slowDocs) Doc(ctx context.Context, k Key) (Doc, error) {
	d, err := s.None.Doc(ctx, k)
	s.mu.Lock()
	s.reads++
	s.mu.Unlock()
	select {
	case <-time.After(s.took):
		return d, err
	case <-ctx.Done():
		return Doc{}, ctx.Err()
	}
}

func (s *slowDocs) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads
}

func namedAction(name string) *whisk.Action {
	return &whisk.Action{Name: whisk.ActionName{Namespace: "ns", Name: name}, Version: whisk.FirstVersion}
}

func putAction(t *testing.T, e *Entities, a *whisk.Action, ifRevision int64) *whisk.Action {
	t.Helper()
	out, err := e.PutAction(t.Context(), a, nil, ifRevision)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEntitiesShareReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := &slowDocs{None: NewNone(), took: time.Second}
		e := NewEntities(engine, EntitiesConfig{})
		a := putAction(t, e, namedAction("a"), 0)
		read := func(ctx context.Context, want error) {
			got, err := e.Action(ctx, a.Name)
			if !errors.Is(err, want) || err == nil && got.Revision != a.Revision {
				t.Errorf("read %v, %v, want error %v", got, err, want)
			}
		}
		first, leave := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { read(first, context.Canceled) })
		synctest.Wait()
		for range 10 {
			wg.Go(func() { read(t.Context(), nil) })
		}
		pass(time.Millisecond)
		leave() // who began the read cannot spoil it for the others
		wg.Wait()
		read(t.Context(), nil)
		if n := engine.count(); n != 1 {
			t.Errorf("%d reads of the engine, want 1", n)
		}
	})
}

func TestEntitiesLoadTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := NewEntities(&slowDocs{None: NewNone(), took: time.Hour}, EntitiesConfig{LoadTimeout: time.Second})
		if _, err := e.Action(t.Context(), namedAction("a").Name); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error = %v, want the deadline's", err)
		}
	})
}

// A read that began before a write must not fill the cache after it, and who
// reads after the write must not join it.
func TestEntitiesOldReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := &slowDocs{None: NewNone()}
		e := NewEntities(engine, EntitiesConfig{})
		old := putAction(t, e, namedAction("a"), 0)
		engine.took = time.Second
		var wg sync.WaitGroup
		wg.Go(func() {
			if got, err := e.Action(t.Context(), old.Name); err != nil || got.Revision != old.Revision {
				t.Errorf("the old read: %v, %v", got, err)
			}
		})
		pass(time.Millisecond)
		next := putAction(t, e, old, old.Revision)
		for range 2 { // at once, then when the old read has ended
			got, err := e.Action(t.Context(), old.Name)
			if err != nil || got.Revision != next.Revision {
				t.Errorf("read %+v, %v after the write of revision %d", got, err, next.Revision)
			}
			wg.Wait()
		}
	})
}

func TestEntityCacheBounds(t *testing.T) {
	c := newEntityCache(100)
	key := func(i int) Key { return Key{Name: fmt.Sprint(i)} }
	for i := range 10 {
		c.put(cached{cacheKey{Key: key(i)}, namedAction("a"), 0, 30, c.begin()})
		c.get(key(0)) // stays the most recent
	}
	for i := range 10 {
		if _, got := c.get(key(i)); got != (i == 0 || i >= 8) {
			t.Errorf("entry %d is there: %v", i, got)
		}
	}
	c.put(cached{cacheKey{Key: key(20)}, namedAction("a"), 0, 101, c.begin()}) // never fits
	c.put(cached{cacheKey{Key: key(9)}, namedAction("a"), 0, 10, c.begin()})   // replaces
	if c.size() != 70 || len(c.entries) != 3 || c.recent.Len() != 3 {
		t.Errorf("%d bytes in %d entries, want 70 in 3", c.size(), len(c.entries))
	}
	for i := range 10 {
		c.drop(key(i))
	}
	if c.size() != 0 || len(c.entries) != 0 {
		t.Errorf("%d bytes in %d entries after all were dropped", c.size(), len(c.entries))
	}
}

func TestDamagedAction(t *testing.T) {
	n := NewNone()
	if _, err := n.PutDoc(t.Context(), Doc{Key: Key{Namespace: "ns", Name: "a"}, Collection: Actions, Body: []byte("{")}, 0); err != nil {
		t.Fatal(err)
	}
	_, err := NewEntities(n, EntitiesConfig{}).Action(t.Context(), namedAction("a").Name)
	if err == nil || whisk.KindOf(err) != whisk.Internal || !strings.Contains(err.Error(), "ns/a") {
		t.Errorf("error = %v, want an internal one that names the action", err)
	}
}

func BenchmarkResolve(b *testing.B) {
	e := NewEntities(NewNone(), EntitiesConfig{})
	ctx := b.Context()
	p := &whisk.Package{Name: whisk.EntityName{Namespace: "ns", Name: "p"}, Parameters: whisk.Parameters{{Key: "a", Value: []byte("1")}}}
	bound := &whisk.Package{Name: whisk.EntityName{Namespace: "ns", Name: "b"}, Binding: p.Name, Parameters: whisk.Parameters{{Key: "b", Value: []byte("1")}}}
	for _, pkg := range []*whisk.Package{p, bound} {
		if _, err := e.PutPackage(ctx, pkg, 0); err != nil {
			b.Fatal(err)
		}
	}
	names := map[string]whisk.ActionName{
		"default": {Namespace: "ns", Name: "a"}, "package": {Namespace: "ns", Package: "p", Name: "a"}, "binding": {Namespace: "ns", Package: "b", Name: "a"},
	}
	for _, pkg := range []string{"default", "package"} {
		a := &whisk.Action{Name: names[pkg], Parameters: whisk.Parameters{{Key: "c", Value: []byte("1")}}}
		if _, err := e.PutAction(ctx, a, nil, 0); err != nil {
			b.Fatal(err)
		}
	}
	resolve := func(b *testing.B, name whisk.ActionName) {
		if _, err := e.Resolve(ctx, name); err != nil {
			b.Fatal(err)
		}
	}
	for _, kind := range []string{"default", "package", "binding"} {
		b.Run(kind, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				resolve(b, names[kind])
			}
		})
	}
	b.Run("after a change", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			e.forget(Key{Namespace: "other", Name: "x"})
			resolve(b, names["binding"])
		}
	})
}

// An alarm goes with its trigger, but not with a trigger that was kept.
func TestDeleteTriggerWithAlarm(t *testing.T) {
	ctx, engine := t.Context(), NewNone()
	e, name := NewEntities(engine, EntitiesConfig{}), whisk.EntityName{Namespace: "ns", Name: "t"}
	tr, err := e.PutTrigger(ctx, &whisk.Trigger{Name: name, Version: whisk.FirstVersion}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.PutAlarm(ctx, whisk.Alarm{Trigger: name, Revision: 7, AlarmState: whisk.AlarmState{Tick: 1, Due: 1}}, 0); err != nil {
		t.Fatal(err)
	}
	if err := e.DeleteTrigger(ctx, name, tr.Revision+1); !errors.Is(err, whisk.ErrChanged) {
		t.Errorf("delete another revision: %v", err)
	}
	if _, err := engine.Alarm(ctx, name); err != nil {
		t.Errorf("the alarm of a trigger that is there: %v", err)
	}
	if err := e.DeleteTrigger(ctx, name, tr.Revision); err != nil {
		t.Fatal(err)
	}
	if _, err := engine.Alarm(ctx, name); !errors.Is(err, whisk.ErrNotFound) {
		t.Errorf("the alarm of a trigger that is gone: %v", err)
	}
}
