package store

import (
	"context"
	"fmt"

	"hearth/whisk"
)

// Step takes an alarm from a tick, and commits what that tick was fired with:
// rec, if it is not nil, and rows. All of it happens together and once. false
// says that none of it does, as the alarm is not at that tick, or is not there,
// any more. If ctx ends first it may yet happen.
func (r *Recorder) Step(ctx context.Context, step whisk.AlarmStep, rec *whisk.Activation, rows []QueueRow) (bool, error) {
	var size int64
	for i := range rows {
		size += 256 + int64(len(rows[i].Payload))
	}
	if rec != nil {
		size += recordSize(rec)
	}
	o, err := r.do(ctx, Op{Kind: OpStep, Step: &step, Record: rec, Rows: rows}, size)
	if err != nil {
		return false, fmt.Errorf("step of the alarm of %s: %w", step.Trigger.Path(), err)
	}
	return o.OK, nil
}
