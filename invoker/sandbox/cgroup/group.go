package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Limits bound what is in a group.
type Limits struct {
	Memory int64 // bytes, swap included
	Pids   int   // processes and threads
}

// Group holds the processes of one sandbox.
type Group struct {
	tree *Tree
	dirs homes
	l    Limits

	mu     sync.Mutex // guards the rest
	fd     *os.File   // the version 2 folder, nil without one
	killed bool       // by cgroup.kill
}

// New makes a group with the limits. The name is the caller's to keep unique.
func (t *Tree) New(name string, l Limits) (*Group, error) {
	g := t.group(name)
	g.l = l
	if err := g.make(); err != nil {
		return nil, errors.Join(fmt.Errorf("control group: %w", err), g.rmdir())
	}
	return g, nil
}

// make makes those of the group's folders that are not there.
func (g *Group) make() error {
	for _, dir := range g.dirs.used() {
		if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	if err := g.limit(g.l); err != nil {
		return err
	}
	if g.dirs.unified == "" {
		return nil
	}
	fd, err := os.Open(g.dirs.unified)
	g.fd = fd
	return err
}

// Renew makes the group fit to start a process in again after [Group.Kill]; it
// waits up to patience until all in it have ended. Linux kills whatever is cloned into a group that was ever
// killed as a whole (seen with 6.18).
func (g *Group) Renew(patience time.Duration) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.killed {
		return nil
	}
	_ = g.fd.Close()
	err := os.Remove(g.dirs.unified)
	for end := time.Now().Add(patience); err != nil && time.Now().Before(end); err = os.Remove(g.dirs.unified) {
		time.Sleep(time.Millisecond)
	}
	if err == nil {
		err = g.make()
	}
	if err != nil {
		return fmt.Errorf("renew control group: %w", err)
	}
	g.killed = false
	return nil
}

func (t *Tree) group(name string) *Group {
	sub := func(dir string) string {
		if dir == "" {
			return ""
		}
		return filepath.Join(dir, name)
	}
	return &Group{tree: t, dirs: homes{sub(t.dirs.memory), sub(t.dirs.pids), sub(t.dirs.unified)}}
}

func (g *Group) limit(l Limits) error {
	memory, pids := strconv.FormatInt(l.Memory, 10), strconv.Itoa(l.Pids)
	if g.tree.v2 {
		// No swap and one end for all: a sandbox that lost a process by chance
		// is in no known state. Both files may be missing.
		_ = write(g.dirs.unified, "memory.swap.max", "0")
		_ = write(g.dirs.unified, "memory.oom.group", "1")
		return errors.Join(write(g.dirs.unified, "memory.max", memory), write(g.dirs.unified, "pids.max", pids))
	}
	if err := write(g.dirs.memory, "memory.limit_in_bytes", memory); err != nil {
		return err
	}
	_ = write(g.dirs.memory, "memory.memsw.limit_in_bytes", memory) // missing without swap accounting
	if g.dirs.pids != "" {
		return write(g.dirs.pids, "pids.max", pids)
	}
	return nil
}

// FD returns the descriptor of the version 2 group to clone into, -1 without
// one. It is closed by [Group.Remove] and replaced by [Group.Renew].
func (g *Group) FD() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fd == nil {
		return -1
	}
	return int(g.fd.Fd())
}

// Enter moves the calling thread into the version 1 groups, so that what it
// forks begins there; leave moves it back. The caller has locked its goroutine
// to the thread. Of a thread that could not be moved back nothing else may be
// forked.
func (g *Group) Enter() (leave func() error, err error) {
	leave = func() error {
		var errs []error
		if g.dirs.memory != "" {
			errs = append(errs, write(g.tree.home.memory, "tasks", "0"))
		}
		if g.dirs.pids != "" {
			errs = append(errs, write(g.tree.home.pids, "tasks", "0"))
		}
		return errors.Join(errs...)
	}
	for _, dir := range []string{g.dirs.memory, g.dirs.pids} {
		if dir == "" {
			continue
		}
		if err := write(dir, "tasks", "0"); err != nil {
			return nil, errors.Join(fmt.Errorf("enter control group: %w", err), leave())
		}
	}
	return leave, nil
}

// OOMKills returns how many processes of the group were killed for want of
// memory.
func (g *Group) OOMKills() int64 {
	if g.tree.v2 {
		return counter(g.dirs.unified, "memory.events", "oom_kill")
	}
	return counter(g.dirs.memory, "memory.oom_control", "oom_kill")
}

// Kill sends SIGKILL to everything in the group.
func (g *Group) Kill() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.dirs.unified != "" && write(g.dirs.unified, "cgroup.kill", "1") == nil {
		g.killed = true
		return
	}
	for _, pid := range g.Procs() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// Procs returns the processes in the group. Those that have ended and were not
// waited for are not among them.
func (g *Group) Procs() []int {
	if g.dirs.memory != "" {
		return procs(g.dirs.memory)
	}
	return procs(g.dirs.unified)
}

// Remove kills what is in the group, waits up to patience until it is gone and
// removes the group.
func (g *Group) Remove(patience time.Duration) error {
	g.mu.Lock()
	if g.fd != nil {
		_ = g.fd.Close()
	}
	g.mu.Unlock()
	var err error
	for pause, end := time.Millisecond, time.Now().Add(patience); ; pause = min(2*pause, 50*time.Millisecond) {
		if len(g.Procs()) == 0 {
			if err = g.rmdir(); err == nil {
				return nil
			}
		} else {
			g.Kill()
		}
		if time.Now().After(end) {
			return fmt.Errorf("control group still holds processes %v: %w", g.Procs(), err)
		}
		time.Sleep(pause)
	}
}

func (g *Group) rmdir() error {
	var errs []error
	for _, dir := range g.dirs.used() {
		if err := os.Remove(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
