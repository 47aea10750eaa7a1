package bench

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

// Process is a process whose CPU time and memory are measured. Processes with
// the same label are added up.
type Process struct {
	Label string
	PID   int
}

// Sandboxes is the label under which the processes that the watched ones
// started are added up, where they are not watched themselves.
const Sandboxes = "sandboxes"

// Meter measures processes while a load is on. It reads Linux's /proc; CPU
// times have its grain of 10 ms. Memory is what is resident; pages that
// sandboxes share count once for each.
type Meter struct {
	root  string // "/proc"
	procs []Process

	begun     bool
	began     map[string]time.Duration // CPU time when the measurement began
	ended     map[string]time.Duration
	mostBytes map[string]int64
}

// NewMeter returns a meter for these processes. It takes no measure yet.
func NewMeter(procs ...Process) *Meter { return &Meter{root: "/proc", procs: procs} }

// Watch returns a function for [Run] that measures, and shows progress to next
// (nil: to nobody).
func (m *Meter) Watch(next func(Progress)) func(Progress) {
	m.begun, m.mostBytes = false, map[string]int64{}
	return func(p Progress) {
		if !p.Warming {
			m.measure()
		}
		if next != nil {
			next(p)
		}
	}
}

// measure looks once: the first look is the base, the latest counts.
func (m *Meter) measure() {
	cpu, rss := m.look()
	if !m.begun {
		m.begun, m.began = true, cpu
	}
	m.ended = cpu
	for label, n := range rss {
		m.mostBytes[label] = max(m.mostBytes[label], n)
	}
}

// Fill writes into a result what was measured since [Meter.Watch]. The times
// end with the last answer, which can be a little after the result's Elapsed.
func (m *Meter) Fill(r *Result) {
	r.CPU, r.RSS = map[string]time.Duration{}, map[string]int64{}
	for label, t := range m.ended {
		r.CPU[label] = max(t-m.began[label], 0)
	}
	for label, n := range m.mostBytes {
		r.RSS[label] = n
	}
}

// Sample returns the resident bytes of the processes, now and by label.
func (m *Meter) Sample() map[string]int64 {
	_, rss := m.look()
	return rss
}

// look reads all processes: CPU time since their start and resident memory, by
// label. Processes that are gone are left out; what they used is in their
// parent's count of ended children, which is its sandboxes'.
func (m *Meter) look() (map[string]time.Duration, map[string]int64) {
	cpu, rss := map[string]time.Duration{}, map[string]int64{}
	all := readProcesses(m.root)
	watched := map[int]bool{}
	for _, p := range m.procs {
		watched[p.PID] = true
	}
	for _, p := range m.procs {
		s, ok := all[p.PID]
		if !ok {
			continue
		}
		cpu[p.Label] += s.cpu
		rss[p.Label] += s.rss
		cpu[Sandboxes] += s.children
	}
	for pid, s := range all {
		if !watched[pid] && below(all, pid, watched) {
			cpu[Sandboxes] += s.cpu + s.children
			rss[Sandboxes] += s.rss
		}
	}
	return cpu, rss
}

// below reports whether a process descends from a watched one.
func below(all map[int]procStat, pid int, watched map[int]bool) bool {
	for range len(all) { // ids read one after another may form a ring
		s, ok := all[pid]
		if !ok {
			return false
		}
		if watched[s.parent] {
			return true
		}
		pid = s.parent
	}
	return false
}

// procStat is what counts in a process' /proc/PID/stat.
type procStat struct {
	parent   int
	cpu      time.Duration // user and system
	children time.Duration // of those that ended and were waited for
	rss      int64         // bytes
}

// readProcesses reads all there are; those that end meanwhile are left out.
func readProcesses(root string) map[int]procStat {
	dir, err := os.Open(root)
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil
	}
	all := make(map[int]procStat, len(names))
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		b, err := os.ReadFile(root + "/" + name + "/stat")
		if err != nil {
			continue
		}
		if s, err := parseStat(b); err == nil {
			all[pid] = s
		}
	}
	return all
}

// tick is the unit of times in /proc: USER_HZ, 100 on all of Go's ports.
const tick = time.Second / 100

var errStat = errors.New("malformed stat of a process")

// parseStat reads the text of /proc/PID/stat (proc_pid_stat(5)). The second
// field, the name in parentheses, may hold anything.
func parseStat(b []byte) (procStat, error) {
	i := bytes.LastIndexByte(b, ')')
	if i < 0 {
		return procStat{}, errStat
	}
	f := bytes.Fields(b[i+1:]) // from the third, the state, on
	if len(f) < 22 {
		return procStat{}, errStat
	}
	var v [6]int64
	for k, field := range [...]int{4, 14, 15, 16, 17, 24} {
		n, err := strconv.ParseInt(string(f[field-3]), 10, 64)
		if err != nil {
			return procStat{}, fmt.Errorf("%w: field %d", errStat, field)
		}
		v[k] = n
	}
	return procStat{
		parent:   int(v[0]),
		cpu:      time.Duration(v[1]+v[2]) * tick,
		children: time.Duration(v[3]+v[4]) * tick,
		rss:      v[5] * int64(os.Getpagesize()),
	}, nil
}
