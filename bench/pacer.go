package bench

import (
	"context"
	"time"
)

// pacer waits for due times. It is used by one goroutine at a time.
type pacer interface {
	sleep(ctx context.Context, d time.Duration) // or until ctx ends
	close()
}

// timerPacer waits on Go's timers. Their grain is about a millisecond when a
// process is idle.
type timerPacer struct{}

func (timerPacer) sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

func (timerPacer) close() {}
