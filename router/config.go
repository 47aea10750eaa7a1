package router

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// Config holds a router's settings.
type Config struct {
	// Tries is how many invokers are offered a call in one go, up to 16.
	// Raising it finds room in a hot mesh more surely, at a round trip each.
	Tries int

	// WaitingCalls and WaitingBytes bound the queue of calls that all invokers
	// refused. More is patience bought with memory.
	WaitingCalls int
	WaitingBytes int64

	// RetryEvery is how often the first waiting call asks again although
	// nothing was heard to end.
	RetryEvery time.Duration

	// MaxAge is how long a call may stay queued at an invoker, from the
	// beginning of its Invoke.
	MaxAge time.Duration

	// AbsentAfter is how long, after this router's start and after an invoker
	// has left, a call waits for an invoker that could run it at all (its kind
	// or image, its memory). Then it goes to its home all the same, which ends
	// it with a record that says why. 0 where no invoker comes later.
	AbsentAfter time.Duration

	// CodeWait bounds one fetch of an action's code.
	CodeWait time.Duration

	// StartGrace is added to twice the action's time limit (for init and run)
	// to give the deadline of a started call: for the start of a sandbox, the
	// transfer of code and result, and the journal.
	StartGrace time.Duration

	// RedialWait is how long an invoker whose connection broke is given to
	// come back before its calls fail, LookupEvery how often it is asked for
	// one of them.
	RedialWait  time.Duration
	LookupEvery time.Duration

	// StoreWait is how long the commit of a failure record is waited for once
	// the server stops; before that it takes as long as it takes.
	StoreWait time.Duration

	// CollectEvery is how often Run asks the invokers for unacknowledged
	// records, CollectBatch how many it takes at once from one.
	CollectEvery time.Duration
	CollectBatch int

	Logger  *slog.Logger // nil: discard
	Metrics *metrics.Set // nil: a set of its own
}

// DefaultConfig returns the settings of a production router.
func DefaultConfig() Config {
	return Config{
		Tries:        16,
		WaitingCalls: 4096,
		WaitingBytes: 256 << 20,
		RetryEvery:   25 * time.Millisecond,
		MaxAge:       5 * time.Minute,
		AbsentAfter:  time.Minute,
		CodeWait:     10 * time.Second,
		StartGrace:   30 * time.Second,
		RedialWait:   2 * time.Second,
		LookupEvery:  100 * time.Millisecond,
		StoreWait:    2 * time.Second,
		CollectEvery: 5 * time.Second,
		CollectBatch: 256,
	}
}

// Validate reports the first setting that makes no sense.
func (c Config) Validate() error {
	for _, v := range []struct {
		name string
		n    int64
	}{
		{"tries", int64(c.Tries)}, {"retry every", int64(c.RetryEvery)}, {"max age", int64(c.MaxAge)},
		{"code wait", int64(c.CodeWait)}, {"start grace", int64(c.StartGrace)}, {"redial wait", int64(c.RedialWait)},
		{"lookup every", int64(c.LookupEvery)}, {"store wait", int64(c.StoreWait)},
		{"collect every", int64(c.CollectEvery)}, {"collect batch", int64(c.CollectBatch)},
	} {
		if v.n <= 0 {
			return fmt.Errorf("router: %s must be greater than 0, got %d", v.name, v.n)
		}
	}
	if c.Tries > maxTries {
		return fmt.Errorf("router: tries must be at most %d, got %d", maxTries, c.Tries)
	}
	if c.AbsentAfter < 0 {
		return fmt.Errorf("router: absent after must not be negative, got %v", c.AbsentAfter)
	}
	if c.WaitingCalls < 0 || c.WaitingBytes < 0 {
		return fmt.Errorf("router: bounds of the waiting queue must not be negative, got %d calls, %d bytes", c.WaitingCalls, c.WaitingBytes)
	}
	return nil
}
