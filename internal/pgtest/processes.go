package pgtest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// child is a process that is not the tests' own child, by a descriptor that
// cannot come to mean another.
type child struct{ fd int }

// openChildren returns the children of a process.
func openChildren(parent int) ([]child, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	var out []child
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		// "pid (command) state parent …"; the command may hold anything.
		_, rest, _ := strings.Cut(string(text[max(bytes.LastIndexByte(text, ')'), 0):]), ") ")
		fields := strings.Fields(rest)
		if len(fields) < 2 || fields[1] != strconv.Itoa(parent) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		if err != nil {
			return out, err
		}
		fd, err := unix.PidfdOpen(pid, 0)
		if errors.Is(err, unix.ESRCH) {
			continue
		}
		if err != nil {
			return out, fmt.Errorf("open process %d: %w", pid, err)
		}
		out = append(out, child{fd})
	}
	return out, nil
}

func (c child) kill() error {
	if err := unix.PidfdSendSignal(c.fd, unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return err
	}
	return nil
}

// wait waits for its end and closes the descriptor.
func (c child) wait() error {
	defer func() { _ = unix.Close(c.fd) }()
	for {
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLIN}}, -1)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// output is what a server writes.
type output struct {
	ready chan struct{} // closed when it takes connections

	mu   sync.Mutex // guards what follows
	text []byte
	told bool
}

func newOutput() *output { return &output{ready: make(chan struct{})} }

// Write implements [io.Writer].
func (o *output) Write(b []byte) (int, error) {
	const most = 1 << 20
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text = append(o.text, b...)
	if !o.told && bytes.Contains(o.text, []byte("ready to accept connections")) {
		o.told = true
		close(o.ready)
	}
	if len(o.text) > most {
		o.text = append(o.text[:0], o.text[len(o.text)-most/2:]...)
	}
	return len(b), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.text)
}
