package process

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// drainLimit bounds what is read of a pipe after a reply: no pipe holds more,
// unless the system's administrator allows it.
const drainLimit = 1 << 20

// Why a sandbox broke.
var (
	errIdleReply  = errors.New("reply while no activation was under way")
	errIdleOutput = errors.New("output while no activation was under way")
)

// proc is one running process of a sandbox: the leader of a session, with the
// pipes that lead to it.
type proc struct {
	leader started
	logs   *logs
	rest   func()           // kills whatever else is in the sandbox and waits for its end
	hint   func(err []byte) // looks at stderr, may be nil
	broke  func(error)      // called on misbehaviour and on the end

	in   *os.File    // requests; nil without
	out  *os.File    // replies; nil without
	err  [2]*os.File // stdout and stderr
	ours [3]int32    // the descriptors of stdout, stderr and out; -1 without

	reading [2]sync.Mutex // one reads a stream at a time: its pump or a drain
	sink    [2]func([]byte) bool

	outClosed chan struct{} // closed when no reply will come any more
	outErr    error         // why; set before
	replies   replyReader
	requests  requestWriter
	exited    chan struct{} // closed when the leader and all else has ended
	status    syscall.WaitStatus

	box     *box
	watched bool // no control group bounds its memory

	mu     sync.Mutex // guards all below
	now    *exchange  // under way
	turn   uint64     // counts exchanges
	over   bool       // no exchange begins any more
	alarm  time.Time  // when timer comes; zero: it does not
	timer  *time.Timer
	reaped bool
}

// pipes holds the child's ends until it has been started.
type pipes struct{ in, out, stdout, stderr int }

func (ps *pipes) close() {
	for _, fd := range []int{ps.in, ps.out, ps.stdout, ps.stderr} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}

// newProc makes the pipes of a process to be. Replies go by a pipe of their
// own only if asked for.
func newProc(l *logs, replies bool) (*proc, *pipes, error) {
	p := &proc{logs: l, outClosed: make(chan struct{}), exited: make(chan struct{})}
	ps := &pipes{-1, -1, -1, -1}
	fail := func(err error) (*proc, *pipes, error) {
		ps.close()
		p.closeFiles()
		return nil, nil, os.NewSyscallError("pipe", err)
	}
	var err error
	if ps.in, p.in, err = pipeTo(); err != nil {
		return fail(err)
	}
	if replies {
		if ps.out, p.out, err = pipeFrom(); err != nil {
			return fail(err)
		}
	}
	if ps.stdout, p.err[stdout], err = pipeFrom(); err != nil {
		return fail(err)
	}
	if ps.stderr, p.err[stderr], err = pipeFrom(); err != nil {
		return fail(err)
	}
	if p.requests.conn, err = p.in.SyscallConn(); err != nil {
		return fail(err)
	}
	p.requests.try = p.trySend
	p.ours = [3]int32{descriptor(p.err[stdout]), descriptor(p.err[stderr]), descriptor(p.out)}
	for s := range p.sink {
		p.sink[s] = func(b []byte) bool { return l.write(stream(s), b) }
	}
	return p, ps, nil
}

// descriptor returns a file's, -1 if there is none. It may be closed meanwhile,
// and good for asking only.
func descriptor(f *os.File) int32 {
	if f == nil {
		return -1
	}
	n := int32(-1)
	if rc, err := f.SyscallConn(); err == nil {
		_ = rc.Control(func(fd uintptr) { n = int32(fd) })
	}
	return n
}

// pipeTo returns a pipe that the child reads and we write.
func pipeTo() (child int, ours *os.File, err error) {
	var fd [2]int
	if err := unix.Pipe2(fd[:], unix.O_CLOEXEC); err != nil {
		return -1, nil, err
	}
	_ = unix.SetNonblock(fd[1], true) // our end alone: the ends have flags of their own
	return fd[0], os.NewFile(uintptr(fd[1]), "requests"), nil
}

// pipeFrom returns a pipe that the child writes and we read.
func pipeFrom() (child int, ours *os.File, err error) {
	var fd [2]int
	if err := unix.Pipe2(fd[:], unix.O_CLOEXEC); err != nil {
		return -1, nil, err
	}
	_ = unix.SetNonblock(fd[0], true)
	return fd[1], os.NewFile(uintptr(fd[0]), "output"), nil
}

// run takes care of the started process: it begins to read its pipes and to
// wait for its end.
func (p *proc) run(st started) {
	p.leader = st
	go p.pump(stdout)
	go p.pump(stderr)
	if p.out != nil {
		go p.readReplies()
	}
	go p.wait()
}

// chunks are buffers for reading output, shared by all sandboxes.
var chunks = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// pump reads a stream until it ends.
func (p *proc) pump(s stream) {
	rc, err := p.err[s].SyscallConn()
	if err != nil {
		return
	}
	for more := true; more; {
		err := rc.Read(func(fd uintptr) bool {
			n, err := p.read(s, int(fd))
			more = n > 0
			return err != unix.EAGAIN //nolint:errorlint // a bare Errno
		})
		if err != nil {
			return
		}
	}
}

// read takes one chunk of a stream, if there is one now.
func (p *proc) read(s stream, fd int) (int, error) {
	p.reading[s].Lock()
	defer p.reading[s].Unlock()
	buf := chunks.Get().(*[32 << 10]byte)
	defer chunks.Put(buf)
	n, err := unix.Read(fd, buf[:])
	for err == unix.EINTR { //nolint:errorlint // a bare Errno
		n, err = unix.Read(fd, buf[:])
	}
	if n <= 0 {
		return 0, err
	}
	if s == stderr && p.hint != nil {
		p.hint(buf[:n])
	}
	if !p.sink[s](buf[:n]) {
		p.broke(errIdleOutput)
	}
	return n, nil
}

// drain reads what the output pipes hold, without waiting for more. It reports
// whether the reply pipe holds something too. One look at all three pipes is
// cheaper than a read of each: mostly they are empty.
func (p *proc) drain() (more bool) {
	var fds [3]unix.PollFd
	for i, fd := range p.ours {
		fds[i] = unix.PollFd{Fd: fd, Events: unix.POLLIN} // a closed one's successor is not read by this
	}
	n, err := unix.Poll(fds[:], 0)
	for s := range p.err {
		if err == nil && (n == 0 || fds[s].Revents&unix.POLLIN == 0) {
			p.reading[s].Lock()   // its pump may be about to pass on what it has read
			p.reading[s].Unlock() //nolint:staticcheck // nothing to do within
			continue
		}
		rc, err := p.err[s].SyscallConn()
		if err != nil {
			continue
		}
		_ = rc.Control(func(fd uintptr) {
			for total := 0; total < drainLimit; {
				n, err := p.read(stream(s), int(fd))
				if n <= 0 || err != nil {
					return
				}
				total += n
			}
		})
	}
	return fds[2].Revents&unix.POLLIN != 0
}

// wait waits for the leader's end, ends all else in the sandbox and reaps.
func (p *proc) wait() {
	p.leader.waitEnd()
	p.signal() // the rest of its session, while its id cannot be reused
	p.rest()
	p.mu.Lock()
	p.reaped = true
	var ws syscall.WaitStatus
	_, err := syscall.Wait4(p.leader.pid, &ws, 0, nil)
	for err == syscall.EINTR { //nolint:errorlint // a bare Errno
		_, err = syscall.Wait4(p.leader.pid, &ws, 0, nil)
	}
	p.mu.Unlock()
	p.status = ws
	close(p.exited)
	p.broke(errExited)
	if p.out != nil {
		select {
		case <-p.outClosed: // its last words have been read
		case <-time.After(exitGrace): // somebody who got away holds the pipe
		}
	}
	if x := p.finish(); x != nil {
		p.box.over(p, x)
	}
}

var errExited = errors.New("the process ended")

// signal kills the leader and its process group.
func (p *proc) signal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		_ = syscall.Kill(-p.leader.pid, syscall.SIGKILL)
		_ = syscall.Kill(p.leader.pid, syscall.SIGKILL)
	}
}

// closeFiles ends the goroutines that read. Descriptors of the dead.
func (p *proc) closeFiles() {
	for _, f := range []*os.File{p.in, p.out, p.err[0], p.err[1]} {
		if f != nil {
			_ = f.Close()
		}
	}
}
