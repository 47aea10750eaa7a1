package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"hearth/invoker/sandbox"
)

// exchange is one request and the wait for its reply.
type exchange struct {
	line    []byte
	id      string // that the reply must carry; "" for bare lines
	began   time.Time
	timeout time.Duration // from began
	logs    int64
	keep    int64
}

// ask writes a request and waits for the reply, the time limit or the end.
func (b *box) ask(ctx context.Context, p *proc, x exchange) sandbox.Outcome {
	w := &waiter{id: x.id, keep: x.keep, reply: make(chan reply, 1)}
	deadline := x.began.Add(x.timeout)
	if len(x.line) > 0 {
		p.expect(w)
		_ = p.in.SetWriteDeadline(deadline)
		if _, err := p.in.Write(x.line); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, syscall.EPIPE) {
			b.fault(err)
		}
	}
	return b.await(ctx, p, w, x)
}

// await waits for the reply that w is for.
func (b *box) await(ctx context.Context, p *proc, w *waiter, x exchange) sandbox.Outcome {
	timer := time.NewTimer(time.Until(x.began.Add(x.timeout)))
	defer timer.Stop()
	watch := b.watch()
	defer watch.Stop()
	for {
		select {
		case r := <-w.reply:
			p.drain()
			return sandbox.Outcome{Ending: sandbox.Replied, OK: r.ok, Body: r.body, Size: r.size, Took: time.Since(x.began)}
		case <-p.outClosed:
			return b.noReply(p, w, x)
		case <-p.exited:
			return b.noReply(p, w, x)
		case <-timer.C:
			return b.stop(p, x, sandbox.TimedOut, nil)
		case <-ctx.Done():
			return b.stop(p, x, sandbox.Exited, context.Cause(ctx))
		case <-watch.C:
			if b.overMemory(p) {
				return b.stop(p, x, sandbox.OutOfMemory, nil)
			}
		}
	}
}

// watch returns a ticker for looking at memory, one that never ticks where a
// control group does it.
func (b *box) watch() *time.Ticker {
	if b.group != nil {
		return &time.Ticker{}
	}
	return time.NewTicker(watchEvery)
}

func (b *box) overMemory(p *proc) bool {
	pids := family(b.d.procs.snapshot(watchEvery/2), p.leader.pid)
	return overLimit(pids, b.spec.MemoryMB<<20)
}

// stop kills the box and returns an outcome without a reply.
func (b *box) stop(p *proc, x exchange, e sandbox.Ending, err error) sandbox.Outcome {
	took := time.Since(x.began)
	b.fault(fmt.Errorf("stopped: %s", e))
	return b.gone(p, sandbox.Outcome{Ending: e, Took: took, Err: err})
}

// noReply is the outcome once no further reply will come: the process has
// ended, or will, or broke the protocol.
func (b *box) noReply(p *proc, w *waiter, x exchange) sandbox.Outcome {
	o := sandbox.Outcome{Ending: sandbox.Exited, Took: time.Since(x.began)}
	select {
	case <-p.exited:
	case <-time.After(exitGrace): // it closed its reply pipe, or misbehaved and is being killed
	}
	p.broke(errExited)
	o = b.gone(p, o)
	if p.out != nil {
		select {
		case <-p.outClosed: // with all that was in the pipe read
			if errors.Is(p.outErr, errFrame) || errors.Is(p.outErr, errIdleReply) {
				o.Ending, o.Err = sandbox.Misbehaved, p.outErr
				return o
			}
		case <-time.After(exitGrace): // somebody who got away holds it
		}
	}
	select {
	case r := <-w.reply: // its last words
		o.Ending, o.OK, o.Body, o.Size = sandbox.Replied, r.ok, r.body, r.size
		return o
	default:
	}
	if b.ranOutOfMemory(p) {
		o.Ending = sandbox.OutOfMemory
	}
	o.Err = fmt.Errorf("process ended: %s", describe(p.status))
	return o
}

// exitGrace is how long a process that closed its reply pipe has to end by
// itself: the pipe closes a moment before the end is known.
const exitGrace = 200 * time.Millisecond

// gone waits for the end of what was killed and drains the output.
func (b *box) gone(p *proc, o sandbox.Outcome) sandbox.Outcome {
	select {
	case <-p.exited:
	case <-time.After(2 * goneWithin):
		o.Err = errors.Join(o.Err, errors.New("its processes do not die"))
	}
	p.drain()
	return o
}

func (b *box) ranOutOfMemory(p *proc) bool {
	if b.group != nil && b.group.OOMKills() > b.oomKills {
		return true
	}
	return b.heapFull.Load() && p.status.Signaled() && p.status.Signal() == syscall.SIGABRT
}

// heapHint looks for what V8 says when its heap is full.
func (b *box) heapHint(text []byte) {
	if bytes.Contains(text, []byte("JavaScript heap out of memory")) {
		b.heapFull.Store(true)
	}
}

func describe(ws syscall.WaitStatus) string {
	if ws.Signaled() {
		return "signal " + ws.Signal().String()
	}
	return fmt.Sprintf("exit status %d", ws.ExitStatus())
}
