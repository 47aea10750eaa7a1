package bench

import (
	"errors"
	"io"
	"net"
	"syscall"
)

// turn writes a request and reads what first comes back, without the read in
// vain that a net.Conn makes before it waits: on a connection that the other
// side has just been asked something, that read never finds anything.
type turn struct {
	raw   syscall.RawConn // nil where the connection has none
	step  func(fd uintptr) bool
	wrote bool
	sent  int // of the request
	err   error
}

// newTurn prepares a connection for turns, if it is one of the kernel's.
func (c *httpConn) newTurn() {
	s, ok := c.Conn.(interface {
		net.Conn
		syscall.Conn
	})
	if !ok {
		return
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return
	}
	c.turn.raw, c.turn.step = raw, c.stepTurn
}

// take sends c.head and reads at least once.
func (c *httpConn) take() error {
	t := &c.turn
	t.wrote, t.sent, t.err = false, 0, nil
	c.r, c.w = 0, 0
	if len(c.in) == 0 {
		c.in = make([]byte, firstBuffer)
	}
	if err := t.raw.Read(t.step); err != nil {
		return err
	}
	if t.err != nil {
		return t.err
	}
	if t.sent < len(c.head) {
		_, err := c.Write(c.head[t.sent:])
		return err
	}
	return nil
}

// stepTurn is called when the turn begins and then whenever the connection may
// be readable. The runtime forgets earlier events before the first call, so
// that what is written there is answered by an event, or by the deadline.
func (c *httpConn) stepTurn(fd uintptr) bool {
	t := &c.turn
	if !t.wrote {
		t.wrote = true
		n, err := uninterrupted(func() (int, error) { return syscall.Write(int(fd), c.head) })
		t.sent = max(n, 0)
		if errors.Is(err, syscall.EAGAIN) || err == nil && n < len(c.head) {
			return true // the rest goes the long way
		}
		t.err = err
		return err != nil
	}
	n, err := uninterrupted(func() (int, error) { return syscall.Read(int(fd), c.in) })
	if errors.Is(err, syscall.EAGAIN) {
		return false
	}
	if err == nil && n == 0 {
		err = io.ErrUnexpectedEOF
	}
	c.w, t.err = max(n, 0), err
	return true
}

// uninterrupted repeats a system call until no signal comes between.
func uninterrupted(f func() (int, error)) (int, error) {
	for {
		n, err := f()
		if !errors.Is(err, syscall.EINTR) {
			return n, err
		}
	}
}
