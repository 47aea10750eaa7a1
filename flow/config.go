package flow

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"hearth/whisk"
)

// Config holds a Flow's settings.
type Config struct {
	// Alone says that no other router uses the store and that no invoker
	// outlived the last process, so that a started row found at the start is a
	// run that broke off. Else such a row fails only after its time.
	Alone bool

	// Gone, if not nil and if not Alone, tells of a row found started whether its
	// run can be nowhere any more; then it has broken off although its time is
	// not over. It may be set only where no other router uses the store.
	Gone func(ctx context.Context, id whisk.ActivationID) bool

	// Hold keeps all queued rows from being run: they wait for a router without
	// it.
	Hold bool

	// MaxAge is how long a row may stay in the queue without having started, if
	// its action says nothing else. Then it ends in a failure record.
	MaxAge time.Duration

	// Workers bounds the rows run at once; the adaptive limit stays below.
	Workers int

	// Attempts is how often a call is offered that is refused for another
	// reason than lack of room.
	Attempts int

	// Composites bounds the sequences and compositions under way, those from the
	// queue and blocking ones apart; what is nested in one counts with it. Each
	// costs a goroutine and what its components pass on. A blocking one beyond
	// it is refused, a queued one waits. They take no workers.
	Composites int

	// SequenceLength is how many actions a sequence may run, and a composition
	// as components.
	SequenceLength int

	// MaxRows and MaxBytes bound the queued rows kept in memory, beside those
	// that workers have in hand; one namespace has at most half of each, one
	// action a quarter. More wait in the store alone, and are claimed when there is
	// room. Beside MaxRows there are up to four times as many rows of which only
	// half a kilobyte is kept, for actions for which no invoker has room.
	MaxRows  int
	MaxBytes int64

	// MaxBacklog bounds the rows that were accepted and have not ended, in
	// memory and in the store. Beyond it Submit refuses.
	MaxBacklog int

	// Patience is how long a blocking call may wait for an invoker with room,
	// if its blocking wait is not shorter.
	Patience time.Duration

	// QueueWait is how long an invoker may keep a call queued, Grace what a run
	// may take beyond its waits and twice its time limit: the router's own
	// grace, the fetch of its code, and a redial. They only tell when a started
	// row without a process counts as broken off.
	QueueWait time.Duration
	Grace     time.Duration

	// BusyMin and BusyMax bound the rest of a row that found no room; it
	// doubles from one to the other.
	BusyMin, BusyMax time.Duration

	// StoreTimeout bounds one call of the store.
	StoreTimeout time.Duration

	// Lease is for how long the store keeps a claimed row for this process if the
	// claim is not renewed. It is renewed four times as often.
	Lease time.Duration

	// ClaimEvery is about how often the store is asked for rows that nobody
	// holds, if not Alone: other routers gave them up. Where this one knows of
	// such rows it asks as soon as there is room for them.
	ClaimEvery time.Duration

	// SweepEvery is how often, if not Alone, the store is searched for started
	// rows whose time is over.
	SweepEvery time.Duration

	// DrainBudget is how long live runs may go on when Run is stopped, from
	// [Flow.BeginDrain] if that comes first. What outlives it is stopped and
	// recorded as a platform error.
	DrainBudget time.Duration

	Logger  *slog.Logger // nil: discarded
	Metrics *metrics.Set // nil: a set of its own
}

// DefaultConfig returns the settings of a production router.
func DefaultConfig() Config {
	return Config{
		MaxAge:     time.Hour,
		Workers:    256,
		Attempts:   3,
		Composites: 1024,

		SequenceLength: whisk.DefaultSystemLimits().SequenceLength,

		MaxRows:      10_000,
		MaxBytes:     64 << 20,
		MaxBacklog:   100_000,
		Patience:     5 * time.Second,
		QueueWait:    5 * time.Minute,
		Grace:        time.Minute,
		BusyMin:      20 * time.Millisecond,
		BusyMax:      2 * time.Second,
		StoreTimeout: 10 * time.Second,
		Lease:        20 * time.Second,
		ClaimEvery:   time.Second,
		SweepEvery:   30 * time.Second,
		DrainBudget:  30 * time.Second,
	}
}

// Validate reports the first setting that makes no sense.
func (c Config) Validate() error {
	for _, v := range []struct {
		name   string
		n, min int64
	}{
		{"max age", int64(c.MaxAge), 1}, {"workers", int64(c.Workers), 1}, {"attempts", int64(c.Attempts), 1},
		{"composites", int64(c.Composites), 1}, {"sequence length", int64(c.SequenceLength), 1},
		{"max rows", int64(c.MaxRows), 4}, {"max bytes", c.MaxBytes, 4096}, {"max backlog", int64(c.MaxBacklog), 1},
		{"patience", int64(c.Patience), 0}, {"queue wait", int64(c.QueueWait), 0}, {"grace", int64(c.Grace), 0},
		{"busy min", int64(c.BusyMin), 1}, {"busy max", int64(c.BusyMax), int64(c.BusyMin)},
		{"store timeout", int64(c.StoreTimeout), 1}, {"lease", int64(c.Lease), 4},
		{"claim every", int64(c.ClaimEvery), 1}, {"sweep every", int64(c.SweepEvery), 1},
		{"drain budget", int64(c.DrainBudget), 0},
	} {
		if v.n < v.min {
			return fmt.Errorf("flow: %s must be at least %d, got %d", v.name, v.min, v.n)
		}
	}
	return nil
}
