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

// tuneRuntime sets up the Go runtime for a server. GOGC in the environment
// keeps the last word.
func tuneRuntime() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(serverGCPercent)
	}
}
