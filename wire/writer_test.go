package wire

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

// sockets returns the two ends of a connection: a unix socket, or TLS.
func sockets(t *testing.T, sealed bool) (a, b net.Conn) {
	t.Helper()
	addr, server, client := "unix:"+filepath.Join(t.TempDir(), "s"), (*tls.Config)(nil), (*tls.Config)(nil)
	if sealed {
		ca := newAuthority(t)
		var err error
		if server, err = ServerTLS(ca.issue(t, "invoker", RoleInvoker, "127.0.0.1")); err != nil {
			t.Fatal(err)
		}
		if client, err = ClientTLS(ca.issue(t, "router", RoleRouter)); err != nil {
			t.Fatal(err)
		}
		addr = "127.0.0.1:0"
	}
	ln, err := Listen(addr, server)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if sealed {
		addr = ln.Addr().String()
	}
	dial, err := Dialer(addr, client)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		conn, err := ln.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		if c, ok := conn.(*tls.Conn); ok {
			if err := c.HandshakeContext(t.Context()); err != nil {
				t.Error(err)
			}
		}
		b = conn
	})
	if a, err = dial(t.Context()); err != nil {
		t.Fatal(err)
	}
	return a, b
}

// eachSocket runs the test over both kinds of connection.
func eachSocket(t *testing.T, f func(t *testing.T, a, b net.Conn)) {
	for name, sealed := range map[string]bool{"unix": false, "tls": true} {
		t.Run(name, func(t *testing.T) {
			a, b := sockets(t, sealed)
			f(t, a, b)
		})
	}
}

// Whoever sends writes at once, and what it writes arrives in order, be it small
// or large, with others or alone.
func TestDirect(t *testing.T) {
	eachSocket(t, func(t *testing.T, ca, cb net.Conn) {
		a, b := newLink(ca, 16<<20, 32<<20, 10*time.Second), newLink(cb, 16<<20, 32<<20, 10*time.Second)
		var wg sync.WaitGroup
		defer wg.Wait()
		defer a.shut(nil)
		defer b.shut(nil)
		wg.Go(a.write)
		if _, err := readPreface(b.in); err != nil {
			t.Fatal(err)
		}
		sizes := []int{0, 10, maxWhole, maxFrame, 4 * maxFrame, 1, 2 * maxFrame, 100}
		const rounds = 3
		wg.Go(func() {
			for n := range rounds * len(sizes) {
				if err := a.send(frameCode, 1, nil, bytes.Repeat([]byte{byte(n)}, sizes[n%len(sizes)])); err != nil {
					t.Error(err)
				}
				a.calls.Store(int32(n % (2 * crowd)))
			}
		})
		n := 0
		err := b.read(yes, func() {}, func(f frame) error {
			code, _, err := nextPart(f.payload)
			if want := bytes.Repeat([]byte{byte(n)}, sizes[n%len(sizes)]); err != nil || !bytes.Equal(code, want) {
				t.Fatalf("message %d has %d bytes, want %d, %v", n, len(code), len(want), err)
			}
			if n++; n == rounds*len(sizes) {
				return io.EOF
			}
			return nil
		})
		if !errors.Is(err, io.EOF) {
			t.Errorf("after %d messages: %v", n, err)
		}
	})
}

// Nobody who sends waits for a peer that does not read, and what counts as sent
// when the connection breaks is all that the peer can have.
func TestSentDirect(t *testing.T) {
	eachSocket(t, func(t *testing.T, ca, cb net.Conn) {
		l := newLink(ca, 16<<20, 32<<20, time.Hour)
		var wg sync.WaitGroup
		wg.Go(l.write)
		var marks []mark
		for size := 100; ; size = size*5/4 + 1 {
			var at mark
			if err := l.sendMarked(&at, frameCode, uint64(len(marks)), nil, make([]byte, min(size, maxWhole-100))); err != nil {
				t.Fatal(err)
			}
			marks = append(marks, at)
			l.mu.Lock()
			stuck := l.queued > 4*maxDirect
			l.mu.Unlock()
			if stuck {
				break
			}
		}
		l.shut(nil)
		wg.Wait()
		sent := 0
		for i, at := range marks {
			if l.sent(at) {
				sent++
			} else if slices.ContainsFunc(marks[i:], l.sent) {
				t.Errorf("message %d was not sent, but a later one was", i)
			}
		}
		peer := newLink(cb, 16<<20, 32<<20, time.Second)
		peer.ready = nil // it only reads
		defer peer.shut(nil)
		if _, err := readPreface(peer.in); err != nil {
			t.Fatal(err)
		}
		got := 0
		_ = peer.read(yes, func() {}, func(frame) error { got++; return nil })
		if _, sealed := ca.(*tls.Conn); got > sent || got < sent && !sealed {
			t.Errorf("%d messages count as sent, %d arrived", sent, got)
		}
		if sent == 0 || sent == len(marks) {
			t.Errorf("%d of %d messages count as sent", sent, len(marks))
		}
	})
}

// The farewell comes behind all that was sent.
func TestFinish(t *testing.T) {
	eachSocket(t, func(t *testing.T, ca, cb net.Conn) {
		l := newLink(ca, 16<<20, 32<<20, 10*time.Second)
		var wg sync.WaitGroup
		defer wg.Wait()
		wg.Go(l.write)
		ids := make([]whisk.ActivationID, 10*idsPerAck+1)
		if err := errors.Join(l.ack(ids), l.send(frameCode, 1, nil, make([]byte, 5*maxFrame))); err != nil {
			t.Fatal(err)
		}
		wg.Go(func() { l.finish(10 * time.Second) })
		wg.Go(func() { l.shut(l.read(yes, func() {}, func(frame) error { return nil })) })
		peer := newLink(cb, 16<<20, 32<<20, time.Second)
		if _, err := readPreface(peer.in); err != nil {
			t.Fatal(err)
		}
		acked, code := 0, 0
		err := peer.read(yes, func() {}, func(f frame) error {
			b, _, err := nextPart(f.payload)
			if f.typ == frameAck {
				acked += len(b) / len(whisk.ActivationID{})
			} else {
				code += len(b)
			}
			return err
		})
		peer.shut(nil)
		if !errors.Is(err, io.EOF) || acked != len(ids) || code != 5*maxFrame {
			t.Errorf("%d ids and %d bytes of code arrived, then %v", acked, code, err)
		}
	})
}

// Acknowledgements go with what is sent next, or soon.
func TestAcksWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := linked(t, 1<<20)
		if _, err := readPreface(b.in); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		type got struct {
			typ   frameType
			bytes int
			after time.Duration
		}
		var came []got
		go func() {
			_ = b.read(yes, func() {}, func(f frame) error {
				came = append(came, got{f.typ, f.size, time.Since(begun)})
				return nil
			})
		}()
		send := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		send(a.ack(make([]whisk.ActivationID, 1)))
		send(a.ack(make([]whisk.ActivationID, 2)))
		time.Sleep(ackDelay / 2)
		send(a.send(framePing, 0, nil))
		time.Sleep(ackDelay)
		send(a.ack(make([]whisk.ActivationID, 1)))
		time.Sleep(2 * ackDelay)
		send(a.ack(make([]whisk.ActivationID, idsPerAck)))
		want := []got{
			{framePing, 0, ackDelay / 2}, {frameAck, 4 + 3*16, ackDelay / 2},
			{frameAck, 4 + 16, ackDelay * 5 / 2},
			{frameAck, 4 + idsPerAck*16, ackDelay * 7 / 2},
		}
		if !slices.Equal(came, want) {
			t.Errorf("got %+v, want %+v", came, want)
		}
		if a.queued != 0 {
			t.Errorf("%d bytes are counted as queued", a.queued)
		}
	})
}

// What is sent while a burst of messages is handled is written at its end.
func TestCork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ca, cb := net.Pipe()
		l := newLink(ca, 1<<20, 1<<20, time.Minute)
		go l.write()
		defer l.shut(nil)
		peer := newLink(cb, 1<<20, 1<<20, time.Minute)
		if _, err := readPreface(peer.in); err != nil {
			t.Fatal(err)
		}
		const pings = corkEvery * 5 / 2
		go func() {
			_ = l.read(yes, func() {}, func(f frame) error { return l.send(framePong, f.number, nil) })
		}()
		if _, err := cb.Write(bytes.Repeat(framed(framePing, 0), pings)); err != nil {
			t.Fatal(err)
		}
		var sizes []int
		for left := pings * headSize; left > 0; {
			b := make([]byte, pings*headSize)
			synctest.Wait()
			n, err := cb.Read(b)
			if err != nil {
				t.Fatal(err)
			}
			sizes = append(sizes, n/headSize)
			left -= n
		}
		if len(sizes) > 4 {
			t.Errorf("%d answers were written in %d pieces, %v", pings, len(sizes), sizes)
		}
	})
}
