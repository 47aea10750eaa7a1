package wire

import (
	"net"
	"runtime"
	"time"
)

const (
	writeSlice = 256 << 10 // bytes of one write, each with its own deadline
	keepBuffer = 256 << 10 // a write buffer larger than this is not kept
	maxDirect  = 64 << 10  // bytes that who sends them writes itself
)

// crowd is the number of calls under way from which on what is sent waits for
// more to be written with it: a write costs more than all else in a message.
const crowd = 5

// volley is what is written at once, and how far that has come.
type volley struct {
	batch uint64
	plain []byte // frames
	n     int    // bytes of plain that are written, or more than are
	next  int    // bytes of plain that are sealed
	rest  []byte // sealed bytes that are not written

	// The payload of a piece of a large message, whose head ends plain.
	large *outgoing
	piece net.Buffers
	size  int
}

// done reports whether all of it is written.
func (v *volley) done() bool { return v.next == len(v.plain) && len(v.rest) == 0 && len(v.piece) == 0 }

// advance notes that n bytes of rest were written. They hold as many bytes of
// plain at the most.
func (v *volley) advance(n int) {
	v.rest = v.rest[n:]
	v.n += n
}

// flush sees to what is queued: it is written here, as far as the connection
// takes it at once, unless it had better wait a moment or another writes; then
// it is left to them or the writer goroutine. The caller holds mu; flush
// releases it.
func (l *link) flush() {
	if l.writing || l.corked { // they will look again
		l.mu.Unlock()
		return
	}
	if l.out == nil || l.cut || len(l.large) > 0 || len(l.ready) > maxDirect || l.calls.Load() >= crowd {
		l.work.Signal()
		l.mu.Unlock()
		return
	}
	l.take()
	l.mu.Unlock()
	v := &l.under
	err := l.seal(v)
	if err == nil {
		var n int
		n, err = l.out.try(v.rest)
		v.advance(n)
	}
	l.mu.Lock()
	l.wrote(err)
	l.mu.Unlock()
}

// cork keeps what is sent from being written until uncork: the reader has more
// messages to handle, whose answers may go with it.
func (l *link) cork() {
	l.mu.Lock()
	l.corked = true
	l.mu.Unlock()
}

func (l *link) uncork() {
	l.mu.Lock()
	if l.corked = false; l.err == nil && !l.empty() {
		l.flush()
		return
	}
	l.work.Signal() // it may want to leave
	l.mu.Unlock()
}

// take takes what is ready to be written; the caller holds mu, and is the one
// that writes till it calls wrote.
func (l *link) take() {
	l.putAcks()
	l.writing = true
	l.under = volley{batch: l.batch, plain: l.ready}
	if len(l.large) > 0 {
		l.under.large = l.large[0]
	}
	l.ready, l.spare = l.spare[:0], nil
	l.batch++
}

// wrote ends the writing of under, which may be written in part or broken. The
// caller holds mu.
func (l *link) wrote(err error) {
	v := &l.under
	l.writing = false
	l.cut = err != nil || !v.done()
	if err != nil {
		l.close(err)
	}
	if !l.cut {
		l.queued -= len(v.plain) + v.size
		if o := v.large; o != nil && o.framed == o.frames {
			o.sent = true
			l.large[0] = nil
			l.large = l.large[1:]
		}
		if cap(v.plain) <= keepBuffer {
			l.spare = v.plain
		}
		*v = volley{}
	}
	switch {
	case l.err != nil || !l.empty():
		l.work.Signal()
	case l.queued == 0:
		l.idle.Broadcast()
	}
}

// seal makes the next bytes to be written, unless some are left. It is for the
// one that writes.
func (l *link) seal(v *volley) error {
	if len(v.rest) > 0 {
		return nil
	}
	b := v.plain[v.next:min(len(v.plain), v.next+writeSlice)]
	v.n = v.next
	v.next += len(b)
	if l.seals == nil {
		v.rest = b
		return nil
	}
	_, err := l.conn.Write(b)
	if v.next == len(v.plain) {
		for i := 0; i < len(v.piece) && err == nil; i++ {
			_, err = l.conn.Write(v.piece[i])
		}
		v.piece = nil
	}
	v.rest = l.seals.take()
	return err
}

// write is the writer goroutine: it sends what others leave to it until the
// link is closed or breaks.
func (l *link) write() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		for l.err == nil && (l.writing || l.corked || l.empty() && !l.parting) {
			l.work.Wait()
		}
		switch {
		case l.err != nil:
			for l.writing { // by another: sent asks what came of it
				l.work.Wait()
			}
			return
		case l.empty():
			l.leave()
			continue
		}
		l.writing = true
		if l.calls.Load() >= crowd {
			l.mu.Unlock()
			runtime.Gosched() // who is about to send something comes first
			l.mu.Lock()
		}
		if !l.cut {
			l.take()
		}
		l.mu.Unlock()
		err := l.writeAll(&l.under)
		l.mu.Lock()
		l.wrote(err)
	}
}

// empty reports whether there is nothing to write. The caller holds mu.
func (l *link) empty() bool { return !l.cut && len(l.ready) == 0 && len(l.large) == 0 }

// leave tells the peer that no more will come. The caller holds mu.
func (l *link) leave() {
	c, ok := l.conn.(interface{ CloseWrite() error })
	if !ok {
		l.close(nil)
		return
	}
	l.parting, l.writing = false, true
	l.mu.Unlock()
	_ = c.CloseWrite() // a peer that is gone needs no farewell
	if l.seals != nil {
		_ = l.writeAll(&volley{rest: l.seals.take()})
	}
	l.mu.Lock()
	l.writing = false
}

// writeAll writes a volley and waits as long as it takes.
func (l *link) writeAll(v *volley) error {
	if v.large != nil {
		v.plain, v.piece, v.size = v.large.piece(v.plain)
	}
	limited := false
	for !v.done() {
		err := l.seal(v)
		if err == nil && l.out != nil && len(v.piece) == 0 && !limited { // mostly there is room, and then no need of a deadline
			var n int
			n, err = l.out.try(v.rest)
			if v.advance(n); len(v.rest) == 0 && err == nil {
				continue
			}
		}
		if err == nil {
			limited = true
			err = l.sink.SetWriteDeadline(time.Now().Add(l.timeout))
		}
		if err == nil {
			err = l.writeSome(v)
		}
		if err != nil {
			return err
		}
	}
	if limited && l.out != nil {
		return l.sink.SetWriteDeadline(time.Time{}) // it would end what is tried without one
	}
	return nil
}

// writeSome writes what is sealed, with the piece behind it if that goes out
// as it is.
func (l *link) writeSome(v *volley) error {
	if v.next < len(v.plain) || len(v.piece) == 0 {
		n, err := l.sink.Write(v.rest)
		v.advance(n)
		return err
	}
	all := append(net.Buffers{v.rest}, v.piece...)
	n, err := all.WriteTo(l.sink)
	v.n += int(n)
	if err == nil {
		v.rest, v.piece = nil, nil
	}
	return err
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
	case l.cut && at.batch == l.under.batch:
		return at.end <= l.under.n
	}
	return true
}
