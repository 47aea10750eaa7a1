package bench

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// howToRead introduces every report to strangers.
const howToRead = "Each value is the median of its rounds. A floor is the least the same work can cost on this machine; " +
	"it was measured in the same rounds, in turn with the value. A ratio is value / floor of the same round: median (least–most)."

// WriteText writes the report as text for a terminal or a file.
func (r *Report) WriteText(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%s\n%s\n\n", plain(r.title()), plain(r.origin()))
	for _, line := range wrap(howToRead, 100) {
		fmt.Fprintln(b, line)
	}
	for _, n := range r.Notes {
		for i, line := range wrap(plain(n), 96) {
			fmt.Fprintf(b, "%s%s\n", []string{"  * ", "    "}[min(i, 1)], line)
		}
	}
	for _, rows := range r.scenarios() {
		fmt.Fprintf(b, "\n%s\n", plain(rows[0].Scenario))
		t := table{{"", "value", "floor", "", "ratio", "(range)", "target", ""}}
		for i := range rows {
			t = append(t, rows[i].cells())
		}
		t.write(b, "  ", 1, 3, 4)
		writeLoads(b, rows)
	}
	fmt.Fprintf(b, "\n%s\n", r.verdict())
	return b.Flush()
}

func (r *Report) title() string {
	if r.Title == "" {
		return "Hearth bench"
	}
	return "Hearth bench: " + r.Title
}

// origin says what was measured where and when.
func (r *Report) origin() string {
	var parts []string
	add := func(s string, ok bool) {
		if ok {
			parts = append(parts, s)
		}
	}
	h := r.Host
	add("hearth "+r.Version, r.Version != "")
	add(fmt.Sprintf("%d × %s", h.Cores, h.CPU), h.Cores > 0 && h.CPU != "")
	add(fmt.Sprintf("%d cores", h.Cores), h.Cores > 0 && h.CPU == "")
	add(size(h.Memory), h.Memory > 0)
	add(strings.TrimSpace(h.System+" "+h.Kernel), h.System != "")
	add(h.Go, h.Go != "")
	add(r.Began.UTC().Format("2006-01-02 15:04 UTC"), !r.Began.IsZero())
	add("took "+time.Duration(r.Took).Round(time.Second).String(), r.Took > 0)
	return strings.Join(parts, " · ")
}

// scenarios returns the rows, those of a scenario together, in their order.
func (r *Report) scenarios() [][]Row {
	var out [][]Row
	at := map[string]int{}
	for _, row := range r.Rows {
		i, ok := at[row.Scenario]
		if !ok {
			i = len(out)
			at[row.Scenario] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], row)
	}
	return out
}

// verdict counts the targets.
func (r *Report) verdict() string {
	holds, misses, unknown := 0, 0, 0
	for _, row := range r.Rows {
		switch {
		case row.Holds != nil && *row.Holds:
			holds++
		case row.Holds != nil:
			misses++
		case row.Target != "":
			unknown++
		}
	}
	if holds+misses+unknown == 0 {
		return "No targets."
	}
	s := fmt.Sprintf("Targets: %d hold, %d missed", holds, misses)
	if unknown > 0 {
		s += fmt.Sprintf(", %d not measured", unknown)
	}
	return s + "."
}

// cells are a row's columns: name, value, floor's name, floor's value, ratio,
// range, target, verdict.
func (r *Row) cells() []string {
	c := []string{plain(r.Name), "", "", "", "", "", plain(r.Target), r.holds()}
	if r.NA != "" {
		c[1] = "n/a"
		c[7] = "n/a: " + plain(r.NA)
		return c
	}
	c[1] = withUnit(r.Value(), r.Unit)
	if len(r.FloorRounds) > 0 {
		c[2], c[3] = plain(r.Floor), withUnit(Median(r.FloorRounds), r.Unit)
	}
	if r.Ratio != 0 {
		c[4], c[5] = times(r.Ratio), r.span()
	}
	return c
}

func (r *Row) span() string { return "(" + times(r.RatioLow) + "–" + times(r.RatioHigh) + ")" }

func (r *Row) holds() string {
	switch {
	case r.Holds == nil:
		return ""
	case *r.Holds:
		return "holds"
	}
	return "misses"
}

func withUnit(v float64, unit string) string {
	return strings.TrimSpace(figure(v) + " " + plain(unit))
}

// writeLoads shows the whole loads behind rows, where they were kept.
func writeLoads(w io.Writer, rows []Row) {
	t := table{{"", "requests", "failed", "per second", "p50", "p90", "p99", "p99.9", "max"}}
	var remarks []string
	for i := range rows {
		r := rows[i].Result
		if r == nil || r.Count == 0 {
			continue
		}
		name := plain(rows[i].Name)
		t = append(t, append([]string{name}, r.cells()...))
		if v := r.remarks(); len(v) > 0 {
			remarks = append(remarks, name+": "+strings.Join(v, "; "))
		}
	}
	if len(t) == 1 {
		return
	}
	fmt.Fprintln(w)
	t.write(w, "  ", 1, 2, 3, 4, 5, 6, 7, 8)
	for _, text := range remarks {
		for i, line := range wrap(text, 96) {
			fmt.Fprintln(w, []string{"  ", "    "}[min(i, 1)]+line)
		}
	}
}

// cells are a result's columns: requests, failed, rate, latencies.
func (r *Result) cells() []string {
	c := []string{grouped(r.Count), grouped(r.ErrorCount()), figure(r.Throughput())}
	for _, q := range []float64{.5, .9, .99, .999, 1} {
		c = append(c, shortOf(r.Latency, q))
	}
	return c
}

func shortOf(h *Histogram, q float64) string {
	if h.Count() == 0 {
		return "–"
	}
	return short(h.Quantile(q))
}

// remarks says in words what the columns do not hold.
func (r *Result) remarks() []string {
	var out []string
	list := func(what string, m map[string]int64) {
		if len(m) == 0 {
			return
		}
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(m)) {
			parts = append(parts, plain(k)+" "+grouped(m[k]))
		}
		out = append(out, what+": "+strings.Join(parts, ", "))
	}
	list("failed", r.Errors)
	list("starts", r.Starts)
	var parts []string
	for _, p := range []struct {
		name string
		h    *Histogram
	}{{"network", r.Network}, {"wait", r.Wait}, {"init", r.Init}, {"run", r.RunTime}} {
		if p.h.Count() > 0 {
			parts = append(parts, p.name+" "+short(p.h.Quantile(.5)))
		}
	}
	if len(parts) > 0 {
		out = append(out, "p50 of "+strings.Join(parts, ", "))
	}
	parts = nil
	for _, k := range slices.Sorted(maps.Keys(r.CPU)) {
		if d := r.CPUPerRequest(k); d > 0 {
			parts = append(parts, plain(k)+" "+short(d))
		}
	}
	if len(parts) > 0 {
		out = append(out, "CPU a request: "+strings.Join(parts, ", "))
	}
	parts = nil
	for _, k := range slices.Sorted(maps.Keys(r.RSS)) {
		if n := r.RSS[k]; n > 0 {
			parts = append(parts, plain(k)+" "+size(n))
		}
	}
	if len(parts) > 0 {
		out = append(out, "memory: "+strings.Join(parts, ", "))
	}
	if lag := r.Lag; lag.Count() > 0 && lag.Quantile(.99) > time.Millisecond {
		out = append(out, "sent late: p99 "+short(lag.Quantile(.99)))
	}
	return out
}

// WriteText writes one load's result as text.
func (r *Result) WriteText(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, r.Plan)
	t := table{{"requests", "failed", "per second", "p50", "p90", "p99", "p99.9", "max"}, r.cells()}
	t.write(b, "", 0, 1, 2, 3, 4, 5, 6, 7)
	for _, s := range r.remarks() {
		fmt.Fprintln(b, s)
	}
	return b.Flush()
}

// String describes a plan in a line.
func (p Plan) String() string {
	var s string
	switch p.Arrival {
	case Closed:
		s = fmt.Sprintf("closed loop, %d clients", p.Concurrency)
	case Trace:
		s = fmt.Sprintf("open loop, a trace of %s requests", grouped(int64(len(p.Trace))))
	default:
		s = fmt.Sprintf("open loop, %s, %s requests a second", p.Arrival, figure(p.Rate))
	}
	if p.Duration > 0 {
		s += ", " + p.Duration.String()
	}
	if p.Count > 0 {
		s += ", " + grouped(p.Count) + " requests"
	}
	if p.Warmup > 0 {
		s += ", after " + p.Warmup.String() + " of warm-up"
	}
	return s
}

// size writes bytes: "60.1 MB".
func size(n int64) string {
	switch {
	case n >= 1<<30:
		return figure(float64(n)/(1<<30)) + " GB"
	case n >= 1<<20:
		return figure(float64(n)/(1<<20)) + " MB"
	case n >= 1<<10:
		return figure(float64(n)/(1<<10)) + " KB"
	}
	return fmt.Sprintf("%d B", n)
}
