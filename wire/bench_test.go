package wire

import (
	"context"
	"strings"
	"testing"

	"hearth/whisk"
)

// BenchmarkCall is a call and its reply over a unix socket and back.
func BenchmarkCall(b *testing.B) {
	ln, err := Listen("unix:"+b.TempDir()+"/s", nil)
	if err != nil {
		b.Fatal(err)
	}
	s := NewServer(DefaultServerConfig(), &echo{}, hello)
	run(b, func(ctx context.Context) error { return s.Serve(ctx, ln) })
	dial, err := Dialer("unix:"+ln.Addr().String(), nil)
	if err != nil {
		b.Fatal(err)
	}
	up := make(chan whisk.Hello, 8)
	c := clientOf(b, dial, func(cfg *ClientConfig) { cfg.OnUp = func(h whisk.Hello) { up <- h } })
	run(b, c.Run)
	<-up
	for _, size := range []int{100, 1 << 20} {
		args := []byte(`"` + strings.Repeat("x", size) + `"`)
		b.Run(map[int]string{100: "small", 1 << 20: "1MiB"}[size], func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				got := make(chan whisk.Reply, 1)
				for pb.Next() {
					call := newCall()
					call.Args = args
					if err := c.Call(call, func(r whisk.Reply) { got <- r }); err != nil {
						b.Error(err)
						return
					}
					<-got
				}
			})
		})
	}
}
