package bench

import (
	"cmp"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// plotLatencies draws how the latency of each kept load rises over the
// percentiles, "" if there is none.
func plotLatencies(rows []Row) string {
	var lines []series
	low, high, nines := math.Inf(1), 0., 1.
	for i := range rows {
		r := rows[i].Result
		if r == nil || r.Latency.Count() == 0 || len(lines) == maxSeries {
			continue
		}
		s := series{name: rows[i].Name, color: len(lines)}
		// Up to the percentile that ten requests exceed: beyond, it is chance.
		deepest := math.Log10(max(float64(r.Latency.Count())/10, 2))
		nines = max(nines, deepest)
		for d := 0.; d <= deepest; d += 0.05 {
			v := max(float64(r.Latency.Quantile(1-math.Pow(10, -d))), 1)
			s.x, s.y = append(s.x, d), append(s.y, v)
			low, high = min(low, v), max(high, v)
		}
		lines = append(lines, s)
	}
	if len(lines) == 0 {
		return ""
	}
	// d counts the nines: 0.3 is the median, 2 is p99.
	x := axis{high: nines, ticks: []float64{0, math.Log10(2), 1}, title: "percentile of requests", label: percentile}
	for n := 2.; n <= nines; n++ {
		x.ticks = append(x.ticks, n)
	}
	y := logAxis(low, high, "latency", func(v float64) string { return short(time.Duration(v)) })
	return linePlot("Latency over the percentiles of requests", x, y, lines)
}

func percentile(d float64) string {
	return "p" + strconv.FormatFloat(100*(1-math.Pow(10, -d)), 'f', max(int(d)-2, 0), 64)
}

// rung matches what tells the steps of a ladder apart in their names.
var rung = regexp.MustCompile(`[^ ,]*[0-9][^ ,]*( [KMG]?B)?`)

// plotLadders draws the rates over the steps of a scenario's ladders, those of
// the floors dashed, "" if it has none.
func plotLadders(rows []Row) string {
	var lines []series
	at := map[string]int{}
	point := func(name string, dashed bool, x, y float64) {
		i, ok := at[name]
		if !ok {
			i = len(lines)
			at[name] = i
			lines = append(lines, series{name: name, color: i, dashed: dashed})
		}
		if !slices.Contains(lines[i].x, x) { // two ladders may have one floor
			lines[i].x, lines[i].y = append(lines[i].x, x), append(lines[i].y, y)
		}
	}
	unit, step := "", ""
	for i := range rows {
		r := &rows[i]
		if r.Step <= 0 || len(r.Rounds) == 0 || !higherIsBetter(r.Unit) || unit != "" && (r.Unit != unit || r.StepName != step) {
			continue
		}
		unit, step = r.Unit, r.StepName
		name := strings.Join(strings.Fields(rung.ReplaceAllString(r.Name, "")), " ")
		name = strings.Trim(strings.ReplaceAll(name, " ,", ","), " ,")
		point(cmp.Or(name, "value"), false, r.Step, r.Value())
		if len(r.FloorRounds) > 0 {
			point(cmp.Or(r.Floor, "floor"), true, r.Step, Median(r.FloorRounds))
		}
	}
	lines = slices.DeleteFunc(lines, func(s series) bool { return len(s.x) < 2 })
	if len(lines) == 0 {
		return ""
	}
	lines = lines[:min(len(lines), maxSeries)]
	var steps []float64
	high := 0.
	for i := range lines {
		lines[i].sort()
		lines[i].color = i
		steps = append(steps, lines[i].x...)
		high = max(high, slices.Max(lines[i].y))
	}
	slices.Sort(steps)
	steps = slices.Compact(steps)
	x := axis{low: steps[0], high: steps[len(steps)-1], log: true, ticks: steps, title: step, label: figure}
	return linePlot("Rates over "+step, x, linearAxis(high, unit, figure), lines)
}

// sort orders the points by x.
func (s *series) sort() {
	order := make([]int, len(s.x))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(s.x[a], s.x[b]) })
	x, y := make([]float64, len(order)), make([]float64, len(order))
	for to, from := range order {
		x[to], y[to] = s.x[from], s.y[from]
	}
	s.x, s.y = x, y
}

// The drawing of bars.
const (
	barLine = 22.0
	barLeft = 330.0
)

// plotRatios draws each row's ratio to its floor as a bar, its range as a
// whisker, and the target's limit as a mark; "" if there is none.
func plotRatios(rows []Row) string {
	rows = slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return r.Ratio == 0 })
	if len(rows) == 0 {
		return ""
	}
	high := 1.
	for _, r := range rows {
		high = max(high, r.RatioHigh, r.Limit)
	}
	x := linearAxis(high, "", figure)
	inner := barLine * float64(len(rows))
	d := &drawing{width: plotWidth, height: inner + 34}
	px := func(v float64) float64 { return barLeft + x.at(v)*(plotWidth-barLeft-50) }
	for _, t := range x.ticks {
		d.add(`<line class="grid" x1="%.1f" y1="4" x2="%.1f" y2="%.1f"/>`, px(t), px(t), inner+4)
		d.text(px(t), inner+18, "middle", "tick", figure(t))
	}
	d.text(barLeft-8, inner+18, "end", "tick", "ratio to the floor")
	for i := range rows {
		r := &rows[i]
		y := 4 + barLine*float64(i)
		class := "bar"
		if r.Holds != nil {
			class += " " + r.holds()
		}
		d.text(barLeft-8, y+15, "end", "tick", r.Name)
		d.add(`<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"><title>%s</title></rect>`,
			class, barLeft, y+4, max(px(r.Ratio)-barLeft, 1), barLine-8, times(r.Ratio)+" "+r.span())
		d.add(`<line class="whisker" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, px(r.RatioLow), y+barLine/2, px(r.RatioHigh), y+barLine/2)
		if r.Limit > 0 {
			d.add(`<line class="limit" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, px(r.Limit), y+1, px(r.Limit), y+barLine-1)
		}
		d.text(px(max(r.RatioHigh, r.Ratio, r.Limit))+6, y+15, "start", "tick", times(r.Ratio))
	}
	return d.svg("Ratios to the floors")
}
