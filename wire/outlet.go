package wire

import (
	"bufio"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
)

// outlet writes to a socket what it takes at once.
type outlet struct {
	raw  syscall.RawConn
	once func(fd uintptr) bool

	left []byte // of the try under way, as are the following
	n    int
	err  error
}

// newOutlet returns nil if the connection has no socket.
func newOutlet(conn net.Conn) *outlet {
	sc, ok := conn.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil // it is closed, as the next write will say
	}
	o := &outlet{raw: raw}
	o.once = o.write
	return o
}

// try writes as much of b as the socket has room for and does not wait.
func (o *outlet) try(b []byte) (n int, err error) {
	o.left, o.n, o.err = b, 0, nil
	err = o.raw.Write(o.once)
	if o.left = nil; err == nil {
		err = o.err
	}
	return o.n, err
}

// write is one write; it is done with, also where nothing was written.
func (o *outlet) write(fd uintptr) bool {
	for {
		n, err := syscall.Write(int(fd), o.left)
		switch {
		case err == syscall.EINTR:
			continue
		case err == nil:
			o.n = n
		case err != syscall.EAGAIN:
			o.err = os.NewSyscallError("write", err)
		}
		return true
	}
}

// sealedRead is how many bytes of TLS are read at once; crypto/tls by itself
// reads each record in two.
const sealedRead = 64 << 10

// maxSealed bounds what is held of a connection: the records of a slice, and
// whatever TLS says between.
const maxSealed = 2 * writeSlice

// sealer is the connection below TLS. While the handshake lasts it is a
// connection; then it holds what TLS writes, for those to take who write to
// the socket: all records of a burst at once, and without waiting.
type sealer struct {
	net.Conn
	in *bufio.Reader

	mu    sync.Mutex // TLS answers some messages from the reader's goroutine
	holds bool
	held  []byte
	spare []byte // the other of the two buffers that take turns as held
}

func newSealer(conn net.Conn) *sealer {
	return &sealer{Conn: conn, in: bufio.NewReaderSize(conn, sealedRead)}
}

// Read implements [net.Conn].
func (s *sealer) Read(b []byte) (int, error) { return s.in.Read(b) }

// Write implements [net.Conn].
func (s *sealer) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.holds {
		return s.Conn.Write(b)
	}
	if len(s.held)+len(b) > maxSealed {
		return 0, errors.New("too much for TLS to hold")
	}
	s.held = append(s.held, b...)
	return len(b), nil
}

// hold begins to hold what is written.
func (s *sealer) hold() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holds = true
}

// take returns what is held. It is valid until the next but one is taken.
func (s *sealer) take() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.held
	s.held, s.spare = s.spare[:0], nil
	if cap(b) <= keepBuffer {
		s.spare = b
	}
	return b
}

// sealedListener accepts connections of TLS over a sealer.
type sealedListener struct {
	net.Listener
	config *tls.Config
}

// Accept implements [net.Listener].
func (l sealedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return tls.Server(newSealer(conn), l.config), nil
}
