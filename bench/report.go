package bench

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"
)

// Report is a set of figures measured on one machine in one go.
type Report struct {
	Title   string    `json:"title"`
	Version string    `json:"version"` // of Hearth
	Began   time.Time `json:"began"`
	Took    int64     `json:"took_ns,omitempty"`
	Host    Host      `json:"host"`
	Notes   []string  `json:"notes,omitempty"` // what a reader must know: flags, limits, failures
	Rows    []Row     `json:"rows"`
}

// Host is the machine a report comes from.
type Host struct {
	System string `json:"system"` // operating system and architecture
	Kernel string `json:"kernel,omitempty"`
	CPU    string `json:"cpu,omitempty"` // model
	Cores  int    `json:"cores"`
	Memory int64  `json:"memory_bytes,omitempty"`
	Go     string `json:"go"`
}

// Row is one figure of a scenario, measured in rounds that were interleaved
// with those of its floor.
type Row struct {
	Scenario    string    `json:"scenario"`
	Name        string    `json:"name"`
	Unit        string    `json:"unit"` // ".../s" is better when higher, all else when lower
	Rounds      []float64 `json:"rounds,omitempty"`
	Floor       string    `json:"floor,omitempty"` // what it is set against, "" nothing
	FloorRounds []float64 `json:"floor_rounds,omitempty"`

	// Value to floor of the same round: median, least, most. Settle sets them.
	Ratio     float64 `json:"ratio,omitempty"`
	RatioLow  float64 `json:"ratio_low,omitempty"`
	RatioHigh float64 `json:"ratio_high,omitempty"`

	Target string  `json:"target,omitempty"` // in words, "" none
	Limit  float64 `json:"limit,omitempty"`  // the target's ratio, where it is one, for the plot
	Holds  *bool   `json:"holds,omitempty"`  // whether the target does

	Step     float64 `json:"step,omitempty"`      // ladders: this rung's concurrency or rate
	StepName string  `json:"step_name,omitempty"` // "concurrency", "requests/s"

	NA     string  `json:"na,omitempty"` // why there is no figure: "needs triggers"
	Result *Result `json:"result,omitempty"`
}

// Settle computes the ratio to the floor from the rounds.
func (r *Row) Settle() {
	ratios := r.ratios()
	if len(ratios) == 0 {
		return
	}
	r.Ratio, r.RatioLow, r.RatioHigh = Median(ratios), slices.Min(ratios), slices.Max(ratios)
}

// AtMost settles the row and holds its ratio against a limit from above.
func (r *Row) AtMost(limit float64) { r.against(limit, "≤", func() bool { return r.Ratio <= limit }) }

// AtLeast settles the row and holds its ratio against a limit from below.
func (r *Row) AtLeast(limit float64) {
	r.against(limit, "≥", func() bool { return r.Ratio >= limit })
}

func (r *Row) against(limit float64, sign string, holds func() bool) {
	r.Settle()
	r.Limit = limit
	r.Target = fmt.Sprintf("%s %s × %s", sign, figure(limit), cmp.Or(r.Floor, "floor"))
	if r.Ratio == 0 {
		return // nothing measured
	}
	h := holds()
	r.Holds = &h
}

// Value returns the median of the rounds, NaN if there are none.
func (r *Row) Value() float64 { return Median(r.Rounds) }

// Median returns the middle value (the mean of the middle two), NaN if there
// is none.
func Median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	v = slices.Sorted(slices.Values(v))
	m := len(v) / 2
	if len(v)%2 == 1 {
		return v[m]
	}
	return (v[m-1] + v[m]) / 2
}

// WriteJSON writes the report as one JSON object, which [ReadReport] reads.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// maxReport bounds a report that is read: 256 MB.
const maxReport = 256 << 20

// ReadReport reads what WriteJSON wrote.
func ReadReport(in io.Reader) (*Report, error) {
	b, err := io.ReadAll(io.LimitReader(in, maxReport+1))
	if err != nil {
		return nil, fmt.Errorf("read report: %w", err)
	}
	if len(b) > maxReport {
		return nil, fmt.Errorf("read report: longer than %d bytes", maxReport)
	}
	r := new(Report)
	if err := json.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("read report: %w", err)
	}
	if r.Rows == nil {
		return nil, errors.New("read report: it has no rows; is it one of hearth bench?")
	}
	return r, nil
}
