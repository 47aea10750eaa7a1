package whisk

import (
	"encoding/json"
	"strings"
)

// DeadLetter is a call that failed at its last attempt, kept so that somebody
// may look at it and have it run again. Its activation has ended in a record.
type DeadLetter struct {
	ID        ActivationID // of the activation that failed
	Namespace Namespace
	Name      string // of the action: "name", or "pkg/name"
	Created   int64  // ms since the epoch: when it was accepted
	Ended     int64  // ms since the epoch
	Attempts  int    // the number of the last one; 0: it was never tried
	Reason    string // why the last one failed
	Code      Digest // keeps the blob from being swept
	Payload   []byte // the sealed call
}

// DeadQuery selects dead letters of one namespace. Limit 0 is no limit.
type DeadQuery struct{ Skip, Limit int }

// maxReason bounds the reason of a dead letter, in bytes.
const maxReason = 1024

// NewDeadLetter returns what becomes of the row of a call whose last record
// is rec. It shares the row's payload.
func NewDeadLetter(row QueueRow, rec *Activation) DeadLetter {
	return DeadLetter{
		ID: row.ID, Namespace: row.Namespace, Name: rec.FilterName(), Created: row.Created, Ended: max(rec.Start, rec.End),
		Attempts: rec.Attempt, Reason: rec.reason(), Code: row.Code, Payload: row.Payload,
	}
}

// reason returns the error's text, or what the status says where it has none.
// It is valid UTF-8 without NUL, which not every database takes.
func (a *Activation) reason() string {
	var result struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(a.Response.Result, &result) != nil || result.Error == "" {
		return a.Response.Status.String()
	}
	text := result.Error[:min(maxReason, len(result.Error))]
	return strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\x00", "")
}
