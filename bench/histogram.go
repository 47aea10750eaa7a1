package bench

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	longest    = 10 * time.Minute // what takes longer is recorded as this
	fullDigits = 3                // significant digits kept
)

// Histogram keeps durations up to 10 minutes in buckets of three significant
// digits (two where there are very many histograms). A nil one is empty.
// It is not safe for use by several goroutines.
type Histogram struct {
	h *hdrhistogram.Histogram // of nanoseconds
}

// NewHistogram returns an empty histogram.
func NewHistogram() *Histogram { return newHistogram(fullDigits) }

func newHistogram(digits int) *Histogram {
	return &Histogram{h: hdrhistogram.New(1, int64(longest), digits)}
}

// Record adds a duration.
func (h *Histogram) Record(d time.Duration) {
	// It fails for values out of range alone.
	_ = h.h.RecordValue(int64(min(max(d, 0), longest)))
}

// Count returns how many durations were recorded.
func (h *Histogram) Count() int64 {
	if h == nil {
		return 0
	}
	return h.h.TotalCount()
}

// Quantile returns the least recorded duration that the share q (0 to 1) of
// all do not exceed, 0 if there are none.
func (h *Histogram) Quantile(q float64) time.Duration {
	n := float64(h.Count())
	if n == 0 {
		return 0
	}
	// The library rounds to the nearest rank; a quantile is never below its share.
	rank := max(math.Ceil(q*n-1e-9), 1)
	return time.Duration(h.h.ValueAtPercentile(rank / n * 100))
}

// Mean returns the arithmetic mean, 0 if there is none.
func (h *Histogram) Mean() time.Duration {
	if h.Count() == 0 {
		return 0
	}
	return time.Duration(h.h.Mean())
}

// Min returns the shortest duration, 0 if there is none.
func (h *Histogram) Min() time.Duration {
	if h.Count() == 0 {
		return 0
	}
	return time.Duration(h.h.Min())
}

// Max returns the longest duration, 0 if there is none.
func (h *Histogram) Max() time.Duration {
	if h.Count() == 0 {
		return 0
	}
	return time.Duration(h.h.Max())
}

// mergeHistograms returns a with all of b; either may be nil. It may change a.
func mergeHistograms(a, b *Histogram) *Histogram {
	if b.Count() == 0 {
		return a
	}
	if a == nil {
		a = newHistogram(int(b.h.SignificantFigures()))
	}
	a.h.Merge(b.h)
	return a
}

// histogramJSON is a histogram's form in reports: figures for readers, and
// the filled buckets for programs, as pairs of (buckets left out since the
// last, count).
type histogramJSON struct {
	Count   int64   `json:"count"`
	Mean    int64   `json:"mean_ns"`
	P50     int64   `json:"p50_ns"`
	P90     int64   `json:"p90_ns"`
	P99     int64   `json:"p99_ns"`
	P999    int64   `json:"p999_ns"`
	Max     int64   `json:"max_ns"`
	Digits  int     `json:"digits"`
	Buckets []int64 `json:"buckets"`
}

// MarshalJSON implements [json.Marshaler].
func (h *Histogram) MarshalJSON() ([]byte, error) {
	if h == nil || h.h == nil {
		return []byte("null"), nil
	}
	v := histogramJSON{
		Count: h.Count(), Mean: int64(h.Mean()), Max: int64(h.Max()),
		P50: int64(h.Quantile(.5)), P90: int64(h.Quantile(.9)), P99: int64(h.Quantile(.99)), P999: int64(h.Quantile(.999)),
		Digits: int(h.h.SignificantFigures()), Buckets: []int64{},
	}
	gap := int64(0)
	for _, n := range h.h.Export().Counts {
		if n == 0 {
			gap++
			continue
		}
		v.Buckets = append(v.Buckets, gap, n)
		gap = 0
	}
	return json.Marshal(v)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (h *Histogram) UnmarshalJSON(b []byte) error {
	var v histogramJSON
	if err := json.Unmarshal(b, &v); err != nil {
		return fmt.Errorf("histogram: %w", err)
	}
	if v.Digits < 1 || v.Digits > fullDigits {
		return fmt.Errorf("histogram: %d digits: must be within 1 and %d", v.Digits, fullDigits)
	}
	if len(v.Buckets)%2 != 0 {
		return fmt.Errorf("histogram: %d numbers of buckets: must be pairs", len(v.Buckets))
	}
	s := newHistogram(v.Digits).h.Export()
	at, total := int64(0), int64(0)
	for i := 0; i < len(v.Buckets); i += 2 {
		gap, n := v.Buckets[i], v.Buckets[i+1]
		if gap < 0 || gap >= int64(len(s.Counts))-at || n <= 0 || n > 1<<62-total {
			return fmt.Errorf("histogram: pair %d (%d, %d) is out of range", i/2, gap, n)
		}
		s.Counts[at+gap] = n
		at += gap + 1
		total += n
	}
	h.h = hdrhistogram.Import(s)
	return nil
}
