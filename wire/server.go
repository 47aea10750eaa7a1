package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"hearth/whisk"
)

// Invoker is what a server serves. The methods mean what they mean to the
// router, which declares the same interface. Call, Go, Cancel and Ack are
// called from a connection's reader and must return soon.
type Invoker interface {
	Call(c *whisk.Call, reply func(whisk.Reply)) error
	Go(id whisk.ActivationID)
	Cancel(id whisk.ActivationID)
	Code(id whisk.ActivationID, code []byte)
	Ack(ids ...whisk.ActivationID)
	Lookup(ctx context.Context, id whisk.ActivationID) (whisk.CallState, *whisk.Activation, error)
	Unacked(ctx context.Context, limit int) ([]*whisk.Activation, error)
}

var _ Invoker = (*Client)(nil)

// ServerConfig holds a server's settings.
type ServerConfig struct {
	Limits

	// MaxConnections bounds the connections, those in their handshake
	// included. One more is closed at once.
	MaxConnections int

	// MaxBytes bounds the bytes of all calls in flight and of large messages
	// on their way in. A call beyond it is answered with Busy.
	MaxBytes int64

	Logger  *slog.Logger // nil: discard
	Metrics *metrics.Set // nil: a set of its own
}

// DefaultServerConfig returns the settings of production.
func DefaultServerConfig() ServerConfig {
	return ServerConfig{Limits: DefaultLimits(), MaxConnections: 256, MaxBytes: 1 << 30}
}

// Validate reports the first setting that makes no sense.
func (c ServerConfig) Validate() error {
	if c.MaxConnections <= 0 || c.MaxBytes < int64(c.MaxMessage) {
		return fmt.Errorf("wire: want at least one connection and bytes for the largest message, got %d, %d", c.MaxConnections, c.MaxBytes)
	}
	return c.Limits.Validate()
}

// Server offers an invoker to routers.
type Server struct {
	cfg     ServerConfig
	log     *slog.Logger
	m       serverMeters
	invoker Invoker
	hello   func() whisk.Hello
	trust   func(context.Context, net.Conn) error

	connections atomic.Int64
	bytes       atomic.Int64
	refusals    quiet
}

// NewServer returns a server of the invoker, which introduces itself with
// hello to each connection. cfg must be valid.
func NewServer(cfg ServerConfig, v Invoker, hello func() whisk.Hello) *Server {
	s := &Server{cfg: cfg, log: cfg.Logger, invoker: v, hello: hello, trust: trustRouter}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	set := cfg.Metrics
	if set == nil {
		set = metrics.NewSet()
	}
	s.m = newServerMeters(set)
	return s
}

// Serve accepts connections from the listener (see [Listen]), which it closes,
// until ctx ends; then it writes what was answered and closes the connections.
// An error is the listener's.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = ln.Close() })()
	for pause := time.Millisecond; ; {
		conn, err := ln.Accept()
		if ctx.Err() != nil {
			if conn != nil {
				_ = conn.Close()
			}
			return nil
		}
		if errors.Is(err, net.ErrClosed) {
			return fmt.Errorf("wire: accept: %w", err)
		}
		if err != nil { // out of descriptors, or a peer that was gone at once
			s.log.Warn("accepting a connection", "err", err)
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
			pause = min(2*pause, time.Second)
			continue
		}
		pause = time.Millisecond
		if s.connections.Add(1) > int64(s.cfg.MaxConnections) {
			s.connections.Add(-1)
			_ = conn.Close()
			s.refused(conn, errors.New("too many connections"))
			continue
		}
		wg.Go(func() {
			defer s.connections.Add(-1)
			defer conn.Close()
			s.serve(ctx, conn)
		})
	}
}

// serve carries one connection from its handshake to its end.
func (s *Server) serve(ctx context.Context, conn net.Conn) {
	if err := s.authenticate(ctx, conn); err != nil {
		s.refused(conn, err)
		return
	}
	l := newLink(conn, s.cfg.MaxMessage, s.cfg.MaxQueued, s.cfg.silence())
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(l.write)
	stop := context.AfterFunc(ctx, func() { l.shut(context.Cause(ctx)) })
	var p peer
	err := l.greet(s.hello(), &p, s.cfg.Handshake)
	stop()
	if err == nil && p.Role != RoleRouter {
		err = protocolError("the peer says that it is %.20q, want a router", p.Role)
	}
	if err != nil {
		l.shut(err)
		s.refused(conn, err)
		return
	}
	s.m.connections.Inc()
	defer s.m.connections.Dec()
	ss := newSession(s, l)
	defer context.AfterFunc(ctx, func() { l.finish(l.timeout) })()
	err = ss.run(ctx)
	if ctx.Err() == nil && !hungUp(err) {
		s.m.broken.Inc()
		s.log.Warn("connection of a router broke", "peer", conn.RemoteAddr(), "err", err)
	}
}

// authenticate finishes the TLS handshake and makes sure of the peer.
func (s *Server) authenticate(ctx context.Context, conn net.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Handshake)
	defer cancel()
	return s.trust(ctx, conn)
}

// trustRouter returns nil if the connection is a router's: over TLS by its
// certificate, over a unix socket by its uid. Others are refused.
func trustRouter(ctx context.Context, conn net.Conn) error {
	switch c := conn.(type) {
	case *tls.Conn:
		if err := c.HandshakeContext(ctx); err != nil {
			return err
		}
		return checkState(c.ConnectionState(), RoleRouter)
	case *net.UnixConn:
		return checkUID(c)
	}
	return fmt.Errorf("connections of type %T are not trusted", conn)
}

// refused logs a connection that never stood; many in a row are logged once a
// second.
func (s *Server) refused(conn net.Conn, err error) {
	s.m.refused.Inc()
	if n, ok := s.refusals.say(time.Now()); ok {
		s.log.Warn("connection refused", "peer", conn.RemoteAddr(), "err", err, "before", n)
	}
}

// quiet lets one of many through each second.
type quiet struct {
	mu   sync.Mutex
	last time.Time
	kept int
}

// say reports whether to speak, and how often that was not so before.
func (q *quiet) say(now time.Time) (kept int, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if now.Sub(q.last) < time.Second {
		q.kept++
		return 0, false
	}
	kept, q.kept, q.last = q.kept, 0, now
	return kept, true
}
