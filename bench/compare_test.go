package bench

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestRatioOf(t *testing.T) {
	for _, tt := range []struct {
		name  string
		a, b  []float64
		ratio float64
		shown bool
	}{
		{"clearly more", []float64{100, 101, 99, 100, 102}, []float64{120, 121, 119, 118, 122}, 1.195, true},
		{"clearly less", []float64{100, 101, 99, 100, 102}, []float64{80, 81, 79, 80, 82}, .8, true},
		{"the same", []float64{100, 101, 99, 100, 102}, []float64{100, 101, 99, 100, 102}, 1, false},
		{"within the noise", []float64{100, 120, 80, 95, 110}, []float64{105, 125, 90, 99, 112}, 1.05, false},
		{"one bad round", []float64{100, 101, 99, 100, 102}, []float64{101, 100, 100, 99, 50}, .87, false},
		{"too few", []float64{100, 100}, []float64{200, 200}, 2, false},
		{"constant", []float64{100, 100, 100}, []float64{200, 200, 200}, 2, true},
	} {
		got := ratioOf(tt.a, tt.b)
		if math.Abs(got.Ratio-tt.ratio) > .01 || got.Shown() != tt.shown {
			t.Errorf("%s: %v, shown %t; want %v, %t", tt.name, got, got.Shown(), tt.ratio, tt.shown)
		}
		if !math.IsNaN(got.Low) && (got.Low > got.Ratio+1e-9 || got.High < got.Ratio-1e-9) {
			t.Errorf("%s: the interval %v does not hold its own ratio", tt.name, got)
		}
		if again := ratioOf(tt.a, tt.b); again != got && !math.IsNaN(got.Low) {
			t.Errorf("%s: %v, then %v", tt.name, got, again)
		}
	}
	if got := ratioOf([]float64{0, 0, 0}, []float64{1, 2, 3}); got.Ratio != 0 || got.String() != "" {
		t.Errorf("a ratio to 0 is %v", got)
	}
}

// TestCoverage draws rounds of a known ratio and counts how often the interval
// holds it: with as few as five rounds that should be near 95 %.
func TestCoverage(t *testing.T) {
	const trials, ratio, resamples = 150, 1.1, 1000
	rng := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{3, 5, 10} {
		held := 0
		for range trials {
			a, b := make([]float64, n), make([]float64, n)
			for i := range n {
				a[i] = 100 * math.Exp(.1*rng.NormFloat64())
				b[i] = 100 * ratio * math.Exp(.1*rng.NormFloat64())
			}
			if got := bootstrap(a, b, resamples); got.Low <= ratio && ratio <= got.High {
				held++
			}
		}
		if share := float64(held) / trials; share < .86 || share > .995 {
			t.Errorf("%d rounds: the interval holds the ratio in %.1f%% of trials", n, 100*share)
		}
	}
}

func TestCompare(t *testing.T) {
	row := func(scenario, name, unit string, rounds, floor []float64) Row {
		return Row{Scenario: scenario, Name: name, Unit: unit, Rounds: rounds, Floor: "floor one", FloorRounds: floor}
	}
	five := func(x float64) []float64 { return []float64{x, x * 1.01, x * .99, x * 1.02, x * .98} }
	a := &Report{Rows: []Row{
		row("warm", "c=64", "calls/s", five(1000), five(2000)),
		row("warm", "p50", "µs", five(200), five(100)),
		row("warm", "p99", "µs", five(500), nil),
		row("warm", "once", "µs", []float64{1}, nil),
		row("old", "gone", "µs", five(1), nil),
		{Scenario: "warm", Name: "n/a", NA: "needs triggers"},
	}}
	b := &Report{Host: Host{CPU: "another"}, Rows: []Row{
		row("warm", "c=64", "calls/s", five(1300), five(2600)),
		row("warm", "p50", "µs", five(260), five(100)),
		row("warm", "p99", "µs", five(501), nil),
		row("warm", "once", "µs", []float64{2}, nil),
		row("new\x1b[2J", "come", "µs", five(1), nil),
		row("warm", "n/a", "", five(1), nil),
	}}
	c := Compare(a, b)
	var text strings.Builder
	if err := c.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	got := text.String()
	for _, want := range []string{"different machines", "1,000 calls/s", "1,300 calls/s", "better", "worse", "no difference shown", "needs 3 rounds",
		"old: gone [µs]", "new [2J: come [µs]"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if len(c.Changes) != 4 || !c.Changes[0].Value.Shown() || c.Changes[0].ToFloor.Shown() || !c.Changes[1].ToFloor.Shown() {
		t.Errorf("changes %+v", c.Changes)
	}
	if strings.Contains(got, "\x1b") {
		t.Error("a name moves the cursor")
	}
	t.Log("\n" + got)
}
