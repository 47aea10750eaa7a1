package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hearth/whisk"
)

// Target makes one request. Do is called by many goroutines at once and bounds
// the request's time itself; seq counts from 0 and tells payloads apart.
type Target interface {
	Do(ctx context.Context, seq int64) Hit
}

// TargetFunc is a function as a Target.
type TargetFunc func(ctx context.Context, seq int64) Hit

// Do calls f.
func (f TargetFunc) Do(ctx context.Context, seq int64) Hit { return f(ctx, seq) }

// Hit is what came of one request.
type Hit struct {
	Class string      // "" fine; else the error's class
	Bytes int64       // payload there and back
	Start whisk.Start // from the record, NoStart if unknown

	// Phases from the record, 0 if unknown. Network is the rest of the latency.
	Wait, Init, Run time.Duration

	Key string // what mixes tell apart, mostly the action; "" none
}

// Classes of errors. A target may use others.
const (
	ClassThrottled   = "429"
	ClassClient      = "4xx"
	ClassServer      = "5xx"
	ClassTimeout     = "timeout"         // no whole answer in time
	ClassRefused     = "refused"         // no connection
	ClassTLS         = "tls"             // no secure connection
	ClassLost        = "connection lost" // before the answer was whole
	ClassWrongAnswer = "wrong answer"    // well-formed, but not what was asked for
	ClassBadAnswer   = "bad answer"      // not understood, or too long
	ClassFailed      = "action failed"   // the action's own error
	ClassPending     = "pending"         // the wait for the result was over (202)
	ClassOverflow    = "overflow"        // never sent: too many were due before it
)

// ErrThrottled ends a run at the first 429: from there on the throttle would
// be measured, not the server.
var ErrThrottled = errors.New("the server throttles (429): start it with --no-throttle, raise the namespace's limits, or use a lower rate or concurrency")

// Run carries out the plan and returns when all answers are in. It stops at
// the first answer of class "429" with ErrThrottled, and with the context's
// error when that ends; the result so far comes with either. watch may be nil;
// it is called from one goroutine at a time.
func Run(ctx context.Context, p Plan, t Target, watch func(Progress)) (*Result, error) {
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	pace, err := newPacer()
	if err != nil {
		return nil, err
	}
	defer pace.close()
	if watch == nil {
		watch = func(Progress) {}
	}
	return newEngine(p, t, pace).run(ctx, watch)
}
