// Package storetest is the conformance suite of the store's engines.
//
//	func TestConformance(t *testing.T) {
//		storetest.Run(t, func(t *testing.T, dir string, lease time.Duration) store.Engine { ... })
//	}
package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"hearth/store"
	"hearth/whisk"
)

// Open opens the engine that lives in the folder, which the suite has made.
// Claims of queue rows hold for the time of the lease there. Opened again after
// a Close it must hold what it held. The suite closes what it opens.
type Open func(t *testing.T, dir string, lease time.Duration) store.Engine

type test struct {
	name string
	f    func(*testing.T, store.Engine)
}

// Run runs the whole suite.
func Run(t *testing.T, open Open) {
	RunEntities(t, open)
	run(t, open, store.ClaimLease, []test{
		{"Records/RoundTrip", recordRoundTrip},
		{"Records/FirstWins", recordFirstWins},
		{"Records/Unstored", recordUnstored},
		{"Records/List", recordList},
		{"Records/ListTies", recordListTies},
		{"Records/Model", recordModel},
		{"Records/Expire", recordExpire},
		{"Queue/RecordBeforeRow", queueRecordBeforeRow},
		{"Alarms/Record", alarmRecord},
		{"Dump/Fails", loadFails},
		{"Commit/Model", commitModel},
		{"Commit/OpErrors", commitOpErrors},
		{"Commit/Large", commitLarge},
		{"Commit/Concurrent", commitConcurrent},
		{"Commit/Cancelled", commitCancelled},
	})
	t.Run("Reopen", func(t *testing.T) { reopen(t, open) })
	t.Run("Dump", func(t *testing.T) { dump(t, open) })
	t.Run("Linearizable/Documents", func(t *testing.T) { linearDocs(t, open) })
	t.Run("Linearizable/Entities", func(t *testing.T) { linearEntities(t, open) })
}

// RunEntities runs the part of the suite that needs no records: documents,
// code, credentials, limits, queue rows, and the store's types on top.
func RunEntities(t *testing.T, open Open) {
	run(t, open, shortLease, []test{
		{"Claims/Expiry", claimExpiry},
		{"Claims/Renewal", claimRenewal},
		{"Claims/ExpiryRace", claimExpiryRace},
	})
	run(t, open, store.ClaimLease, []test{
		{"Docs/Revisions", docRevisions},
		{"Docs/List", docList},
		{"Docs/Race", docRace},
		{"Docs/Writes", docWrites},
		{"Docs/WritesRace", docWritesRace},
		{"Docs/Public", docPublic},
		{"Changes", changes},
		{"Code/RoundTrip", codeRoundTrip},
		{"Code/Sweep", codeSweep},
		{"Credentials", credentials},
		{"Credentials/Changes", credentialChanges},
		{"Credentials/Race", credentialRace},
		{"Limits", limits},
		{"Notes", notes},
		{"Rewrite", rewrite},
		{"Queue/States", queueStates},
		{"Queue/Order", queueOrder},
		{"Queue/LargeRows", queueLargeRows},
		{"Queue/Row", queueRow},
		{"Queue/Holders", queueHolders},
		{"Queue/Overdue", overdue},
		{"Queue/RecordEndsRow", queueRecordEndsRow},
		{"Queue/Repetition", queueRepetition},
		{"Claims/Turns", claimTurns},
		{"Claims/Due", claimDue},
		{"Claims/Race", claimRace},
		{"Attempts", attempts},
		{"Attempts/Together", attemptsTogether},
		{"Attempts/Endings", attemptsEndings},
		{"Cancel", cancel},
		{"Cancel/Race", cancelRace},
		{"DeadLetters", deadLetters},
		{"DeadLetters/Redrive", redrive},
		{"Leadership", leadership},
		{"Leadership/Race", leadershipRace},
		{"Alarms", alarms},
		{"Alarms/Steps", alarmSteps},
		{"Alarms/Race", alarmRace},
		{"Entities/Actions", entitiesActions},
		{"Entities/Fresh", entitiesFresh},
		{"Entities/Packages", entitiesPackages},
		{"Entities/Rules", entitiesRules},
		{"Entities/Resolve", entitiesResolve},
		{"Entities/Elsewhere", entitiesElsewhere},
		{"Entities/APIs", entitiesAPIs},
	})
}

func run(t *testing.T, open Open, lease time.Duration, tests []test) {
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := open(t, t.TempDir(), lease)
			t.Cleanup(func() {
				if err := e.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
			tt.f(t, e)
		})
	}
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatalf("unexpected error: %v", err)
		}
		return v
	}
}

func wantErr(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: error = %v, want %v", what, got, want)
	}
}

// commit carries ops out and returns which were OK.
func commit(t *testing.T, e store.Engine, ops ...store.Op) []bool {
	t.Helper()
	results := must(e.Commit(t.Context(), ops))(t)
	if len(results) != len(ops) {
		t.Fatalf("%d results for %d ops", len(results), len(ops))
	}
	out := make([]bool, len(results))
	for i, r := range results {
		if r.Err != nil {
			t.Fatalf("op %d: %v", i, r.Err)
		}
		out[i] = r.OK
	}
	return out
}

func recordOp(a *whisk.Activation) store.Op { return store.Op{Kind: store.OpRecord, Record: a} }

// record returns a small record with the name "[pkg/]name".
func record(ns whisk.Namespace, pkg, name string, start int64) *whisk.Activation {
	return &whisk.Activation{
		ID: whisk.NewActivationID(), Namespace: ns, Name: name, Package: pkg, Version: whisk.FirstVersion,
		Subject: string(ns), Start: start, End: start + 3, Duration: 3,
		Response: whisk.Response{Result: []byte(fmt.Sprintf(`{"start":%d}`, start)), Size: 15},
		Logs:     []string{"2026-01-01T00:00:00.000000000Z stdout: hello"},
	}
}

func newRow(ns whisk.Namespace, payload string) *store.QueueRow {
	return &store.QueueRow{ID: whisk.NewActivationID(), Namespace: ns, Created: 1_700_000_000_000, Payload: []byte(payload)}
}

// deadRecord returns the record of a row's last attempt, which failed.
func deadRecord(r *store.QueueRow) *whisk.Activation {
	a := record(r.Namespace, "pkg", "failing", 1)
	a.ID, a.Attempt, a.Dead, a.Response = r.ID, r.Attempt, true, whisk.ErrorResponse(whisk.ApplicationError, "it broke")
	return a
}
