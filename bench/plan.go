package bench

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Arrival is the law by which requests come.
type Arrival string

// The arrivals. All but Closed are open loops: requests are due whether or not
// the earlier ones were answered.
const (
	Closed   Arrival = "closed"   // each client sends when its last request was answered
	Constant Arrival = "constant" // even gaps
	Poisson  Arrival = "poisson"  // independent arrivals: exponential gaps
	Ramp     Arrival = "ramp"     // the rate grows from 0 to Rate in a straight line
	Burst    Arrival = "burst"    // a second's requests come within its first tenth
	Trace    Arrival = "trace"    // at given times
)

// Plan says when requests are sent. Open loops last for Duration or Count
// arrivals, whichever is shorter; closed loops likewise. A zero bound is none.
type Plan struct {
	Arrival     Arrival         `json:"arrival"`
	Concurrency int             `json:"concurrency,omitempty"` // closed: clients; open: most requests in flight, 0 is 1,024
	Rate        float64         `json:"rate,omitempty"`        // open: requests per second (ramp: at the end; burst: mean)
	Trace       []time.Duration `json:"-"`                     // trace: offsets from the start, ascending
	Duration    time.Duration   `json:"duration_ns,omitempty"`
	Count       int64           `json:"count,omitempty"`
	Warmup      time.Duration   `json:"warmup_ns,omitempty"` // before the rest, at its mean rate; not recorded
	Seed        uint64          `json:"seed,omitempty"`      // of Poisson arrivals
}

// Bounds on plans.
const (
	maxConcurrency     = 1 << 16
	maxRate            = 10_000_000
	defaultConcurrency = 1024 // of open loops
)

// Validate reports what cannot be carried out.
func (p Plan) Validate() error {
	switch {
	case p.Concurrency < 0 || p.Concurrency > maxConcurrency:
		return fmt.Errorf("concurrency %d: must be within 0 and %d", p.Concurrency, maxConcurrency)
	case p.Duration < 0 || p.Count < 0 || p.Warmup < 0:
		return errors.New("duration, count and warm-up must not be negative")
	}
	switch p.Arrival {
	case Closed:
		if p.Concurrency == 0 {
			return errors.New("a closed loop needs a concurrency")
		}
	case Constant, Poisson, Ramp, Burst:
		if !(p.Rate > 0 && p.Rate <= maxRate) { // NaN is neither
			return fmt.Errorf("rate %v: must be above 0 and at most %d a second", p.Rate, maxRate)
		}
		if p.Arrival == Ramp && p.Duration == 0 {
			return errors.New("a ramp needs a duration")
		}
	case Trace:
		return p.validateTrace()
	default:
		return fmt.Errorf("arrival %q: must be closed, constant, poisson, ramp, burst or trace", p.Arrival)
	}
	if p.Duration == 0 && p.Count == 0 {
		return errors.New("a plan needs a duration or a count")
	}
	return nil
}

func (p Plan) validateTrace() error {
	switch {
	case len(p.Trace) == 0:
		return errors.New("a trace needs arrivals")
	case p.Trace[0] < 0 || !slices.IsSorted(p.Trace):
		return errors.New("the arrivals of a trace must ascend from 0")
	}
	return nil
}
