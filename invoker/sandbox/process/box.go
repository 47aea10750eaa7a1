package process

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
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
	p.box, p.watched = b, b.group == nil
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
	if left := killAll(b.members, b.rounds(), goneWithin); len(left) > 0 {
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

// rounds is how often members must find nothing until nothing is left.
func (b *box) rounds() int {
	if b.group != nil || b.uid >= 0 {
		return 1
	}
	return 3
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
