package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"hearth/internal/pgtest"
	"hearth/store"
	"hearth/whisk"
)

func TestOpenRefuses(t *testing.T) {
	s := pgtest.Shared(t)
	for name, change := range map[string]func(*Config){
		"no DSN":            func(c *Config) { c.DSN = "" },
		"few connections":   func(c *Config) { c.MaxConns = minConns - 1 },
		"no timeout":        func(c *Config) { c.StatementTimeout = 0 },
		"no lease":          func(c *Config) { c.ClaimLease = 0 },
		"changes not kept":  func(c *Config) { c.ChangesKept = 0 },
		"no such schema":    func(c *Config) { c.DSN = s.DSN(url.Values{"search_path": {"nowhere"}}) },
		"schema to be kept": func(c *Config) { c.DSN, c.KeepSchema = s.Schema(t), true },
	} {
		cfg := DefaultConfig(s.DSN(nil))
		change(&cfg)
		if d, err := Open(t.Context(), cfg); err == nil {
			t.Errorf("%s: it was opened", name)
			closeDB(t, d)
		}
	}
}

// TestSecrecy has whatever can go wrong with a DSN go wrong.
func TestSecrecy(t *testing.T) {
	const password = "hunter2"
	var logged bytes.Buffer
	for _, dsn := range []string{
		"postgres://user:" + password + "@127.0.0.1:1/db?connect_timeout=1", "postgres://user:" + password + "@host:port/db",
		"host=/nonexistent password=" + password, "password=" + password + " nonsense", "postgres://user:" + password + "@[::1/db",
		"postgres://user:" + password + "@/db?sslmode=odd",
	} {
		cfg := DefaultConfig(dsn)
		cfg.Logger = slog.New(slog.NewTextHandler(&logged, nil))
		d, err := Open(t.Context(), cfg)
		if err == nil {
			closeDB(t, d)
			t.Errorf("a DSN of the password was opened")
			continue
		}
		for e := err; e != nil; e = errors.Unwrap(e) {
			if strings.Contains(e.Error(), password) || strings.Contains(fmt.Sprintf("%+v", e), password) {
				t.Errorf("an error tells the password: %v", e)
			}
		}
	}
	if strings.Contains(logged.String(), password) {
		t.Errorf("the log tells the password: %s", &logged)
	}
}

// TestSettings holds those that survive power loss, which no test can show,
// and that the DSN has the last word about others.
func TestSettings(t *testing.T) {
	dsn := pgtest.Shared(t).Schema(t) + "&synchronous_commit=off&statement_timeout=1234"
	d := open(t, dsn)
	defer closeDB(t, d)
	for name, want := range map[string]string{
		"synchronous_commit": "on", "statement_timeout": "1234ms", "plan_cache_mode": "force_generic_plan", "enable_seqscan": "off",
	} {
		var got string
		if err := d.pool.QueryRow(t.Context(), "SELECT current_setting($1)", name).Scan(&got); err != nil || got != want {
			t.Errorf("%s = %q, %v, want %q", name, got, err, want)
		}
	}
}

// TestDeadlines bounds calls by their contexts, and then goes on.
func TestDeadlines(t *testing.T) {
	dsn := pgtest.Shared(t).Schema(t)
	d := open(t, dsn)
	defer closeDB(t, d)
	key := store.Key{Namespace: "ns", Name: "a"}
	doc, err := d.PutDoc(t.Context(), store.Doc{Key: key, Collection: store.Actions}, 0)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := d.pool.Begin(t.Context()) // in the way of everybody
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "LOCK docs, activations, queue, last_change"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for name, f := range map[string]func() error{
		"read":   func() error { _, err := d.Doc(ctx, key); return err },
		"write":  func() error { _, err := d.PutDoc(ctx, doc, doc.Revision); return err },
		"commit": func() error { _, err := d.Commit(ctx, benchRecords(3)); return err },
		"claim": func() error {
			_, err := d.Claim(ctx, store.ClaimQuery{Holder: 1, Limit: 1, Bytes: 1, PerNamespace: 1})
			return err
		},
		"await": func() error { _ = d.AwaitChange(ctx); return d.AwaitChange(ctx) },
	} {
		if err := f(); !errors.Is(err, context.DeadlineExceeded) || whisk.KindOf(err) != whisk.Internal {
			t.Errorf("%s: error = %v, want %v", name, err, context.DeadlineExceeded)
		}
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := d.PutDoc(t.Context(), doc, doc.Revision); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	if _, err := d.Commit(t.Context(), benchRecords(3)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestOddTexts gives keys that no row can have.
func TestOddTexts(t *testing.T) {
	d := open(t, pgtest.Shared(t).Schema(t))
	defer closeDB(t, d)
	ctx := t.Context()
	for _, odd := range []string{"a\x00b", "a\xff"} {
		ns, key := whisk.Namespace(odd), store.Key{Namespace: whisk.Namespace(odd), Name: "a"}
		for name, f := range map[string]func() error{
			"document":   func() error { _, err := d.Doc(ctx, key); return err },
			"credential": func() error { _, err := d.Credential(ctx, odd); return err },
			"record":     func() error { _, err := d.Activation(ctx, ns, whisk.NewActivationID()); return err },
			"alarm":      func() error { _, err := d.Alarm(ctx, whisk.EntityName{Namespace: ns, Name: "a"}); return err },
		} {
			if err := f(); !errors.Is(err, whisk.ErrNotFound) {
				t.Errorf("%q: %s: error = %v, want %v", odd, name, err, whisk.ErrNotFound)
			}
		}
		if got, err := d.Activations(ctx, store.ActivationQuery{Namespace: "ns", Name: odd}); err != nil || len(got) != 0 {
			t.Errorf("%q: list: %v, %v", odd, got, err)
		}
		if n, err := d.CountDocs(ctx, store.DocQuery{Namespace: ns}); err != nil || n != 0 {
			t.Errorf("%q: count: %d, %v", odd, n, err)
		}
		if _, err := d.PutDoc(ctx, store.Doc{Key: key, Collection: store.Actions}, 0); whisk.KindOf(err) != whisk.BadRequest {
			t.Errorf("%q: write: error = %v, want a bad request", odd, err)
		}
		alarm := whisk.Alarm{Trigger: whisk.EntityName{Namespace: "ns", Name: "t"}, Revision: 1, AlarmState: whisk.AlarmState{Reason: odd}}
		if err := d.PutAlarm(ctx, alarm, 0); err != nil {
			t.Errorf("%q: a reason: %v", odd, err)
		}
		if err := d.DeleteAlarm(ctx, alarm.Trigger, 0); err != nil {
			t.Error(err)
		}
		bad, row, good := benchRecord(1), &store.QueueRow{ID: whisk.NewActivationID(), Namespace: ns}, benchRecord(2)
		bad.Name = odd
		results, err := d.Commit(ctx, []store.Op{{Kind: store.OpRecord, Record: bad}, {Kind: store.OpEnqueue, Row: row}, {Kind: store.OpRecord, Record: good}})
		if err != nil || results[0].Err == nil || results[1].Err == nil || !results[2].OK {
			t.Errorf("%q: results %+v, %v, want the last alone to be OK", odd, results, err)
		}
	}
}
