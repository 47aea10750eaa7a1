package api

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestFrontSlowReader(t *testing.T) {
	var err error
	h := func(w http.ResponseWriter, _ *http.Request) {
		_, err = w.Write(make([]byte, 1<<20))
	}
	inFront(t, nil, h, func(t *testing.T, b *frontBubble) {
		c := b.dial()
		c.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if err == nil {
			t.Error("after 30 s a client that does not read still holds its request")
		}
		if n := b.metric(`front_slow_clients_total{part="answer"}`); n == "0" {
			t.Error("not counted")
		}
	})
}

func TestFrontFlush(t *testing.T) {
	next := make(chan struct{})
	h := func(w http.ResponseWriter, _ *http.Request) {
		w.(http.Flusher).Flush()
		<-next
		io.WriteString(w, "one")
		http.NewResponseController(w).Flush()
		<-next
		if _, _, err := http.NewResponseController(w).Hijack(); !errors.Is(err, http.ErrNotSupported) {
			t.Errorf("hijack: %v, want ErrNotSupported", err)
		}
	}
	inFront(t, nil, h, func(t *testing.T, b *frontBubble) {
		next = make(chan struct{})
		c := b.dial()
		c.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		res, err := http.ReadResponse(c.r, nil)
		if err != nil {
			t.Fatal(err)
		}
		next <- struct{}{}
		var one [3]byte
		if _, err := io.ReadFull(res.Body, one[:]); err != nil || string(one[:]) != "one" {
			t.Errorf("got %q, %v", one, err)
		}
		close(next)
		io.Copy(io.Discard, res.Body)
	})
}

func TestFrontPanics(t *testing.T) {
	h := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/late" {
			io.WriteString(w, "half")
			w.(http.Flusher).Flush()
		}
		if r.URL.Path == "/abort" {
			panic(http.ErrAbortHandler)
		}
		panic("a secret")
	}
	inFront(t, nil, h, func(t *testing.T, b *frontBubble) {
		c := b.dial()
		c.send("GET / HTTP/1.1\r\nHost: h\r\nX-Request-ID: id-1\r\n\r\n")
		res, body := c.answer()
		if res.StatusCode != 500 || strings.Contains(body, "secret") {
			t.Errorf("got %d %s", res.StatusCode, body)
		}
		checkFail(t, res, body, "id-1")
		c.send("GET /late HTTP/1.1\r\nHost: h\r\n\r\n")
		res, err := http.ReadResponse(c.r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(res.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("a broken answer ended with %v, want %v", err, io.ErrUnexpectedEOF)
		}
		c = b.dial()
		c.send("GET /abort HTTP/1.1\r\nHost: h\r\n\r\n")
		c.closed()
		if got := b.metric(`front_panics_total`); got != "2" {
			t.Errorf("panics = %s, want 2", got)
		}
	})
}
