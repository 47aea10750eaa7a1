package api

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestFrontKeepsConnection(t *testing.T) {
	inFront(t, nil, servePong, func(t *testing.T, b *frontBubble) {
		c := b.dial()
		for range 3 {
			c.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			if _, got := c.answer(); got != "pong" {
				t.Fatalf("got %q, want pong", got)
			}
			time.Sleep(69 * time.Second)
		}
		if got, want := b.metric(`front_connections{state="idle"}`), "1"; got != want {
			t.Errorf("idle = %s, want %s", got, want)
		}
		if got, want := c.closed(), time.Second; got != want {
			t.Errorf("an idle connection was closed after 69 s and %v, want %v", got, want)
		}
	})
}

func TestFrontHeader(t *testing.T) {
	long := strings.Repeat("x", 70<<10)
	for _, tt := range []struct {
		name, send string
		status     int
		close      bool
	}{
		{"long target", "GET /" + long[:9<<10] + " HTTP/1.1\r\nHost: h\r\nX-Request-ID: abc\r\n\r\n", 414, false},
		{"longest target", "GET /" + long[:8<<10-1] + " HTTP/1.1\r\nHost: h\r\n\r\n", 200, false},
		{"long header", "GET / HTTP/1.1\r\nHost: h\r\nX: " + long + "\r\n\r\n", 431, true},
		{"longest header", "GET / HTTP/1.1\r\nHost: h\r\nX: " + long[:63<<10] + "\r\n\r\n", 200, false},
		{"no host", "GET / HTTP/1.1\r\n\r\n", 400, true},
		{"bad escape", "GET /100% HTTP/1.1\r\nHost: h\r\n\r\n", 400, true},
		{"control character", "GET /\x01 HTTP/1.1\r\nHost: h\r\n\r\n", 400, true},
		{"HTTP/2 with prior knowledge", "PRI * HTTP/2.0\r\n\r\n", 505, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := func(w http.ResponseWriter, r *http.Request) {
				if r.ProtoMajor != 1 {
					w.WriteHeader(http.StatusHTTPVersionNotSupported)
				}
			}
			inFront(t, nil, h, func(t *testing.T, b *frontBubble) {
				c := b.dial()
				go io.WriteString(c, tt.send) // the server need not take all of it
				res, body := c.answer()
				if res.StatusCode != tt.status {
					t.Errorf("status = %d, want %d", res.StatusCode, tt.status)
				}
				if tt.status == 414 {
					checkFail(t, res, body, "abc")
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

func checkFail(t *testing.T, res *http.Response, body, id string) {
	t.Helper()
	var e struct{ Error, Code string }
	if err := json.Unmarshal([]byte(body), &e); err != nil {
		t.Fatalf("%q: %v", body, err)
	}
	if e.Error == "" || e.Code != id || res.Header.Get("X-Request-ID") != id {
		t.Errorf("got %s, X-Request-ID %q, want a text and the id %q", body, res.Header.Get("X-Request-ID"), id)
	}
	if got := res.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("content type = %q", got)
	}
}

func TestFrontSlowHeader(t *testing.T) {
	for _, tt := range []struct {
		name, first string
	}{
		{"nothing", ""},
		{"part of the first header", "GET / HT"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inFront(t, nil, servePong, func(t *testing.T, b *frontBubble) {
				c := b.dial()
				c.send("%s", tt.first)
				if got, want := c.closed(), 10*time.Second; got != want {
					t.Errorf("closed after %v, want %v", got, want)
				}
			})
		})
	}
	t.Run("dripping second header", func(t *testing.T) {
		inFront(t, nil, servePong, func(t *testing.T, b *frontBubble) {
			c := b.dial()
			c.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
			c.answer()
			c.send("GET / HTTP/1.1\r\n")
			began := time.Now()
			for {
				if _, err := io.WriteString(c, "X: y\r\n"); err != nil {
					break
				}
				time.Sleep(time.Second)
			}
			if got, want := time.Since(began), 11*time.Second; got > want {
				t.Errorf("closed after %v, want at most %v", got, want)
			}
		})
	})
}

func TestFrontFirstHeaderInPieces(t *testing.T) {
	for _, req := range []string{
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody",
		"POST / HTTP/1.1\nHost: h\nContent-Length: 4\n\nbody",
		"POST / HTTP/1.1\r\nHost: h\r\nX: " + strings.Repeat("x", 5000) + "\r\nContent-Length: 4\r\n\r\nbody",
	} {
		for _, piece := range []int{1, 2, 3, 1 << 20} {
			inFront(t, nil, serveCount, func(t *testing.T, b *frontBubble) {
				c := b.dial()
				for rest := req; rest != ""; rest = rest[min(piece, len(rest)):] {
					c.send("%s", rest[:min(piece, len(rest))])
				}
				if _, got := c.answer(); got != "4 <nil>" {
					t.Errorf("got %q", got)
				}
				c.send("%s", req)
				if _, got := c.answer(); got != "4 <nil>" {
					t.Errorf("the second time got %q", got)
				}
			})
		}
	}
}

func TestFrontConfig(t *testing.T) {
	if err := DefaultFrontConfig().Validate(); err != nil {
		t.Errorf("defaults: %v", err)
	}
	for _, edit := range []func(*FrontConfig){
		func(c *FrontConfig) { c.MaxHeader = 100 },
		func(c *FrontConfig) { c.MaxConns = 0 },
		func(c *FrontConfig) { c.MinBodyRate = 0 },
		func(c *FrontConfig) { c.Drain = -1 },
	} {
		c := DefaultFrontConfig()
		edit(&c)
		if c.Validate() == nil {
			t.Errorf("%+v is valid", c)
		}
	}
}

func TestSourceOf(t *testing.T) {
	for _, tt := range []struct {
		addr net.Addr
		want string
	}{
		{&net.TCPAddr{IP: net.ParseIP("192.0.2.7"), Port: 9}, "192.0.2.7/32"},
		{&net.TCPAddr{IP: net.ParseIP("::ffff:192.0.2.7"), Port: 9}, "192.0.2.7/32"},
		{&net.TCPAddr{IP: net.ParseIP("2001:db8:1:2:3::4"), Port: 9}, "2001:db8:1:2::/64"},
		{&net.TCPAddr{IP: net.ParseIP("fe80::1"), Zone: "eth0"}, "fe80::/64"},
	} {
		if got := sourceOf(tt.addr); got != netip.MustParsePrefix(tt.want) {
			t.Errorf("sourceOf(%v) = %v, want %s", tt.addr, got, tt.want)
		}
	}
	if got := sourceOf(&net.UnixAddr{Name: "@"}); got.IsValid() {
		t.Errorf("sourceOf(unix) = %v, want none", got)
	}
}

func TestFrontReplacesReservedID(t *testing.T) {
	inFront(t, nil, servePong, func(t *testing.T, b *frontBubble) {
		c := b.dial()
		c.send("GET /%s HTTP/1.1\r\nHost: h\r\nX-Request-ID: sid_1\r\n\r\n", strings.Repeat("a", 9<<10))
		res, body := c.answer()
		id := res.Header.Get("X-Request-ID")
		if res.StatusCode != 414 || len(id) != 32 || !validRequestID(id) {
			t.Errorf("got %d with the id %q, want 414 with an id of 32 letters and digits", res.StatusCode, id)
		}
		checkFail(t, res, body, id)
	})
}
