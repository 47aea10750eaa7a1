package bench

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// A drawing's size and margins, in SVG's units.
const (
	plotWidth, plotHeight          = 720.0, 300.0
	plotLeft, plotRight            = 70.0, 24.0
	plotTop, plotBottom            = 12.0, 40.0
	legendLine                     = 16.0
	maxSeries, maxName, colorCount = 12, 60, 8
)

// series is a line of a plot.
type series struct {
	name   string
	x, y   []float64
	color  int
	dashed bool
}

// axis maps values to 0…1.
type axis struct {
	low, high float64
	log       bool
	ticks     []float64
	label     func(float64) string
	title     string
}

func (a *axis) at(v float64) float64 {
	lo, hi := a.low, a.high
	if a.log {
		v, lo, hi = math.Log(max(v, math.SmallestNonzeroFloat64)), math.Log(lo), math.Log(hi)
	}
	if hi <= lo {
		return 0.5
	}
	return min(max((v-lo)/(hi-lo), 0), 1)
}

// linearAxis goes from 0 to at least high, with round ticks.
func linearAxis(high float64, title string, label func(float64) string) axis {
	if !(high > 0) || math.IsInf(high, 0) {
		high = 1
	}
	step := math.Pow(10, math.Floor(math.Log10(high)))
	for _, f := range []float64{.1, .2, .5, 1} {
		if high/(step*f) <= 6 {
			step *= f
			break
		}
	}
	a := axis{title: title, label: label}
	for i := 0.; ; i++ {
		a.ticks = append(a.ticks, i*step)
		if a.high = i * step; a.high >= high || i > 20 {
			return a
		}
	}
}

// logAxis covers low to high in powers of ten, with ticks at 1, 2 and 5 of
// them where there are few.
func logAxis(low, high float64, title string, label func(float64) string) axis {
	if !(low > 0) {
		low = 1
	}
	high = max(high, low)
	first, last := int(math.Floor(math.Log10(low))), int(math.Ceil(math.Log10(high)))
	if last == first {
		last++
	}
	a := axis{low: math.Pow10(first), high: math.Pow10(last), log: true, title: title, label: label}
	fine := []float64{1, 2, 5}
	if last-first > 2 {
		fine = fine[:1]
	}
	for e := first; e <= last && e < first+40; e++ {
		for _, f := range fine {
			if t := f * math.Pow10(e); t <= a.high*1.001 {
				a.ticks = append(a.ticks, t)
			}
		}
	}
	return a
}

// drawing is an SVG in the making.
type drawing struct {
	strings.Builder
	width, height float64
}

func (d *drawing) add(format string, args ...any) { fmt.Fprintf(d, format+"\n", args...) }

// text writes text at a place; anchor is start, middle or end.
func (d *drawing) text(x, y float64, anchor, class, s string) {
	d.add(`<text x="%.1f" y="%.1f" text-anchor="%s" class="%s">%s</text>`, x, y, anchor, class, html.EscapeString(clip(s)))
}

func clip(s string) string {
	r := []rune(plain(s))
	if len(r) > maxName {
		return string(r[:maxName-1]) + "…"
	}
	return string(r)
}

// svg returns the drawing with a description for those who cannot see it.
func (d *drawing) svg(about string) string {
	return fmt.Sprintf(`<svg viewBox="0 0 %.0f %.0f" role="img" aria-label="%s">`+"\n%s</svg>\n",
		d.width, d.height, html.EscapeString(plain(about)), d.String())
}

// linePlot draws series over two axes, with a legend below.
func linePlot(about string, x, y axis, lines []series) string {
	inner := plotHeight - plotTop - plotBottom
	d := &drawing{width: plotWidth, height: plotHeight + legendLine*float64((len(lines)+1)/2)}
	px := func(v float64) float64 { return plotLeft + x.at(v)*(plotWidth-plotLeft-plotRight) }
	py := func(v float64) float64 { return plotTop + (1-y.at(v))*inner }
	for _, t := range y.ticks {
		d.add(`<line class="grid" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, plotLeft, py(t), plotWidth-plotRight, py(t))
		d.text(plotLeft-6, py(t)+4, "end", "tick", y.label(t))
	}
	for _, t := range x.ticks {
		d.add(`<line class="grid" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, px(t), plotTop, px(t), plotTop+inner)
		d.text(px(t), plotTop+inner+15, "middle", "tick", x.label(t))
	}
	d.text(plotLeft+(plotWidth-plotLeft-plotRight)/2, plotTop+inner+31, "middle", "name", x.title)
	d.add(`<text transform="translate(13 %.1f) rotate(-90)" text-anchor="middle" class="name">%s</text>`, plotTop+inner/2, html.EscapeString(y.title))
	for _, s := range lines {
		class := fmt.Sprintf("line c%d", s.color%colorCount)
		if s.dashed {
			class += " dashed"
		}
		var points strings.Builder
		for i := range s.x {
			fmt.Fprintf(&points, "%.1f,%.1f ", px(s.x[i]), py(s.y[i]))
		}
		d.add(`<polyline class="%s" points="%s"/>`, class, strings.TrimSpace(points.String()))
		if len(s.x) <= 12 {
			for i := range s.x {
				d.add(`<circle class="dot c%d" cx="%.1f" cy="%.1f" r="3"/>`, s.color%colorCount, px(s.x[i]), py(s.y[i]))
			}
		}
	}
	for i, s := range lines {
		lx, ly := plotLeft+float64(i%2)*(plotWidth-plotLeft)/2, plotHeight+legendLine*(float64(i/2)+.3)
		class := fmt.Sprintf("line c%d", s.color%colorCount)
		if s.dashed {
			class += " dashed"
		}
		d.add(`<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, class, lx, ly-4, lx+20, ly-4)
		d.text(lx+26, ly, "start", "tick", s.name)
	}
	return d.svg(about)
}
