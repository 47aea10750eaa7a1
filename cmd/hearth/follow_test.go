package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"hearth/auth"
	"hearth/store"
	"hearth/store/sqlite"
	"hearth/whisk"
)

// TestFollow changes one database by two engines, as a server and a command
// beside it do: what the server has cached is dropped.
func TestFollow(t *testing.T) {
	ctx, d := t.Context(), newPlatform(t)
	defer closeData(t, d)
	open := func() (*sqlite.DB, *auth.Keyring) {
		db, err := sqlite.Open(ctx, sqlite.DefaultConfig(d.file(storeFile)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
		keys, err := openKeys(ctx, "", d, db)
		if err != nil {
			t.Fatal(err)
		}
		return db, keys
	}
	server, keys := open()
	cfg := auth.DefaultConfig()
	cfg.Keys = keys
	a, err := auth.New(cfg, server)
	if err != nil {
		t.Fatal(err)
	}
	s := &routerSide{
		engine: server, auth: a, log: slog.New(slog.DiscardHandler), metrics: metrics.NewSet(),
		entities: store.NewEntities(server, store.EntitiesConfig{}),
	}
	if err := s.follow(); err != nil {
		t.Fatal(err)
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- s.follower.Run(running) }()
	defer func() {
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}()

	beside, keys := open()
	acc, entities := auth.NewAccounts(keys, beside, nil), store.NewEntities(beside, store.EntitiesConfig{})
	action := &whisk.Action{Name: whisk.ActionName{Namespace: "alice", Name: "a"}, Version: whisk.FirstVersion}
	var key whisk.AuthKey
	// what the server sees
	sees := func() string {
		id, err := a.Authenticate(ctx, key)
		if err != nil {
			return whisk.MessageOf(err)
		}
		found, err := s.entities.Action(ctx, action.Name)
		if err != nil {
			return whisk.MessageOf(err)
		}
		return fmt.Sprint(id.Limits.FiresPerMinute, " ", found.Version)
	}
	seven := int64(7)
	steps := []struct {
		name string
		do   func() error
		want string
	}{
		{"create", func() (err error) {
			action, err = entities.PutAction(ctx, action, nil, 0)
			return errors.Join(err, func() (err error) {
				key, err = acc.Create(ctx, whisk.AccountRequest{Subject: "alice"})
				return err
			}())
		}, "60 0.0.1"},
		{"limit", func() error { return acc.SetLimits(ctx, "alice", whisk.NamespaceLimits{FiresPerMinute: &seven}) }, "7 0.0.1"},
		{"update", func() (err error) {
			next := *action
			next.Version = next.Version.Next()
			action, err = entities.PutAction(ctx, &next, nil, action.Revision)
			return err
		}, "7 0.0.2"},
		{"no limit", func() error { return acc.DeleteLimits(ctx, "alice") }, "60 0.0.2"},
		{"block", func() error { return acc.Block(ctx, "alice", true) }, auth.ErrInvalid.Message},
		{"unblock", func() error { return acc.Block(ctx, "alice", false) }, "60 0.0.2"},
		{"delete action", func() error { return entities.DeleteAction(ctx, action.Name, 0) }, whisk.ErrNotFound.Message},
		{"delete subject", func() error { return acc.Delete(ctx, "alice", "") }, auth.ErrInvalid.Message},
	}
	for _, step := range steps {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		deadline := time.Now().Add(20 * time.Second)
		for sees() != step.want && time.Now().Before(deadline) {
			<-time.After(5 * time.Millisecond)
		}
		if got := sees(); got != step.want {
			t.Fatalf("after %s the server sees %q, want %q", step.name, got, step.want)
		}
	}
}
