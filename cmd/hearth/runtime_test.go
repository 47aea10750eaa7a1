package main

import (
	"runtime/debug"
	"testing"
)

// TestTuneRuntime: what the environment says of the collector stands.
func TestTuneRuntime(t *testing.T) {
	percent, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetGCPercent(percent); debug.SetMemoryLimit(limit) })
	now := func() [2]int64 {
		p := debug.SetGCPercent(100)
		debug.SetGCPercent(p)
		return [2]int64{int64(p), debug.SetMemoryLimit(-1)}
	}
	t.Setenv("GOGC", "100")
	t.Setenv("GOMEMLIMIT", "off")
	tuneRuntime()
	if got, want := now(), [2]int64{100, limit}; got != want {
		t.Errorf("percent and limit are %d, want %d", got, want)
	}
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	tuneRuntime()
	if got, want := now(), [2]int64{serverGCPercent, serverMemory}; got != want {
		t.Errorf("percent and limit are %d, want %d", got, want)
	}
}
