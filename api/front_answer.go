package api

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httputil"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// frontAnswer writes one HTTP answer. Where the handler does not say how long the
// body is, it is held back while it is short, and else sent in chunks.
type frontAnswer struct {
	bw     *bufio.Writer
	header http.Header
	head   bool // the request's method is HEAD
	old    bool // the client speaks HTTP/1.0
	close  bool // the connection ends with the answer

	status   int
	answered bool   // status and header stand
	sent     bool   // and are written
	length   int64  // of the body, as declared; -1: not known
	wrote    int64  // bytes of it
	held     []byte // of it, while the length is not known
	chunks   io.WriteCloser
}

// holdBody is how long a body is held back whose length is not known.
const holdBody = 2 << 10

// Header returns the header to be sent.
func (a *frontAnswer) Header() http.Header { return a.header }

// begin settles the status and what the header says of the body.
func (a *frontAnswer) begin(status int) {
	a.answered, a.status = true, status
	if v := a.header["Content-Length"]; len(v) == 1 {
		if n, err := strconv.ParseInt(v[0], 10, 64); err == nil && n >= 0 {
			a.length = n
		}
	}
	if a.length < 0 {
		delete(a.header, "Content-Length")
	}
	for _, v := range a.header["Connection"] {
		a.close = a.close || v == "close"
	}
	if a.length >= 0 || a.bodiless() {
		a.send()
	}
}

// bodiless reports whether the status forbids a body.
func (a *frontAnswer) bodiless() bool {
	return a.status == http.StatusNoContent || a.status == http.StatusNotModified
}

// send writes status line and header.
func (a *frontAnswer) send() {
	a.sent = true
	h := a.header
	if a.status == http.StatusNoContent {
		delete(h, "Content-Length")
	}
	if _, ok := h["Date"]; !ok {
		h["Date"] = []string{httpDate()}
	}
	switch {
	case a.close:
		h["Connection"] = closing
	case a.old:
		h["Connection"] = keepAlive
	}
	_, _ = a.bw.WriteString("HTTP/1.1 ") // errors stay with the writer
	_, _ = a.bw.WriteString(statusLine(a.status))
	for name, values := range h {
		if !validHeaderName(name) {
			continue
		}
		for _, v := range values {
			if !validHeaderValue(v) {
				v = strings.Map(printable, v)
			}
			_, _ = a.bw.WriteString(name)
			_, _ = a.bw.WriteString(": ")
			_, _ = a.bw.WriteString(v)
			_, _ = a.bw.WriteString("\r\n")
		}
	}
	_, _ = a.bw.WriteString("\r\n")
}

// printable makes a space of what a header's value cannot have.
func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return ' '
	}
	return r
}

var keepAlive = []string{"keep-alive"}

// write takes a piece of the body.
func (a *frontAnswer) write(p []byte) (int, error) {
	switch {
	case a.bodiless():
		return 0, http.ErrBodyNotAllowed
	case a.length >= 0 && a.wrote+int64(len(p)) > a.length:
		return 0, http.ErrContentLength
	}
	a.wrote += int64(len(p))
	switch {
	case a.head:
		return len(p), nil
	case a.length >= 0:
		return a.bw.Write(p)
	case !a.sent && len(a.held)+len(p) <= holdBody:
		a.held = append(a.held, p...)
		return len(p), nil
	}
	if err := a.stream(); err != nil {
		return 0, err
	}
	return a.chunks.Write(p)
}

// stream begins a body of which the length is not known: in chunks, or for old
// clients up to the connection's end.
func (a *frontAnswer) stream() error {
	if a.sent {
		return nil
	}
	if a.old {
		a.close, a.chunks = true, plainChunks{a.bw}
	} else {
		a.header["Transfer-Encoding"] = []string{"chunked"}
		a.chunks = httputil.NewChunkedWriter(a.bw)
	}
	a.send()
	if len(a.held) == 0 || a.head {
		return nil
	}
	_, err := a.chunks.Write(a.held)
	a.held = nil
	return err
}

// plainChunks writes bytes as they are.
type plainChunks struct{ io.Writer }

func (plainChunks) Close() error { return nil }

// flush sends what there is.
func (a *frontAnswer) flush() error {
	if err := a.stream(); err != nil {
		return err
	}
	return a.bw.Flush()
}

// finish sends the rest. After it the connection may have another answer unless
// close is set.
func (a *frontAnswer) finish() error {
	if !a.sent {
		a.length = a.wrote
		a.header["Content-Length"] = []string{strconv.FormatInt(a.length, 10)}
		a.send()
		_, _ = a.bw.Write(a.held)
	}
	if a.chunks != nil && !a.head {
		if err := a.chunks.Close(); err != nil {
			return err
		}
		if !a.old {
			_, _ = a.bw.WriteString("\r\n") // no trailers
		}
	}
	if a.wrote < a.length && !a.head && !a.bodiless() {
		a.close = true // the client waits for more
	}
	return a.bw.Flush()
}

// statusLine returns the rest of a status line, its end included.
func statusLine(status int) string {
	if status == http.StatusOK {
		return "200 OK\r\n"
	}
	text := http.StatusText(status)
	if text == "" {
		text = "status code " + strconv.Itoa(status)
	}
	return strconv.Itoa(status) + " " + text + "\r\n"
}

type dated struct {
	second int64
	text   string
}

var lastDate atomic.Pointer[dated]

// httpDate returns the time as the Date header has it.
func httpDate() string {
	now := time.Now()
	if d := lastDate.Load(); d != nil && d.second == now.Unix() {
		return d.text
	}
	d := &dated{now.Unix(), now.UTC().Format(http.TimeFormat)}
	lastDate.Store(d)
	return d.text
}
