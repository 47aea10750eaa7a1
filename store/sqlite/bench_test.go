package sqlite

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"hearth/store"
	"hearth/whisk"
)

// benchRecord is a record as a small action makes it.
func benchRecord(i int) *whisk.Activation {
	name := fmt.Sprint("action", i%20)
	return &whisk.Activation{
		ID: whisk.NewActivationID(), Namespace: "guest", Name: name, Version: whisk.FirstVersion, Subject: "guest",
		Start: 1_700_000_000_000 + int64(i), End: 1_700_000_000_005 + int64(i), Duration: 5,
		Response: whisk.Response{Result: []byte(`{"greeting":"Hello, stranger!","list":[1,2,3,4,5,6,7,8,9]}`), Size: 58},
		Logs:     []string{"2026-01-01T00:00:00.000000000Z stdout: hello", "2026-01-01T00:00:00.000000001Z stderr: world"},
		Facts:    whisk.Facts{Path: "guest/" + name, Kind: "nodejs:20", Limits: &whisk.Limits{Timeout: 60000, Memory: 256, Logs: 10, Concurrency: 1}, Wait: 3},
	}
}

// BenchmarkRecord measures records through a Recorder with so many pending at
// once, and without lingering, which only an open loop can use.
func BenchmarkRecord(b *testing.B) {
	for _, pending := range []int{32, 1024, 16384} {
		b.Run(fmt.Sprintf("pending=%d", pending), func(b *testing.B) {
			d := open(b, b.TempDir())
			defer func() { _ = d.Close() }()
			r := store.NewRecorder(d, store.RecorderConfig{Linger: -1})
			ctx, cancel := context.WithCancel(b.Context())
			var run sync.WaitGroup
			run.Go(func() { _ = r.Run(ctx) })
			slots := make(chan struct{}, pending)
			var left sync.WaitGroup
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				slots <- struct{}{}
				left.Add(1)
				r.Record(benchRecord(i), func(err error) {
					if err != nil {
						b.Error(err)
					}
					<-slots
					left.Done()
				})
			}
			left.Wait()
			b.StopTimer()
			cancel()
			run.Wait()
		})
	}
}

// BenchmarkEnqueue measures queue rows, each waited for, from many callers.
func BenchmarkEnqueue(b *testing.B) {
	d := open(b, b.TempDir())
	defer func() { _ = d.Close() }()
	r := store.NewRecorder(d, store.RecorderConfig{})
	ctx, cancel := context.WithCancel(b.Context())
	var run sync.WaitGroup
	run.Go(func() { _ = r.Run(ctx) })
	payload := make([]byte, 600)
	b.SetParallelism(16)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			row := store.QueueRow{ID: whisk.NewActivationID(), Namespace: "guest", Created: time.Now().UnixMilli(), Payload: payload}
			if err := r.Enqueue(ctx, row); err != nil {
				b.Error(err)
			}
		}
	})
	b.StopTimer()
	cancel()
	run.Wait()
}

// BenchmarkCommit measures whole commits of so many records.
func BenchmarkCommit(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprint("records=", n), func(b *testing.B) {
			d := open(b, b.TempDir())
			defer func() { _ = d.Close() }()
			i := 0
			for b.Loop() {
				ops := make([]store.Op, n)
				for k := range ops {
					ops[k] = store.Op{Kind: store.OpRecord, Record: benchRecord(i)}
					i++
				}
				if _, err := d.Commit(b.Context(), ops); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/record")
		})
	}
}

// BenchmarkList measures a page of a list among many records.
func BenchmarkList(b *testing.B) {
	d := open(b, b.TempDir())
	defer func() { _ = d.Close() }()
	ops := make([]store.Op, 20_000)
	for k := range ops {
		ops[k] = store.Op{Kind: store.OpRecord, Record: benchRecord(k)}
	}
	if _, err := d.Commit(b.Context(), ops); err != nil {
		b.Fatal(err)
	}
	for _, q := range []store.ActivationQuery{
		{Namespace: "guest", Limit: 30, Brief: true}, {Namespace: "guest", Limit: 30}, {Namespace: "guest", Name: "action7", Limit: 30, Brief: true},
	} {
		b.Run(fmt.Sprintf("name=%q,brief=%v", q.Name, q.Brief), func(b *testing.B) {
			for b.Loop() {
				if got, err := d.Activations(b.Context(), q); err != nil || len(got) != 30 {
					b.Fatal(len(got), err)
				}
			}
		})
	}
}
