package api

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"time"
)

// frontState is where a connection stands.
type frontState uint32

const (
	frontHeader frontState = iota // new, in the header of its first request
	frontIdle                     // between requests, or in the header of a later one
	frontBusy                     // in a request
	frontGone
)

func (s frontState) String() string { return [...]string{"header", "idle", "busy", "gone"}[s] }

// frontConn is a connection as the gate accounts for it.
type frontConn struct {
	net.Conn
	gate  *frontGate
	from  netip.Prefix // what the bound per address counts; invalid: not an IP connection
	since time.Time    // of its acceptance
	ahead []byte       // read by awaitHeader, not yet by serve

	// The serving goroutine's.
	inHeader bool // what is read belongs to a header
	room     int  // bytes that may still be read of it
	tls      *tls.ConnectionState
	remote   string

	// state is changed under gate.mu only, and read without it as a hint.
	state atomic.Uint32

	// Guarded by gate.mu.
	header     int64          // bytes read of an unfinished header
	exchange   *frontExchange // while busy
	round      uint64         // of the gate when it became busy
	prev, next *frontConn     // in the gate's list of the state
}

// firstRead is the room for a first header that every connection gets; only
// what it needs beyond counts as header memory.
const firstRead = 1 << 10

// awaitHeader reads until the first header is whole, or longer than allowed,
// and reports whether it is. Until then a connection costs little.
func (c *frontConn) awaitHeader() bool {
	cfg := &c.gate.cfg
	if c.Conn.SetReadDeadline(c.since.Add(cfg.HeaderTimeout)) != nil {
		return false
	}
	buf := make([]byte, 0, firstRead)
	for {
		n, err := c.receive(buf[len(buf):cap(buf)])
		fresh := buf[max(0, len(buf)-2) : len(buf)+n] // an empty line is up to three bytes with the end of the line before it
		buf = buf[:len(buf)+n]
		if bytes.Contains(fresh, []byte("\n\r\n")) || bytes.Contains(fresh, []byte("\n\n")) || len(buf) >= cfg.MaxHeader {
			c.ahead = buf
			return true
		}
		if err != nil {
			return false
		}
		if room := min(2*cap(buf), cfg.MaxHeader); len(buf) == cap(buf) {
			c.gate.charge(c, int64(room-cap(buf)))
			buf = append(make([]byte, 0, room), buf...)
		}
	}
}

// begin begins a header, of which so many bytes may be read.
func (c *frontConn) begin(room int) { c.inHeader, c.room = true, room }

// Read reads from the client, first what awaitHeader has read ahead, and within
// the bounds of a header while one is read.
func (c *frontConn) Read(p []byte) (int, error) {
	if c.inHeader {
		if c.room <= 0 {
			return 0, errLongHeader
		}
		p = p[:min(len(p), c.room)]
	}
	if len(c.ahead) > 0 {
		n := copy(p, c.ahead)
		if c.ahead = c.ahead[n:]; len(c.ahead) == 0 {
			c.ahead = nil
		}
		c.room -= n
		return n, nil
	}
	n, err := c.receive(p)
	if c.inHeader && n > 0 {
		c.room -= n
		c.gate.charge(c, int64(n))
	}
	return n, err
}

// receive reads from the network.
func (c *frontConn) receive(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if re, ok := errors.AsType[tls.RecordHeaderError](err); ok && re.Conn != nil && looksLikeHTTP(re.RecordHeader) {
		_ = re.Conn.SetWriteDeadline(time.Now().Add(linger))
		_, _ = io.WriteString(re.Conn, "HTTP/1.0 400 Bad Request\r\n\r\nThis port speaks https, not http.\n")
	}
	return n, err
}

// looksLikeHTTP reports whether what came instead of a TLS record begins an
// HTTP request.
func looksLikeHTTP(b [5]byte) bool {
	switch string(b[:]) {
	case "GET /", "HEAD ", "POST ", "PUT /", "DELET", "OPTIO":
		return true
	}
	return false
}

// writePiece is how much of an answer is written under one deadline.
const writePiece = 64 << 10

// Write writes to the client in pieces, each under a deadline of its own.
func (c *frontConn) Write(p []byte) (int, error) {
	cfg := &c.gate.cfg
	for n := 0; ; {
		piece := p[n:min(n+writePiece, len(p))]
		patience := cfg.WriteGrace + time.Duration(len(piece))*time.Second/time.Duration(cfg.MinWriteRate)
		if err := c.Conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
			return n, err
		}
		m, err := c.Conn.Write(piece)
		n += m
		if errors.Is(err, os.ErrDeadlineExceeded) {
			c.gate.m.slowReader.Inc()
		}
		if err != nil || n == len(p) {
			return n, err
		}
	}
}

// CloseWrite says to the client that no more will come, where the network has
// a way to.
func (c *frontConn) CloseWrite() error {
	if cw, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return cw.CloseWrite()
	}
	return errors.ErrUnsupported
}

// abort closes the connection without a word and without waiting.
func (c *frontConn) abort() { abortConn(c.Conn) }

func abortConn(c net.Conn) {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn() // closing a TLS connection writes an alert first
	}
	c.Close()
}

// tlsState returns the state of the TLS connection, nil if it is none. Call it
// after the handshake.
func (c *frontConn) tlsState() *tls.ConnectionState {
	t, ok := c.Conn.(*tls.Conn)
	if !ok {
		return nil
	}
	st := t.ConnectionState()
	return &st
}

// sourceOf returns what the bound per address counts connections by: an IPv4
// address, or the /64 that a single IPv6 host can choose its addresses from.
func sourceOf(a net.Addr) netip.Prefix {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	ip := t.AddrPort().Addr().Unmap().WithZone("")
	bits := ip.BitLen()
	if ip.Is6() {
		bits = 64
	}
	p, err := ip.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
