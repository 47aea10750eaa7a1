package api

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"golang.org/x/sync/errgroup"
)

// FrontConfig bounds what a client can take from the server before, while and
// after its request is served.
type FrontConfig struct {
	// HeaderTimeout is how long a connection may take from its first byte (on
	// a new connection: from its acceptance, TLS handshake included) to the
	// end of the request's header.
	HeaderTimeout time.Duration

	// MaxHeader bounds request line and header together, in bytes; longer
	// ones get 431. At least 8 KiB.
	MaxHeader int

	// MaxURI bounds the request's target, in bytes; longer ones get 414.
	MaxURI int

	// HeaderMemory bounds the bytes that headers which are not whole yet take
	// on all connections together, beyond 1 KiB each. Beyond it the connection
	// with the longest one is shed.
	HeaderMemory int64

	// BodyGrace is how long a body may stand still; MinBodyRate, in bytes a
	// second, is what it must bring on average to win new grace. Time in
	// which the handler does not read is not counted. A slower body ends with
	// an error of kind whisk.Timeout.
	BodyGrace   time.Duration
	MinBodyRate int64

	// MaxDrain bounds the unread rest of a body, in bytes, that is read and
	// dropped to keep the connection. With more left, or with a length that
	// is not known, the connection is closed behind the answer.
	MaxDrain int64

	// WriteGrace and MinWriteRate bound how slowly a client may take an
	// answer: each piece of n bytes must be taken within WriteGrace + n ÷ rate.
	WriteGrace   time.Duration
	MinWriteRate int64

	// IdleTimeout is how long a connection may wait between requests.
	IdleTimeout time.Duration

	// MaxConns bounds the connections in total, MaxConnsPerAddress those of
	// one IPv4 address or IPv6 /64 network (connections of other networks
	// than IP count in the total only). A connection over a bound displaces
	// one that is not being served, of the same address where that is the
	// bound: the one longest in its first header, if for over a second, else
	// the one longest idle, else the one longest in its first header. While
	// all are being served, the new one is closed at once. A connection costs
	// about 6 KiB until its first header is whole, about 20 KiB after it.
	MaxConns           int
	MaxConnsPerAddress int

	// Drain is how long requests may go on once the server has been told to
	// stop.
	Drain time.Duration

	Logger  *slog.Logger // nil: none
	Metrics *metrics.Set // nil: a new set
}

// DefaultFrontConfig returns the bounds of a public API server.
func DefaultFrontConfig() FrontConfig {
	return FrontConfig{
		HeaderTimeout:      10 * time.Second,
		MaxHeader:          64 << 10,
		MaxURI:             8 << 10,
		HeaderMemory:       8 << 20,
		BodyGrace:          5 * time.Second,
		MinBodyRate:        1 << 10,
		MaxDrain:           16 << 10,
		WriteGrace:         10 * time.Second,
		MinWriteRate:       4 << 10,
		IdleTimeout:        70 * time.Second,
		MaxConns:           4096,
		MaxConnsPerAddress: 2048,
		Drain:              30 * time.Second,
	}
}

// Validate returns an error naming the first field that is out of range.
func (c FrontConfig) Validate() error {
	for _, f := range []struct {
		name string
		got  int64
		min  int64
	}{
		{"HeaderTimeout", int64(c.HeaderTimeout), 1},
		{"MaxHeader", int64(c.MaxHeader), 8 << 10},
		{"MaxURI", int64(c.MaxURI), 1},
		{"HeaderMemory", c.HeaderMemory, int64(c.MaxHeader)},
		{"BodyGrace", int64(c.BodyGrace), 1},
		{"MinBodyRate", c.MinBodyRate, 1},
		{"MaxDrain", c.MaxDrain, 0},
		{"WriteGrace", int64(c.WriteGrace), 1},
		{"MinWriteRate", c.MinWriteRate, 1},
		{"IdleTimeout", int64(c.IdleTimeout), 1},
		{"MaxConns", int64(c.MaxConns), 1},
		{"MaxConnsPerAddress", int64(c.MaxConnsPerAddress), 1},
		{"Drain", int64(c.Drain), 0},
	} {
		if f.got < f.min {
			return fmt.Errorf("front config: %s is %d, must be at least %d", f.name, f.got, f.min)
		}
	}
	return nil
}

// Front serves a handler over HTTP/1.1 within the bounds of its config.
//
// It offers no HTTP/2: one connection then carries one request at a time, and
// so bounds on connections bound requests, buffers and goroutines as well.
//
// A connection is in its header, busy or idle. Only in the first and last may
// it be displaced by others, see [FrontConfig]. The handler's ResponseWriter
// can be flushed, but neither hijacked nor given other deadlines.
type Front struct {
	cfg  FrontConfig
	next http.Handler
	log  *slog.Logger
	m    *frontMetrics
	gate *frontGate
}

// NewFront returns a front for the handler, or the config's error. Nothing
// runs before Serve.
func NewFront(cfg FrontConfig, next http.Handler) (*Front, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Metrics == nil {
		cfg.Metrics = metrics.NewSet()
	}
	m := newFrontMetrics(cfg.Metrics)
	return &Front{cfg: cfg, next: next, log: cfg.Logger, m: m, gate: newFrontGate(cfg, m)}, nil
}

// closeGrace is how long Serve waits for connections to go once it has closed
// them: their handlers have been told, and should end at once.
const closeGrace = time.Second

// Serve serves the listeners, which it closes, until ctx ends or one of them
// fails. TLS listeners come already wrapped and must not offer "h2". When ctx
// ends, requests go on for as long as Drain allows and then are broken off; that
// is not an error, but handlers that don't end even then are. Serve may be
// called once.
func (f *Front) Serve(ctx context.Context, listeners ...net.Listener) error {
	// Requests outlive ctx by the drain.
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	g, running := errgroup.WithContext(ctx)
	closers := make([]io.Closer, 0, len(listeners))
	for _, l := range listeners {
		fl := newFrontListener(l, f.gate, func(c *frontConn) { f.serve(base, c) })
		closers = append(closers, fl)
		g.Go(func() error {
			if err := fl.run(); err != nil {
				return fmt.Errorf("serve %s: %w", l.Addr(), err)
			}
			return nil
		})
	}
	g.Go(func() error {
		f.watch(base)
		return nil
	})
	g.Go(func() error {
		defer cancel()
		<-running.Done()
		for _, c := range closers {
			_ = c.Close() // it takes no more, whatever it says
		}
		return f.shutdown(cancel)
	})
	return g.Wait()
}

// shutdown lets requests end, first sending away who has none.
func (f *Front) shutdown(cancel context.CancelFunc) error {
	f.gate.close()
	select {
	case <-f.gate.empty():
		return nil
	case <-time.After(f.cfg.Drain):
	}
	f.log.Warn("breaking off requests that outlived the drain", "connections", f.gate.count())
	f.gate.abort()
	cancel()
	select {
	case <-f.gate.empty():
		return nil
	case <-time.After(closeGrace):
		return fmt.Errorf("front: %d connections are still busy after the drain", f.gate.count())
	}
}
