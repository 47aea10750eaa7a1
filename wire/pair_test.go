package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

// echo is an invoker that finishes each call at once, with its arguments as
// the result, or holds it.
type echo struct {
	hold bool
	came chan struct{} // if not nil, told of each call that is held

	mu        sync.Mutex
	held      []func(whisk.Reply)
	cancelled int
	acked     int
}

func (e *echo) Call(c *whisk.Call, reply func(whisk.Reply)) error {
	e.mu.Lock()
	hold := e.hold
	if hold {
		e.held = append(e.held, reply)
	}
	e.mu.Unlock()
	if e.came != nil {
		e.came <- struct{}{}
	}
	if !hold {
		a := c.Record()
		a.Response.Result = c.Args
		reply(whisk.Reply{Kind: whisk.Done, Record: a})
	}
	return nil
}

func (e *echo) Go(whisk.ActivationID) {}
func (e *echo) Cancel(whisk.ActivationID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.cancelled++
}
func (e *echo) Code(whisk.ActivationID, []byte) {}
func (e *echo) Ack(ids ...whisk.ActivationID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.acked += len(ids)
}
func (e *echo) Lookup(context.Context, whisk.ActivationID) (whisk.CallState, *whisk.Activation, error) {
	return whisk.FinishedCall, nil, nil
}
func (e *echo) Unacked(ctx context.Context, _ int) ([]*whisk.Activation, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func hello() whisk.Hello { return whisk.Hello{ID: "echo", Incarnation: "1"} }

// pipes is a listener and a dialer of in-memory connections.
type pipes struct {
	conns chan net.Conn
	gone  chan struct{}
	once  sync.Once
	dials atomic.Int64
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), gone: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.gone:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { p.once.Do(func() { close(p.gone) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{} }
func (p *pipes) Dial(ctx context.Context) (net.Conn, error) {
	p.dials.Add(1)
	mine, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return mine, nil
	case <-p.gone:
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// trusting returns a server that trusts every connection.
func trusting(cfg ServerConfig, v Invoker) *Server {
	s := NewServer(cfg, v, hello)
	s.trust = func(context.Context, net.Conn) error { return nil }
	return s
}

// run runs f until the test ends.
func run(t testing.TB, f func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := f(ctx); err != nil {
			t.Error(err)
		}
	}()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

func clientOf(t testing.TB, dial Dial, edit func(*ClientConfig)) *Client {
	cfg := DefaultClientConfig()
	cfg.Name, cfg.Dial = "test", dial
	if edit != nil {
		edit(&cfg)
	}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	return NewClient(cfg)
}

// An invoker whose reader hangs is found out by its missing pongs.
func TestPings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		begun := time.Now()
		downs := make(chan error, 1)
		c := clientOf(t, p.Dial, func(cfg *ClientConfig) { cfg.OnDown = func(err error) { downs <- err } })
		run(t, c.Run)
		conn := <-p.conns
		l := newLink(conn, 1<<20, 2<<20, time.Minute)
		go l.write()
		defer l.shut(nil)
		var who peer
		if err := l.greet(hello(), &who, time.Second); err != nil || who.Role != RoleRouter {
			t.Fatalf("hello %v, %v", who, err)
		}
		go func() { _, _ = io.Copy(io.Discard, conn) }()
		synctest.Wait()
		lost := make(chan whisk.Reply, 1)
		if err := c.Call(newCall(), func(r whisk.Reply) { lost <- r }); err != nil {
			t.Fatal(err)
		}
		if err := <-downs; !errors.Is(err, errSilent) {
			t.Errorf("down because of %v, want %v", err, errSilent)
		}
		if got := time.Since(begun); got < 10*time.Second || got > 12*time.Second {
			t.Errorf("found out after %v, want about 10s", got)
		}
		if r := <-lost; r.Kind != whisk.Lost {
			t.Errorf("reply = %v, want lost", r.Kind)
		}
		_ = p.Close()
	})
}

func TestIdleConnectionStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		s := trusting(DefaultServerConfig(), &echo{})
		run(t, func(ctx context.Context) error { return s.Serve(ctx, p) })
		c := clientOf(t, p.Dial, nil)
		run(t, c.Run)
		time.Sleep(time.Hour)
		if n := p.dials.Load(); n != 1 {
			t.Errorf("dialled %d times, want 1", n)
		}
	})
}

// A router that says nothing any more is disconnected.
func TestSilentRouter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		s := trusting(DefaultServerConfig(), &echo{})
		run(t, func(ctx context.Context) error { return s.Serve(ctx, p) })
		for _, speaks := range []bool{true, false} {
			begun := time.Now()
			conn, err := p.Dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if speaks {
				b := append([]byte(preface), Version)
				if _, err := conn.Write(append(b, framed(frameHello, 0, []byte(`{"role":"router"}`))...)); err != nil {
					t.Fatal(err)
				}
			}
			_, _ = io.Copy(io.Discard, conn)
			if got, want := time.Since(begun), map[bool]time.Duration{true: 11 * time.Second, false: 5 * time.Second}[speaks]; got != want {
				t.Errorf("speaks %v: disconnected after %v, want %v", speaks, got, want)
			}
		}
		synctest.Wait()
		if n := s.connections.Load(); n != 0 {
			t.Errorf("%d connections are counted", n)
		}
	})
}

func TestRedialBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Time
		c := clientOf(t, func(context.Context) (net.Conn, error) {
			at = append(at, time.Now())
			return nil, errors.New("refused")
		}, nil)
		stop := run(t, c.Run)
		time.Sleep(time.Minute)
		stop()
		last := at[len(at)-1].Sub(at[len(at)-2])
		first := at[1].Sub(at[0])
		if first > 20*time.Millisecond || last < time.Second || last > 2*time.Second || len(at) > 80 {
			t.Errorf("%d dials, first pause %v, last %v", len(at), first, last)
		}
		if err := c.Call(newCall(), nil); !errors.Is(err, ErrDown) {
			t.Errorf("call: %v, want %v", err, ErrDown)
		}
	})
}

// A router of a newer version is spoken to in this one.
func TestNewerRouter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		s := trusting(DefaultServerConfig(), &echo{})
		run(t, func(ctx context.Context) error { return s.Serve(ctx, p) })
		conn, err := p.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		l := newLink(conn, 1<<20, 2<<20, time.Minute)
		l.ready[len(preface)] = Version + 1
		go l.write()
		defer l.shut(nil)
		var h whisk.Hello
		if err := l.greet(map[string]any{"role": RoleRouter, "new": 1}, &h, time.Second); err != nil || l.version != Version || h.ID == "" {
			t.Fatalf("version %d, hello %+v, %v", l.version, h, err)
		}
		c := newCall()
		if err := l.sendCall(new(mark), 1, c); err != nil {
			t.Fatal(err)
		}
		err = l.read(yes, func() {}, func(f frame) error {
			if r, err := decodeReply(f.payload, false, c); err != nil || r.Record.ID != c.ID {
				t.Errorf("got %+v, %v", r, err)
			}
			return io.EOF
		})
		if !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	})
}

// What breaks the protocol ends the connection, and only that.
func TestMisbehavingRouter(t *testing.T) {
	greeting := string(append([]byte(preface), Version)) + string(framed(frameHello, 0, []byte(`{"role":"router"}`)))
	oneCall := string(framed(frameCall, 1, callHeader(newCall()), nil, nil))
	setting := appendSetting([]byte{0}, newCall())
	for _, tt := range []struct{ name, text, log string }{
		{"not the protocol", "GET / HTTP/1.1\r\n\r\n", "does not speak"},
		{"an old version", preface + "\x01", "version 1"},
		{"an invoker", string(append([]byte(preface), Version)) + string(framed(frameHello, 0, []byte(`{"role":"invoker"}`))), "want a router"},
		{"call before hello", string(append([]byte(preface), Version)) + oneCall, "before the hello"},
		{"reply", greeting + string(framed(frameReply, 1, []byte("{}"))), "sent a message"},
		{"second hello", greeting + string(framed(frameHello, 0, []byte("{}"))), "sent a message"},
		{"unknown type", greeting + strings.Repeat("\xff", headSize), "frame type"},
		{"broken call", greeting + string(framed(frameCall, 1, []byte("{"), nil, nil)), "setting 123 of 0"},
		{"cut call", greeting + string(framed(frameCall, 1, callHeader(newCall())[:20], nil, nil)), "malformed header of a call"},
		{"broken setting", greeting + string(bare(frameSetting, setting[:20])), "malformed header of a setting"},
		{"setting out of order", greeting + string(bare(frameSetting, appendSetting([]byte{7}, newCall()))), "number 7 after 0"},
		{"huge setting", greeting + string(bare(frameSetting, make([]byte, 2*maxSettingSize))), "setting of 2048 bytes"},
		{"same number twice", greeting + oneCall + oneCall, "two calls"},
		{"odd ack", greeting + string(framed(frameAck, 0, []byte("123"))), "bytes of ids"},
		{"lookup of none", greeting + string(framed(frameLookup, 2, nil)), "lookup of 0"},
		{"unacked without limit", greeting + string(framed(frameUnacked, 2, nil)), "limit"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPipes()
				var out strings.Builder
				cfg := DefaultServerConfig()
				cfg.Logger = textLogger(&out)
				s := trusting(cfg, &echo{hold: true})
				stop := run(t, func(ctx context.Context) error { return s.Serve(ctx, p) })
				conn, err := p.Dial(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				go func() { _, _ = io.Copy(io.Discard, conn) }()
				begun := time.Now()
				_, _ = conn.Write([]byte(tt.text))
				synctest.Wait()
				if _, err := conn.Write([]byte("x")); err == nil || time.Since(begun) != 0 {
					t.Errorf("the connection stands (%v)", err)
				}
				c := clientOf(t, p.Dial, nil)
				stopClient := run(t, c.Run)
				synctest.Wait()
				if c.link == nil {
					t.Error("the next router is not served")
				}
				stopClient()
				stop()
				if got := out.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, tt.log) {
					t.Errorf("log = %q, want one line with %q", got, tt.log)
				}
				if n := s.bytes.Load(); n != 0 {
					t.Errorf("%d bytes are counted", n)
				}
			})
		})
	}
}
