package main

import (
	"os"
	"runtime/debug"
)

// serverGCPercent lets the heap of a server grow to eight times what is live
// before it is collected. What is live is small, a few MB, so that at the
// usual 100 the collector would run dozens of times a second under load; at
// this setting the heap stays at some 40 MB.
const serverGCPercent = 700

// serverMemory, in bytes, is from where the collector runs as often as it must
// whatever the percentage: else a few hundred MB of bodies and records in
// transit would let the heap grow to some GB. It is well above what the body
// budget lets live.
const serverMemory = 1 << 30

// tuneRuntime sets up the Go runtime for a server. GOGC and GOMEMLIMIT in the
// environment keep the last word.
func tuneRuntime() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(serverGCPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(serverMemory)
	}
}
