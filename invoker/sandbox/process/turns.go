package process

import (
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// errEarlyReply is a reply to a request that was not read to its end.
var errEarlyReply = errors.New("reply before the request was read")

// expect makes x the exchange under way. It returns false if the process will
// not reply any more.
func (p *proc) expect(x *exchange) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return false
	}
	p.now = x
	p.turn++
	p.setAlarm(x.began)
	return true
}

// take ends x's being under way; false if that has ended already.
func (p *proc) take(x *exchange) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now != x {
		return false
	}
	p.now = nil
	return true
}

// finish lets no exchange begin any more and takes the one under way, nil if
// there is none.
func (p *proc) finish() *exchange {
	p.mu.Lock()
	defer p.mu.Unlock()
	x := p.now
	p.now, p.over = nil, true
	if p.timer != nil {
		p.timer.Stop()
	}
	return x
}

// setAlarm sees to it that tick comes when there is something to do for the
// exchange under way. An alarm that comes earlier is left as it is: it will be
// set anew then, so that most exchanges do not touch the timer. The caller
// holds mu.
func (p *proc) setAlarm(now time.Time) {
	at := p.now.deadline()
	if soon := now.Add(watchEvery); p.watched && soon.Before(at) {
		at = soon
	}
	switch {
	case !p.alarm.IsZero() && !at.Before(p.alarm):
		return
	case p.timer == nil:
		p.timer = time.AfterFunc(time.Until(at), p.tick)
	default:
		p.timer.Reset(time.Until(at))
	}
	p.alarm = at
}

// tick looks after the exchange under way: its time and its memory.
func (p *proc) tick() {
	p.mu.Lock()
	p.alarm = time.Time{}
	x := p.now
	if x == nil {
		p.mu.Unlock()
		return
	}
	now := time.Now()
	if !now.Before(x.deadline()) {
		p.now = nil
		p.mu.Unlock()
		p.box.late(p, x)
		return
	}
	p.setAlarm(now)
	p.mu.Unlock()
	if p.watched {
		p.box.look(p, x)
	}
}

// requestWriter writes requests.
type requestWriter struct {
	conn syscall.RawConn
	try  func(fd uintptr) bool // proc.trySend
	x    *exchange             // what try sends
}

// send writes x's request. It does not wait: what the pipe does not take at
// once is left to a goroutine.
func (p *proc) send(x *exchange) {
	w := &p.requests
	w.x = x
	_ = w.conn.Write(w.try) // fails when the file is closed: then the process ends too
}

// trySend is done with the exchange as soon as the request is in the pipe: the
// next one may begin from then on.
func (p *proc) trySend(fd uintptr) bool {
	x := p.requests.x
	line, turn := x.line, p.turn // written by this goroutine, in expect
	n, err := unix.Write(int(fd), line)
	for err == unix.EINTR { //nolint:errorlint // a bare Errno
		n, err = unix.Write(int(fd), line)
	}
	n = max(n, 0)
	switch {
	case n == len(line), err == unix.EPIPE: //nolint:errorlint // a bare Errno
	case err != nil && err != unix.EAGAIN: //nolint:errorlint // a bare Errno
		p.broke(err)
	default:
		p.handOver(x, turn, line[n:])
	}
	return true
}

// handOver leaves the rest of x's request to a goroutine, which ends with the
// process.
func (p *proc) handOver(x *exchange, turn uint64, rest []byte) {
	p.mu.Lock()
	here := p.now == x && p.turn == turn
	if here {
		x.writing, x.line = true, nil // the buffer is the goroutine's
	}
	p.mu.Unlock()
	if !here {
		p.broke(errEarlyReply)
		return
	}
	go func() {
		_, err := p.in.Write(rest)
		if err != nil && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, os.ErrClosed) {
			p.broke(err)
		}
		p.sent(x, turn)
	}()
}

// sent notes that x's request is written; its reply may have come meanwhile.
func (p *proc) sent(x *exchange, turn uint64) {
	p.mu.Lock()
	if p.now != x || p.turn != turn {
		p.mu.Unlock()
		return
	}
	x.writing = false
	r := x.got
	if r != nil {
		p.now = nil
	}
	p.mu.Unlock()
	if r != nil {
		p.box.answered(p, x, *r)
	}
}

// replyReader reads replies.
type replyReader struct {
	lines lineReader
	begin func() (int64, error) // proc.beginReply
	x     *exchange             // whom the open line is for
	err   error                 // why reading has ended
}

// readReplies brings each reply to the exchange under way, until the pipe ends
// or a rule is broken.
func (p *proc) readReplies() {
	p.replies.begin = p.beginReply
	rc, err := p.out.SyscallConn()
	if err == nil {
		err = rc.Read(p.takeReplies)
	}
	if p.replies.err != nil {
		err = p.replies.err
	}
	p.outErr = err
	close(p.outClosed)
	p.broke(err)
	if x := p.finish(); x != nil {
		p.box.over(p, x)
	}
}

// takeReplies reads what is there, and returns true when it is to be called no
// more. Behind a whole line it does not try whether there is more: nothing
// should be, drain looks at it, and the poller tells.
func (p *proc) takeReplies(fd uintptr) bool {
	r := &p.replies
	for {
		room := r.lines.room()
		n, err := unix.Read(int(fd), room)
		switch {
		case err == unix.EINTR: //nolint:errorlint // a bare Errno
			continue
		case err == unix.EAGAIN: //nolint:errorlint // a bare Errno
			return false
		case err != nil:
			r.err = os.NewSyscallError("read", err)
		case n == 0 && r.lines.open:
			r.err = io.ErrUnexpectedEOF
		case n == 0:
			r.err = io.EOF
		default:
			whole, err := p.takePiece(n)
			if r.err = err; err == nil && whole && n < len(room) {
				return false
			}
		}
		if r.err != nil {
			return true
		}
	}
}

// takePiece takes n bytes of a reply and reports whether they ended it.
func (p *proc) takePiece(n int) (whole bool, err error) {
	l, whole, err := p.replies.lines.take(n, p.replies.begin)
	if !whole {
		return false, err
	}
	x := p.replies.x
	r := reply{body: l.text, size: l.size, more: l.more, ok: true}
	if !x.bare {
		if r, err = parseReply(l, x.id[:]); err != nil {
			return true, err
		}
	}
	if r.more {
		p.broke(errIdleReply) // before the reply, so that its receiver knows
	}
	p.mu.Lock()
	switch {
	case p.now != x: // it was given up
		p.mu.Unlock()
	case x.writing:
		got := r
		x.got = &got
		p.mu.Unlock()
	default:
		p.now = nil
		p.mu.Unlock()
		p.box.answered(p, x, r)
	}
	return true, nil
}

// beginReply finds whom the reply is for whose first bytes are here, and says
// how much of it to keep.
func (p *proc) beginReply() (keep int64, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	x := p.now
	if x == nil || x.got != nil {
		return 0, errIdleReply
	}
	p.replies.x = x
	if x.bare {
		return x.keep, nil
	}
	return x.keep + headLength, nil
}
