package api

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// The loop that serves a connection is our own, around net/http's parser: that
// of net/http's server starts a goroutine for each request, to see whether the
// client leaves, and wakes it twice. Here only requests that take long are
// watched; see [Front.watch].

// frontBuffer is the size of a connection's two buffers.
const frontBuffer = 4 << 10

var (
	frontReaders = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, frontBuffer) }}
	frontWriters = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, frontBuffer) }}
)

// errLongHeader ends the reading of a header that is longer than allowed.
var errLongHeader = errors.New("the header is too long")

// serve serves the requests of a connection whose first header has come, until
// either side closes it.
func (f *Front) serve(base context.Context, c *frontConn) {
	defer f.gate.release(c)
	ctx, leave := context.WithCancel(base)
	defer leave()
	br, bw := frontReaders.Get().(*bufio.Reader), frontWriters.Get().(*bufio.Writer)
	br.Reset(c)
	bw.Reset(c)
	defer func() {
		br.Reset(nil)
		bw.Reset(nil)
		frontReaders.Put(br)
		frontWriters.Put(bw)
	}()
	c.tls, c.remote = c.tlsState(), c.RemoteAddr().String()
	for c.begin(f.cfg.MaxHeader); ; {
		r, status := readRequest(br)
		c.inHeader = false
		if r == nil {
			if status != 0 {
				f.refuse(c, bw, status)
			}
			return
		}
		x := newFrontExchange(f, c, br, bw, r, ctx, leave)
		if !f.gate.busy(c, x) || !x.run() || !f.gate.idle(c) || !f.awaitNext(c, br) {
			return
		}
	}
}

// awaitNext waits for the next request's first bytes. When a header comes in
// pieces, it has the header's time from then on, and its memory is counted.
func (f *Front) awaitNext(c *frontConn, br *bufio.Reader) bool {
	if br.Buffered() == 0 {
		if c.Conn.SetReadDeadline(time.Now().Add(f.cfg.IdleTimeout)) != nil {
			return false
		}
		if _, err := br.Peek(1); err != nil {
			return false
		}
	}
	head, _ := br.Peek(br.Buffered())
	c.begin(f.cfg.MaxHeader - len(head))
	if bytes.Contains(head, []byte("\r\n\r\n")) {
		return true
	}
	f.gate.charge(c, int64(len(head)))
	return c.Conn.SetReadDeadline(time.Now().Add(f.cfg.HeaderTimeout)) == nil
}

// readRequest reads a request's header and checks what net/http's server checks
// beyond its parser. Without a request, status is what to answer, 0 for nothing.
func readRequest(br *bufio.Reader) (r *http.Request, status int) {
	r, err := http.ReadRequest(br)
	if err != nil {
		_, network := errors.AsType[net.Error](err)
		if _, malformed := errors.AsType[*url.Error](err); malformed { // which calls itself a net.Error
			network = false
		}
		switch {
		case errors.Is(err, errLongHeader):
			return nil, http.StatusRequestHeaderFieldsTooLarge
		case network, errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe):
			return nil, 0
		case strings.HasPrefix(err.Error(), "unsupported transfer encoding"): // it has no type or value of its own
			return nil, http.StatusNotImplemented
		}
		return nil, http.StatusBadRequest
	}
	if r.ProtoMajor != 1 {
		return nil, http.StatusHTTPVersionNotSupported
	}
	if r.Host == "" && r.ProtoAtLeast(1, 1) || !validHost(r.Host) {
		return nil, http.StatusBadRequest
	}
	for name, values := range r.Header {
		if !validHeaderName(name) {
			return nil, http.StatusBadRequest
		}
		for _, v := range values {
			if !validHeaderValue(v) {
				return nil, http.StatusBadRequest
			}
		}
	}
	return r, 0
}

// validHeaderName reports whether s is a token of RFC 9110.
func validHeaderName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '-' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+.^_`|~", c) >= 0) {
			return false
		}
	}
	return s != ""
}

// validHost reports whether s has only characters that a Host header may have.
func validHost(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!$%&'()*+,-.:;=[]_~", c) >= 0) {
			return false
		}
	}
	return true
}

// validHeaderValue reports whether s has no control characters but tabs.
func validHeaderValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// refuse answers what is no request, and closes.
func (f *Front) refuse(c *frontConn, bw *bufio.Writer, status int) {
	text := http.StatusText(status)
	_, _ = bw.WriteString("HTTP/1.1 " + statusLine(status) + "Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n" + text + "\n")
	_ = bw.Flush() // nobody is owed more
	c.farewell()
}

// farewell says that no more will come and reads on for a moment: to close a
// connection with bytes unread would throw away the answer on its way. So a
// client learns that its payload is too large, even if it only reads when it
// has sent all of it.
func (c *frontConn) farewell() {
	if c.CloseWrite() != nil || c.Conn.SetReadDeadline(time.Now().Add(linger)) != nil {
		return
	}
	const most = 16 << 20
	_, _ = io.CopyN(io.Discard, c.Conn, most)
}

// watchEvery is how often long requests are looked for whose client is to be
// watched.
const watchEvery = time.Second

// watch sees to it that the context of a request whose client has left ends,
// a few seconds later.
func (f *Front) watch(ctx context.Context) {
	t := time.NewTicker(watchEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			for _, x := range f.gate.long() {
				x.watch()
			}
		}
	}
}
