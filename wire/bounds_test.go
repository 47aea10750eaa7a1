package wire

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

func textLogger(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

func TestConfigs(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(*ClientConfig, *ServerConfig)
		ok   bool
	}{
		{"default", func(*ClientConfig, *ServerConfig) {}, true},
		{"no pings", func(c *ClientConfig, s *ServerConfig) { c.PingEvery, s.Missed = 0, 0 }, false},
		{"tiny messages", func(c *ClientConfig, s *ServerConfig) { c.MaxMessage, s.MaxMessage = 1, 1 }, false},
		{"short queue", func(c *ClientConfig, s *ServerConfig) { c.MaxQueued, s.MaxQueued = c.MaxMessage, s.MaxMessage }, false},
		{"no room", func(c *ClientConfig, s *ServerConfig) { c.MaxBackoff, s.MaxBytes = 0, 1 }, false},
		{"nobody", func(c *ClientConfig, s *ServerConfig) { c.Dial, s.MaxConnections = nil, 0 }, false},
	} {
		c, s := DefaultClientConfig(), DefaultServerConfig()
		c.Dial = newPipes().Dial
		tt.edit(&c, &s)
		if err := c.Validate(); (err == nil) != tt.ok {
			t.Errorf("%s: client: %v", tt.name, err)
		}
		if err := s.Validate(); (err == nil) != tt.ok {
			t.Errorf("%s: server: %v", tt.name, err)
		}
	}
}

// Beyond a bound calls are refused, and nothing is left counted afterwards.
func TestServerBounds(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(*ServerConfig)
		args int
		held int
	}{
		{"calls", func(c *ServerConfig) { c.MaxCalls = 2 }, 10, 2},
		{"bytes of small calls", func(c *ServerConfig) { c.MaxBytes = 64 << 10 }, 20 << 10, 3},
		{"bytes of large calls", func(c *ServerConfig) { c.MaxBytes = 256 << 10 }, 100 << 10, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, e := newPipes(), &echo{hold: true}
				cfg := DefaultServerConfig()
				tt.edit(&cfg)
				s := trusting(cfg, e)
				run(t, func(ctx context.Context) error { return s.Serve(ctx, p) })
				c := clientOf(t, p.Dial, nil)
				stop := run(t, c.Run)
				synctest.Wait()
				var mu sync.Mutex
				busy := 0
				for range 5 {
					call := newCall()
					call.Args = []byte(`"` + strings.Repeat("x", tt.args) + `"`)
					if err := c.Call(call, func(r whisk.Reply) {
						mu.Lock()
						defer mu.Unlock()
						if r.Kind == whisk.Busy {
							busy++
						}
					}); err != nil {
						t.Fatal(err)
					}
				}
				synctest.Wait()
				if len(e.held) != tt.held || busy != 5-tt.held {
					t.Errorf("%d calls were taken and %d refused, want %d taken", len(e.held), busy, tt.held)
				}
				if len(c.calls) != tt.held {
					t.Errorf("the client counts %d calls", len(c.calls))
				}
				e.held[0](whisk.Reply{Kind: whisk.Busy})
				synctest.Wait()
				stop()
				synctest.Wait()
				if n := s.bytes.Load(); n != 0 || len(c.calls)+len(c.byID) != 0 {
					t.Errorf("%d bytes, %d calls are left counted", n, len(c.calls))
				}
			})
		})
	}
}

func TestClientBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		s := trusting(DefaultServerConfig(), &echo{hold: true})
		run(t, func(ctx context.Context) error { return s.Serve(ctx, p) })
		c := clientOf(t, p.Dial, func(cfg *ClientConfig) { cfg.MaxCalls = 2 })
		run(t, c.Run)
		synctest.Wait()
		first := newCall()
		ignore := func(whisk.Reply) {}
		if err := c.Call(first, ignore); err != nil {
			t.Fatal(err)
		}
		if err := c.Call(first, ignore); err == nil {
			t.Error("one id was taken twice")
		}
		if err := c.Call(newCall(), ignore); err != nil {
			t.Fatal(err)
		}
		if err := c.Call(newCall(), ignore); !errors.Is(err, ErrFull) {
			t.Errorf("third call: %v, want %v", err, ErrFull)
		}
		huge := newCall()
		huge.Args = make([]byte, c.cfg.MaxMessage)
		c.Cancel(first.ID)
		if err := c.Call(huge, ignore); err == nil {
			t.Error("a call beyond the largest message was taken")
		}
		long := newCall()
		target := *long.Target
		long.Target = &target
		long.Target.Exec.Main = strings.Repeat("x", maxHeader)
		if err := c.Call(long, ignore); err == nil {
			t.Error("a header beyond its bound, on which the server would hang up, was taken")
		}
		if len(c.calls) != 1 || len(c.byID) != 1 {
			t.Errorf("%d calls are left", len(c.calls))
		}
	})
}

// Code that no message, or not the queue, can hold drops its call, not the
// connection.
func TestHugeCode(t *testing.T) {
	t.Run("message", func(t *testing.T) { testHugeCode(t, DefaultLimits().MaxMessage, 0) })
	t.Run("queue", func(t *testing.T) { testHugeCode(t, 1, DefaultLimits().MaxQueued) })
}

func testHugeCode(t *testing.T, size, queued int) {
	synctest.Test(t, func(t *testing.T) {
		p, e := newPipes(), &echo{hold: true}
		s := trusting(DefaultServerConfig(), e)
		run(t, func(ctx context.Context) error { return s.Serve(ctx, p) })
		c := clientOf(t, p.Dial, nil)
		run(t, c.Run)
		synctest.Wait()
		replies := make(chan whisk.Reply, 4)
		call := newCall()
		if err := c.Call(call, func(r whisk.Reply) { replies <- r }); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		e.held[0](whisk.Reply{Kind: whisk.NeedCode})
		<-replies
		c.link.mu.Lock()
		c.link.queued += queued // as if so much waited
		c.link.mu.Unlock()
		c.Code(call.ID, make([]byte, size))
		c.link.mu.Lock()
		c.link.queued -= queued
		c.link.mu.Unlock()
		if r := <-replies; r.Kind != whisk.Busy {
			t.Errorf("reply = %v, want busy", r.Kind)
		}
		synctest.Wait()
		if e.cancelled != 1 || p.dials.Load() != 1 || s.bytes.Load() != 0 {
			t.Errorf("cancelled %d, dials %d, %d bytes counted", e.cancelled, p.dials.Load(), s.bytes.Load())
		}
	})
}

// Questions beyond the bound are refused, those that hang end in time.
func TestQuestions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		s := trusting(DefaultServerConfig(), &echo{}) // its Unacked hangs
		run(t, func(ctx context.Context) error { return s.Serve(ctx, p) })
		c := clientOf(t, p.Dial, nil)
		run(t, c.Run)
		synctest.Wait()
		var wg sync.WaitGroup
		ask := func(want string) {
			wg.Go(func() {
				if _, err := c.Unacked(context.Background(), 1); err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %s", err, want)
				}
			})
		}
		begun := time.Now()
		for range maxQuestions {
			ask("deadline")
		}
		synctest.Wait()
		ask(ErrFull.Error())
		synctest.Wait()
		c.mu.Lock() // as if the callers had given up: the invoker has not
		given := c.asked
		c.asked = map[uint64]*question{}
		c.mu.Unlock()
		ask("too many questions")
		synctest.Wait()
		c.mu.Lock()
		c.asked = given
		c.mu.Unlock()
		wg.Wait()
		if got := time.Since(begun); got != questionTime || p.dials.Load() != 1 {
			t.Errorf("took %v and %d dials, want %v and 1", got, p.dials.Load(), questionTime)
		}
		if _, _, err := c.Lookup(t.Context(), newCall().ID); err == nil {
			t.Error("a finished call without a record was believed")
		}
	})
}

func TestMaxConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		var out strings.Builder
		cfg := DefaultServerConfig()
		cfg.MaxConnections, cfg.Logger = 2, textLogger(&out)
		s := trusting(cfg, &echo{})
		stop := run(t, func(ctx context.Context) error { return s.Serve(ctx, p) })
		for i := range 5 {
			conn, err := p.Dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			_ = conn.SetReadDeadline(time.Now().Add(time.Second))
			n, err := conn.Read(make([]byte, 1))
			if refused := n == 0 && errors.Is(err, io.EOF); refused != (i >= 2) {
				t.Errorf("connection %d: refused = %v (%v)", i, refused, err)
			}
		}
		stop()
		if n := strings.Count(out.String(), "too many"); n != 1 {
			t.Errorf("logged %d times, want once: %s", n, out.String())
		}
	})
}

// A server that stops writes what was answered before it closes.
func TestServerStopsGently(t *testing.T) {
	ln, err := Listen("unix:"+t.TempDir()+"/s", nil)
	if err != nil {
		t.Fatal(err)
	}
	e := &echo{hold: true, came: make(chan struct{}, 100)}
	s := NewServer(DefaultServerConfig(), e, hello)
	stop := run(t, func(ctx context.Context) error { return s.Serve(ctx, ln) })
	dial, err := Dialer("unix:"+ln.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	up := make(chan whisk.Hello, 8)
	c := clientOf(t, dial, func(cfg *ClientConfig) { cfg.OnUp = func(h whisk.Hello) { up <- h } })
	run(t, c.Run)
	<-up
	const calls = 20
	replies := make(chan whisk.Reply, 2*calls)
	for range calls {
		if err := c.Call(newCall(), func(r whisk.Reply) { replies <- r }); err != nil {
			t.Fatal(err)
		}
	}
	for range calls {
		<-e.came
	}
	for _, reply := range e.held {
		reply(whisk.Reply{Kind: whisk.Done, Record: newRecord(`"` + strings.Repeat("x", 100<<10) + `"`)})
	}
	stop()
	for range calls {
		if r := <-replies; r.Kind != whisk.Done {
			t.Fatalf("reply = %v, want done", r.Kind)
		}
	}
}

// A client that stops writes its acknowledgements before it hangs up.
func TestClientStopsGently(t *testing.T) {
	ln, err := Listen("unix:"+t.TempDir()+"/s", nil)
	if err != nil {
		t.Fatal(err)
	}
	e := &echo{}
	s := NewServer(DefaultServerConfig(), e, hello)
	stopServer := run(t, func(ctx context.Context) error { return s.Serve(ctx, ln) })
	dial, err := Dialer("unix:"+ln.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	up := make(chan whisk.Hello, 8)
	c := clientOf(t, dial, func(cfg *ClientConfig) { cfg.OnUp = func(h whisk.Hello) { up <- h } })
	stop := run(t, c.Run)
	<-up
	ids := make([]whisk.ActivationID, 50*idsPerAck)
	c.Ack(ids...)
	stop()
	stopServer()
	if e.acked != len(ids) {
		t.Errorf("%d of %d acknowledgements came", e.acked, len(ids))
	}
}
