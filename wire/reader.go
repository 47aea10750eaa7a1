package wire

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"io"
	"slices"
	"time"
)

// readBuffer is how many bytes are read at once.
const readBuffer = 2 * (headSize + maxWhole)

// claim is how many bytes are set aside for a large message before any of
// them arrived: arguments and results of the usual limits at once.
const claim = 1<<20 + 64<<10

// frame is a message as read. Its payload is valid until the next is read,
// but for a large message, which may be kept.
type frame struct {
	typ     frameType
	number  uint64
	payload []byte
	size    int  // of the payload, also when it was dropped
	large   bool // it came in pieces, and admit was asked
	dropped bool // admit refused it
}

// assembly is a message in pieces on its way in.
type assembly struct {
	head     head
	buf      []byte
	got      int
	dropping bool
}

// next reads one frame. whole: f is a message. admit is asked before room is
// made for a large message; refused, its bytes are read and dropped.
func (l *link) next(admit func(size int) bool) (f frame, whole bool, err error) {
	if l.skip > 0 {
		_, _ = l.in.Discard(l.skip) // it is in the buffer
		l.skip = 0
	}
	b, err := l.in.Peek(headSize)
	if err != nil {
		return f, false, cutOff(err, len(b))
	}
	h, err := parseHead(b, l.maxMessage)
	if err != nil {
		return f, false, err
	}
	f = frame{typ: h.typ, number: h.number, size: h.total}
	if h.size < h.total || h.total > maxWhole {
		_, _ = l.in.Discard(headSize) // it is in the buffer
		whole, err = l.part.add(l.in, h, &f, admit)
		return f, whole, err
	}
	if b, err = l.in.Peek(headSize + h.size); err != nil {
		return f, false, cutOff(err, len(b))
	}
	l.skip = len(b)
	f.payload = b[headSize:]
	return f, true, nil
}

// cutOff tells an end within a frame from one between frames.
func cutOff(err error, got int) error {
	if err == io.EOF && got > 0 {
		return io.ErrUnexpectedEOF
	}
	return err
}

// add reads a piece behind its head. whole: f is now the message.
func (a *assembly) add(in *bufio.Reader, h head, f *frame, admit func(int) bool) (whole bool, err error) {
	if a.head.total == 0 {
		a.head, a.got = h, 0
		a.dropping = !admit(h.total)
		if !a.dropping {
			// Grown as bytes arrive: a length that is only claimed costs little.
			a.buf = make([]byte, 0, min(h.total, claim))
		}
	}
	if h.total != a.head.total || h.typ != a.head.typ || h.number != a.head.number || a.got+h.size > h.total {
		return false, protocolError("a piece of another message")
	}
	if a.dropping {
		_, err = in.Discard(h.size)
	} else {
		a.buf = slices.Grow(a.buf, h.size)[:a.got+h.size]
		_, err = io.ReadFull(in, a.buf[a.got:])
	}
	if err != nil {
		return false, cutOff(err, 1)
	}
	if a.got += h.size; a.got < h.total {
		return false, nil
	}
	f.payload, f.large, f.dropped = a.buf, true, a.dropping
	*a = assembly{}
	return true, nil
}

// corkEvery is how many messages are handled before what was sent meanwhile is
// written.
const corkEvery = 32

// read hands messages to handle until reading or it fails. seen is called
// whenever bytes have come.
func (l *link) read(admit func(size int) bool, seen func(), handle func(frame) error) error {
	for corked := 0; ; {
		f, whole, err := l.next(admit)
		if err != nil {
			return err
		}
		more := l.more()
		switch {
		case more && corked == 0:
			l.cork()
			fallthrough
		case more:
			corked++
		default:
			seen()
		}
		if whole {
			if err := handle(f); err != nil {
				return err
			}
		}
		if corked > 0 && (!more || corked > corkEvery) {
			corked = 0
			l.uncork()
		}
	}
}

// more reports whether a whole message is there behind the last one.
func (l *link) more() bool {
	n := l.in.Buffered() - l.skip
	if n < headSize {
		return false
	}
	b, err := l.in.Peek(l.skip + headSize)
	return err == nil && int64(binary.BigEndian.Uint32(b[l.skip:])) <= int64(n-headSize)
}

// greet sends a hello and reads the peer's into theirs, within timeout.
func (l *link) greet(mine, theirs any, timeout time.Duration) error {
	b, err := json.Marshal(mine)
	if err != nil {
		return err
	}
	if err := l.send(frameHello, 0, appendPart(nil, b)); err != nil {
		return err
	}
	if err := l.conn.SetReadDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	if l.version, err = readPreface(l.in); err != nil {
		return err
	}
	for {
		f, whole, err := l.next(func(int) bool { return true })
		if err != nil {
			return err
		}
		if f.typ != frameHello {
			return protocolError("a message of type %d before the hello", f.typ)
		}
		if !whole {
			continue
		}
		var h []byte
		if err := splitParts(f.payload, &h); err != nil {
			return err
		}
		if err := unmarshal(h, theirs); err != nil {
			return err
		}
		return l.conn.SetReadDeadline(time.Time{})
	}
}
