package bench

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestZipf(t *testing.T) {
	const n, calls = 10, 200_000
	for _, s := range []float64{0, 1, 2} {
		pick := Zipf(n, s, 42)
		var got [n]float64
		for seq := range int64(calls) {
			got[pick(seq)]++
		}
		total := 0.0
		for i := range n {
			total += math.Pow(float64(i+1), -s)
		}
		for i := range n {
			want := math.Pow(float64(i+1), -s) / total
			if share := got[i] / calls; math.Abs(share-want) > 0.01 {
				t.Errorf("exponent %v: action %d has a share of %.3f, want %.3f", s, i, share, want)
			}
		}
	}
	a, b := Zipf(5, 1, 1), Zipf(5, 1, 1)
	for seq := range int64(100) {
		if a(seq) != b(seq) {
			t.Fatal("the same seed chooses differently")
		}
	}
}

// TestTraceLaws holds what is drawn against the laws' own figures.
func TestTraceLaws(t *testing.T) {
	for q, want := range map[float64]float64{0: 1, 0.45: 24, 0.81: 1440, 1: 1e8} {
		if got := callsPerDay(q); math.Abs(got/want-1) > 1e-9 {
			t.Errorf("callsPerDay(%v) = %v, want %v", q, got, want)
		}
	}
	laws := TraceLaws{Functions: 200, Rate: 500, Flatten: 0.5, Speedup: 1, LongestMS: 1e4}
	const d = 60 * time.Second
	calls := laws.calls(d, 7)
	if got, want := float64(len(calls)), 500*d.Seconds(); math.Abs(got/want-1) > 0.3 {
		t.Errorf("%v calls in %v, want about %v", got, d, want)
	}
	counts := map[int]int{}
	for i, c := range calls {
		if c.at < 0 || c.at >= d || i > 0 && c.at < calls[i-1].at {
			t.Fatalf("call %d is at %v, the one before at %v", i, c.at, calls[max(i-1, 0)].at)
		}
		if c.function < 0 || c.function >= 200 || c.ms < 0 || c.ms > 1e4 {
			t.Fatalf("call %d: %+v", i, c)
		}
		counts[c.function]++
	}
	if counts[199] < 20*counts[100] {
		t.Errorf("the most popular has %d calls, the middle one %d: that is no skew", counts[199], counts[100])
	}
	again := laws.calls(d, 7)
	if !slices.Equal(calls, again) {
		t.Error("the same seed draws differently")
	}
}

// TestGaps: all three laws keep the mean; the coefficients of variation are
// those wanted.
func TestGaps(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(20) {
		const n, rate = 100_000, 4.0
		next := gaps(rand.New(rand.NewPCG(seed, 0)), rate)
		sum, squares := 0.0, 0.0
		for range n {
			g := next()
			sum, squares = sum+g, squares+g*g
		}
		mean := sum / n
		cv := math.Sqrt(max(squares/n-mean*mean, 0)) / mean
		if math.Abs(mean*rate-1) > 0.05 {
			t.Errorf("seed %d: mean gap %v, want %v", seed, mean, 1/rate)
		}
		switch {
		case cv < 0.01:
			seen["even"] = true
		case math.Abs(cv-1) < 0.05:
			seen["poisson"] = true
		case math.Abs(cv-burstCV) < 0.3:
			seen["bursts"] = true
		default:
			t.Errorf("seed %d: a coefficient of variation of %v", seed, cv)
		}
	}
	if len(seen) != 3 {
		t.Errorf("laws seen: %v, want three", seen)
	}
}

func TestPayload(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := NewPayload(rapid.IntRange(MinPayload, 5000).Draw(t, "size"))
		a := rapid.Int64Range(0, 1<<40).Draw(t, "a")
		body := p.Body([]byte("x"), a)[1:]
		if len(body) != p.size || !json.Valid(body) {
			t.Fatalf("a body of %d bytes, want %d: %s", len(body), p.size, body)
		}
		if !p.Is(a, body) || !p.Is(a, []byte(" "+string(body)+"\n")) {
			t.Fatal("a payload does not know itself")
		}
		if b := rapid.Int64Range(0, 1<<40).Draw(t, "b"); a != b && p.Is(b, body) {
			t.Fatalf("the body of %d passes for that of %d", a, b)
		}
	})
	p := NewPayload(64)
	body := string(p.Body(nil, 3))
	for _, wrong := range []string{"", "{}", "null", body[:len(body)-1], strings.Replace(body, `"n":3`, `"n":4`, 1)} {
		if p.Is(3, []byte(wrong)) {
			t.Errorf("%q passes for %q", wrong, body)
		}
	}
	if swapped := `{"pad":` + body[strings.Index(body, `"pad":`)+6:len(body)-1] + `,"n":3}`; !p.Is(3, []byte(swapped)) {
		t.Errorf("the same JSON in another order does not pass: %s", swapped)
	}
}
