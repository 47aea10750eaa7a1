package wire

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"hearth/whisk"
)

// Errors of a link.
var (
	errSlow     = errors.New("the peer reads too slowly")
	errTooLarge = errors.New("the message is too large")
)

// link is one connection: a queue of messages, which those who send write
// themselves or leave to its writer goroutine, and a reader.
type link struct {
	conn       net.Conn
	sink       net.Conn // where what is to be written goes: conn, or what is below its TLS
	in         *bufio.Reader
	maxMessage int // bytes
	maxQueued  int // bytes that may wait to be written
	timeout    time.Duration

	version uint8    // both sides speak it; set by greet
	part    assembly // the reader's, as are the following
	skip    int      // bytes of the last frame, still in the buffer
	heard   heard

	gone  chan struct{} // closed with the link
	calls atomic.Int32  // that are under way, as who owns the link counts them

	// Of whoever writes: at one time one goroutine does, the one that has set
	// writing.
	out   *outlet // nil: the connection cannot be written to without waiting
	seals *sealer // nil: no TLS, or TLS that writes for itself
	under volley  // what is being written

	mu      sync.Mutex
	work    sync.Cond // there is something for the writer goroutine, or the link is closed
	idle    sync.Cond // everything is written, or the link is closed
	writing bool
	corked  bool   // the reader will see to what is sent
	cut     bool   // under is written in part: it comes before all else
	ready   []byte // whole frames, to be written next
	spare   []byte // the other of the two buffers that take turns as ready
	batch   uint64 // of ready; those below are written, but for under
	large   []*outgoing
	queued  int // bytes in ready, large and acks, and being written
	told    told
	acks    []byte // ids that wait for something else to be written, or for hurry
	hurry   *time.Timer
	waits   bool // hurry runs
	parting bool // finish wants the peer told that no more will come
	err     error
}

// mark says where a message stands in what is written.
type mark struct {
	batch uint64
	end   int // behind the message's last byte in the batch
	large *outgoing
}

func newLink(conn net.Conn, maxMessage, maxQueued int, timeout time.Duration) *link {
	l := &link{
		conn: conn, sink: conn, in: bufio.NewReaderSize(conn, readBuffer),
		maxMessage: maxMessage, maxQueued: maxQueued, timeout: timeout, batch: 1,
		gone: make(chan struct{}), ready: append([]byte(preface), Version), queued: len(preface) + 1,
	}
	l.work.L, l.idle.L = &l.mu, &l.mu
	if t, ok := conn.(*tls.Conn); ok {
		if l.seals, ok = t.NetConn().(*sealer); ok {
			l.seals.hold()
			l.sink = l.seals.Conn
		}
	}
	l.out = newOutlet(l.sink)
	return l
}

// send queues a message and returns at once. Its payload is head, which has
// the lengths of its parts, and the parts, which must not change any more.
func (l *link) send(typ frameType, number uint64, head []byte, parts ...[]byte) error {
	return l.sendMarked(new(mark), typ, number, head, parts...)
}

// sendMarked is send for a message about which [link.sent] will be asked.
func (l *link) sendMarked(at *mark, typ frameType, number uint64, head []byte, parts ...[]byte) error {
	total := len(head) + sizeOf(parts)
	l.mu.Lock()
	err := l.admit(typ, total)
	if err != nil {
		l.mu.Unlock()
		return err
	}
	*at = l.put(typ, number, total, head, parts)
	l.flush()
	return nil
}

// sendCall is sendMarked for a call. Its setting is announced before it where
// it was not yet.
func (l *link) sendCall(at *mark, number uint64, c *whisk.Call) error {
	var setRoom, ownRoom, headRoom [headerRoom]byte
	set, own := appendSetting(setRoom[:0], c), appendCall(ownRoom[:0], c)
	size := binary.MaxVarintLen16 + len(set) + len(own)
	total := 4 + size + sizeOf([][]byte{c.Args, c.Env})
	if size > maxHeader { // the server would hang up on it
		return fmt.Errorf("%w: a header of %d bytes", errTooLarge, size)
	}
	l.mu.Lock()
	if err := l.admit(frameCall, total); err != nil {
		l.mu.Unlock()
		return err
	}
	head := append(headRoom[:0], 0, 0, 0, 0)
	if total <= maxWhole && len(set) <= maxSettingSize {
		head = binary.AppendUvarint(head, l.announce(set)+1)
	} else { // by its last piece the number might be another's
		head = append(append(head, 0), set...)
	}
	head = append(head, own...)
	binary.BigEndian.PutUint32(head, uint32(len(head)-4))
	*at = l.put(frameCall, number, len(head)+sizeOf([][]byte{c.Args, c.Env}), head, [][]byte{c.Args, c.Env})
	l.flush()
	return nil
}

// announce returns the number of a setting, which the peer will know before
// what is queued after this. The caller holds mu.
func (l *link) announce(set []byte) uint64 {
	n, known := l.told.number(set)
	if !known {
		head := binary.AppendUvarint(make([]byte, 0, binary.MaxVarintLen16+len(set)), uint64(n))
		head = append(head, set...)
		l.put(frameSetting, 0, len(head), head, nil)
	}
	return uint64(n)
}

// admit returns why a message cannot be queued. The caller holds mu.
func (l *link) admit(typ frameType, total int) error {
	switch {
	case total > maxPayload(typ, l.maxMessage):
		return fmt.Errorf("%w: %d bytes", errTooLarge, total)
	case l.err != nil:
		return l.err
	case l.queued+total > l.maxQueued:
		return errSlow
	}
	return nil
}

// put queues a message that was admitted. The caller holds mu.
func (l *link) put(typ frameType, number uint64, total int, start []byte, parts [][]byte) mark {
	if total <= maxWhole && !l.behind(number) {
		before := len(l.ready)
		l.ready = appendHead(l.ready, head{size: total, total: total, typ: typ, number: number})
		l.ready = append(l.ready, start...)
		l.ready = appendParts(l.ready, parts)
		l.queued += len(l.ready) - before
		return mark{batch: l.batch, end: len(l.ready)}
	}
	o := newOutgoing(typ, number, total, start, parts)
	l.large = append(l.large, o)
	l.queued += total + o.frames*headSize
	return mark{large: o}
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
	if l.hurry != nil {
		l.hurry.Stop()
	}
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
	l.putAcks()
	l.work.Signal()
	for l.err == nil && l.queued > 0 {
		l.idle.Wait()
	}
	l.parting = true
	l.work.Signal()
	l.mu.Unlock()
	late.Reset(farewell)
	<-l.gone
}
