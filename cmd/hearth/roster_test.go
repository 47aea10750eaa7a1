package main

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"hearth/router"
	"hearth/whisk"
)

type fakeMembers struct{ told []string }

func (f *fakeMembers) Join(h whisk.Hello, _ router.Invoker) {
	f.told = append(f.told, fmt.Sprintf("join %s %s", h.ID, h.Incarnation))
}
func (f *fakeMembers) Leave(id string) { f.told = append(f.told, "leave "+id) }

// TestRoster: of two invokers with one id the second waits for the first to go,
// and the operator is told.
func TestRoster(t *testing.T) {
	var log strings.Builder
	f := &fakeMembers{}
	r := newRoster(f, slog.New(slog.NewTextHandler(&log, nil)))
	entry := func(id, life, addr string) rosterEntry {
		return rosterEntry{addr: addr, hello: whisk.Hello{ID: id, Incarnation: life}}
	}
	r.up(entry("a", "1", "x"))
	r.up(entry("b", "1", "y"))
	if log.Len() > 0 {
		t.Errorf("logged %s", log.String())
	}
	r.up(entry("a", "2", "z"))
	if !strings.Contains(log.String(), "same id") {
		t.Errorf("logged %q", log.String())
	}
	r.down("a", "x")
	r.up(entry("a", "3", "x"))
	r.down("a", "x")
	r.down("a", "z")
	r.down("a", "z")
	r.down("b", "y")
	got, want := strings.Join(f.told, ", "), "join a 1, join b 1, join a 2, leave a, leave b"
	if got != want || len(r.byID) != 0 {
		t.Errorf("told %s, want %s", got, want)
	}
}
