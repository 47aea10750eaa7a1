package invoker

import (
	"context"
	"testing"

	"hearth/invoker/sandbox"
	"hearth/whisk"
)

// BenchmarkWarmCall measures what the invoker adds to a warm call: admission,
// one hand-off, record, journal and reply.
func BenchmarkWarmCall(b *testing.B) {
	cfg := testConfig(b.TempDir())
	cfg.Journal.MaxBytes = 1 << 30
	d := &fakeDriver{live: make(map[*fakeBox]bool), capacity: cfg.MemoryMB}
	d.run = func(_ context.Context, _ *fakeBox, in *sandbox.Run) sandbox.Outcome {
		return sandbox.Outcome{OK: true, Body: in.Args, Size: int64(len(in.Args))}
	}
	v, err := New(cfg, []sandbox.Driver{d})
	if err != nil {
		b.Fatal(err)
	}
	defer v.Close()
	ch := make(chan whisk.Reply, 1)
	reply := func(x whisk.Reply) { ch <- x }
	call := newTestCall("a", `{"name":"x"}`)
	b.ReportAllocs()
	for b.Loop() {
		c := *call
		c.ID = whisk.NewActivationID()
		if err := v.Call(&c, reply); err != nil {
			b.Fatal(err)
		}
		x := <-ch
		if x.Kind != whisk.Done {
			b.Fatal(x.Kind)
		}
		v.Ack(c.ID)
	}
}
