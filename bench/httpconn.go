package bench

import (
	"bytes"
	"errors"
	"io"
	"net"
	"time"
)

const (
	firstBuffer = 8 << 10
	inOneWrite  = 32 << 10 // payloads up to this are copied behind the header
	maxIdle     = 4 * time.Second
)

var errTooLong = errors.New("the answer is longer than allowed")

// httpConn is a keep-alive connection and its buffers. One request at a time.
type httpConn struct {
	net.Conn
	done     <-chan struct{} // of the request's context; under the target's lock
	spoilt   bool            // not for another request; under the target's lock
	deadline time.Time       // set on the connection
	used     time.Time       // when the last request began

	head    []byte // of the request
	payload []byte

	in   []byte // in[r:w] was read and not yet consumed
	r, w int
	body []byte // of a chunked answer

	turn turn
}

// extend makes sure that a request that begins now has its time. A deadline
// costs a microsecond, so it is set with a quarter more, and serves for that long.
func (c *httpConn) extend(now time.Time, timeout time.Duration) error {
	c.used = now
	if c.deadline.Sub(now) >= timeout {
		return nil
	}
	c.deadline = now.Add(timeout + timeout/4)
	return c.SetDeadline(c.deadline)
}

// send writes the request that head and payload hold.
func (c *httpConn) send() error {
	if len(c.payload) <= inOneWrite {
		c.head = append(c.head, c.payload...)
		if c.turn.raw != nil {
			return c.take()
		}
		_, err := c.Write(c.head)
		return err
	}
	parts := net.Buffers{c.head, c.payload}
	_, err := parts.WriteTo(c.Conn)
	return err
}

// receive reads an answer. Its body is valid until the next receive.
func (c *httpConn) receive(bodiless bool, maxBody int) (Answer, bool, error) {
	for range maxInterim {
		b, err := c.readHead()
		if err != nil {
			return Answer{}, false, err
		}
		h, err := parseHead(b)
		if err != nil {
			return Answer{}, false, err
		}
		if h.status == 101 {
			return Answer{}, false, errMalformed // nobody asked for it
		}
		if h.status < 200 {
			continue
		}
		a := Answer{Status: h.status}
		if bodiless || h.status == 204 || h.status == 304 {
			h.length, h.chunked = 0, false
		}
		switch {
		case h.chunked:
			a.Body, err = c.readChunks(maxBody)
		case h.length >= 0:
			a.Body, err = c.readFixed(h.length, maxBody)
		default:
			h.close = true
			a.Body, err = c.readAll(maxBody)
		}
		// What follows an answer that nobody asked for would be taken for the next.
		return a, err == nil && !h.close && c.r == c.w, err
	}
	return Answer{}, false, errMalformed
}

// readHead returns status line and header without the empty line.
func (c *httpConn) readHead() ([]byte, error) {
	if c.r == c.w {
		c.r, c.w = 0, 0
	}
	for seen := 0; ; {
		// The end may lie across two reads.
		if i := bytes.Index(c.in[c.r+seen:c.w], headEnd); i >= 0 {
			b := c.in[c.r : c.r+seen+i]
			c.r += seen + i + len(headEnd)
			return b, nil
		}
		seen = max(c.w-c.r-len(headEnd)+1, 0)
		if c.w-c.r > maxHead {
			return nil, errMalformed
		}
		if err := c.fill(c.w - c.r + 1); err != nil {
			return nil, err
		}
	}
}

var headEnd = []byte("\r\n\r\n")

// fill reads at least once, with room for n bytes from r on.
func (c *httpConn) fill(n int) error {
	if len(c.in)-c.r < n {
		if c.r > 0 {
			c.w = copy(c.in, c.in[c.r:c.w])
			c.r = 0
		}
		if len(c.in) < n {
			b := make([]byte, max(n, 2*len(c.in), firstBuffer))
			copy(b, c.in[:c.w])
			c.in = b
		}
	}
	m, err := c.Read(c.in[c.w:])
	c.w += m
	if m > 0 {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// ensure has n bytes from r on in the buffer.
func (c *httpConn) ensure(n int) error {
	for c.w-c.r < n {
		if err := c.fill(n); err != nil {
			return err
		}
	}
	return nil
}

func (c *httpConn) readFixed(length int64, maxBody int) ([]byte, error) {
	if length > int64(maxBody) {
		return nil, errTooLong
	}
	if err := c.ensure(int(length)); err != nil {
		return nil, err
	}
	b := c.in[c.r : c.r+int(length)]
	c.r += int(length)
	return b, nil
}

// readAll reads until the server closes the connection.
func (c *httpConn) readAll(maxBody int) ([]byte, error) {
	for {
		if c.w-c.r > maxBody {
			return nil, errTooLong
		}
		if err := c.fill(c.w - c.r + 1); err != nil {
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				return nil, err
			}
			b := c.in[c.r:c.w]
			c.r = c.w
			return b, nil
		}
	}
}

func (c *httpConn) readChunks(maxBody int) ([]byte, error) {
	c.body = c.body[:0]
	for {
		line, err := c.readLine()
		if err != nil {
			return nil, err
		}
		n, err := parseChunkSize(line)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return c.body, c.skipTrailer()
		}
		if n > int64(maxBody-len(c.body)) {
			return nil, errTooLong
		}
		if err := c.ensure(int(n) + len(crlf)); err != nil {
			return nil, err
		}
		c.body = append(c.body, c.in[c.r:c.r+int(n)]...)
		c.r += int(n)
		if !bytes.HasPrefix(c.in[c.r:c.w], crlf) {
			return nil, errMalformed
		}
		c.r += len(crlf)
	}
}

func (c *httpConn) skipTrailer() error {
	for range maxTrailers {
		line, err := c.readLine()
		if err != nil {
			return err
		}
		if len(line) == 0 {
			return nil
		}
		if bytes.IndexByte(line, ':') <= 0 {
			return errMalformed
		}
	}
	return errMalformed
}

// readLine returns the bytes before the next CRLF.
func (c *httpConn) readLine() ([]byte, error) {
	for {
		if i := bytes.Index(c.in[c.r:c.w], crlf); i >= 0 {
			line := c.in[c.r : c.r+i]
			c.r += i + len(crlf)
			return line, nil
		}
		if c.w-c.r > maxChunkLine {
			return nil, errMalformed
		}
		if err := c.fill(c.w - c.r + 1); err != nil {
			return nil, err
		}
	}
}
