package bench

import (
	"context"
	"errors"
	"maps"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
	"pgregory.net/rapid"
)

// runPlan runs a plan in virtual time.
func runPlan(t *testing.T, p Plan, target TargetFunc) (*Result, error) {
	t.Helper()
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	return newEngine(p, target, timerPacer{}).run(t.Context(), func(Progress) {})
}

// taking is a target that takes its time.
func taking(d time.Duration) TargetFunc {
	return func(context.Context, int64) Hit {
		time.Sleep(d)
		return Hit{Bytes: 1}
	}
}

// close reports whether a duration is another but for the histogram's grain.
func nearly(got, want time.Duration) bool {
	return got >= want-want/500 && got <= want+want/500+time.Nanosecond
}

func TestClosedLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, err := runPlan(t, Plan{Arrival: Closed, Concurrency: 4, Duration: time.Second, Warmup: 200 * ms}, taking(30*ms))
		if err != nil {
			t.Fatal(err)
		}
		// Each client's answers come at 30, 60, …, so 6 (180 ms) before and
		// 34 (210 … 1200 ms) within the measured time. The first of those was
		// begun in the warm-up; another begins at 1,170 ms and one at 1,200 is not.
		if r.Completed != 4*34 || r.Count != 4*33 || r.Elapsed != time.Second {
			t.Errorf("completed %d, count %d in %v", r.Completed, r.Count, r.Elapsed)
		}
		if !nearly(r.Latency.Quantile(.5), 30*ms) || r.Latency.Count() != r.Count {
			t.Errorf("latency %v of %d", r.Latency.Quantile(.5), r.Latency.Count())
		}
		if r.Throughput() != 136 || r.Bytes != r.Count || r.ErrorCount() != 0 || r.Lag != nil {
			t.Errorf("throughput %v, bytes %d, errors %v", r.Throughput(), r.Bytes, r.Errors)
		}
	})
}

func TestClosedLoopByCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seqs atomic.Int64
		r, err := runPlan(t, Plan{Arrival: Closed, Concurrency: 3, Count: 10}, func(_ context.Context, seq int64) Hit {
			seqs.Add(1 << (4 * seq))
			time.Sleep(10 * ms)
			return Hit{}
		})
		if err != nil || r.Count != 10 || r.Completed != 10 || r.Elapsed != 40*ms {
			t.Errorf("count %d, completed %d in %v: %v", r.Count, r.Completed, r.Elapsed, err)
		}
		if got := seqs.Load(); got != 0x1111111111 {
			t.Errorf("sequence numbers %x: want each from 0 to 9 once", got)
		}
	})
}

// TestDueTime: a server that stalls makes all that was due meanwhile slow,
// although each was answered at once when it was sent.
func TestDueTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stalled := make(chan struct{})
		time.AfterFunc(time.Second, func() { close(stalled) })
		r, err := runPlan(t, Plan{Arrival: Constant, Rate: 100, Concurrency: 2, Duration: 2 * time.Second},
			func(context.Context, int64) Hit { <-stalled; return Hit{} })
		if err != nil || r.Count != 200 || r.Completed != 200 {
			t.Fatalf("count %d, completed %d: %v", r.Count, r.Completed, err)
		}
		// Latencies of the first hundred fall from 1 s to 10 ms, then 0.
		for _, q := range []struct {
			q    float64
			want time.Duration
		}{{.005, 0}, {.4, 0}, {.75, 500 * ms}, {1, time.Second}} {
			if got := r.Latency.Quantile(q.q); !nearly(got, q.want) {
				t.Errorf("quantile %v is %v, want %v", q.q, got, q.want)
			}
		}
		// Two were sent at once, so their wait was no lag.
		if got := r.Lag.Max(); !nearly(got, 980*ms) {
			t.Errorf("lag of up to %v, want 980ms", got)
		}
	})
}

// TestOverflow: what finds the queue full is counted, and so is what waits too
// long after the end.
func TestOverflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Plan{Arrival: Constant, Rate: 10, Concurrency: 1, Count: 100}
		e := newEngine(p, taking(4*time.Second), timerPacer{})
		e.backlogBound = 3
		r, err := e.run(t.Context(), func(Progress) {})
		if err != nil {
			t.Fatal(err)
		}
		// All due within 9.9 s; sent at 0, 4, 8, 12, 16 s (the last due before
		// 19.9 s), the queue of 3 being full at 4 and 8 s.
		if r.Count != 100 || r.Latency.Count() != 5 || r.Errors[ClassOverflow] != 95 {
			t.Errorf("count %d, latencies %d, errors %v", r.Count, r.Latency.Count(), r.Errors)
		}
	})
}

func TestThrottled(t *testing.T) {
	for _, p := range []Plan{
		{Arrival: Closed, Concurrency: 5, Duration: time.Hour},
		{Arrival: Constant, Rate: 100, Duration: time.Hour},
		{Arrival: Constant, Rate: 100, Duration: time.Hour, Warmup: time.Hour},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			r, err := runPlan(t, p, func(_ context.Context, seq int64) Hit {
				time.Sleep(10 * ms)
				if seq == 50 {
					return Hit{Class: ClassThrottled}
				}
				return Hit{}
			})
			if !errors.Is(err, ErrThrottled) || r == nil {
				t.Fatalf("result %v, error %v", r, err)
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("stopped after %v", took)
			}
			if p.Warmup == 0 && (r.Errors[ClassThrottled] != 1 || r.Latency.Count() < 50 || r.Throughput() == 0) {
				t.Errorf("errors %v, latencies %d", r.Errors, r.Latency.Count())
			}
		})
	}
}

func TestCancelled(t *testing.T) {
	for _, p := range []Plan{{Arrival: Closed, Concurrency: 2, Duration: time.Hour}, {Arrival: Poisson, Rate: 50, Duration: time.Hour}} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute+5*ms)
			defer cancel()
			r, err := newEngine(p, TargetFunc(func(ctx context.Context, _ int64) Hit {
				select {
				case <-time.After(10 * ms):
					return Hit{}
				case <-ctx.Done():
					return Hit{Class: ClassLost}
				}
			}), timerPacer{}).run(ctx, func(Progress) {})
			if !errors.Is(err, context.DeadlineExceeded) || r.Count < 1000 || r.ErrorCount() != 0 {
				t.Errorf("%d hits, errors %v: %v", r.Count, r.Errors, err)
			}
			if r.Elapsed > time.Minute+5*ms || r.Elapsed < 50*time.Second {
				t.Errorf("elapsed %v", r.Elapsed)
			}
		})
	}
}

func TestPhases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, err := runPlan(t, Plan{Arrival: Constant, Rate: 10, Count: 10}, func(_ context.Context, seq int64) Hit {
			time.Sleep(100 * ms)
			switch {
			case seq == 0:
				return Hit{Start: whisk.Cold, Wait: 10 * ms, Init: 20 * ms, Run: 30 * ms, Key: "a"}
			case seq < 8:
				return Hit{Start: whisk.Warm, Wait: 5 * ms, Run: 30 * ms, Key: "b"}
			}
			return Hit{Class: "strange"}
		})
		if err != nil {
			t.Fatal(err)
		}
		if want := map[string]int64{"cold": 1, "warm": 7}; !maps.Equal(r.Starts, want) {
			t.Errorf("starts %v, want %v", r.Starts, want)
		}
		if r.Errors["strange"] != 2 || r.Failed.Count() != 2 || r.Completed != 8 || r.Count != 10 {
			t.Errorf("errors %v, failed %d, completed %d of %d", r.Errors, r.Failed.Count(), r.Completed, r.Count)
		}
		for _, h := range []struct {
			name     string
			h        *Histogram
			n        int64
			min, max time.Duration
		}{
			{"network", r.Network, 8, 40 * ms, 65 * ms}, {"wait", r.Wait, 8, 5 * ms, 10 * ms},
			{"init", r.Init, 1, 20 * ms, 20 * ms}, {"run", r.RunTime, 8, 30 * ms, 30 * ms},
			{"key a", r.Keys["a"], 1, 100 * ms, 100 * ms},
		} {
			if h.h.Count() != h.n || h.h.Min() < h.min*98/100 || h.h.Max() > h.max*102/100 {
				t.Errorf("%s: %d within %v and %v", h.name, h.h.Count(), h.h.Min(), h.h.Max())
			}
		}
	})
}

func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []Progress
		p := Plan{Arrival: Constant, Rate: 100, Duration: time.Second, Warmup: 500 * ms}
		_, err := newEngine(p, taking(10*ms), timerPacer{}).run(t.Context(), func(p Progress) { seen = append(seen, p) })
		if err != nil {
			t.Fatal(err)
		}
		begin, done := 0, 0
		for i, p := range seen {
			if !p.Warming && begin == 0 {
				begin = i
			}
			if p.Done {
				done = i
			}
		}
		if b := seen[begin]; b.Elapsed != 0 || b.Count != 0 || b.Planned != time.Second {
			t.Errorf("first measured: %+v", b)
		}
		if d := seen[done]; done != len(seen)-1 || d.Warming || d.InFlight != 0 || d.Count < 100 || d.Count > 101 {
			t.Errorf("last: %+v", d)
		}
		if len(seen) < 6 || !seen[0].Warming || seen[0].Planned != 500*ms || seen[0].Rate < 90 || seen[0].Rate > 110 {
			t.Errorf("%d shown, first %+v", len(seen), seen[0])
		}
	})
}

// TestEveryHitCounts: whatever the law, the clients and the server's pace, all
// that was due is in the result once, and no more run at once than may.
func TestEveryHitCounts(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := Plan{
			Arrival:     rapid.SampledFrom([]Arrival{Closed, Constant, Poisson, Ramp, Burst}).Draw(rt, "arrival"),
			Concurrency: rapid.IntRange(1, 9).Draw(rt, "concurrency"),
			Rate:        rapid.Float64Range(1, 300).Draw(rt, "rate"),
			Duration:    time.Duration(rapid.IntRange(1, 2000).Draw(rt, "ms")) * ms,
			Warmup:      time.Duration(rapid.IntRange(0, 300).Draw(rt, "warm-up")) * ms,
		}
		pause := time.Duration(rapid.IntRange(1, 30).Draw(rt, "pause")) * ms
		failing := int64(rapid.IntRange(1, 10).Draw(rt, "failing"))
		synctest.Test(t, func(t *testing.T) {
			var done, running, most atomic.Int64
			r, err := runPlan(t, p, func(_ context.Context, seq int64) Hit {
				most.Store(max(most.Load(), running.Add(1)))
				time.Sleep(pause)
				running.Add(-1)
				done.Add(1)
				if seq%failing == 0 {
					return Hit{Class: "x"}
				}
				return Hit{}
			})
			if err != nil {
				t.Fatal(err)
			}
			want := int64(0)
			warm := int64(0)
			for _, due := range arrivals(p, 1_000_000) {
				if due < 0 {
					warm++
				} else {
					want++
				}
			}
			if p.Arrival == Closed {
				want, warm = r.Count, done.Load()-r.Count
			}
			if r.Count != want || done.Load() != want+warm-r.Errors[ClassOverflow] {
				t.Errorf("count %d, want %d; %d requests, %d of warm-up", r.Count, want, done.Load(), warm)
			}
			if r.Latency.Count()+r.ErrorCount() != r.Count {
				t.Errorf("%d latencies and %d errors of %d", r.Latency.Count(), r.ErrorCount(), r.Count)
			}
			if most.Load() > int64(p.Concurrency) {
				t.Errorf("%d at once", most.Load())
			}
		})
	})
}
