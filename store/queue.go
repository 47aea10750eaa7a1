package store

import (
	"time"

	"hearth/whisk"
)

// QueueRow is one activation that was promised to a client and has no record
// yet.
type QueueRow = whisk.QueueRow

// DeadLetter is a call that failed at its last attempt.
type DeadLetter = whisk.DeadLetter

// RowState is where a queue row stands.
type RowState = whisk.RowState

// The states of a row.
const (
	RowQueued  = whisk.RowQueued
	RowStarted = whisk.RowStarted
)

// ClaimLease is for how long a holder has a queued row to itself, if it does
// not renew. After that others may claim it.
const ClaimLease = 20 * time.Second

// ClaimQuery says which rows a holder wants.
type ClaimQuery = whisk.ClaimQuery

// DeadQuery selects dead letters of one namespace.
type DeadQuery = whisk.DeadQuery

// TakeTurns picks from lanes in turn, one of each in every round, as far as the
// bounds of the query go. It is for engines.
func TakeTurns[T any](q ClaimQuery, lanes [][]T, size func(T) int64) []T {
	var out []T
	bytes := int64(0)
	for round := range q.PerNamespace {
		more := false
		for _, lane := range lanes {
			if round >= len(lane) {
				continue
			}
			bytes += size(lane[round])
			if len(out) == q.Limit || len(out) > 0 && bytes > q.Bytes {
				return out
			}
			out, more = append(out, lane[round]), true
		}
		if !more {
			break
		}
	}
	return out
}
