package wire

import (
	"fmt"
	"time"
)

// Limits are the bounds and clocks that both sides of a connection have.
type Limits struct {
	// MaxMessage bounds one message in bytes: the largest code, or a record
	// with its result and logs. A longer record loses its logs on the way.
	MaxMessage int

	// MaxQueued bounds the bytes that wait to be written to one peer. A peer
	// behind which more piles up is disconnected.
	MaxQueued int

	// MaxCalls bounds the calls in flight on one connection.
	MaxCalls int

	// PingEvery is the time between two pings, Missed how many may stay
	// unanswered before the connection counts as broken. The product bounds
	// also a write and the time between two frames.
	PingEvery time.Duration
	Missed    int

	// Handshake bounds dialling, TLS and the hellos, each.
	Handshake time.Duration
}

// DefaultLimits returns the limits of production.
func DefaultLimits() Limits {
	return Limits{
		MaxMessage: 64 << 20,
		MaxQueued:  512 << 20,
		MaxCalls:   16384,
		PingEvery:  time.Second,
		Missed:     10,
		Handshake:  5 * time.Second,
	}
}

// Validate reports the first limit that makes no sense.
func (l Limits) Validate() error {
	for _, v := range []struct {
		name string
		n    int64
	}{
		{"largest message", int64(l.MaxMessage)}, {"queued bytes", int64(l.MaxQueued)}, {"calls", int64(l.MaxCalls)},
		{"ping interval", int64(l.PingEvery)}, {"missed pings", int64(l.Missed)}, {"handshake time", int64(l.Handshake)},
	} {
		if v.n <= 0 {
			return fmt.Errorf("wire: %s must be greater than 0, got %d", v.name, v.n)
		}
	}
	if l.MaxMessage < 64<<10 || int64(l.MaxMessage) >= 1<<31 {
		return fmt.Errorf("wire: largest message must be from 64 KiB to below 2 GiB, got %d", l.MaxMessage)
	}
	if l.MaxQueued < 2*l.MaxMessage {
		return fmt.Errorf("wire: queued bytes must hold two of the largest messages, got %d", l.MaxQueued)
	}
	return nil
}

// silence is how long a peer may say nothing.
func (l Limits) silence() time.Duration { return time.Duration(l.Missed) * l.PingEvery }
