package bench

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// rows makes the rows of a scenario from what was measured.
func (st *stage) rows() []Row {
	var rows []Row
	for i := range st.sc.Cases {
		c := &st.sc.Cases[i]
		for j := range c.Figures {
			row := st.row(c, &c.Figures[j])
			if j == 0 {
				row.Result = merged(st.results["case "+c.Name])
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// merged returns all rounds as one result, nil if there are none.
func merged(rounds []*Result) *Result {
	if len(rounds) == 0 {
		return nil
	}
	all := new(Result)
	for _, r := range rounds {
		all.Merge(r)
	}
	return all
}

// Rows returns the common figures of one result as rows of a report.
func (r *Result) Rows(scenario string) []Row {
	var rows []Row
	for i, f := range []Figure{{What: "rate"}, {What: "p50"}, {What: "p90"}, {What: "p99"}, {What: "p99.9"}, {What: "max"}, {What: "errors"}} {
		row := Row{Scenario: scenario, Name: f.title(), Unit: f.unit(), Rounds: values([]*Result{r}, f.What)}
		if slices.ContainsFunc(row.Rounds, math.IsNaN) {
			row.NA, row.Rounds = "nothing was answered well", nil
		}
		if i == 0 {
			row.Result = r
		}
		rows = append(rows, row)
	}
	return rows
}

func (st *stage) row(c *Case, f *Figure) Row {
	row := Row{
		Scenario: st.sc.Name, Name: strings.TrimSpace(c.Name + ", " + f.title()), Unit: f.unit(),
		Step: c.step, StepName: c.stepName,
	}
	if row.NA = st.skipped[c.Name]; row.NA != "" {
		return row
	}
	rounds := st.results["case "+c.Name]
	row.Rounds = values(rounds, f.What)
	if f.Less != "" {
		row.Rounds = less(row.Rounds, values(st.results["case "+f.Less], f.What))
	}
	if row.NA = notMeasured(rounds, row.Rounds); row.NA != "" {
		if m := st.ready["case "+c.Name]; m != nil && m.failure.String() != "" {
			row.NA += "; the first with " + m.failure.String()
		}
		row.Rounds = nil
		return row
	}
	row.Floor, row.FloorRounds = st.over(c, f)
	switch {
	case f.Over == "":
		st.holdAbsolute(&row, f)
	case len(row.FloorRounds) == 0:
		row.Floor = "" // on another machine, or left out
	case f.AtMost != nil:
		row.AtMost(*f.AtMost)
	case f.AtLeast != nil:
		row.AtLeast(*f.AtLeast)
	default:
		row.Settle()
	}
	return row
}

func (f *Figure) title() string {
	if f.Name != "" {
		return f.Name
	}
	if f.unit() == "calls/s" {
		return "rate"
	}
	return f.What
}

// over returns what a figure is set against, and its values.
func (st *stage) over(c *Case, f *Figure) (string, []float64) {
	what := f.OverWhat
	if what == "" {
		what = f.What
	}
	if name, ok := cutFloor(f.Over); ok {
		return name, values(st.results["floor "+name+" under "+c.Name], floorFigure(what))
	}
	if name, ok := strings.CutPrefix(f.Over, "case "); ok {
		return name, values(st.results["case "+name], what)
	}
	if f.Over == "" {
		return "", nil
	}
	return f.Over, values(st.results["case "+c.Name], f.Over)
}

// floorFigure is the figure of a floor that compares with one of Hearth's: a
// floor has no labelled processes, and no kinds of start.
func floorFigure(what string) string {
	switch {
	case strings.HasPrefix(what, "cpu "):
		return "cpu"
	case strings.HasPrefix(what, "cold "):
		return strings.TrimPrefix(what, "cold ") + " ms"
	}
	return what
}

// holdAbsolute holds a figure against a bound in its own unit.
func (st *stage) holdAbsolute(row *Row, f *Figure) {
	v := row.Value()
	hold := func(sign string, limit float64, holds bool) {
		row.Target = fmt.Sprintf("%s %s %s", sign, figure(limit), row.Unit)
		row.Holds = &holds
	}
	switch {
	case f.AtMost != nil:
		hold("≤", *f.AtMost, v <= *f.AtMost)
	case f.AtLeast != nil:
		hold("≥", *f.AtLeast, v >= *f.AtLeast)
	}
}

// notMeasured says why a row has no figures, "" if it has.
func notMeasured(rounds []*Result, values []float64) string {
	if len(rounds) == 0 {
		return "not measured"
	}
	all := merged(rounds)
	if all.Count > 0 && all.ErrorCount() == all.Count {
		return "all requests failed: " + errorText(all)
	}
	if slices.ContainsFunc(values, math.IsNaN) {
		return "the server does not tell"
	}
	return ""
}

// errorText lists errors by class.
func errorText(r *Result) string {
	var parts []string
	for _, class := range slices.Sorted(maps.Keys(r.Errors)) {
		parts = append(parts, fmt.Sprintf("%s %d", class, r.Errors[class]))
	}
	return strings.Join(parts, ", ")
}

func less(a, b []float64) []float64 {
	n := min(len(a), len(b))
	out := make([]float64, n)
	for i := range n {
		out[i] = a[i] - b[i]
	}
	return out
}

func values(rounds []*Result, what string) []float64 {
	out := make([]float64, len(rounds))
	for i, r := range rounds {
		out[i] = r.value(what)
	}
	return out
}

// value returns a figure of a result in its unit, NaN if the result has none.
func (r *Result) value(what string) float64 {
	name, label, _ := strings.Cut(what, " ")
	switch what {
	case "rate":
		return r.Throughput()
	case "bytes":
		return float64(r.Bytes) / r.Elapsed.Seconds() / 1e6
	case "mean":
		return micros(r.Latency, (*Histogram).Mean)
	case "max":
		return micros(r.Latency, (*Histogram).Max)
	case "errors":
		return float64(r.ErrorCount())
	case "colds":
		return r.coldShare()
	case "busy":
		return share(sum(r.CPU).Seconds(), r.Elapsed.Seconds(), len(r.CPU) > 0)
	case "wait p50":
		return micros(r.Wait, quantile("p50")) / 1e3
	case "init p50":
		return micros(r.Init, quantile("p50")) / 1e3
	case "run p50":
		return micros(r.RunTime, quantile("p50")) / 1e3
	}
	switch {
	case name == "cpu":
		return r.cpu(label)
	case name == "rss":
		return r.memory(label)
	case name == "cold":
		return micros(r.Keys["cold"], quantile(label)) / 1e3
	case label == "ms":
		return micros(r.Latency, quantile(name)) / 1e3
	}
	return micros(r.Latency, quantile(what))
}

// quantile returns the function of a quantile's name: "p99.9".
func quantile(name string) func(*Histogram) time.Duration {
	q := 0.0
	_, _ = fmt.Sscanf(name, "p%g", &q)
	return func(h *Histogram) time.Duration { return h.Quantile(q / 100) }
}

func micros(h *Histogram, f func(*Histogram) time.Duration) float64 {
	if h.Count() == 0 {
		return math.NaN()
	}
	return float64(f(h)) / 1e3
}

func sum(m map[string]time.Duration) time.Duration {
	total := time.Duration(0)
	for _, d := range m {
		total += d
	}
	return total
}

func share(part, whole float64, known bool) float64 {
	if !known || whole <= 0 {
		return math.NaN()
	}
	return part / whole * 100
}

func (r *Result) coldShare() float64 {
	total := int64(0)
	for _, n := range r.Starts {
		total += n
	}
	return share(float64(r.Starts["cold"]), float64(total), total > 0)
}

// cpu returns the microseconds of CPU per good answer.
func (r *Result) cpu(label string) float64 {
	used, ok := r.CPU[label]
	if label == "" {
		used, ok = sum(r.CPU), len(r.CPU) > 0
	}
	if !ok || r.Completed == 0 {
		return math.NaN()
	}
	return float64(used) / 1e3 / float64(r.Completed)
}

// memory returns megabytes.
func (r *Result) memory(label string) float64 {
	n, ok := r.RSS[label], false
	if _, ok = r.RSS[label]; label == "" {
		for _, v := range r.RSS {
			n, ok = n+v, true
		}
	}
	if !ok {
		return math.NaN()
	}
	return float64(n) / (1 << 20)
}
