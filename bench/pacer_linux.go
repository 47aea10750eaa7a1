package bench

import (
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const (
	fineFrom = 20 * time.Millisecond // what Go's timers leave to the fine one
	fineGoal = 10 * time.Millisecond
	tooShort = 4 * time.Microsecond // shorter than it takes to sleep
)

// finePacer waits on a timerfd, which wakes within microseconds where Go's
// timers, waited for with epoll's milliseconds, can be a whole one late. Late
// requests would be measured as slow answers.
type finePacer struct {
	timerPacer
	file *os.File
	raw  int
}

func newPacer() (pacer, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make a timer: %w", err)
	}
	return &finePacer{file: os.NewFile(uintptr(fd), "timerfd"), raw: fd}, nil
}

func (p *finePacer) sleep(ctx context.Context, d time.Duration) {
	end := time.Now().Add(d)
	if d > fineFrom {
		p.timerPacer.sleep(ctx, d-fineGoal)
		d = time.Until(end)
	}
	if d < tooShort || ctx.Err() != nil {
		return
	}
	at := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	err := unix.TimerfdSettime(p.raw, 0, &at, nil)
	if err == nil {
		var b [8]byte
		_, err = p.file.Read(b[:])
	}
	if rest := time.Until(end); err != nil || rest > d/2 {
		p.timerPacer.sleep(ctx, rest) // the clock stands still but for Go's own timers, as in tests
	}
}

func (p *finePacer) close() { _ = p.file.Close() }
