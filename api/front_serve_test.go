package api

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// serveEcho answers with method, body and host.
func serveEcho(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	_, _ = io.WriteString(w, r.Method+" "+string(b)+" "+r.Host)
}

func TestFrontRequests(t *testing.T) {
	for _, tt := range []struct {
		name, send string
		status     int
		body       string
		close      bool
	}{
		{"no body", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", 200, "GET  h", false},
		{"a length", "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab", 200, "PUT ab h", false},
		{"chunks", "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n", 200, "PUT ab h", false},
		{"bare line feeds", "GET / HTTP/1.1\nHost: h\n\n", 200, "GET  h", false},
		{"absolute target", "GET http://other/ HTTP/1.1\r\nHost: h\r\n\r\n", 200, "GET  other", false},
		{"asks to close", "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 200, "GET  h", true},
		{"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", 200, "GET  ", true},
		{"HTTP/1.0, kept", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200, "GET  ", false},
		{"length and chunks", "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", 200, "PUT a h", true},
		{"two lengths", "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400, "", true},
		{"two hosts", "GET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n", 400, "", true},
		{"a host that is none", "GET / HTTP/1.1\r\nHost: h/\r\n\r\n", 400, "", true},
		{"unknown encoding", "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "", true},
		{"a bad length", "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", 400, "", true},
		{"a space in a name", "GET / HTTP/1.1\r\nHost: h\r\nA B: c\r\n\r\n", 400, "", true},
		{"a control character", "GET / HTTP/1.1\r\nHost: h\r\nA: b\x01c\r\n\r\n", 400, "", true},
		{"no HTTP", "hello\r\n\r\n", 400, "", true},
		{"unknown expectation", "PUT / HTTP/1.1\r\nHost: h\r\nExpect: cake\r\nContent-Length: 1\r\n\r\na", 417, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inFront(t, nil, serveEcho, func(t *testing.T, b *frontBubble) {
				c := b.dial()
				c.send("%s", tt.send)
				res, body := c.answer()
				if res.StatusCode != tt.status || tt.body != "" && body != tt.body {
					t.Errorf("got %d %q, want %d %q", res.StatusCode, body, tt.status, tt.body)
				}
				synctest.Wait()
				if tt.close {
					c.closed()
				} else if !c.open() {
					t.Error("the connection was closed")
				}
			})
		})
	}
}

func TestFrontPipeline(t *testing.T) {
	inFront(t, nil, serveEcho, func(t *testing.T, b *frontBubble) {
		c := b.dial()
		go c.send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\naGET / HTTP/1.1\r\nHost: h\r\n\r\nPUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nb")
		for _, want := range []string{"PUT a h", "GET  h", "PUT b h"} {
			if _, got := c.answer(); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
	})
}

// A request that comes while the one before is being served, and watched, is
// served after it.
func TestFrontRequestWhileWatched(t *testing.T) {
	h := func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(time.Minute):
		case <-r.Context().Done():
			t.Error("cancelled")
		}
		serveEcho(w, r)
	}
	inFront(t, nil, h, func(t *testing.T, b *frontBubble) {
		c := b.dial()
		c.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		time.Sleep(10 * time.Second)
		go c.send("GET / HTTP/1.1\r\nHost: i\r\n\r\n")
		for _, want := range []string{"GET  h", "GET  i"} {
			if _, got := c.answer(); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
	})
}

func TestFrontAnswers(t *testing.T) {
	long := strings.Repeat("x", holdBody+1)
	write := func(parts ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for _, p := range parts {
				_, _ = io.WriteString(w, p)
			}
		}
	}
	for _, tt := range []struct {
		name, method, proto string
		h                   http.HandlerFunc
		length              int64
		body                string
		close               bool
	}{
		{name: "empty", h: write(), length: 0},
		{name: "short", h: write("a", "b"), length: 2, body: "ab"},
		{name: "long", h: write("a", long, "b"), length: -1, body: "a" + long + "b"},
		{name: "long, for HTTP/1.0", proto: "HTTP/1.0\r\nConnection: keep-alive", h: write("a", long), length: -1, body: "a" + long, close: true},
		{name: "HEAD", method: "HEAD", h: write("ab"), length: 2},
		{name: "HEAD, long", method: "HEAD", h: write(long), length: int64(len(long))},
		{name: "no content", h: func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNoContent)
			if _, err := io.WriteString(w, "a"); err == nil {
				t.Error("a body for 204 was taken")
			}
		}},
		{name: "more than declared", h: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1")
			_, _ = io.WriteString(w, "a")
			if _, err := io.WriteString(w, "b"); err == nil {
				t.Error("a byte beyond the declared length was taken")
			}
		}, length: 1, body: "a"},
		{name: "headers that would break the answer", h: func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["A"] = []string{"b\r\nContent-Length: 77\r\n\r\nno"}
			w.Header()["C D"] = []string{"e"}
			_, _ = io.WriteString(w, "a")
		}, length: 1, body: "a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inFront(t, nil, tt.h, func(t *testing.T, b *frontBubble) {
				method, proto := "GET", "HTTP/1.1"
				if tt.method != "" {
					method = tt.method
				}
				if tt.proto != "" {
					proto = tt.proto
				}
				c := b.dial()
				c.send("%s / %s\r\nHost: h\r\n\r\n", method, proto)
				res, err := http.ReadResponse(c.r, &http.Request{Method: method})
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(res.Body)
				if err != nil || string(body) != tt.body || res.ContentLength != tt.length {
					t.Errorf("got %d bytes %q, %v, length %d, want %q, length %d", len(body), body[:min(len(body), 20)], err, res.ContentLength, tt.body, tt.length)
				}
				if _, err := http.ParseTime(res.Header.Get("Date")); err != nil {
					t.Errorf("date: %v", err)
				}
				if tt.close {
					c.closed()
				} else if !c.open() {
					t.Error("the connection was closed")
				}
			})
		})
	}
}

// An answer that is shorter than it says must not look whole.
func TestFrontShortAnswer(t *testing.T) {
	h := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(5))
		_, _ = io.WriteString(w, "four")
	}
	inFront(t, nil, h, func(t *testing.T, b *frontBubble) {
		c := b.dial()
		c.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		res, err := http.ReadResponse(c.r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(res.Body); err != io.ErrUnexpectedEOF {
			t.Errorf("got %q, %v, want %v", got, err, io.ErrUnexpectedEOF)
		}
	})
}

func FuzzFront(f *testing.F) {
	for _, s := range []string{
		"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
		"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nabGET / HTTP/1.1\r\nHost: h\r\n\r\n",
		"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/1.0\r\n\r\n", "\x16\x03\x01\x00",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		inFront(t, nil, serveEcho, func(t *testing.T, b *frontBubble) {
			c := b.dial()
			go io.Copy(io.Discard, c.Conn)
			_, _ = c.Write(sent)
			time.Sleep(2 * time.Minute)
			if got := b.metric(`front_panics_total`); got != "0" {
				t.Errorf("panics = %s", got)
			}
			if got := b.metric(`front_connections{state="busy"}`); got != "0" {
				t.Errorf("busy = %s after two minutes", got)
			}
		})
	})
}
