package process_test

import (
	"testing"

	"hearth/invoker/sandbox/sandboxtest"
	"hearth/whisk"
)

// TestMany: sandboxes come, run and go side by side.
func TestMany(t *testing.T) {
	d := newDriver(t)
	t.Cleanup(func() { _ = d.Close() })
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 4 {
				b := sandboxtest.NewBox(t, d, specOf(t, d, whisk.Blackbox))
				b.MustLoad("#!/bin/sh\nsleep 100 &\ncat", sandboxtest.With{})
				for range 2 {
					if got := b.MustCall(`{"a":1}`, sandboxtest.With{}); got != `{"a":1}` {
						t.Errorf("reply %s", got)
					}
				}
				b.Destroy()
			}
		})
	}
}
