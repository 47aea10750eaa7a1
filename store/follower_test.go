package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

// toldLog is a change log that can be away, and what a follower of it told.
type toldLog struct {
	*None
	mu   sync.Mutex // guards what follows
	away bool
	told []string
}

func (l *toldLog) Changes(ctx context.Context, after int64, limit int) ([]Change, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.away {
		return nil, errors.New("away")
	}
	return l.None.Changes(ctx, after, limit)
}

func (l *toldLog) tell(s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, s)
}

func (l *toldLog) set(away bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.away = away
}

// take returns what was told since the last call.
func (l *toldLog) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer func() { l.told = nil }()
	return strings.Join(l.told, " ")
}

func (l *toldLog) follow(t *testing.T) FollowerConfig {
	cfg := DefaultFollowerConfig()
	cfg.Changed = func(c Change) { l.tell(c.Kind + ":" + c.Key) }
	cfg.Lost = func() { l.tell("lost") }
	f := NewFollower(cfg, l)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- f.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Run = %v", err)
		}
	})
	return cfg
}

func (l *toldLog) setLimits(t *testing.T, ns string) {
	t.Helper()
	five := int64(5)
	err := l.ChangeLimits(t.Context(), whisk.Namespace(ns), func(whisk.NamespaceLimits) (whisk.NamespaceLimits, error) {
		return whisk.NamespaceLimits{FiresPerMinute: &five}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFollower(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &toldLog{None: NewNone()}
		l.setLimits(t, "old")
		cfg := l.follow(t)
		synctest.Wait()
		if got := l.take(); got != "lost" {
			t.Errorf("at the start: %q", got)
		}
		l.setLimits(t, "a")
		putAction(t, NewEntities(l.None, EntitiesConfig{}), namedAction("act"), 0)
		time.Sleep(cfg.Every)
		synctest.Wait()
		if got := l.take(); got != "limits:a actions:ns/act" {
			t.Errorf("after changes: %q", got)
		}

		l.set(true)
		l.setLimits(t, "b")
		time.Sleep(10 * cfg.Every)
		synctest.Wait()
		if got := l.take(); got != "" {
			t.Errorf("with the store away: %q", got)
		}
		l.set(false)
		time.Sleep(cfg.Every)
		synctest.Wait()
		if got := l.take(); got != "limits:b" {
			t.Errorf("with the store back: %q", got)
		}

		var want []string
		for i := range changesAtOnce + 3 {
			l.setLimits(t, fmt.Sprint(i))
			want = append(want, fmt.Sprint("limits:", i))
		}
		time.Sleep(cfg.Every)
		synctest.Wait()
		if got := strings.Fields(l.take()); !slices.Equal(got, want) {
			t.Errorf("of %d changes at once %d were told", len(want), len(got))
		}

		l.set(true)
		for i := range 2*noneChanges + 1 { // more than the log keeps
			l.setLimits(t, fmt.Sprint(i))
		}
		l.set(false)
		time.Sleep(cfg.Every)
		synctest.Wait()
		if got := l.take(); got != "lost" {
			t.Errorf("after changes were lost: %q", got)
		}
		l.setLimits(t, "c")
		time.Sleep(cfg.Every)
		synctest.Wait()
		if got := l.take(); got != "limits:c" {
			t.Errorf("then: %q", got)
		}
	})
}

func TestFollowerConfig(t *testing.T) {
	good := DefaultFollowerConfig()
	good.Changed, good.Lost = func(Change) {}, func() {}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for _, c := range []FollowerConfig{DefaultFollowerConfig(), {Changed: good.Changed, Lost: good.Lost}, {Every: 1, Timeout: 1, Lost: good.Lost}} {
		if c.Validate() == nil {
			t.Errorf("%+v is valid", c)
		}
	}
}
