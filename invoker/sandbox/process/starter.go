package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"hearth/invoker/sandbox/cgroup"
)

// command is one process to start.
type command struct {
	path  string
	args  []string // args[0] is the name
	env   []string
	dir   string
	uid   int   // user and group id, -1 for our own
	files []int // files[i] becomes descriptor i; -1 leaves it closed
	group *cgroup.Group
	pids  int // bound for the uid, where it has one

	// ours: a program of ours is started, not the user's, so that its limits
	// may be set a moment after it has begun.
	ours bool
}

// started is a process that has been started and not been waited for.
type started struct {
	pid   int
	pidfd int // -1 on kernels without
}

// starter forks children from one OS thread, see the package's doc.
type starter struct {
	jobs chan startJob
	done chan struct{} // closed by close

	// shell: limits cannot be set from outside (that takes CAP_SYS_RESOURCE
	// for a process of another user), or the umask not here, so a shell sets
	// them and then becomes the program, as it always does for the user's own.
	// Known after the first start; used on the thread only.
	shell bool
}

type startJob struct {
	command
	reply chan<- startReply
}

type startReply struct {
	started
	err error
}

var errClosed = errors.New("the process driver is closed")

// newStarter starts the thread; it ends with close, and with it, by their
// parent-death signal, all children.
func newStarter() (*starter, error) {
	s := &starter{jobs: make(chan startJob), done: make(chan struct{})}
	ready := make(chan error)
	go s.serve(ready)
	return s, <-ready
}

func (s *starter) close() { close(s.done) }

func (s *starter) serve(ready chan<- error) {
	runtime.LockOSThread() // and never unlock: the thread dies with this goroutine
	if err := s.prepareThread(); err != nil {
		ready <- err
		return
	}
	ready <- nil
	for {
		select {
		case j := <-s.jobs:
			st, err := s.fork(j.command)
			j.reply <- startReply{st, err}
		case <-s.done:
			return
		}
	}
}

func (s *starter) prepareThread() error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("set no_new_privs: %w", err)
	}
	// A umask of its own, without changing that of the process. Some container
	// engines forbid it.
	if unix.Unshare(unix.CLONE_FS) == nil {
		unix.Umask(umask)
	} else {
		s.shell = true
	}
	return nil
}

// start starts the command.
func (s *starter) start(c command) (started, error) {
	reply := make(chan startReply, 1)
	select {
	case s.jobs <- startJob{c, reply}:
		r := <-reply
		return r.started, r.err
	case <-s.done:
		return started{}, errClosed
	}
}

// fork runs on the starter's thread.
func (s *starter) fork(c command) (started, error) {
	shell := s.shell || !c.ours
	if shell {
		c = c.byShell()
	}
	fd := -1
	attr := &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL, PidFD: &fd}
	if c.uid >= 0 {
		attr.Credential = &syscall.Credential{Uid: uint32(c.uid), Gid: uint32(c.uid)}
	}
	if c.group != nil {
		if f := c.group.FD(); f >= 0 {
			attr.UseCgroupFD, attr.CgroupFD = true, f
		}
		leave, err := c.group.Enter()
		if err != nil {
			return started{}, err
		}
		defer leave() //nolint:errcheck // the next Enter moves the thread anyway
	}
	files := make([]uintptr, len(c.files))
	for i, f := range c.files {
		files[i] = uintptr(f) // -1 becomes the value that means closed
	}
	pid, err := forkExec(c.path, c.args, &syscall.ProcAttr{Dir: c.dir, Env: c.env, Files: files, Sys: attr})
	if err != nil {
		return started{}, &os.PathError{Op: "start", Path: c.path, Err: err}
	}
	if !shell {
		s.shell = errors.Is(c.bound(pid), unix.EPERM)
	}
	return started{pid, fd}, nil
}

// forkExec tries again while the program is "busy": a fork elsewhere in this
// process may hold, until its exec, the descriptor by which it was written.
func forkExec(path string, args []string, attr *syscall.ProcAttr) (pid int, err error) {
	for pause := time.Millisecond; pause < 100*time.Millisecond; pause *= 2 {
		pid, err = syscall.ForkExec(path, args, attr)
		if !errors.Is(err, syscall.ETXTBSY) {
			break
		}
		time.Sleep(pause)
	}
	return pid, err
}

// Limits of every process, beside those of the whole sandbox.
const (
	maxFiles = 1024
	maxCore  = 0
	umask    = 0o077
)

// bound sets the resource limits from outside.
func (c command) bound(pid int) error {
	set := func(what int, n uint64) error { return unix.Prlimit(pid, what, &unix.Rlimit{Cur: n, Max: n}, nil) }
	err := errors.Join(set(unix.RLIMIT_NOFILE, maxFiles), set(unix.RLIMIT_CORE, maxCore))
	if c.uid >= 0 && c.pids > 0 {
		// Counted by user id, and that is this sandbox's alone.
		err = errors.Join(err, set(unix.RLIMIT_NPROC, uint64(c.pids)))
	}
	return err
}

// limitsScript sets the limits given as its first three arguments and becomes
// the program of the others. Shells name the limit of processes differently.
const limitsScript = `umask 077; ulimit -c "$1"; ulimit -n "$2"; [ "$3" = 0 ] || ulimit -u "$3" 2>/dev/null || ulimit -p "$3" 2>/dev/null; shift 3; exec "$@"`

// byShell returns the command that sets its own limits. The program's name is
// its path then.
func (c command) byShell() command {
	pids := 0
	if c.uid >= 0 {
		pids = c.pids
	}
	args := []string{"sh", "-c", limitsScript, "sh", strconv.Itoa(maxCore), strconv.Itoa(maxFiles), strconv.Itoa(pids), c.path}
	c.args = append(args, c.args[1:]...)
	c.path = "/bin/sh"
	return c
}

// isShell reports whether the process has not become its program yet.
func isShell(pid int) bool {
	b, _ := os.ReadFile(procFile(pid, "cmdline"))
	return bytes.Contains(b, []byte(limitsScript))
}
