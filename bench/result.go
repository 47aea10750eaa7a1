package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// Result is what came of a plan. Times are nanoseconds in JSON.
type Result struct {
	Plan  Plan      `json:"plan"`
	Began time.Time `json:"began"` // after the warm-up

	// Elapsed is the measured time: the plan's duration, or up to the last
	// answer where a count bounded it.
	Elapsed time.Duration `json:"elapsed_ns"`

	Count     int64 `json:"count"`     // requests, good and failed
	Completed int64 `json:"completed"` // good answers that came within Elapsed
	Bytes     int64 `json:"bytes"`     // payload there and back, of good requests

	Latency *Histogram `json:"latency,omitempty"` // of good requests, from the due time
	Failed  *Histogram `json:"failed,omitempty"`  // of failed ones, likewise
	Lag     *Histogram `json:"lag,omitempty"`     // open loops: from the due time until a request was sent

	// From the records, where there were any. Network is the latency that is
	// neither Lag nor any of the three.
	Network *Histogram `json:"network,omitempty"`
	Wait    *Histogram `json:"wait,omitempty"`
	Init    *Histogram `json:"init,omitempty"`
	RunTime *Histogram `json:"run,omitempty"`

	Starts map[string]int64      `json:"starts,omitempty"` // by kind of start
	Errors map[string]int64      `json:"errors,omitempty"` // by class
	Keys   map[string]*Histogram `json:"keys,omitempty"`   // latency of good requests by Hit.Key, two digits

	// Of the processes that a Meter watched, by label.
	CPU map[string]time.Duration `json:"cpu_ns,omitempty"`
	RSS map[string]int64         `json:"rss_bytes,omitempty"` // the most seen
}

// Throughput returns good answers per second.
func (r *Result) Throughput() float64 {
	if r.Elapsed <= 0 {
		return 0
	}
	return float64(r.Completed) / r.Elapsed.Seconds()
}

// ErrorCount returns how many requests failed.
func (r *Result) ErrorCount() int64 {
	n := int64(0)
	for _, c := range r.Errors {
		n += c
	}
	return n
}

// CPUPerRequest returns the CPU time that the process with this label used
// for each good answer, 0 if unknown.
func (r *Result) CPUPerRequest(label string) time.Duration {
	if r.Completed == 0 {
		return 0
	}
	return r.CPU[label] / time.Duration(r.Completed)
}

// Merge adds another round of the same plan: times and counts add up, memory
// is the most of both.
func (r *Result) Merge(o *Result) {
	if r.Began.IsZero() || o.Began.Before(r.Began) && !o.Began.IsZero() {
		r.Began = o.Began
	}
	if r.Plan.Arrival == "" {
		r.Plan = o.Plan
	}
	r.Elapsed += o.Elapsed
	r.Count += o.Count
	r.Completed += o.Completed
	r.Bytes += o.Bytes
	for _, h := range []struct{ to, from **Histogram }{
		{&r.Latency, &o.Latency}, {&r.Failed, &o.Failed}, {&r.Lag, &o.Lag}, {&r.Network, &o.Network},
		{&r.Wait, &o.Wait}, {&r.Init, &o.Init}, {&r.RunTime, &o.RunTime},
	} {
		*h.to = mergeHistograms(*h.to, *h.from)
	}
	r.Starts = addCounts(r.Starts, o.Starts)
	r.Errors = addCounts(r.Errors, o.Errors)
	r.CPU = addCounts(r.CPU, o.CPU)
	for k, h := range o.Keys {
		if r.Keys == nil {
			r.Keys = map[string]*Histogram{}
		}
		r.Keys[k] = mergeHistograms(r.Keys[k], h)
	}
	for k, n := range o.RSS {
		if r.RSS == nil {
			r.RSS = map[string]int64{}
		}
		r.RSS[k] = max(r.RSS[k], n)
	}
}

func addCounts[N ~int64](to, from map[string]N) map[string]N {
	if to == nil && len(from) > 0 {
		to = map[string]N{}
	}
	for k, n := range from {
		to[k] += n
	}
	return to
}

// WriteJSON writes the result as one JSON object.
func (r *Result) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return nil
}
