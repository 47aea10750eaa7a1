package sqlite

import (
	"fmt"
	"testing"
	"time"

	"hearth/store"
	"hearth/whisk"
)

// BenchmarkQueueCPU measures what a call of the queue costs in CPU time from
// its row to its record, in commits of so many.
func BenchmarkQueueCPU(b *testing.B) {
	for _, n := range []int{16, 160} {
		b.Run(fmt.Sprint("rows=", n), func(b *testing.B) {
			d := open(b, b.TempDir())
			defer func() { _ = d.Close() }()
			payload := make([]byte, 600)
			ops := make([][3][]store.Op, b.N)
			for i := range ops {
				for k := range n {
					rec := benchRecord(i*n + k)
					row := &store.QueueRow{ID: rec.ID, Namespace: "guest", Created: 1_700_000_000_000, Holder: 7, Payload: payload}
					ops[i][0] = append(ops[i][0], store.Op{Kind: store.OpEnqueue, Row: row})
					ops[i][1] = append(ops[i][1], store.Op{Kind: store.OpStart, ID: rec.ID, Token: int64(k) + 1, Holder: 7, For: time.Minute})
					ops[i][2] = append(ops[i][2], store.Op{Kind: store.OpRecord, Record: rec})
				}
			}
			b.ResetTimer()
			cpu, bytes := cpuTime(b), written(b)
			for i := range ops {
				for _, o := range ops[i] {
					if _, err := d.Commit(b.Context(), o); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(cpuTime(b)-cpu)/float64(b.N*n), "cpu-µs/call")
			b.ReportMetric(float64(written(b)-bytes)/float64(b.N*n), "written-B/call")
		})
	}
}

// BenchmarkClaim measures claims of 100 rows among many, of which the oldest
// are held.
func BenchmarkClaim(b *testing.B) {
	for _, held := range []int{0, 10_000} {
		b.Run(fmt.Sprint("held=", held), func(b *testing.B) {
			d := open(b, b.TempDir())
			defer func() { _ = d.Close() }()
			const rows = 30_000
			ops := make([]store.Op, rows)
			for k := range ops {
				row := &store.QueueRow{ID: whisk.NewActivationID(), Namespace: whisk.Namespace(fmt.Sprint("ns", k%4)), Payload: make([]byte, 600)}
				if k < held {
					row.Holder = 1
				}
				ops[k] = store.Op{Kind: store.OpEnqueue, Row: row}
			}
			if _, err := d.Commit(b.Context(), ops); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				got, err := d.Claim(b.Context(), store.ClaimQuery{Holder: 2, Limit: 100, Bytes: 1 << 20, PerNamespace: 50})
				if err != nil || len(got) != 100 {
					b.Fatal(len(got), err)
				}
				free := map[whisk.ActivationID]hold{}
				for _, r := range got {
					free[r.ID] = hold{}
				}
				d.claims.set(free)
			}
		})
	}
}
