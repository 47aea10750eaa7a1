package bench

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"
)

// TestShortWrite: a request that the kernel takes in pieces arrives whole.
func TestShortWrite(t *testing.T) {
	ln, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	got := make(chan []byte, 1)
	go func() {
		var body []byte
		defer func() { got <- body }()
		s, err := ln.Accept()
		if err != nil {
			return
		}
		defer s.Close()
		r, err := http.ReadRequest(bufio.NewReader(s))
		if err != nil {
			return
		}
		body, _ = io.ReadAll(r.Body)
		io.WriteString(s, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	}()
	nc, err := net.Dial("unix", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if err := nc.(*net.UnixConn).SetWriteBuffer(2048); err != nil {
		t.Fatal(err)
	}
	want := bytes.Repeat([]byte("0123456789abcdef"), inOneWrite/16)
	target := newTarget(t, HTTPConfig{URL: "http://x", Body: func(b []byte, _ int64) []byte { return append(b, want...) }})
	c := &httpConn{Conn: nc}
	c.newTurn()
	if c.turn.raw == nil {
		t.Fatal("a unix socket has no turns")
	}
	a, _, err := target.exchange(c, time.Now(), nil, 0)
	if err != nil || string(a.Body) != "ok" {
		t.Errorf("answer %q: %v", a.Body, err)
	}
	if c.turn.sent >= len(c.head) {
		t.Error("the kernel took all at once: this shows nothing")
	}
	if body := <-got; !bytes.Equal(body, want) {
		t.Errorf("%d bytes arrived, want %d", len(body), len(want))
	}
}

// TestNoAnswer: turns end at their deadline.
func TestNoAnswer(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0") // connections wait to be accepted
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	target := newTarget(t, HTTPConfig{URL: "http://" + ln.Addr().String(), Timeout: 20 * ms})
	if got := target.Do(t.Context(), 0).Class; got != ClassTimeout {
		t.Errorf("class %q, want a timeout", got)
	}
}
