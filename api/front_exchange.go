package api

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"hearth/whisk"
)

// linger is how long an answered request may keep its connection with a body
// that nobody reads: enough for the client to see the answer.
const linger = 500 * time.Millisecond

// handle serves one request within the front's bounds.
func (f *Front) handle(w http.ResponseWriter, r *http.Request) {
	x := &frontExchange{front: f, w: w, rc: http.NewResponseController(w), r: *r}
	if c, ok := r.Context().Value(frontConnKey{}).(*frontConn); ok {
		x.r.TLS = c.tlsState()
	}
	x.ended = r.Body == nil || r.Body == http.NoBody
	if !x.ended {
		x.body, x.r.Body = r.Body, x
		x.credit = f.cfg.BodyGrace
	}
	defer x.finish()
	if len(r.RequestURI) > f.cfg.MaxURI {
		f.m.longURI.Inc()
		x.fail(http.StatusRequestURITooLong, "The requested URI is too long.")
		return
	}
	f.next.ServeHTTP(x, &x.r)
}

// frontExchange is one request and its answer: what stands between the handler
// and net/http, both as the ResponseWriter and as the request's body.
type frontExchange struct {
	front *Front
	w     http.ResponseWriter
	rc    *http.ResponseController
	r     http.Request // the handler's copy; net/http looks at its own again later

	// The body. The handler reads it from one goroutine, as net/http asks.
	body   io.ReadCloser
	read   int64
	credit time.Duration // for how long it may stand still
	ended  bool          // read to its end, or there is none
	closed bool          // by the handler
	err    error         // why it cannot be read on

	answered bool // the header of the answer is on its way
}

// Read reads the body at the pace that the config asks for. An error of kind
// whisk.Timeout says that the client was too slow.
func (x *frontExchange) Read(p []byte) (int, error) {
	switch {
	case x.closed:
		return 0, http.ErrBodyReadAfterClose
	case x.ended:
		// net/http watches the connection now; a deadline would end that.
		return 0, io.EOF
	case x.err != nil:
		return 0, x.err
	}
	began := time.Now()
	if err := x.rc.SetReadDeadline(began.Add(x.credit)); err != nil {
		return 0, err
	}
	n, err := x.body.Read(p)
	x.read += int64(n)
	earned := time.Duration(min(int64(n), 1<<20)) * time.Second / time.Duration(x.front.cfg.MinBodyRate)
	x.credit = min(x.credit-time.Since(began)+earned, x.front.cfg.BodyGrace)
	switch {
	case err == io.EOF:
		x.ended = true
	case errors.Is(err, os.ErrDeadlineExceeded):
		x.front.m.slowBody.Inc()
		err = &whisk.Error{Kind: whisk.Timeout, Message: "The request's body was sent too slowly.", Err: err}
		x.err = err
	case err != nil:
		x.err = err
	}
	return n, err
}

// Close ends the handler's reading. The body itself is left to net/http, which
// would otherwise drain it here, for as long as the client likes.
func (x *frontExchange) Close() error {
	x.closed = true
	return nil
}

func (x *frontExchange) Header() http.Header { return x.w.Header() }

// WriteHeader begins the answer, and with it decides what becomes of a body
// that was not read to its end.
func (x *frontExchange) WriteHeader(status int) {
	if status >= 200 && !x.answered {
		x.answer()
	}
	x.w.WriteHeader(status)
}

func (x *frontExchange) Write(p []byte) (int, error) {
	if !x.answered {
		x.WriteHeader(http.StatusOK)
	}
	return x.w.Write(p)
}

// FlushError sends what has been written so far.
func (x *frontExchange) FlushError() error {
	if !x.answered {
		x.WriteHeader(http.StatusOK)
	}
	return x.rc.Flush()
}

// Flush is FlushError for handlers that want an http.Flusher.
func (x *frontExchange) Flush() { _ = x.FlushError() } // a broken connection shows at the next write

// answer closes the connection behind the answer unless the rest of the body
// is small. net/http reads that rest before it sends an answer that keeps the
// connection, and up to 256 KiB at the end in any case; settle says for how long.
func (x *frontExchange) answer() {
	x.answered = true
	if x.ended {
		return
	}
	rest := x.r.ContentLength - x.read // less than 0 where the length is not known
	if x.err != nil || rest < 0 || rest > x.front.cfg.MaxDrain {
		x.w.Header().Set("Connection", "close")
	}
	x.settle()
}

// settle gives what was not read of the body a last moment to come.
func (x *frontExchange) settle() {
	if !x.ended {
		_ = x.rc.SetReadDeadline(time.Now().Add(linger)) // fails only on a connection that is gone
	}
}

// finish follows the handler, whether it returned or panicked.
func (x *frontExchange) finish() {
	x.settle()
	if v := recover(); v != nil && v != http.ErrAbortHandler {
		x.front.m.panics.Inc()
		x.front.log.Error("handler panicked", "panic", v, "method", x.r.Method, "stack", string(debug.Stack()))
		if x.answered {
			panic(http.ErrAbortHandler) // the client must not take what it has for the whole
		}
		x.fail(http.StatusInternalServerError, "There was an internal server error.")
	} else if v != nil {
		panic(v)
	}
	if !x.answered {
		x.answer() // with an empty 200, by net/http
	}
}

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
