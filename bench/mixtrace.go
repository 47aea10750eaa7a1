package bench

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// TraceLaws shape arrivals, popularity and run times after the study of Azure
// Functions' production load ("Serverless in the Wild", Shahrad et al., USENIX
// ATC 2020). Nothing of its data is used: the figures it prints are enough to
// draw from the same laws.
//
//   - Popularity: an application's invocations per day span eight orders of
//     magnitude; 45% have at most one an hour, 81% at most one a minute, and
//     the upper 18.6% make 99.6% of all calls. Between those points (and from
//     1 a day up to 10^8) the logarithm is taken as straight.
//   - Run time: the average run times of functions follow a log-normal law
//     with a log-mean of -0.38 and a sigma of 2.36, in seconds. Each function
//     has one average here, and each run is exponential around it.
//   - Gaps: 20% of the functions are called at even gaps (timers), 40% as a
//     Poisson process (a coefficient of variation of 1), 40% in bursts (a
//     coefficient above 1; here 3, from a mix of two exponentials).
//
// A day does not fit into a benchmark. So the rates are raised to the power
// Flatten, which lets rare functions be called within seconds, and scaled to a
// total of Rate calls a second; the run times are divided by Speedup and cut at
// LongestMS, which keeps the shape below the cut.
type TraceLaws struct {
	Functions int     `json:"functions"` // 1 to 1,000
	Rate      float64 `json:"rate"`      // calls per second of all
	Flatten   float64 `json:"flatten"`   // exponent of the rates; 1 leaves them as they are
	Speedup   float64 `json:"speedup"`   // divides run times
	LongestMS float64 `json:"longestMS"` // of a run
}

func (t *TraceLaws) validate() error {
	switch {
	case t == nil:
		return nil
	case t.Functions < 1 || t.Functions > 1000:
		return fmt.Errorf("trace: %d functions: must be within 1 and 1000", t.Functions)
	case !(t.Rate > 0 && t.Rate <= 1e5) || !(t.Speedup > 0) || !(t.Flatten > 0 && t.Flatten <= 1) || !(t.LongestMS > 0 && t.LongestMS <= 1e4):
		return fmt.Errorf("trace: rate, flatten, speedup and longestMS must be above 0 and sensible")
	}
	return nil
}

// The laws' figures.
const (
	runLogMean   = -0.38
	runLogSigma  = 2.36
	evenShare    = 0.2
	poissonShare = 0.4
	burstCV      = 3.0
)

// dailyCalls are points of the distribution of invocations per day.
var dailyCalls = []struct{ share, calls float64 }{
	{0, 1}, {0.45, 24}, {0.81, 1440}, {1, 1e8},
}

// traceCall is one arrival.
type traceCall struct {
	at       time.Duration
	function int
	ms       float64
}

// calls draws the arrivals of d.
func (t *TraceLaws) calls(d time.Duration, seed uint64) []traceCall {
	r := rand.New(rand.NewPCG(seed, 0x617a757265))
	rates := make([]float64, t.Functions)
	sum := 0.0
	for i := range rates {
		// One function at each step of the distribution: a draw of a few
		// functions from a law this wide would say more of the draw.
		rates[i] = math.Pow(callsPerDay((float64(i)+0.5)/float64(t.Functions)), t.Flatten)
		sum += rates[i]
	}
	var all []traceCall
	for i := range rates {
		rate := rates[i] / sum * t.Rate
		mean := math.Exp(runLogMean+runLogSigma*r.NormFloat64()) * 1000 / t.Speedup
		gap := gaps(r, rate)
		for at := gap() * r.Float64(); at < d.Seconds(); at += gap() {
			ms := min(mean*r.ExpFloat64(), t.LongestMS)
			all = append(all, traceCall{seconds(at), i, ms})
		}
	}
	if len(all) == 0 {
		all = append(all, traceCall{})
	}
	slices.SortFunc(all, func(a, b traceCall) int { return int(a.at - b.at) })
	return all
}

// callsPerDay inverts the distribution: the share q of all have fewer.
func callsPerDay(q float64) float64 {
	for i := 1; i < len(dailyCalls); i++ {
		lo, hi := dailyCalls[i-1], dailyCalls[i]
		if q <= hi.share {
			part := (q - lo.share) / (hi.share - lo.share)
			return math.Exp(math.Log(lo.calls) + part*(math.Log(hi.calls)-math.Log(lo.calls)))
		}
	}
	return dailyCalls[len(dailyCalls)-1].calls
}

// gaps chooses a law for a function and returns a source of its gaps, in
// seconds.
func gaps(r *rand.Rand, rate float64) func() float64 {
	mean := 1 / rate
	switch u := r.Float64(); {
	case u < evenShare:
		return func() float64 { return mean }
	case u < evenShare+poissonShare:
		return func() float64 { return mean * r.ExpFloat64() }
	}
	// Two exponentials with balanced means: CV² = 1/(2p(1-p)) - 1.
	c2 := burstCV * burstCV
	p := (1 + math.Sqrt((c2-1)/(c2+1))) / 2
	return func() float64 {
		if r.Float64() < p {
			return mean / (2 * p) * r.ExpFloat64()
		}
		return mean / (2 * (1 - p)) * r.ExpFloat64()
	}
}
