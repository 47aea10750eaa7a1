package bench

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const ms = time.Millisecond

// arrivals returns up to most due times of a plan.
func arrivals(p Plan, most int) []time.Duration {
	s := newSchedule(p)
	var v []time.Duration
	for len(v) < most {
		due, ok := s.next()
		if !ok {
			break
		}
		v = append(v, due)
	}
	return v
}

func TestSchedule(t *testing.T) {
	for _, tt := range []struct {
		name string
		plan Plan
		want []time.Duration
	}{
		{"constant, by count", Plan{Arrival: Constant, Rate: 10, Count: 3}, []time.Duration{0, 100 * ms, 200 * ms}},
		{"constant, by time", Plan{Arrival: Constant, Rate: 10, Duration: 300 * ms}, []time.Duration{0, 100 * ms, 200 * ms}},
		{"constant, by the shorter", Plan{Arrival: Constant, Rate: 10, Duration: time.Hour, Count: 1}, []time.Duration{0}},
		{"warm-up first", Plan{Arrival: Constant, Rate: 10, Count: 2, Warmup: 200 * ms}, []time.Duration{-200 * ms, -100 * ms, 0, 100 * ms}},
		{"ramp", Plan{Arrival: Ramp, Rate: 8, Duration: time.Second}, []time.Duration{0, 500 * ms, seconds(math.Sqrt(.5)), seconds(math.Sqrt(.75))}},
		{"ramp's warm-up at half the rate", Plan{Arrival: Ramp, Rate: 10, Duration: time.Second, Count: 1, Warmup: 400 * ms}, []time.Duration{-400 * ms, -200 * ms, 0}},
		{"burst", Plan{Arrival: Burst, Rate: 2, Count: 5}, []time.Duration{0, 50 * ms, time.Second, 1050 * ms, 2 * time.Second}},
		{"slow bursts", Plan{Arrival: Burst, Rate: .5, Count: 3}, []time.Duration{0, 2 * time.Second, 4 * time.Second}},
		{"trace", Plan{Arrival: Trace, Trace: []time.Duration{5, 5, 9}}, []time.Duration{5, 5, 9}},
		{"trace, cut", Plan{Arrival: Trace, Trace: []time.Duration{5, 5, 9}, Duration: 9}, []time.Duration{5, 5}},
		{"trace without a length", Plan{Arrival: Trace, Trace: []time.Duration{0, 0}, Warmup: time.Second}, []time.Duration{0, 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.plan.Validate(); err != nil {
				t.Fatal(err)
			}
			if got := arrivals(tt.plan, 100); !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestScheduleProperties: due times ascend, keep within the plan's bounds, and
// come at its mean rate.
func TestScheduleProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Plan{
			Arrival:  rapid.SampledFrom([]Arrival{Constant, Poisson, Ramp, Burst}).Draw(t, "arrival"),
			Rate:     rapid.Float64Range(.5, 5000).Draw(t, "rate"),
			Duration: time.Duration(rapid.IntRange(1, 3000).Draw(t, "ms")) * ms,
			Warmup:   time.Duration(rapid.IntRange(0, 1000).Draw(t, "warm-up")) * ms,
			Count:    int64(rapid.SampledFrom([]int{0, 1, 1000}).Draw(t, "count")),
			Seed:     rapid.Uint64().Draw(t, "seed"),
		}
		if err := p.Validate(); err != nil {
			t.Fatal(err)
		}
		got := arrivals(p, 1_000_000)
		if !slices.IsSorted(got) {
			t.Fatal("due times do not ascend")
		}
		warm := int64(0)
		for _, due := range got {
			if due < -p.Warmup || due >= p.Duration {
				t.Fatalf("due at %v, outside of the plan", due)
			}
			if due < 0 {
				warm++
			}
		}
		n := int64(len(got)) - warm
		if p.Count > 0 && n > p.Count {
			t.Fatalf("%d arrivals, more than the count", n)
		}
		near := func(what string, n int64, mean, slack float64) {
			if math.Abs(float64(n)-mean) > slack {
				t.Errorf("%s has %d arrivals, want about %.0f", what, n, mean)
			}
		}
		near("the warm-up", warm, p.meanRate()*p.Warmup.Seconds(), 2)
		if p.Count > 0 {
			return
		}
		mean := p.meanRate() * p.Duration.Seconds()
		switch p.Arrival {
		case Poisson:
			near("the plan", n, mean, 7*math.Sqrt(mean)+3)
		case Burst: // a part of a second holds up to the whole second's
			near("the plan", n, mean, p.Rate+2)
		default:
			near("the plan", n, mean, 2)
		}
	})
}

// TestPoissonGaps: gaps are exponential (mean and deviation are alike), the
// seed decides them.
func TestPoissonGaps(t *testing.T) {
	p := Plan{Arrival: Poisson, Rate: 1000, Count: 100_000, Seed: 7}
	got := arrivals(p, 1_000_000)
	if again := arrivals(p, 1_000_000); !slices.Equal(got, again) {
		t.Error("the same seed gave other arrivals")
	}
	p.Seed = 8
	if other := arrivals(p, 1_000_000); slices.Equal(got, other) {
		t.Error("another seed gave the same arrivals")
	}
	sum, squares := 0., 0.
	for i := 1; i < len(got); i++ {
		gap := (got[i] - got[i-1]).Seconds() * p.Rate
		sum += gap
		squares += gap * gap
	}
	n := float64(len(got) - 1)
	mean := sum / n
	deviation := math.Sqrt(squares/n - mean*mean)
	if math.Abs(mean-1) > .02 || math.Abs(deviation-1) > .03 {
		t.Errorf("gaps have mean %.3f and deviation %.3f of 1/rate, want 1 and 1", mean, deviation)
	}
}

func TestPlanValidate(t *testing.T) {
	for _, tt := range []struct {
		name string
		plan Plan
	}{
		{"nothing", Plan{}},
		{"unknown law", Plan{Arrival: "x", Count: 1, Rate: 1}},
		{"closed without clients", Plan{Arrival: Closed, Count: 1}},
		{"no end", Plan{Arrival: Closed, Concurrency: 1}},
		{"no rate", Plan{Arrival: Constant, Count: 1}},
		{"no number", Plan{Arrival: Constant, Count: 1, Rate: math.NaN()}},
		{"endless rate", Plan{Arrival: Constant, Count: 1, Rate: math.Inf(1)}},
		{"ramp without end", Plan{Arrival: Ramp, Count: 1, Rate: 1}},
		{"empty trace", Plan{Arrival: Trace, Count: 1}},
		{"falling trace", Plan{Arrival: Trace, Trace: []time.Duration{2, 1}}},
		{"early trace", Plan{Arrival: Trace, Trace: []time.Duration{-1}}},
		{"negative time", Plan{Arrival: Closed, Concurrency: 1, Duration: -1}},
		{"far too many", Plan{Arrival: Closed, Concurrency: 1 << 20, Count: 1}},
	} {
		if tt.plan.Validate() == nil {
			t.Errorf("%s: no error", tt.name)
		}
	}
}
