package api

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"hearth/whisk"
)

// linger is how long an answered request may keep its connection with a body
// that nobody reads: enough for the client to see the answer.
const linger = 500 * time.Millisecond

// frontExchange is one request and its answer: what stands between the handler
// and the connection, both as the ResponseWriter and as the request's body.
type frontExchange struct {
	front *Front
	c     *frontConn
	br    *bufio.Reader
	r     *http.Request // the handler's
	leave func()        // ends the connection's context
	frontAnswer

	// The body. The handler reads it from one goroutine, as net/http asks.
	body   io.ReadCloser
	read   int64
	credit time.Duration // for how long it may stand still
	closed bool          // by the handler
	expect bool          // the client waits for a 100 before it sends the body
	err    error         // why it cannot be read on

	mu       sync.Mutex    // guards what follows
	ended    bool          // the body was read to its end, or there is none
	over     bool          // nobody is to begin watching
	watching chan struct{} // closed when the watching has ended; nil: nobody does
}

func newFrontExchange(f *Front, c *frontConn, br *bufio.Reader, bw *bufio.Writer, r *http.Request, ctx context.Context, leave func()) *frontExchange {
	x := &frontExchange{front: f, c: c, br: br, r: r.WithContext(ctx), leave: leave, credit: f.cfg.BodyGrace}
	x.r.TLS, x.r.RemoteAddr = c.tls, c.remote
	x.frontAnswer = frontAnswer{bw: bw, header: make(http.Header, 8), head: r.Method == http.MethodHead, old: !r.ProtoAtLeast(1, 1), length: -1}
	x.close = r.Close
	if x.ended = r.Body == nil || r.Body == http.NoBody; !x.ended {
		x.body, x.r.Body = r.Body, x
		x.expect = strings.EqualFold(r.Header.Get("Expect"), "100-continue")
	}
	return x
}

// run has the request served and reports whether the connection can have
// another.
func (x *frontExchange) run() (keep bool) {
	defer func() {
		if v := recover(); v != nil {
			keep = x.panicked(v)
		}
	}()
	if len(x.r.RequestURI) > x.front.cfg.MaxURI {
		x.front.m.longURI.Inc()
		x.fail(http.StatusRequestURITooLong, "The requested URI is too long.")
	} else if e := x.r.Header.Get("Expect"); e != "" && !strings.EqualFold(e, "100-continue") {
		x.fail(http.StatusExpectationFailed, "The request's expectation cannot be met.")
	} else {
		x.front.next.ServeHTTP(x, x.r)
	}
	return x.finish()
}

// finish sends what there still is of the answer.
func (x *frontExchange) finish() (keep bool) {
	x.unwatch()
	if !x.answered {
		x.WriteHeader(http.StatusOK)
	}
	keep = x.frontAnswer.finish() == nil && !x.close
	if !keep && !x.ended {
		x.c.farewell()
	}
	return keep
}

// panicked follows a handler that panicked.
func (x *frontExchange) panicked(v any) (keep bool) {
	if v != http.ErrAbortHandler {
		x.front.m.panics.Inc()
		x.front.log.Error("handler panicked", "panic", v, "method", x.r.Method, "stack", string(debug.Stack()))
		if !x.answered {
			x.fail(http.StatusInternalServerError, "There was an internal server error.")
			return x.finish()
		}
	}
	x.unwatch()
	if x.sent {
		_ = x.bw.Flush() // what is there; the end that lacks says that it is not the whole
	}
	return false
}

// Read reads the body at the pace that the config asks for. An error of kind
// whisk.Timeout says that the client was too slow.
func (x *frontExchange) Read(p []byte) (int, error) {
	switch {
	case x.closed:
		return 0, http.ErrBodyReadAfterClose
	case x.ended:
		return 0, io.EOF
	case x.err != nil:
		return 0, x.err
	}
	if x.expect {
		x.expect = false
		if !x.answered {
			_, _ = x.bw.WriteString("HTTP/1.1 100 Continue\r\n\r\n")
			if err := x.bw.Flush(); err != nil {
				return 0, err
			}
		}
	}
	began := time.Now()
	if rest := x.r.ContentLength - x.read; rest < 0 || int64(x.br.Buffered()) < rest { // else it is all here
		if err := x.c.Conn.SetReadDeadline(began.Add(x.credit)); err != nil {
			return 0, err
		}
	}
	n, err := x.body.Read(p)
	x.read += int64(n)
	if err == io.EOF || err == nil && x.read == x.r.ContentLength {
		x.mu.Lock()
		x.ended = true
		x.mu.Unlock()
		return n, err
	}
	earned := time.Duration(min(int64(n), 1<<20)) * time.Second / time.Duration(x.front.cfg.MinBodyRate)
	x.credit = min(x.credit-time.Since(began)+earned, x.front.cfg.BodyGrace)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		x.front.m.slowBody.Inc()
		err = &whisk.Error{Kind: whisk.Timeout, Message: "The request's body was sent too slowly.", Err: err}
	}
	x.err = err
	return n, err
}

// Close ends the handler's reading.
func (x *frontExchange) Close() error {
	x.closed = true
	return nil
}

// WriteHeader begins the answer, and with it decides what becomes of a body
// that was not read to its end.
func (x *frontExchange) WriteHeader(status int) {
	if status < 200 || x.answered {
		return // interim answers are the front's business
	}
	if !x.ended && !x.drained() {
		x.close = true
	}
	if x.front.gate.stopping() {
		x.close = true
	}
	x.begin(status)
}

// drained reads a small rest of the body, so that the connection can go on. It
// is read before the answer goes out, as there are clients that read no answer
// before they have sent all.
func (x *frontExchange) drained() bool {
	rest := x.r.ContentLength - x.read // less than 0 where the length is not known
	if x.err != nil || x.expect || rest < 0 || rest > x.front.cfg.MaxDrain {
		return false
	}
	if x.c.Conn.SetReadDeadline(time.Now().Add(linger)) != nil {
		return false
	}
	if n, err := io.CopyN(io.Discard, x.body, rest); err != nil || n < rest {
		return false
	}
	x.mu.Lock()
	x.ended = true
	x.mu.Unlock()
	return true
}

func (x *frontExchange) Write(p []byte) (int, error) {
	if !x.answered {
		x.WriteHeader(http.StatusOK)
	}
	return x.write(p)
}

// FlushError sends what has been written so far.
func (x *frontExchange) FlushError() error {
	if !x.answered {
		x.WriteHeader(http.StatusOK)
	}
	return x.flush()
}

// Flush is FlushError for handlers that want an http.Flusher.
func (x *frontExchange) Flush() { _ = x.FlushError() } // a broken connection shows at the next write

// fail answers with an error in the API's shape.
func (x *frontExchange) fail(status int, message string) {
	id := requestID(x.r.Header)
	body, _ := json.Marshal(struct { // strings always encode
		Error string `json:"error"`
		Code  string `json:"code"`
	}{message, id})
	h := x.Header()
	clear(h)
	h.Set("Content-Type", "application/json")
	h.Set("X-Request-ID", id)
	x.WriteHeader(status)
	_, _ = x.Write(body) // a client that has left needs no answer
}

// watch ends the connection's context when the client closes it. Only a request
// whose body was read can be watched: what comes next on the connection is the
// next request, or its end.
func (x *frontExchange) watch() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.over || !x.ended || x.watching != nil {
		return
	}
	if x.c.Conn.SetReadDeadline(time.Time{}) != nil { // it is gone already
		x.leave()
		return
	}
	done := make(chan struct{})
	x.watching = done
	go func() {
		defer close(done)
		_, err := x.br.Peek(1)
		x.mu.Lock()
		defer x.mu.Unlock()
		if err != nil && !x.over {
			x.leave()
		}
	}()
}

// unwatch ends the watching, for the connection's own goroutine to read on.
func (x *frontExchange) unwatch() {
	x.mu.Lock()
	x.over = true
	watching := x.watching
	if watching != nil {
		_ = x.c.Conn.SetReadDeadline(time.Unix(1, 0)) // fails only on a connection that is gone
	}
	x.mu.Unlock()
	if watching != nil {
		<-watching
	}
}
