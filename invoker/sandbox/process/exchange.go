package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"hearth/invoker/sandbox"
)

// exchange is one request to a process and what comes of it. Whoever takes it
// from its proc calls end: the reader of the reply, the timer, or who sees the
// process's end. A good reply is the only ending after which another exchange
// follows.
type exchange struct {
	line    []byte // the request; nil: none is sent
	bare    bool   // the reply is a bare line, without id and status
	id      [32]byte
	began   time.Time
	timeout time.Duration // from began
	keep    int64         // bytes of the reply's body
	end     func(sandbox.Outcome)

	writing bool   // a goroutine still writes the request; guarded by proc.mu
	got     *reply // that came meanwhile; guarded by proc.mu
}

func (x *exchange) deadline() time.Time { return x.began.Add(x.timeout) }

// begin starts an exchange. It does not wait: x.end is called later, once, by
// another goroutine.
func (b *box) begin(p *proc, x *exchange) {
	if !p.expect(x) {
		go func() { x.end(b.noReply(p, x)) }()
		return
	}
	if len(x.line) > 0 {
		p.send(x)
	}
}

// ask is begin and the wait for the end.
func (b *box) ask(ctx context.Context, p *proc, x *exchange) sandbox.Outcome {
	ended := make(chan sandbox.Outcome, 1)
	x.end = func(o sandbox.Outcome) { ended <- o }
	b.begin(p, x)
	select {
	case o := <-ended:
		return o
	case <-ctx.Done():
		if p.take(x) {
			return b.stop(p, x, sandbox.Exited, context.Cause(ctx))
		}
		return <-ended
	}
}

// answered ends an exchange that has its reply.
func (b *box) answered(p *proc, x *exchange, r reply) {
	if p.drain() {
		b.fault(errIdleReply) // before the reply, so that its receiver knows
	}
	x.end(sandbox.Outcome{Ending: sandbox.Replied, OK: r.ok, Body: r.body, Size: r.size, Took: time.Since(x.began)})
}

// late ends an exchange whose time is over.
func (b *box) late(p *proc, x *exchange) { x.end(b.stop(p, x, sandbox.TimedOut, nil)) }

// look ends an exchange whose process uses too much memory.
func (b *box) look(p *proc, x *exchange) {
	pids := family(b.d.procs.snapshot(watchEvery/2), p.leader.pid)
	if overLimit(pids, b.spec.MemoryMB<<20) && p.take(x) {
		x.end(b.stop(p, x, sandbox.OutOfMemory, nil))
	}
}

// over ends an exchange to which no reply will come any more.
func (b *box) over(p *proc, x *exchange) { x.end(b.noReply(p, x)) }

// stop kills the box and returns an outcome without a reply.
func (b *box) stop(p *proc, x *exchange, e sandbox.Ending, err error) sandbox.Outcome {
	took := time.Since(x.began)
	b.fault(fmt.Errorf("stopped: %s", e))
	return b.gone(p, sandbox.Outcome{Ending: e, Took: took, Err: err})
}

// noReply is the outcome once no further reply will come: the process has
// ended, or will, or broke the protocol.
func (b *box) noReply(p *proc, x *exchange) sandbox.Outcome {
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
	if b.ranOutOfMemory(p) {
		o.Ending = sandbox.OutOfMemory
	}
	o.Err = fmt.Errorf("process ended: %s", describe(p.status))
	return o
}

// exitGrace is how long a process that closed its reply pipe has to end by
// itself, and how long the pipe of one that has ended is waited for.
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
