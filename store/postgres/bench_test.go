package postgres

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"hearth/internal/pgtest"
	"hearth/store"
	"hearth/whisk"
)

// benchServer is one with flushes to disk.
func benchDB(b *testing.B) *DB {
	b.Helper()
	d := open(b, pgtest.Start(b, pgtest.Config{}).Schema(b))
	b.Cleanup(func() { closeDB(b, d) })
	return d
}

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

func benchRecords(n int) []store.Op {
	ops := make([]store.Op, n)
	for k := range ops {
		ops[k] = store.Op{Kind: store.OpRecord, Record: benchRecord(k)}
	}
	return ops
}

// cpuTime returns the CPU time that the process has used, in µs: the client's
// side alone.
func cpuTime(b *testing.B) int64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return (u.Utime.Sec+u.Stime.Sec)*1_000_000 + int64(u.Utime.Usec+u.Stime.Usec)
}

// BenchmarkCommit measures whole commits of so many records.
func BenchmarkCommit(b *testing.B) {
	d := benchDB(b)
	for _, n := range []int{1, 64, 1024} {
		b.Run(fmt.Sprint("records=", n), func(b *testing.B) {
			b.ReportAllocs()
			cpu := cpuTime(b)
			for b.Loop() {
				b.StopTimer()
				ops := benchRecords(n)
				b.StartTimer()
				if _, err := d.Commit(b.Context(), ops); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/record")
			b.ReportMetric(float64(cpuTime(b)-cpu)/float64(b.N*n), "cpu-µs/record")
		})
	}
}

// BenchmarkRecord measures records through a Recorder with so many pending at
// once, and without lingering.
func BenchmarkRecord(b *testing.B) {
	d := benchDB(b)
	for _, pending := range []int{32, 1024, 16384} {
		b.Run(fmt.Sprintf("pending=%d", pending), func(b *testing.B) {
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

// BenchmarkQueue measures calls on their way through the queue, each of its
// steps a commit of so many.
func BenchmarkQueue(b *testing.B) {
	d := benchDB(b)
	payload := make([]byte, 600)
	for _, n := range []int{1, 64, 1024} {
		b.Run(fmt.Sprint("calls=", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				steps := [3][]store.Op{2: benchRecords(n)}
				for _, o := range steps[2] {
					row := &store.QueueRow{ID: o.Record.ID, Namespace: "guest", Holder: 7, Created: time.Now().UnixMilli(), Payload: payload}
					steps[0] = append(steps[0], store.Op{Kind: store.OpEnqueue, Row: row})
					steps[1] = append(steps[1], store.Op{Kind: store.OpStart, ID: row.ID, Token: 5, Holder: 7, For: time.Minute})
				}
				for _, ops := range steps {
					if _, err := d.Commit(b.Context(), ops); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/call")
		})
	}
}

// BenchmarkClaim measures claims of 64 rows, of as many that are left and in as
// many namespaces.
func BenchmarkClaim(b *testing.B) {
	d := benchDB(b)
	var holder atomic.Int64
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprint("namespaces=", n), func(b *testing.B) {
			run(b, d, "TRUNCATE queue")
			enqueue := func() {
				ops := make([]store.Op, 6400)
				for i := range ops {
					ops[i] = store.Op{Kind: store.OpEnqueue, Row: &store.QueueRow{
						ID: whisk.NewActivationID(), Namespace: whisk.Namespace(fmt.Sprint("ns", i%n)), Payload: make([]byte, 600),
					}}
				}
				if _, err := d.Commit(b.Context(), ops); err != nil {
					b.Fatal(err)
				}
			}
			enqueue()
			for i := 0; b.Loop(); i++ {
				if i%100 == 0 {
					b.StopTimer()
					enqueue()
					b.StartTimer()
				}
				rows, err := d.Claim(b.Context(), store.ClaimQuery{Holder: holder.Add(1), Limit: 64, Bytes: 1 << 20, PerNamespace: 64})
				if err != nil || len(rows) != 64 {
					b.Fatal(len(rows), err)
				}
			}
		})
	}
}

// BenchmarkList measures a page of a list among many records.
func BenchmarkList(b *testing.B) {
	d := benchDB(b)
	if _, err := d.Commit(b.Context(), benchRecords(20_000)); err != nil {
		b.Fatal(err)
	}
	for _, q := range []store.ActivationQuery{
		{Namespace: "guest", Limit: 30, Brief: true}, {Namespace: "guest", Limit: 30}, {Namespace: "guest", Name: "action7", Limit: 30, Brief: true},
		{Namespace: "guest", Limit: 30, Skip: 15_000, Brief: true},
	} {
		b.Run(fmt.Sprintf("name=%q,brief=%v,skip=%d", q.Name, q.Brief, q.Skip), func(b *testing.B) {
			for b.Loop() {
				if got, err := d.Activations(b.Context(), q); err != nil || len(got) != 30 {
					b.Fatal(len(got), err)
				}
			}
		})
	}
}
