package sqlite

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"hearth/store"
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
