package api

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestFrontSlowBody(t *testing.T) {
	for _, tt := range []struct {
		name   string
		pieces int // of 100 bytes
		pause  time.Duration
		status int
		took   time.Duration
	}{
		{"at once", 10, 0, 200, 0},
		{"just fast enough", 1000, 90 * time.Millisecond, 200, 1000 * 90 * time.Millisecond},
		{"silent", 0, 0, 408, 5 * time.Second},
		{"too slow", 100, time.Second, 408, 5*time.Second + 488*time.Millisecond},
		{"pause within the grace", 1, 4900 * time.Millisecond, 200, 4900 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inFront(t, nil, serveCount, func(t *testing.T, b *frontBubble) {
				c := b.dial()
				began := time.Now()
				c.send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", max(tt.pieces, 1)*100)
				go func() {
					for range tt.pieces {
						time.Sleep(tt.pause)
						if _, err := c.Write(make([]byte, 100)); err != nil {
							return
						}
					}
				}()
				res, body := c.answer()
				if res.StatusCode != tt.status {
					t.Errorf("status = %d, want %d (%s)", res.StatusCode, tt.status, body)
				}
				if got := time.Since(began).Truncate(time.Millisecond); got != tt.took {
					t.Errorf("took %v, want %v", got, tt.took)
				}
				slow := "0"
				if tt.status == 408 {
					slow = "1"
					if !res.Close {
						t.Error("the answer does not say that the connection closes")
					}
					if got, want := c.closed(), linger; got > want {
						t.Errorf("closed after %v, want at most %v", got, want)
					}
				}
				if got := b.metric(`front_slow_clients_total{part="body"}`); got != slow {
					t.Errorf("slow bodies = %s, want %s", got, slow)
				}
			})
		})
	}
}

func TestFrontSlowHandlerIsNotTheClients(t *testing.T) {
	h := func(w http.ResponseWriter, r *http.Request) {
		var b [1]byte
		for range 3 {
			time.Sleep(time.Minute)
			if _, err := io.ReadFull(r.Body, b[:]); err != nil {
				t.Errorf("read: %v", err)
			}
		}
		if err := r.Context().Err(); err != nil {
			t.Errorf("context: %v", err)
		}
		serveCount(w, r)
	}
	inFront(t, nil, h, func(t *testing.T, b *frontBubble) {
		c := b.dial()
		c.send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n12345")
		if _, got := c.answer(); got != "2 <nil>" {
			t.Errorf("got %q", got)
		}
	})
}

// After a body's end the connection is watched; a read deadline left behind
// would cancel the request.
func TestFrontRequestOutlivesItsBody(t *testing.T) {
	for _, body := range []string{
		"Content-Length: 4\r\n\r\nbody",
		"Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
	} {
		h := func(w http.ResponseWriter, r *http.Request) {
			io.ReadAll(r.Body)
			r.Body.Read(make([]byte, 1))
			select {
			case <-r.Context().Done():
				t.Error("the request was cancelled")
			case <-time.After(time.Hour):
			}
		}
		inFront(t, nil, h, func(t *testing.T, b *frontBubble) {
			c := b.dial()
			c.send("POST / HTTP/1.1\r\nHost: h\r\n%s", body)
			c.answer()
			if !c.open() {
				t.Error("the connection was closed")
			}
		})
	}
}

func TestFrontLeavingClientCancelsRequest(t *testing.T) {
	cancelled := false
	h := func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		cancelled = true
	}
	inFront(t, nil, h, func(t *testing.T, b *frontBubble) {
		c := b.dial()
		c.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		c.Close()
		time.Sleep(3 * watchEvery)
		synctest.Wait()
		if !cancelled {
			t.Error("the request was not cancelled")
		}
	})
}

func TestFrontUnreadBody(t *testing.T) {
	refuse := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }
	closer := func(w http.ResponseWriter, r *http.Request) { r.Body.Close(); refuse(w, r) }
	for _, tt := range []struct {
		name   string
		header string
		sent   int // bytes of the body sent at once
		h      http.HandlerFunc
		close  bool
		took   time.Duration // until the answer
	}{
		{"small", "Content-Length: 1000", 1000, refuse, false, 0},
		{"small, closed by the handler", "Content-Length: 1000", 1000, closer, false, 0},
		{"small, never sent", "Content-Length: 1000", 0, refuse, true, linger},
		{"large", "Content-Length: 50000000", 0, refuse, true, 0},
		{"middling", "Content-Length: 100000", 0, refuse, true, 0},
		{"middling, closed by the handler", "Content-Length: 100000", 0, closer, true, 0},
		{"chunked", "Transfer-Encoding: chunked", 0, refuse, true, 0},
		{"expecting 100", "Content-Length: 50000000\r\nExpect: 100-continue", 0, refuse, true, 0},
		{"small, expecting 100", "Content-Length: 100\r\nExpect: 100-continue", 0, refuse, true, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inFront(t, nil, tt.h, func(t *testing.T, b *frontBubble) {
				c := b.dial()
				began := time.Now()
				c.send("PUT / HTTP/1.1\r\nHost: h\r\n%s\r\n\r\n", tt.header)
				if tt.sent > 0 {
					c.send("%s", strings.Repeat("b", tt.sent))
				}
				res, _ := c.answer()
				if res.StatusCode != http.StatusUnauthorized {
					t.Errorf("status = %d, want 401", res.StatusCode)
				}
				if got := time.Since(began); got != tt.took {
					t.Errorf("answered after %v, want %v", got, tt.took)
				}
				if !tt.close {
					if !c.open() {
						t.Error("the connection was closed")
					}
					return
				}
				if got := c.closed(); got > 2*linger {
					t.Errorf("closed after %v, want at most %v", got, 2*linger)
				}
			})
		})
	}
}

func TestFrontExpectContinue(t *testing.T) {
	inFront(t, nil, serveCount, func(t *testing.T, b *frontBubble) {
		c := b.dial()
		c.send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
		if line, err := c.r.ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" {
			t.Fatalf("got %q, %v", line, err)
		}
		c.r.ReadString('\n')
		c.send("body")
		if _, got := c.answer(); got != "4 <nil>" {
			t.Errorf("got %q", got)
		}
	})
}
