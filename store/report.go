package store

import (
	"context"
	"crypto/sha256"
	"fmt"

	"hearth/whisk"
)

// Report is what a check of a database found.
type Report struct {
	Schema   int      // number of the last migration
	Counts   []Count  // of what it holds
	Problems []string // none: all that was looked at is as it was written
}

// Count is how many rows a table has.
type Count struct {
	Table string
	Rows  int64
}

// Tables are those that a report counts.
var Tables = []string{"docs", "codes", "credentials", "namespace_limits", "alarms", "queue", "dead_letters", "activations", "changes"}

// Checker is an [Engine] that can look at all that it holds.
type Checker interface {
	// Check reads the whole database. An error says that it could not be read.
	Check(context.Context) (Report, error)
}

// CheckCode compares blobs with their digests and returns what is wrong. It is
// for engines.
func CheckCode(ctx context.Context, digests []whisk.Digest, code func(context.Context, whisk.Digest) ([]byte, error)) (problems []string, err error) {
	for _, d := range digests {
		text, err := code(ctx, d)
		if ctx.Err() != nil {
			return problems, ctx.Err()
		}
		switch {
		case err != nil:
			problems = append(problems, fmt.Sprintf("code %s cannot be read: %v", d, err))
		case sha256.Sum256(text) != d:
			problems = append(problems, fmt.Sprintf("code %s is damaged: its digest is another", d))
		}
	}
	return problems, nil
}
