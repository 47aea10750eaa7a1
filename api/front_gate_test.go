package api

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

const getRoot = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

// serveForever is a handler whose requests end only with their connection.
func serveForever(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func TestFrontBoundInTotal(t *testing.T) {
	bound := func(c *FrontConfig) { c.MaxConns = 3 }
	h := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/busy" {
			serveForever(w, r)
		}
	}
	inFront(t, bound, h, func(t *testing.T, b *frontBubble) {
		idle := b.dial()
		idle.send(getRoot)
		idle.answer()
		slow := b.dial()
		slow.send("GET /")
		busy := b.dial()
		busy.send("GET /busy HTTP/1.1\r\nHost: h\r\n\r\n")

		fresh := b.dial() // as young as slow, so the idle one goes
		if idle.open() || !slow.open() || !busy.open() || !fresh.open() {
			t.Fatal("not the idle connection was displaced")
		}
		time.Sleep(promptHeader)
		fresh.send(getRoot)
		fresh.answer()
		last := b.dial() // slow has been slow by now
		if slow.open() || !fresh.open() || !busy.open() {
			t.Fatal("not the slow connection was displaced")
		}
		for _, c := range []*frontClient{last, fresh} {
			c.send("GET /busy HTTP/1.1\r\nHost: h\r\n\r\n")
		}
		synctest.Wait()
		if b.dial().open() {
			t.Error("let in beyond the bound, all being served")
		}
		for name, want := range map[string]string{
			`front_connections_accepted_total`:                 "5",
			`front_connections_refused_total{bound="total"}`:   "1",
			`front_connections_shed_total{reason="idle"}`:      "1",
			`front_connections_shed_total{reason="header"}`:    "1",
			`front_connections{state="busy"}`:                  "3",
			`front_connections{state="idle"}`:                  "0",
			`front_connections{state="header"}`:                "0",
			`front_connections_refused_total{bound="address"}`: "0",
		} {
			if got := b.metric(name); got != want {
				t.Errorf("%s = %s, want %s", name, got, want)
			}
		}
		busy.Close()
		time.Sleep(3 * watchEvery)
		synctest.Wait()
		if c := b.dial(); !c.open() {
			t.Error("not let in although there is room")
		}
	})
}

func TestFrontBoundPerAddress(t *testing.T) {
	bound := func(c *FrontConfig) { c.MaxConns = 10; c.MaxConnsPerAddress = 2 }
	inFront(t, bound, serveForever, func(t *testing.T, b *frontBubble) {
		other := b.dialFrom("192.0.2.9")
		first, second := b.dialFrom("2001:db8::1"), b.dialFrom("2001:db8::2")
		third := b.dialFrom("2001:db8::3")
		if first.open() || !second.open() || !third.open() || !other.open() {
			t.Error("a newcomer must displace the first of its own network")
		}
		second.send(getRoot)
		third.send(getRoot)
		synctest.Wait()
		if b.dialFrom("2001:db8::4").open() {
			t.Error("let in beyond the bound, all being served")
		}
		if !b.dialFrom("2001:db8:0:1::1").open() || !other.open() {
			t.Error("one network's bound holds for another")
		}
		if got := b.metric(`front_connections_refused_total{bound="address"}`); got != "1" {
			t.Errorf("refused = %s, want 1", got)
		}
	})
}

func TestFrontHeaderMemory(t *testing.T) {
	bound := func(c *FrontConfig) { c.HeaderMemory = 64 << 10 }
	inFront(t, bound, servePong, func(t *testing.T, b *frontBubble) {
		hoarders := make([]*frontClient, 3)
		for i, kib := range []int{10, 10, 20} { // which take 15, 15 and 31
			hoarders[i] = b.dial()
			hoarders[i].send("GET / HTTP/1.1\r\nX: %s", strings.Repeat("x", kib<<10))
		}
		good := b.dial()
		good.send("GET / HTTP/1.1\r\nHost: h\r\nX: %s\r\n", strings.Repeat("x", 4<<10)) // 7
		if !hoarders[0].open() || !hoarders[1].open() || hoarders[2].open() {
			t.Error("the longest header must go, and no other")
		}
		good.send("\r\n")
		if _, got := good.answer(); got != "pong" {
			t.Errorf("got %q", got)
		}
		hoarders[1].Close()
		synctest.Wait()
		more := b.dial() // what is answered and what has gone is not counted
		more.send("GET / HTTP/1.1\r\nX: %s", strings.Repeat("x", 30<<10))
		if !more.open() || !hoarders[0].open() {
			t.Error("finished headers still count")
		}
		if got := b.metric(`front_connections_shed_total{reason="header_memory"}`); got != "1" {
			t.Errorf("shed = %s, want 1", got)
		}
	})
}

func TestFrontDrain(t *testing.T) {
	h := func(w http.ResponseWriter, r *http.Request) {
		d, err := time.ParseDuration(r.URL.Path[1:])
		if err != nil {
			t.Errorf("path: %v", err)
		}
		select {
		case <-time.After(d):
			io.WriteString(w, "done")
		case <-r.Context().Done():
		}
	}
	t.Run("requests end", func(t *testing.T) {
		inFront(t, nil, h, func(t *testing.T, b *frontBubble) {
			idle, header, busy := b.dial(), b.dial(), b.dial()
			idle.send("GET /0s HTTP/1.1\r\nHost: h\r\n\r\n")
			idle.answer()
			busy.send("GET /20s HTTP/1.1\r\nHost: h\r\n\r\n")
			synctest.Wait()
			b.stop()
			synctest.Wait()
			if header.open() {
				t.Error("a connection without a request outlives the stop")
			}
			if idle.closed() > time.Second {
				t.Error("an idle connection outlives the stop")
			}
			if res, got := busy.answer(); got != "done" || !res.Close {
				t.Errorf("got %q, close %v, want done and the connection's end", got, res.Close)
			}
		})
	})
	t.Run("requests are broken off", func(t *testing.T) {
		inFront(t, nil, h, func(t *testing.T, b *frontBubble) {
			busy := b.dial()
			busy.send("GET /31s HTTP/1.1\r\nHost: h\r\n\r\n")
			synctest.Wait()
			b.stop()
			if got, want := busy.closed(), 30*time.Second; got != want {
				t.Errorf("broken off after %v, want %v", got, want)
			}
		})
	})
}

func TestFrontReportsHandlersThatStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newPipeListener()
		stay := make(chan struct{})
		f := mustFront(t, DefaultFrontConfig(), http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-stay }))
		ctx, stop := context.WithCancel(t.Context())
		stopped := make(chan error, 1)
		go func() { stopped <- f.Serve(ctx, l) }()
		near, far := net.Pipe()
		defer near.Close()
		l.conns <- far
		io.WriteString(near, getRoot)
		synctest.Wait()
		stop()
		if err := <-stopped; err == nil || !strings.Contains(err.Error(), "1 connections") {
			t.Errorf("got %v, want an error with the count", err)
		}
		close(stay)
		synctest.Wait()
	})
}

// fullListener fails as one does without descriptors, then works.
type fullListener struct {
	*pipeListener
	failures int
}

func (l *fullListener) Accept() (net.Conn, error) {
	if l.failures > 0 {
		l.failures--
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return l.pipeListener.Accept()
}

func TestFrontOutOfDescriptors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &fullListener{newPipeListener(), 3}
		ctx, stop := context.WithCancel(t.Context())
		stopped := make(chan error, 1)
		f := mustFront(t, DefaultFrontConfig(), http.HandlerFunc(servePong))
		go func() { stopped <- f.Serve(ctx, l) }()
		near, far := net.Pipe()
		defer near.Close()
		l.conns <- far
		synctest.Wait()
		f.gate.shed()
		if _, err := near.Read(make([]byte, 1)); err == nil {
			t.Error("nothing was displaced")
		}
		stop()
		if err := <-stopped; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}

func TestFrontListenerFails(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := mustFront(t, DefaultFrontConfig(), http.HandlerFunc(servePong)).Serve(t.Context(), l); err == nil {
		t.Error("serving a closed listener succeeded")
	}
}
