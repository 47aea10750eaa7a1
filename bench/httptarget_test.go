package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func newTarget(t *testing.T, cfg HTTPConfig) *HTTPTarget {
	t.Helper()
	target, err := NewHTTPTarget(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { target.Close() })
	return target
}

// TestEcho: distinct payloads of all sizes come back through every framing,
// from many goroutines, over few connections.
func TestEcho(t *testing.T) {
	payload := func(b []byte, seq int64) []byte {
		b = strconv.AppendInt(b, seq, 10)
		return append(b, bytes.Repeat([]byte{'a' + byte(seq%26)}, int(seq*seq*37%80_000))...)
	}
	var conns atomic.Int64
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		user, password, _ := r.BasicAuth()
		seq, _, _ := strings.Cut(r.URL.Query().Get("seq"), "-")
		n, err := strconv.ParseInt(seq, 10, 64)
		if err != nil || user != "u" || password != "p:q" || r.Header.Get("X-Test") != "yes" || r.Host != "named" {
			t.Errorf("request %v", r)
		}
		switch n % 4 {
		case 0:
			w.Header().Set("Content-Length", strconv.Itoa(len(b)))
			w.Write(b)
		case 1:
			for len(b) > 0 { // in chunks
				k := min(len(b), 7000)
				w.Write(b[:k])
				w.(http.Flusher).Flush()
				b = b[k:]
			}
		case 2:
			w.Header().Set("Trailer", "X-Trailer")
			w.Write(b)
			w.(http.Flusher).Flush()
			w.Header().Set("X-Trailer", "1")
		default:
			w.WriteHeader(http.StatusEarlyHints)
			w.Header().Set("Connection", "close")
			w.Write(b)
		}
	})
	run := func(t *testing.T, start func(*httptest.Server), socket string) {
		s := httptest.NewUnstartedServer(echo)
		s.Config.ConnState = func(_ net.Conn, s http.ConnState) {
			if s == http.StateNew {
				conns.Add(1)
			}
		}
		if socket != "" {
			ln, err := net.Listen("unix", socket)
			if err != nil {
				t.Fatal(err)
			}
			s.Listener = ln
		}
		start(s)
		defer s.Close()
		url := s.URL
		if socket != "" {
			url = "http://here"
		}
		cfg := HTTPConfig{
			URL: url, Socket: socket, User: "u", Password: "p:q", Header: map[string]string{"X-Test": "yes", "host": "named"},
			Path: func(b []byte, seq int64) []byte { return fmt.Appendf(b, "/x?seq=%d-", seq) },
			Body: payload,
			Check: func(seq int64, a Answer, h *Hit) {
				if !bytes.Equal(a.Body, payload(nil, seq)) {
					h.Class = ClassWrongAnswer
				}
			},
		}
		if s.TLS != nil {
			cfg.TLS = s.Client().Transport.(*http.Transport).TLSClientConfig
		}
		target := newTarget(t, cfg)
		r, err := Run(t.Context(), Plan{Arrival: Closed, Concurrency: 5, Count: 100}, target, nil)
		if err != nil || r.Latency.Count() != 100 {
			t.Errorf("%d of 100 good, errors %v: %v", r.Latency.Count(), r.Errors, err)
		}
	}
	t.Run("http", func(t *testing.T) { run(t, (*httptest.Server).Start, "") })
	if n := conns.Load(); n < 25 || n > 35 {
		t.Errorf("%d connections, want one per closed one (25) and client", n)
	}
	t.Run("https", func(t *testing.T) { run(t, (*httptest.Server).StartTLS, "") })
	t.Run("unix", func(t *testing.T) { run(t, (*httptest.Server).Start, filepath.Join(t.TempDir(), "s")) })
}

// scripted answers each connection's requests with the given texts, byte by
// byte if slow, and closes it after the last.
func scripted(t *testing.T, slow bool, answers ...string) (url string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() {
		ln.Close()
		wg.Wait()
	})
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				c.SetDeadline(time.Now().Add(time.Minute))
				in := make([]byte, 4096)
				for _, a := range answers {
					if _, err := c.Read(in); err != nil {
						return
					}
					for len(a) > 0 {
						n := len(a)
						if slow {
							n = 1
						}
						if _, err := c.Write([]byte(a[:n])); err != nil {
							return
						}
						a = a[n:]
					}
				}
			})
		}
	})
	return "http://" + ln.Addr().String()
}

func TestAnswers(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	for _, tt := range []struct {
		name, answer string
		class        string
		body         string
	}{
		{"fixed", ok, "", "ok"},
		{"no text", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "", ""},
		{"interim", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 X\r\nA: b\r\n\r\n" + ok, "", "ok"},
		{"to the end", "HTTP/1.1 200 OK\r\n\r\nall of it", "", "all of it"},
		{"old", "HTTP/1.0 200 OK\r\ncontent-length:  2 \r\n\r\nok", "", "ok"},
		{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2;x=y\r\nok\r\n0003 \r\nabc\r\n0\r\nA: b\r\n\r\n", "", "okabc"},
		{"no content", "HTTP/1.1 204 No Content\r\n\r\n", "", ""},
		{"throttled", "HTTP/1.1 429 Too Many\r\nContent-Length: 1\r\n\r\n!", ClassThrottled, "!"},
		{"client's fault", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", ClassClient, ""},
		{"server's fault", "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", ClassServer, ""},
		{"redirect", "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", ClassBadAnswer, ""},
		{"none", "", ClassLost, "-"},
		{"half a header", "HTTP/1.1 200 OK\r\nContent-", ClassLost, "-"},
		{"half a body", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", ClassLost, "-"},
		{"half a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok", ClassLost, "-"},
		{"too long", "HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n", ClassBadAnswer, "-"},
		{"too long to the end", "HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("x", 2000), ClassBadAnswer, "-"},
		{"too long in chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n", ClassBadAnswer, "-"},
		{"endless chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\n", ClassBadAnswer, "-"},
		{"no chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", ClassBadAnswer, "-"},
		{"chunk without end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokok", ClassBadAnswer, "-"},
		{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok", ClassBadAnswer, "-"},
		{"negative length", "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok", ClassBadAnswer, "-"},
		{"compressed", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", ClassBadAnswer, "-"},
		{"switched", "HTTP/1.1 101 X\r\n\r\n", ClassBadAnswer, "-"},
		{"HTTP/2", "HTTP/2.0 200 OK\r\n\r\n", ClassBadAnswer, "-"},
		{"no status", "HTTP/1.1 2x0 OK\r\n\r\n", ClassBadAnswer, "-"},
		{"no field", "HTTP/1.1 200 OK\r\nwhat\r\n\r\n", ClassBadAnswer, "-"},
		{"interims only", strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 20), ClassBadAnswer, "-"},
		{"endless header", "HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", 20_000), ClassBadAnswer, "-"},
	} {
		for _, slow := range []bool{false, true} {
			if slow && len(tt.answer) > 1000 {
				continue
			}
			t.Run(fmt.Sprintf("%s slow=%t", tt.name, slow), func(t *testing.T) {
				body := "-"
				target := newTarget(t, HTTPConfig{URL: scripted(t, slow, tt.answer), MaxBody: 1000, Check: func(_ int64, a Answer, _ *Hit) { body = string(a.Body) }})
				if got := target.Do(t.Context(), 0); got.Class != tt.class || body != tt.body {
					t.Errorf("class %q, body %q; want %q, %q", got.Class, body, tt.class, tt.body)
				}
			})
		}
	}
}

// TestKept: a connection serves again only if its answer ended where it should.
func TestKept(t *testing.T) {
	const first, second = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2"
	for _, tt := range []struct{ name, first, want string }{
		{"kept", first, "12"},
		{"surplus", first + "HTTP", "11"},
		{"closed", "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 1\r\n\r\n1", "11"},
		{"old", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n1", "11"},
		{"old, kept", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n1", "12"},
		{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n1\r\n0\r\n\r\n", "12"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			target := newTarget(t, HTTPConfig{URL: scripted(t, false, tt.first, second), Check: func(_ int64, a Answer, _ *Hit) { got += string(a.Body) }})
			for range 2 {
				if h := target.Do(t.Context(), 0); h.Class != "" {
					t.Error(h.Class)
				}
			}
			if got != tt.want {
				t.Errorf("answers %s, want %s", got, tt.want)
			}
		})
	}
}

func TestNobodyThere(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	for url, want := range map[string]string{
		"http://" + ln.Addr().String():                                    ClassRefused,
		strings.Replace(scripted(t, false, "no TLS"), "http", "https", 1): ClassTLS,
	} {
		if h := newTarget(t, HTTPConfig{URL: url}).Do(t.Context(), 0); h.Class != want {
			t.Errorf("class %q, want %q", h.Class, want)
		}
	}
}

// TestInterrupt: the end of a context ends its requests, and no others.
func TestInterrupt(t *testing.T) {
	hang := make(chan struct{})
	arrived := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-hang
	}))
	defer s.Close()
	target := newTarget(t, HTTPConfig{URL: s.URL})
	ctx, cancel := context.WithCancel(t.Context())
	classes, others := make(chan string, 1), make(chan string, 1)
	go func() { classes <- target.Do(ctx, 0).Class }()
	<-arrived
	go func() { others <- target.Do(t.Context(), 1).Class }()
	<-arrived
	cancel()
	if got := <-classes; got == "" {
		t.Error("it went on")
	}
	if got := target.Do(ctx, 2).Class; got == "" {
		t.Error("a request under an ended context was made")
	}
	close(hang)
	if got := <-others; got != "" {
		t.Errorf("another's request ended with %q", got)
	}
}

// TestTimeout runs on virtual time over a connection in memory.
func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		go io.Copy(io.Discard, far)
		target := newTarget(t, HTTPConfig{URL: "http://x", Timeout: time.Second})
		c := &httpConn{Conn: near}
		began := time.Now()
		_, _, err := target.exchange(c, began, nil, 0)
		if got := classOf(err); got != ClassTimeout {
			t.Errorf("class %q (%v), want a timeout", got, err)
		}
		if took := time.Since(began); took < time.Second || took > 1250*ms {
			t.Errorf("took %v", took)
		}
		far.Close()
	})
}

func TestBadTargets(t *testing.T) {
	for _, cfg := range []HTTPConfig{
		{},
		{URL: "ftp://x"},
		{URL: "http://"},
		{URL: "http://x\r\n"},
		{URL: "http://x", Method: "GET /"},
		{URL: "http://x", Header: map[string]string{"a": "b\r\nc: d"}},
		{URL: "http://x", Header: map[string]string{"a b": "c"}},
		{URL: "http://x", Header: map[string]string{"Content-length": "1"}},
		{URL: "http://x", Header: map[string]string{"host": "a\nb"}},
	} {
		if _, err := NewHTTPTarget(cfg); err == nil {
			t.Errorf("%+v: no error", cfg)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("error tells: %v", err)
		}
	}
}
