package sqlite

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"hearth/store"
	"hearth/whisk"
)

// cpuTime returns the CPU time that the process has used, in µs.
func cpuTime(b *testing.B) int64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return (u.Utime.Sec+u.Stime.Sec)*1_000_000 + int64(u.Utime.Usec+u.Stime.Usec)
}

// written returns how many bytes the process has had written to disk.
func written(b *testing.B) int64 {
	b.Helper()
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		b.Skip("no count of what is written: ", err)
	}
	_, rest, _ := strings.Cut(string(text), "\nwrite_bytes: ")
	line, _, _ := strings.Cut(rest, "\n")
	n, err := strconv.ParseInt(line, 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// BenchmarkCommitCPU measures what a record costs in CPU time, which the
// clock does not show where commits wait for the disk, and how much is written
// for it.
func BenchmarkCommitCPU(b *testing.B) {
	for _, n := range []int{32, 160, 640} {
		b.Run(fmt.Sprint("records=", n), func(b *testing.B) {
			d := open(b, b.TempDir())
			defer func() { _ = d.Close() }()
			ops := make([][]store.Op, b.N)
			for i := range ops {
				for k := range n {
					ops[i] = append(ops[i], store.Op{Kind: store.OpRecord, Record: benchRecord(i*n + k)})
				}
			}
			b.ResetTimer()
			cpu, bytes := cpuTime(b), written(b)
			for _, o := range ops {
				if _, err := d.Commit(b.Context(), o); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpuTime(b)-cpu)/float64(b.N*n), "cpu-µs/record")
			b.ReportMetric(float64(written(b)-bytes)/float64(b.N*n), "written-B/record")
		})
	}
}

// BenchmarkPaced measures the same through a Recorder with its usual settings,
// to which 5000 records come each second.
func BenchmarkPaced(b *testing.B) {
	d := open(b, b.TempDir())
	defer func() { _ = d.Close() }()
	r := store.NewRecorder(d, store.DefaultRecorderConfig())
	ctx, cancel := context.WithCancel(b.Context())
	var run, left sync.WaitGroup
	run.Go(func() { _ = r.Run(ctx) })
	records := make([]*whisk.Activation, b.N)
	for i := range records {
		records[i] = benchRecord(i)
	}
	left.Add(b.N)
	b.ResetTimer()
	began, cpu := time.Now(), cpuTime(b)
	for i, a := range records {
		if i%25 == 0 {
			time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / 5000)))
		}
		r.Record(a, func(err error) {
			if err != nil {
				b.Error(err)
			}
			left.Done()
		})
	}
	left.Wait()
	b.ReportMetric(float64(cpuTime(b)-cpu)/float64(b.N), "cpu-µs/record")
	b.StopTimer()
	cancel()
	run.Wait()
}
