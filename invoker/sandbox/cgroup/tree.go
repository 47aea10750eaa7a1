package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// ErrUnavailable means that this process cannot bound memory by a control
// group.
var ErrUnavailable = errors.New("control groups with a memory limit are not available")

// Tree is the group in which one driver keeps its sandboxes' groups.
type Tree struct {
	home homes // what the starting thread goes back to
	dirs homes // the driver's own folders; "" where a hierarchy is not used
	v2   bool  // the limits are version 2's
}

// Open makes the driver's group, or takes over the one of that name which an
// earlier life left; whatever still runs in it is killed and its groups are
// removed. The error is [ErrUnavailable] where this process may not.
func Open(name string) (*Tree, error) { return open("/proc", name) }

func open(proc, name string) (*Tree, error) {
	h, err := findHomes(proc)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	t := &Tree{home: h}
	if h.memory != "" {
		err = t.openV1(name)
	} else if h.unified != "" {
		err = t.openV2(name)
	} else {
		err = errors.New("no memory controller is mounted")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	t.clean()
	return t, nil
}

func (t *Tree) openV1(name string) error {
	dir, err := makeDir(t.home.memory, name)
	if err != nil {
		return err
	}
	t.dirs.memory = dir
	if t.home.pids != "" {
		t.dirs.pids, _ = makeDir(t.home.pids, name) // useful, not needed
	}
	if t.home.unified != "" {
		// For killing only. Older kernels have no cgroup.kill.
		if dir, err := makeDir(t.home.unified, name); err == nil {
			if _, err := os.Stat(filepath.Join(dir, "cgroup.kill")); err == nil {
				t.dirs.unified = dir
			} else {
				_ = os.Remove(dir)
			}
		}
	}
	return nil
}

// openV2 makes the group beside this process, not above it: a group of version
// 2 that hands out controllers holds no processes itself. Where this process
// is in the way it moves into a leaf of its own, if it is alone there.
func (t *Tree) openV2(name string) error {
	t.v2 = true
	dir, err := makeDir(t.home.unified, name)
	if err != nil {
		return err
	}
	enable := func() error {
		return errors.Join(write(t.home.unified, "cgroup.subtree_control", "+memory +pids"),
			write(dir, "cgroup.subtree_control", "+memory +pids"))
	}
	err = enable()
	if err != nil && t.alone() {
		var leaf string
		if leaf, err = makeDir(t.home.unified, "hearth-self"); err == nil {
			if err = write(leaf, "cgroup.procs", strconv.Itoa(os.Getpid())); err == nil {
				err = enable()
			}
		}
	}
	if err != nil {
		_ = os.Remove(dir)
		return err
	}
	t.dirs.unified = dir
	return nil
}

// alone reports whether no other process is in this process's group.
func (t *Tree) alone() bool {
	pids := procs(t.home.unified)
	return len(pids) == 1 && pids[0] == os.Getpid()
}

// clean kills and removes the groups of an earlier life.
func (t *Tree) clean() {
	names := map[string]bool{}
	for _, dir := range t.dirs.used() {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			if e.IsDir() {
				names[e.Name()] = true
			}
		}
	}
	for name := range names {
		g := t.group(name)
		_ = g.Remove(2 * time.Second)
	}
}

// Close removes the driver's group. Its sandboxes' groups are gone by then.
func (t *Tree) Close() error {
	var errs []error
	for _, dir := range t.dirs.used() {
		errs = append(errs, os.Remove(dir))
	}
	return errors.Join(errs...)
}

// LimitsPids reports whether the number of processes is bounded too.
func (t *Tree) LimitsPids() bool { return t.v2 || t.dirs.pids != "" }

func (h homes) used() []string {
	var out []string
	for _, d := range []string{h.memory, h.pids, h.unified} {
		if d != "" {
			out = append(out, d)
		}
	}
	return out
}

// makeDir makes parent/name unless it is there, and returns it.
func makeDir(parent, name string) (string, error) {
	dir := filepath.Join(parent, name)
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	return dir, nil
}

func write(dir, file, text string) error {
	f, err := os.OpenFile(filepath.Join(dir, file), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// procs returns the processes directly in a group.
func procs(dir string) []int {
	b, _ := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	var out []int
	for s := range strings.FieldsSeq(string(b)) {
		if pid, err := strconv.Atoi(s); err == nil && pid > 0 {
			out = append(out, pid)
		}
	}
	return out
}

// counter reads one number of a file of "key number" lines, 0 if there is none.
func counter(dir, file, key string) int64 {
	b, _ := os.ReadFile(filepath.Join(dir, file))
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), " "); ok && k == key {
			n, _ := strconv.ParseInt(v, 10, 64)
			return n
		}
	}
	return 0
}
