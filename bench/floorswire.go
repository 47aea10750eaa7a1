package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"time"
)

// Floor two's wire is a unix socket with a connection for each call under way;
// a frame is a length of four bytes and the body, written at once. Measured
// against one multiplexed connection with coalesced writes, and against as many
// connections as there are launchers, it has the lowest latency (nothing is
// handed between goroutines) and at 64 calls at once the highest rate or very
// nearly so.

const frameHead = 4

// errFrame is a frame longer than any scenario sends, or more than one frame.
var errFrame = errors.New("floor two: bad frame")

// floorConn is one end of a connection of floor two's wire.
type floorConn struct {
	net.Conn
	buf []byte // for writing and reading in turn
}

// send writes one frame.
func (c *floorConn) send(body []byte) error {
	c.buf = binary.BigEndian.AppendUint32(c.buf[:0], uint32(len(body)))
	c.buf = append(c.buf, body...)
	_, err := c.Write(c.buf)
	return err
}

// receive appends the body of the next frame to dst. Nothing may follow it:
// each side waits for the other's frame before it sends its own.
func (c *floorConn) receive(dst []byte) ([]byte, error) {
	if cap(c.buf) < 4<<10 {
		c.buf = make([]byte, 4<<10)
	}
	b := c.buf[:cap(c.buf)]
	n, err := io.ReadAtLeast(c.Conn, b, frameHead)
	if err != nil {
		return dst, err
	}
	size, have := int(binary.BigEndian.Uint32(b)), n-frameHead
	if size > maxFloorBody || have > size {
		return dst, errFrame
	}
	at := len(dst)
	dst = append(dst, b[frameHead:n]...)
	if have < size {
		dst = slices.Grow(dst, size-have)[:at+size]
		if _, err := io.ReadFull(c.Conn, dst[at+have:]); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// serveFloorBack answers the frames of all connections by do until ctx ends.
func serveFloorBack(ctx context.Context, ln net.Listener, do func(dst, body []byte) ([]byte, error)) error {
	var conns sync.WaitGroup
	defer conns.Wait()
	stop := context.AfterFunc(ctx, func() { _ = ln.Close() })
	defer stop()
	for {
		nc, err := ln.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		conns.Go(func() {
			stop := context.AfterFunc(ctx, func() { _ = nc.Close() })
			defer stop()
			defer nc.Close()
			c := &floorConn{Conn: nc}
			var in, out []byte
			for {
				if in, err = c.receive(in[:0]); err != nil {
					return
				}
				if out, err = do(out[:0], in); err != nil {
					return
				}
				if c.send(out) != nil {
					return
				}
			}
		})
	}
}

// floorConns is the front's end of the wire: connections not in use.
type floorConns struct {
	path string
	mu   sync.Mutex
	idle []*floorConn
}

// do sends one call and waits for its answer.
func (f *floorConns) do(dst, body []byte) ([]byte, error) {
	c, err := f.take()
	if err != nil {
		return dst, err
	}
	if err = c.send(body); err == nil {
		dst, err = c.receive(dst)
	}
	if err != nil {
		_ = c.Close()
		return dst, err
	}
	f.mu.Lock()
	f.idle = append(f.idle, c)
	f.mu.Unlock()
	return dst, nil
}

func (f *floorConns) take() (*floorConn, error) {
	f.mu.Lock()
	if n := len(f.idle); n > 0 {
		c := f.idle[n-1]
		f.idle = f.idle[:n-1]
		f.mu.Unlock()
		return c, nil
	}
	f.mu.Unlock()
	nc, err := net.DialTimeout("unix", f.path, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return &floorConn{Conn: nc}, nil
}
