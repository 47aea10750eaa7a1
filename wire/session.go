package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"hearth/whisk"
)

// session is one router's connection at the server.
type session struct {
	s *Server
	l *link

	slow    sync.WaitGroup // goroutines that ask the invoker what may take a while
	asked   chan struct{}  // a place for each question under way
	heard   time.Time      // when the read deadline was set; the reader's
	partial int64          // bytes admitted of a message on its way in; the reader's

	mu    sync.Mutex
	calls map[uint64]*served
	over  bool
}

// served is a call of this session that has not ended.
type served struct {
	ss     *session
	number uint64
	call   whisk.Call
	bytes  int64
	last   whisk.ReplyKind // as told to the router; 0: none yet, or it was answered by Go or Code
}

// waits reports whether the invoker waits for the router with this call.
func (c *served) waits() bool {
	return c.last == whisk.NeedCode || c.last == whisk.Queued || c.last == whisk.Ready
}

func newSession(s *Server, l *link) *session {
	return &session{s: s, l: l, calls: map[uint64]*served{}, asked: make(chan struct{}, maxQuestions)}
}

// run serves the connection to its end and returns why it ended. Calls that
// wait are dropped, the others go on.
func (ss *session) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	ss.alive()
	err := ss.l.read(ss.admit, ss.alive, func(f frame) error { return ss.handle(ctx, f) })
	ss.l.shut(err)
	err = ss.l.reason()
	cancel()
	ss.mu.Lock()
	ss.over = true
	calls := ss.calls
	ss.calls = nil
	ss.mu.Unlock()
	for _, c := range calls {
		ss.s.bytes.Add(-c.bytes)
		if c.waits() {
			ss.s.invoker.Cancel(c.call.ID)
		}
	}
	ss.s.bytes.Add(-ss.partial)
	ss.slow.Wait()
	return err
}

// hungUp reports whether a connection ended as connections end.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// alive sets the deadline of the next frame, now and then: it costs something.
func (ss *session) alive() {
	if now := time.Now(); now.Sub(ss.heard) > ss.s.cfg.PingEvery {
		ss.heard = now
		_ = ss.l.conn.SetReadDeadline(now.Add(ss.s.cfg.silence() + ss.s.cfg.PingEvery)) // a closed connection will tell the reader
	}
}

// admit takes bytes from the server's budget for a message on its way in.
func (ss *session) admit(size int) bool {
	if !ss.s.take(int64(size)) {
		return false
	}
	ss.partial = int64(size)
	return true
}

// take takes bytes from the budget.
func (s *Server) take(n int64) bool {
	if s.bytes.Add(n) <= s.cfg.MaxBytes {
		return true
	}
	s.bytes.Add(-n)
	return false
}

// handle acts on one message. It gives the message's bytes back to the budget,
// or leaves them with the call.
func (ss *session) handle(ctx context.Context, f frame) error {
	held := ss.partial // of this message: no other is on its way in when a large one is whole
	if f.large {
		ss.partial = 0
	} else {
		held = 0
	}
	switch f.typ {
	case frameCall:
		return ss.call(f, held)
	case frameCode:
		return ss.code(f, held)
	}
	ss.s.bytes.Add(-held)
	if f.dropped {
		return protocolError("no room for a message of type %d", f.typ)
	}
	switch f.typ {
	case framePing:
		return ss.l.send(framePong, 0, nil)
	case framePong:
		return nil
	case frameSetting:
		return ss.l.heard.learn(f.payload)
	case frameGo:
		if id, ok := ss.answered(f.number, whisk.Ready); ok {
			ss.s.invoker.Go(id)
		}
		return nil
	case frameCancel:
		if c := ss.end(f.number); c != nil {
			ss.s.invoker.Cancel(c.call.ID)
		}
		return nil
	case frameAck:
		return ss.ack(f.payload)
	case frameLookup:
		return ss.lookup(ctx, f)
	case frameUnacked:
		return ss.unacked(ctx, f)
	}
	return protocolError("a router sent a message of type %d", f.typ)
}

// call hands a call to the invoker; held bytes are taken for it already.
func (ss *session) call(f frame, held int64) error {
	ss.s.m.calls.Inc()
	if f.dropped || held == 0 && !ss.s.take(int64(f.size)) {
		return ss.busy(f.number)
	}
	c := &served{ss: ss, number: f.number, bytes: int64(f.size)}
	if err := decodeCall(&c.call, f.payload, f.large, ss.l.heard); err != nil {
		ss.s.bytes.Add(-c.bytes)
		return err
	}
	ss.mu.Lock()
	full := len(ss.calls) >= ss.s.cfg.MaxCalls
	twice := ss.calls[f.number] != nil
	if !full && !twice {
		ss.calls[f.number] = c
		ss.count()
	}
	ss.mu.Unlock()
	if twice || full {
		ss.s.bytes.Add(-c.bytes)
		if twice {
			return protocolError("two calls of one number")
		}
		return ss.busy(f.number)
	}
	if err := ss.s.invoker.Call(&c.call, c.reply); err != nil {
		c.reply(whisk.Reply{Kind: whisk.Busy})
	}
	return nil
}

// busy refuses a call that is beyond the server's bounds.
func (ss *session) busy(number uint64) error {
	ss.s.m.busy.Inc()
	return ss.l.sendReply(number, &whisk.Reply{Kind: whisk.Busy}, nil)
}

// count tells the link how many calls there are. The caller holds mu.
func (ss *session) count() { ss.l.calls.Store(int32(len(ss.calls))) }

// end forgets a call; nil if it is not there.
func (ss *session) end(number uint64) *served {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	c := ss.calls[number]
	if c != nil {
		delete(ss.calls, number)
		ss.count()
		ss.s.bytes.Add(-c.bytes)
	}
	return c
}

// answered notes that the router has answered a reply of the kind.
func (ss *session) answered(number uint64, kind whisk.ReplyKind) (whisk.ActivationID, bool) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	c := ss.calls[number]
	if c == nil || c.last != kind {
		return whisk.ActivationID{}, false
	}
	c.last = 0
	return c.call.ID, true
}

// reply sends a call's reply. It is the invoker's callback and never blocks.
func (c *served) reply(r whisk.Reply) {
	ss := c.ss
	final := r.Kind == whisk.Busy || r.Kind == whisk.Done
	ss.mu.Lock()
	mine, over := ss.calls[c.number] == c, ss.over
	switch {
	case !mine:
	case final:
		delete(ss.calls, c.number)
		ss.count()
		ss.s.bytes.Add(-c.bytes)
	default:
		c.last = r.Kind
	}
	ss.mu.Unlock()
	if !mine {
		if over && !final {
			// Nobody is left to say Go. The invoker may hold its lock here, so
			// not from its own goroutine.
			go ss.s.invoker.Cancel(c.call.ID)
		}
		return
	}
	if err := ss.l.sendReply(c.number, &r, &c.call); err != nil {
		ss.l.shut(err) // the router asks for the record over its next connection
	}
}

// code hands code to the invoker, which may take it a while to check and keep.
func (ss *session) code(f frame, held int64) error {
	id, ok := ss.answered(f.number, whisk.NeedCode)
	if !ok || f.dropped {
		ss.s.bytes.Add(-held)
		if ok {
			ss.end(f.number)
			ss.s.invoker.Cancel(id)
			return ss.busy(f.number)
		}
		return nil // cancelled in between
	}
	var code []byte
	if err := splitParts(f.payload, &code); err != nil {
		ss.s.bytes.Add(-held)
		return err
	}
	code = keep(code, f.large)
	ss.slow.Go(func() {
		defer ss.s.bytes.Add(-held)
		ss.s.invoker.Code(id, code)
	})
	return nil
}
