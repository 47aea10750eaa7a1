package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"hearth/invoker/sandbox"
	"hearth/invoker/sandbox/cgroup"
)

// goneWithin is how long the end of killed processes is waited for.
const goneWithin = 5 * time.Second

// box is what all sandboxes of this driver have: a folder, a user id, bounds,
// logs, and a way to end.
type box struct {
	d      *Driver
	id     string
	home   string // its folder, and HOME of its processes
	uid    int    // -1 for our own
	spec   sandbox.Spec
	group  *cgroup.Group // nil: memory is watched instead
	logs   *logs
	broken chan struct{}

	breakOnce, destroyOnce sync.Once
	killed                 atomic.Bool // by Destroy
	heapFull               atomic.Bool // the runtime said so itself
	oomKills               int64       // that were counted before the current program
	hint                   func(stderr []byte)

	unpacking sync.Mutex // held while files are written into the folder

	mu   sync.Mutex // guards proc and dead
	proc *proc      // the process now running, nil without
	dead bool       // destroyed: start nothing more
}

// program is what to start in a box.
type program struct {
	path    string
	args    []string // args[0] is the name
	env     []string
	dir     string
	replies bool                // it has a pipe for replies
	place   func(*pipes) []int  // where its pipes are among its descriptors
	stdout  func(b []byte) bool // takes its stdout instead of the logs, may be nil
	ends    bool                // its end is no fault
	ours    bool                // see command
}

// start starts a program in the box.
func (b *box) start(c program) (*proc, error) {
	p, ps, err := newProc(b.logs, c.replies)
	if err != nil {
		return nil, err
	}
	defer ps.close()
	if c.stdout != nil {
		p.sink[stdout] = c.stdout
	}
	p.rest, p.hint = b.killRest, b.hint
	p.broke = func(err error) {
		if !c.ends || !errors.Is(err, errExited) {
			b.fault(err)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.dead {
		p.closeFiles()
		return nil, errDestroyed
	}
	if b.group != nil {
		if err := b.group.Renew(goneWithin); err != nil {
			p.closeFiles()
			return nil, err
		}
		b.oomKills = b.group.OOMKills()
	}
	st, err := b.d.starter.start(command{
		path: c.path, args: c.args, env: c.env, dir: c.dir, uid: b.uid,
		files: c.place(ps), group: b.group, pids: b.pidLimit(), ours: c.ours,
	})
	if err != nil {
		p.closeFiles()
		return nil, err
	}
	b.proc = p
	p.run(st)
	return p, nil
}

var errDestroyed = errors.New("the sandbox was destroyed")

func (b *box) pidLimit() int {
	if b.spec.PidLimit > 0 {
		return b.spec.PidLimit
	}
	return defaultPids
}

// fault marks the box as of no more use and kills what runs in it.
func (b *box) fault(err error) {
	b.breakOnce.Do(func() {
		close(b.broken)
		if !b.killed.Load() && !errors.Is(err, errExited) {
			b.d.log.Debug("sandbox broken", "sandbox", b.id, "err", err)
		}
	})
	b.kill()
}

// Broken implements [sandbox.Sandbox].
func (b *box) Broken() <-chan struct{} { return b.broken }

// kill sends SIGKILL to all there is and waits for nothing.
func (b *box) kill() {
	if b.group != nil {
		b.group.Kill()
	}
	b.mu.Lock()
	p := b.proc
	b.mu.Unlock()
	if p != nil {
		p.signal()
	}
}

// killRest ends whatever else runs in the box once its leader has ended.
func (b *box) killRest() {
	if left := killAll(b.members, goneWithin); len(left) > 0 {
		b.d.log.Error("processes of a sandbox do not die", "sandbox", b.id, "pids", left)
	}
}

// members finds the living processes of the box: exactly by control group or
// user id, else those that kept its HOME.
func (b *box) members() []int {
	switch {
	case b.group != nil:
		if len(b.group.Procs()) == 0 {
			return nil
		}
		b.group.Kill()
		return slices.DeleteFunc(b.group.Procs(), gone) // older kernels list the dead too
	case b.uid >= 0:
		return ownedBy(b.uid, b.uid)
	default:
		return withHome(b.home)
	}
}

// Destroy implements [sandbox.Sandbox].
func (b *box) Destroy() {
	b.destroyOnce.Do(func() {
		b.killed.Store(true)
		b.mu.Lock()
		b.dead = true
		p := b.proc
		b.mu.Unlock()
		b.kill()
		if p != nil {
			<-p.exited
			p.closeFiles()
		}
		b.fault(errDestroyed)
		b.unpacking.Lock() // it stops soon, since killed is set
		defer b.unpacking.Unlock()
		b.d.remove(b)
	})
}

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
