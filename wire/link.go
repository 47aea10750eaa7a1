package wire

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// Errors of a link.
var (
	errSlow     = errors.New("the peer reads too slowly")
	errTooLarge = errors.New("the message is too large")
)

const (
	writeSlice = 256 << 10 // bytes of one write, each with its own deadline
	burst      = 4         // pieces of a large message between two looks at what is ready
	keepBuffer = 256 << 10 // a write buffer larger than this is not kept
)

// link is one connection: a queue of messages that its writer goroutine sends,
// and a reader.
type link struct {
	conn      net.Conn
	in        *bufio.Reader
	maxFrames int // largest message, bytes
	maxQueued int // bytes that may wait to be written
	timeout   time.Duration

	part assembly // the reader's, as skip is
	skip int      // bytes of the last frame, still in the buffer

	gone chan struct{} // closed with the link

	mu     sync.Mutex
	work   sync.Cond // there is something to write, or the link is closed
	idle   sync.Cond // everything is written, or the link is closed
	ready  []byte    // whole frames, to be written next
	spare  []byte    // the other of the two buffers that take turns as ready
	batch  uint64    // of ready; those below are written
	large  []*outgoing
	queued int // bytes in ready, large, and being written
	err    error
	failed mark // where the write that broke ended; batch 0: none did
}

// outgoing is a message that is sent in pieces, or one that waits behind such
// a message of its own number.
type outgoing struct {
	typ    frameType
	number uint64
	total  int
	bufs   net.Buffers // what is left to be framed
	left   int         // bytes
	frames int
	framed int
	sent   bool
}

// mark says where a message stands in what is written.
type mark struct {
	batch uint64
	end   int // behind the message's last byte in the batch
	large *outgoing
}

func newLink(conn net.Conn, maxMessage, maxQueued int, timeout time.Duration) *link {
	l := &link{
		conn: conn, in: bufio.NewReaderSize(conn, headSize+maxFrame),
		maxFrames: maxMessage, maxQueued: maxQueued, timeout: timeout, batch: 1,
		gone: make(chan struct{}), ready: append([]byte(preface), Version), queued: len(preface) + 1,
	}
	l.work.L, l.idle.L = &l.mu, &l.mu
	return l
}

// send queues a message for the writer and returns at once. The parts must
// not change any more.
func (l *link) send(typ frameType, number uint64, parts ...[]byte) error {
	return l.sendMarked(new(mark), typ, number, parts...)
}

// sendMarked is send for a message about which [link.sent] will be asked.
func (l *link) sendMarked(at *mark, typ frameType, number uint64, parts ...[]byte) error {
	total := sizeOf(parts)
	if total > maxPayload(typ, l.maxFrames) {
		return fmt.Errorf("%w: %d bytes", errTooLarge, total)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	if l.queued+total > l.maxQueued {
		return errSlow
	}
	if total <= maxFrame && !l.behind(number) {
		before := len(l.ready)
		l.ready = appendHead(l.ready, head{size: total, total: total, typ: typ, number: number})
		l.ready = appendParts(l.ready, parts)
		l.queued += len(l.ready) - before
		*at = mark{batch: l.batch, end: len(l.ready)}
	} else {
		o := newOutgoing(typ, number, total, parts)
		l.large = append(l.large, o)
		l.queued += total + o.frames*headSize
		*at = mark{large: o}
	}
	l.work.Signal()
	return nil
}

// behind reports whether a message of the number has to wait its turn.
func (l *link) behind(number uint64) bool {
	for _, o := range l.large {
		if o.number == number {
			return true
		}
	}
	return false
}

func newOutgoing(typ frameType, number uint64, total int, parts [][]byte) *outgoing {
	o := &outgoing{typ: typ, number: number, total: total, left: total}
	for _, p := range parts {
		o.bufs = append(o.bufs, limitPart(len(p)), p)
	}
	o.frames = max(1, (total+maxFrame-1)/maxFrame)
	return o
}

// appendPiece appends the next frame of the message.
func (o *outgoing) appendPiece(b []byte) []byte {
	n := min(o.left, maxFrame)
	b = appendHead(b, head{size: n, total: o.total, typ: o.typ, number: o.number})
	o.left -= n
	o.framed++
	for n > 0 {
		k := min(n, len(o.bufs[0]))
		b = append(b, o.bufs[0][:k]...)
		if o.bufs[0] = o.bufs[0][k:]; len(o.bufs[0]) == 0 {
			o.bufs = o.bufs[1:]
		}
		n -= k
	}
	return b
}

// write sends what is queued until the link is closed or breaks.
func (l *link) write() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		for l.err == nil && len(l.ready) == 0 && len(l.large) == 0 {
			l.idle.Broadcast()
			l.work.Wait()
		}
		if l.err != nil {
			return
		}
		buf, batch := l.ready, l.batch
		l.ready, l.spare = l.spare[:0], nil
		l.batch++
		var o *outgoing
		if len(l.large) > 0 {
			o = l.large[0]
		}

		l.mu.Unlock()
		whole := len(buf)
		for i := 0; i < burst && o != nil && o.framed < o.frames; i++ {
			buf = o.appendPiece(buf)
		}
		n, err := l.writeAll(buf)
		l.mu.Lock()

		if err != nil {
			l.failed = mark{batch: batch, end: min(n, whole)}
			l.close(err)
			return
		}
		l.queued -= len(buf)
		if o != nil && o.framed == o.frames {
			o.sent = true
			l.large[0] = nil
			l.large = l.large[1:]
		}
		if cap(buf) <= keepBuffer {
			l.spare = buf
		}
	}
}

func (l *link) writeAll(b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		if err = l.conn.SetWriteDeadline(time.Now().Add(l.timeout)); err == nil {
			var k int
			k, err = l.conn.Write(b[n:min(len(b), n+writeSlice)])
			n += k
		}
	}
	return n, err
}

// sent reports whether a message was written whole. It is for a link that is
// closed and whose writer has ended.
func (l *link) sent(at mark) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case at.large != nil:
		return at.large.sent
	case at.batch == 0 || at.batch >= l.batch:
		return false
	case at.batch == l.failed.batch:
		return at.end <= l.failed.end
	}
	return true
}

// shut closes the link for a reason; the first one stands.
func (l *link) shut(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.close(err)
}

// close is shut under the lock.
func (l *link) close(err error) {
	if l.err != nil {
		return
	}
	if err == nil {
		err = io.EOF
	}
	l.err = err
	close(l.gone)
	l.work.Broadcast()
	l.idle.Broadcast()
	conn := l.conn
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn() // TLS would say goodbye first, and wait for a peer that does not read
	}
	_ = conn.Close() // nothing can be done about it
}

// reason returns why the link was closed.
func (l *link) reason() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// farewell bounds the wait for the peer to close after finish.
const farewell = time.Second

// finish writes what is queued, within the limit, tells the peer that no more
// will come, and waits for it to close. (To close first would throw away what
// the peer has not read yet.)
func (l *link) finish(limit time.Duration) {
	late := time.AfterFunc(limit, func() { l.shut(errSlow) })
	defer late.Stop()
	l.mu.Lock()
	for l.err == nil && l.queued > 0 {
		l.idle.Wait()
	}
	l.mu.Unlock()
	if c, ok := l.conn.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite() // a peer that is gone needs no farewell
		late.Reset(farewell)
		<-l.gone
		return
	}
	l.shut(nil)
}
