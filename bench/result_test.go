package bench

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestHistogram: quantiles are those of the sorted durations, to three digits,
// also after merging and a journey through JSON.
func TestHistogram(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) time.Duration {
			return time.Duration(math.Pow(10, rapid.Float64Range(3, 9.5).Draw(t, "exponent"))) // 1 µs to 3 s
		}), 1, 100).Draw(t, "durations")
		cut := rapid.IntRange(0, len(values)).Draw(t, "cut")
		a, b := NewHistogram(), NewHistogram()
		for i, v := range values {
			if i < cut {
				a.Record(v)
			} else {
				b.Record(v)
			}
		}
		text, err := json.Marshal(mergeHistograms(a, b))
		if err != nil {
			t.Fatal(err)
		}
		h := new(Histogram)
		if err := json.Unmarshal(text, h); err != nil {
			t.Fatal(err)
		}
		slices.Sort(values)
		if h.Count() != int64(len(values)) {
			t.Fatalf("count %d, want %d", h.Count(), len(values))
		}
		for _, q := range []float64{0, .25, .5, .9, .99, 1} {
			want := values[max(int(math.Ceil(q*float64(len(values))-1e-9))-1, 0)]
			if got := h.Quantile(q); math.Abs(float64(got-want)) > float64(want)*.0011+1 {
				t.Errorf("quantile %v is %v, want %v", q, got, want)
			}
		}
	})
}

func TestHistogramEdges(t *testing.T) {
	var none *Histogram
	if none.Count() != 0 || none.Quantile(.5) != 0 || none.Max() != 0 || none.Min() != 0 || none.Mean() != 0 {
		t.Error("a nil histogram is not empty")
	}
	if b, err := json.Marshal(none); err != nil || string(b) != "null" {
		t.Errorf("nil marshals as %s, %v", b, err)
	}
	h := NewHistogram()
	h.Record(-time.Second)
	h.Record(time.Hour)
	if h.Count() != 2 || h.Min() != 0 || h.Max() > longest*1001/1000 || h.Max() < longest {
		t.Errorf("%d within %v and %v", h.Count(), h.Min(), h.Max())
	}
}

func TestBadHistograms(t *testing.T) {
	for _, text := range []string{
		`{}`, `{"digits":9}`, `{"digits":3,"buckets":[1]}`, `{"digits":3,"buckets":[-1,1]}`, `{"digits":3,"buckets":[1,0]}`,
		`{"digits":3,"buckets":[99999999,1]}`, `{"digits":3,"buckets":[9223372036854775807,1]}`, `{"digits":3,"buckets":[0,9223372036854775807]}`, `[]`,
	} {
		if err := json.Unmarshal([]byte(text), new(Histogram)); err == nil {
			t.Errorf("%s: no error", text)
		}
	}
}

// someResult is a result with all there is.
func someResult(took time.Duration) *Result {
	h := func(n int, d time.Duration) *Histogram {
		h := NewHistogram()
		for i := range n {
			h.Record(d + time.Duration(i)*d/100)
		}
		return h
	}
	return &Result{
		Plan:  Plan{Arrival: Poisson, Rate: 1000, Duration: 2 * time.Second, Warmup: time.Second, Concurrency: 64},
		Began: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Elapsed: 2 * time.Second,
		Count: 2005, Completed: 1990, Bytes: 12345,
		Latency: h(2000, took), Failed: h(5, time.Second), Lag: h(2005, 20*time.Microsecond), Network: h(2000, took/2),
		Wait: h(2000, took/8), Init: h(3, 30*ms), RunTime: h(2000, took/4),
		Starts: map[string]int64{"warm": 1997, "cold": 3}, Errors: map[string]int64{"timeout": 4, "5xx": 1},
		Keys: map[string]*Histogram{"a": h(3, ms)},
		CPU:  map[string]time.Duration{"router": 199 * ms, Sandboxes: time.Second}, RSS: map[string]int64{"router": 40 << 20},
	}
}

func TestResultMerge(t *testing.T) {
	r := new(Result)
	r.Merge(someResult(ms))
	one := someResult(ms)
	if !reflect.DeepEqual(r.Plan, one.Plan) || r.Throughput() != one.Throughput() || !r.Began.Equal(one.Began) {
		t.Errorf("an empty result with another is %+v", r)
	}
	r.Merge(someResult(2 * ms))
	if r.Count != 4010 || r.Completed != 3980 || r.Elapsed != 4*time.Second || r.Throughput() != 995 || r.ErrorCount() != 10 {
		t.Errorf("count %d, completed %d, elapsed %v, errors %d", r.Count, r.Completed, r.Elapsed, r.ErrorCount())
	}
	if r.Latency.Count() != 4000 || r.Keys["a"].Count() != 6 || r.Starts["cold"] != 6 || r.RSS["router"] != 40<<20 {
		t.Errorf("latencies %d, keys %d, starts %v, memory %v", r.Latency.Count(), r.Keys["a"].Count(), r.Starts, r.RSS)
	}
	if got := r.CPUPerRequest("router"); got != 100*time.Microsecond {
		t.Errorf("CPU %v a request, want 100µs", got)
	}
	if one := someResult(ms); r.Latency == one.Latency || one.Latency.Count() != 2000 {
		t.Error("merging changed what was merged")
	}
}

func TestResultJSON(t *testing.T) {
	want := someResult(ms)
	var b bytes.Buffer
	if err := want.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	got := new(Result)
	if err := json.Unmarshal(b.Bytes(), got); err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	if err := got.WriteJSON(&again); err != nil {
		t.Fatal(err)
	}
	if b.String() != again.String() {
		t.Errorf("reads back as\n%s\nwant\n%s", again.String(), b.String())
	}
}

func FuzzHistogramJSON(f *testing.F) {
	h := NewHistogram()
	h.Record(ms)
	text, _ := json.Marshal(h)
	f.Add(text)
	f.Add([]byte(`{"digits":2,"buckets":[0,1,5,7]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		h := new(Histogram)
		if json.Unmarshal(b, h) != nil || h.h == nil { // JSON's null
			return
		}
		if h.Quantile(.5) > h.Max() || h.Quantile(1) > longest*101/100 {
			t.Errorf("p50 %v, max %v", h.Quantile(.5), h.Max())
		}
	})
}
