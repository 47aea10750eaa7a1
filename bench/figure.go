package bench

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// figure writes a number with three significant digits, thousands grouped.
func figure(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v):
		return "–"
	case a >= 100 || a == 0:
		return grouped(int64(math.Round(v)))
	case a >= 10:
		return trimZeros(strconv.FormatFloat(v, 'f', 1, 64))
	case a >= 0.1:
		return trimZeros(strconv.FormatFloat(v, 'f', 2, 64))
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// times writes a ratio, with two decimals where that is three digits or fewer.
func times(v float64) string {
	if v >= 0.095 && v < 9.995 {
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return figure(v)
}

func trimZeros(s string) string {
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	first := len(s) % 3
	if n < 0 {
		first = (len(s)-1)%3 + 1
	}
	var b strings.Builder
	b.WriteString(s[:first])
	for i := first; i < len(s); i += 3 {
		if i > 0 && s[:i] != "-" {
			b.WriteByte(',')
		}
		b.WriteString(s[i : i+3])
	}
	return b.String()
}

// short writes a duration with three significant digits: "82.1 µs", "1.2 s".
func short(d time.Duration) string {
	switch {
	case d < time.Microsecond:
		return strconv.FormatInt(int64(d), 10) + " ns"
	case d < time.Millisecond:
		return figure(float64(d)/1e3) + " µs"
	case d < time.Second:
		return figure(float64(d)/1e6) + " ms"
	}
	return figure(d.Seconds()) + " s"
}
