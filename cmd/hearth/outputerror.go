package main

import (
	"fmt"
	"io"
)

// Exit codes, as wsk's. A server's refusal exits with its HTTP status - 256,
// of which the system keeps the low eight bits.
const (
	exitGeneral  = 1
	exitUsage    = 2
	exitNetwork  = 3
	exitResponse = 4   // the server's answer was not understood
	exitUnended  = 202 // the blocking wait ended before the activation
	exitFailed   = 246 // the action answered with an error
)

// reportError prints err as every command of Hearth does, or nothing if there
// is nothing to say.
func reportError(w io.Writer, err error) {
	if err == nil || err.Error() == "" {
		return
	}
	_, _ = fmt.Fprintf(w, "error: %s\n", err)
}
