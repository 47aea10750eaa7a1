package bench

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// Comparison sets one report against an earlier one.
type Comparison struct {
	Notes   []string // why the two may not compare
	Changes []Change
	OnlyA   []string // rows that the other report lacks
	OnlyB   []string
}

// Change is one row in both reports.
type Change struct {
	Scenario, Name, Unit string
	A, B                 float64  // the medians
	Value                Interval // B / A
	ToFloor              Interval // the same of the ratios to the floor; the zero value if there was none
}

// Interval is a ratio with the range that holds the true one with 95 %
// confidence. Low and High are NaN where the rounds are too few to tell.
type Interval struct {
	Ratio, Low, High float64
}

// Shown reports whether a difference is: the interval does not cover 1.
func (i Interval) Shown() bool { return i.Low > 1 || i.High < 1 }

func (i Interval) String() string {
	switch {
	case i.Ratio == 0:
		return ""
	case math.IsNaN(i.Low):
		return times(i.Ratio)
	}
	return fmt.Sprintf("%s (%s–%s)", times(i.Ratio), times(i.Low), times(i.High))
}

// Compare sets report b against a, row by row.
func Compare(a, b *Report) *Comparison {
	c := new(Comparison)
	if a.Host.System != b.Host.System || a.Host.CPU != b.Host.CPU || a.Host.Cores != b.Host.Cores {
		c.Notes = append(c.Notes, "The reports come from different machines: only the ratios to the floor compare.")
	}
	rows := map[string]*Row{}
	for i := range a.Rows {
		rows[a.Rows[i].id()] = &a.Rows[i]
	}
	for i := range b.Rows {
		rb := &b.Rows[i]
		ra, ok := rows[rb.id()]
		if !ok {
			c.OnlyB = append(c.OnlyB, rb.id())
			continue
		}
		delete(rows, rb.id())
		if len(ra.Rounds) == 0 || len(rb.Rounds) == 0 {
			continue // n/a in one of them
		}
		change := Change{
			Scenario: rb.Scenario, Name: rb.Name, Unit: rb.Unit,
			A: ra.Value(), B: rb.Value(), Value: ratioOf(ra.Rounds, rb.Rounds),
		}
		if ra.Floor == rb.Floor {
			change.ToFloor = ratioOf(ra.ratios(), rb.ratios())
		}
		c.Changes = append(c.Changes, change)
	}
	for i := range a.Rows {
		if id := a.Rows[i].id(); rows[id] != nil {
			c.OnlyA = append(c.OnlyA, id)
		}
	}
	return c
}

// id is what a row has in common with its like in another report.
func (r *Row) id() string {
	return strings.TrimSpace(fmt.Sprintf("%s: %s [%s]", r.Scenario, r.Name, r.Unit))
}

// ratios returns the rounds' ratios to the floor.
func (r *Row) ratios() []float64 {
	var v []float64
	for i, x := range r.Rounds {
		if i < len(r.FloorRounds) && r.FloorRounds[i] > 0 {
			v = append(v, x/r.FloorRounds[i])
		}
	}
	return v
}

const (
	resamples = 20_000
	minRounds = 3 // fewer tell nothing of their spread
)

// ratioOf estimates how many times a's level b's is, as the ratio of the
// geometric means, by a bootstrap: the rounds of each are drawn anew, with
// replacement, many times, and the ratios that come of it are ranked. So few
// rounds vary less when redrawn than the truth does; the ranks taken are moved
// outwards for that, as far as Student's distribution is wider than the normal
// one (the expanded percentile interval of Hesterberg, "What Teachers Should
// Know About the Bootstrap", 2015). The same rounds give the same interval.
func ratioOf(a, b []float64) Interval { return bootstrap(a, b, resamples) }

func bootstrap(a, b []float64, draws int) Interval {
	la, lb := logs(a), logs(b)
	if len(la) == 0 || len(lb) == 0 {
		return Interval{Low: math.NaN(), High: math.NaN()}
	}
	est := math.Exp(mean(lb) - mean(la))
	n := min(len(la), len(lb))
	if n < minRounds {
		return Interval{est, math.NaN(), math.NaN()}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	diffs := make([]float64, draws)
	for i := range diffs {
		diffs[i] = redrawn(rng, lb) - redrawn(rng, la)
	}
	slices.Sort(diffs)
	tail := outerTail(n)
	low, high := diffs[int(tail*float64(draws))], diffs[draws-1-int(tail*float64(draws))]
	return Interval{est, math.Exp(low), math.Exp(high)}
}

// logs returns the logarithms of the values above 0; others have no ratio.
func logs(v []float64) []float64 {
	var out []float64
	for _, x := range v {
		if x > 0 && !math.IsInf(x, 0) {
			out = append(out, math.Log(x))
		}
	}
	return out
}

func mean(v []float64) float64 {
	sum := 0.
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

// redrawn returns the mean of as many values, drawn with replacement.
func redrawn(rng *rand.Rand, v []float64) float64 {
	sum := 0.
	for range v {
		sum += v[rng.IntN(len(v))]
	}
	return sum / float64(len(v))
}

// students are the 97.5 % quantiles of Student's distribution by degrees of
// freedom, from 1; beyond them the normal one's serves with an error below 4 %.
var students = [...]float64{
	12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
	2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
	2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
}

// outerTail returns the share of redrawn ratios to leave out at either end
// with n rounds.
func outerTail(n int) float64 {
	t := 1.96
	if n-2 < len(students) {
		t = students[n-2]
	}
	wide := t * math.Sqrt(float64(n)/float64(n-1))
	return math.Erfc(wide/math.Sqrt2) / 2
}

// WriteText writes the comparison as text.
func (c *Comparison) WriteText(w io.Writer) error {
	b := bufio.NewWriter(w)
	for _, n := range c.Notes {
		fmt.Fprintln(b, n)
	}
	fmt.Fprintln(b, "Ratios are after / before, with the range that holds the true one with 95 % confidence.")
	scenario := ""
	var t table
	flush := func() {
		if len(t) > 1 {
			fmt.Fprintf(b, "\n%s\n", plain(scenario))
			t.write(b, "  ", 1, 2)
		}
		t = table{{"", "before", "after", "ratio", "", "to the floor", ""}}
	}
	sorted := slices.Clone(c.Changes)
	slices.SortStableFunc(sorted, func(x, y Change) int { return cmp.Compare(x.Scenario, y.Scenario) })
	for _, ch := range sorted {
		if ch.Scenario != scenario {
			flush()
			scenario = ch.Scenario
		}
		floor := ""
		if ch.ToFloor.Ratio != 0 {
			floor = ch.verdict(ch.ToFloor)
		}
		t = append(t, []string{
			plain(ch.Name), withUnit(ch.A, ch.Unit), withUnit(ch.B, ch.Unit),
			ch.Value.String(), ch.verdict(ch.Value), ch.ToFloor.String(), floor,
		})
	}
	flush()
	writeList(b, "Only before:", c.OnlyA)
	writeList(b, "Only after:", c.OnlyB)
	return b.Flush()
}

func writeList(w io.Writer, head string, list []string) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", head)
	for _, s := range list {
		fmt.Fprintln(w, "  "+plain(s))
	}
}

// verdict says in words what an interval shows.
func (c *Change) verdict(i Interval) string {
	switch {
	case math.IsNaN(i.Low):
		return fmt.Sprintf("needs %d rounds", minRounds)
	case !i.Shown():
		return "no difference shown"
	case (i.Ratio > 1) == higherIsBetter(c.Unit):
		return "better"
	}
	return "worse"
}

// higherIsBetter holds for rates; times, sizes and counts of errors should be low.
func higherIsBetter(unit string) bool { return strings.HasSuffix(unit, "/s") }
