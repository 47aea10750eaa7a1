package process

import (
	"bytes"
	"os"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// procInfo is one process as /proc shows it.
type procInfo struct {
	pid, parent, session int
	zombie               bool
}

// procTable is a snapshot of all processes, shared by all who need a fresh
// one, since reading it is dear.
type procTable struct {
	mu    sync.Mutex // held while reading: one reads, the others wait and share
	taken time.Time
	procs []procInfo
}

// snapshot returns the processes as they were no longer than maxAge ago.
func (t *procTable) snapshot(maxAge time.Duration) []procInfo {
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Since(t.taken) > maxAge {
		t.procs, t.taken = readProcs(), time.Now()
	}
	return t.procs
}

func readProcs() []procInfo {
	var out []procInfo
	for _, pid := range allPids() {
		if p, ok := readStat(pid); ok {
			out = append(out, p)
		}
	}
	return out
}

func allPids() []int {
	d, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	pids := make([]int, 0, len(names))
	for _, n := range names {
		if pid, err := strconv.Atoi(n); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

func procFile(pid int, name string) string { return "/proc/" + strconv.Itoa(pid) + "/" + name }

func readStat(pid int) (procInfo, bool) {
	b, err := os.ReadFile(procFile(pid, "stat"))
	if err != nil {
		return procInfo{}, false
	}
	return parseStat(pid, b)
}

// parseStat reads "pid (name) state ppid pgrp session …". The name may hold
// anything, so the fields are those behind the last parenthesis.
func parseStat(pid int, b []byte) (procInfo, bool) {
	i := bytes.LastIndexByte(b, ')')
	if i < 0 {
		return procInfo{}, false
	}
	f := bytes.Fields(b[i+1:])
	if len(f) < 4 || len(f[0]) != 1 {
		return procInfo{}, false
	}
	parent, err1 := strconv.Atoi(string(f[1]))
	session, err2 := strconv.Atoi(string(f[3]))
	return procInfo{pid, parent, session, f[0][0] == 'Z' || f[0][0] == 'X'}, err1 == nil && err2 == nil
}

// family returns the pids that belong to the session of leader or descend from
// its processes. What has left both (a daemon) is not found this way.
func family(procs []procInfo, leader int) []int {
	in := map[int]bool{leader: true}
	for grown := true; grown; {
		grown = false
		for _, p := range procs {
			if !in[p.pid] && (p.session == leader || in[p.parent]) {
				in[p.pid], grown = true, true
			}
		}
	}
	var out []int
	for _, p := range procs {
		if in[p.pid] && !p.zombie {
			out = append(out, p.pid)
		}
	}
	return out
}

// ownedBy returns the living processes whose user id lies in [first, last].
// The owner of a folder in /proc would not do: a process can make that root.
func ownedBy(first, last int) []int {
	var out []int
	for _, pid := range allPids() {
		b, err := os.ReadFile(procFile(pid, "status"))
		if err != nil {
			continue
		}
		if uid, ok := statusUID(b); ok && uid >= first && uid <= last {
			if p, ok := readStat(pid); ok && !p.zombie {
				out = append(out, pid)
			}
		}
	}
	return out
}

// statusUID reads the real user id from /proc/PID/status.
func statusUID(b []byte) (int, bool) {
	_, rest, ok := bytes.Cut(b, []byte("\nUid:\t"))
	if !ok {
		return 0, false
	}
	n, _, _ := bytes.Cut(rest, []byte("\t"))
	uid, err := strconv.Atoi(string(n))
	return uid, err == nil
}

// withHome returns the living processes whose environment began with a HOME at
// or below dir. Every process of a sandbox has one, and this finds those that
// left its session, unless they also changed their environment.
func withHome(dir string) []int {
	exact, below := []byte("HOME="+dir), []byte("HOME="+dir+"/")
	var out []int
	for _, pid := range allPids() {
		for v := range bytes.SplitSeq(environ(pid), []byte{0}) {
			if bytes.Equal(v, exact) || bytes.HasPrefix(v, below) {
				if p, ok := readStat(pid); ok && !p.zombie {
					out = append(out, pid)
				}
				break
			}
		}
	}
	return out
}

// environ returns the environment that a process was started with, nothing if
// it cannot be had. In the middle of an exec it is empty for a moment, which is
// waited out: a process must not get away by being new.
func environ(pid int) []byte {
	for range 20 {
		b, err := os.ReadFile(procFile(pid, "environ"))
		if err != nil || len(b) > 0 {
			return b
		}
		if _, err := os.Readlink(procFile(pid, "exe")); err != nil || gone(pid) {
			return nil // a thread of the kernel's, or a process that has ended
		}
		time.Sleep(500 * time.Microsecond)
	}
	return nil
}

// killAll kills what find finds until it finds nothing, waits until all of that
// has really ended, or until patience is over. They are all stopped first: a
// process that is stopped does not fork. find must find nothing so many rounds
// in a row: one that goes by names overlooks processes in the middle of a fork
// or an exec.
func killAll(find func() []int, rounds int, patience time.Duration) (left []int) {
	end := time.Now().Add(patience)
	var seen []int
	clean := 0
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		found := find()
		clean++
		if len(found) > 0 {
			clean = 0
		}
		for _, pid := range found {
			_ = syscall.Kill(pid, syscall.SIGSTOP)
		}
		for _, pid := range found {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		// A process that is ending may have lost what find goes by.
		seen = append(seen, found...)
		slices.Sort(seen)
		seen = slices.DeleteFunc(slices.Compact(seen), gone)
		if len(seen) == 0 && clean >= rounds || time.Now().After(end) {
			return seen
		}
		time.Sleep(pause)
	}
}

func gone(pid int) bool {
	p, ok := readStat(pid)
	return !ok || p.zombie
}
