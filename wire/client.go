package wire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"hearth/whisk"
)

// ErrDown says that there is no connection to the invoker right now.
var ErrDown = errors.New("wire: not connected")

// ErrFull says that the connection carries as much as it may.
var ErrFull = errors.New("wire: too many calls in flight")

// errSilent is why a client gives up on a connection without pongs.
var errSilent = errors.New("the invoker does not answer pings")

// Dial opens a connection and vouches for who is at its other end.
type Dial func(ctx context.Context) (net.Conn, error)

// ClientConfig says which invoker to talk to, and how.
type ClientConfig struct {
	Name string // of the invoker, for logs: its address
	Dial Dial   // see [Dialer]
	Limits

	// MinBackoff and MaxBackoff bound the pause before a redial: it doubles
	// with every attempt that fails, and up to half of it is random.
	MinBackoff time.Duration
	MaxBackoff time.Duration

	// OnUp is called with the invoker's hello when a connection stands, OnDown
	// when it is gone, before its calls are answered with Lost; in turn, from
	// Run's goroutine. Neither may wait for a call. May be nil.
	OnUp   func(whisk.Hello)
	OnDown func(error)

	Logger  *slog.Logger // nil: discard
	Metrics *metrics.Set // nil: a set of its own
}

// DefaultClientConfig returns the settings of production, without name and
// dialer.
func DefaultClientConfig() ClientConfig {
	return ClientConfig{Limits: DefaultLimits(), MinBackoff: 20 * time.Millisecond, MaxBackoff: 2 * time.Second}
}

// Validate reports the first setting that makes no sense.
func (c ClientConfig) Validate() error {
	if c.Dial == nil {
		return errors.New("wire: a client needs a dialer")
	}
	if c.MinBackoff <= 0 || c.MaxBackoff < c.MinBackoff {
		return fmt.Errorf("wire: want 0 < least backoff ≤ greatest, got %v, %v", c.MinBackoff, c.MaxBackoff)
	}
	return c.Limits.Validate()
}

// parting bounds the wait for what is still to be written when Run's context
// ends.
const parting = time.Second

// maxQuestions bounds the lookups and batches of records that are asked for at
// once over one connection.
const maxQuestions = 256

// Client is an invoker at the other end of a connection that [Client.Run]
// keeps up. Its methods may be called at once from many goroutines, also while
// there is no connection.
type Client struct {
	cfg ClientConfig
	log *slog.Logger
	m   clientMeters

	mu     sync.Mutex
	link   *link // nil while down
	number uint64
	calls  map[uint64]*pending
	byID   map[whisk.ActivationID]*pending
	asked  map[uint64]*question
}

// pending is a call that was handed over and has not ended.
type pending struct {
	call   *whisk.Call
	number uint64
	reply  func(whisk.Reply)
	at     mark
}

// question is a Lookup or Unacked that waits for its answer.
type question struct {
	typ   frameType // of the answer
	limit int
	got   chan answer // capacity 1
}

// NewClient returns a client that is down until Run. cfg must be valid.
func NewClient(cfg ClientConfig) *Client {
	c := &Client{
		cfg: cfg, log: cfg.Logger,
		calls: map[uint64]*pending{}, byID: map[whisk.ActivationID]*pending{}, asked: map[uint64]*question{},
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	c.log = c.log.With("invoker", cfg.Name)
	set := cfg.Metrics
	if set == nil {
		set = metrics.NewSet()
	}
	c.m = newClientMeters(set)
	return c
}

// Run keeps a connection up until ctx ends: it dials, says hello, and when the
// connection breaks settles its calls and dials again.
func (c *Client) Run(ctx context.Context) error {
	pause := c.cfg.MinBackoff
	for down := false; ; {
		began := time.Now()
		up, err := c.connect(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if up || !down { // of a row of failures the first is logged
			c.log.Warn("connection to the invoker", "err", err)
		}
		down = true
		if up {
			down = false
			if time.Since(began) > c.cfg.MaxBackoff {
				pause = c.cfg.MinBackoff
			}
		}
		select {
		case <-time.After(pause/2 + rand.N(pause/2+1)):
		case <-ctx.Done():
			return nil
		}
		pause = min(2*pause, c.cfg.MaxBackoff)
	}
}

// connect dials and serves one connection to its end. up: it stood.
func (c *Client) connect(ctx context.Context) (up bool, err error) {
	c.m.dials.Inc()
	conn, err := c.dial(ctx)
	if err != nil {
		return false, err
	}
	l := newLink(conn, c.cfg.MaxMessage, c.cfg.MaxQueued, c.cfg.silence())
	stop := context.AfterFunc(ctx, func() { l.shut(context.Cause(ctx)) })
	defer func() { stop() }()

	var wg sync.WaitGroup
	wg.Go(l.write)
	hello, err := c.greet(l)
	if err == nil {
		stop()
		stop = context.AfterFunc(ctx, func() { l.finish(parting) }) // acknowledgements may be on their way
		pongs := &pulse{born: time.Now()}
		wg.Go(func() { c.ping(l, pongs) })
		c.mu.Lock()
		c.link = l
		c.mu.Unlock()
		up = true
		c.m.up.Inc()
		if c.cfg.OnUp != nil {
			c.cfg.OnUp(hello)
		}
		err = l.read(func(int) bool { return true }, func() {}, func(f frame) error { return c.handle(l, f, pongs) })
	}
	l.shut(err)
	wg.Wait()
	err = l.reason()
	if up {
		c.m.up.Dec()
		c.settle(l, err)
	}
	return up, err
}

func (c *Client) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Handshake)
	defer cancel()
	return c.cfg.Dial(ctx)
}

// greet exchanges hellos.
func (c *Client) greet(l *link) (whisk.Hello, error) {
	var h whisk.Hello
	if err := l.greet(peer{Role: RoleRouter}, &h, c.cfg.Handshake); err != nil {
		return h, fmt.Errorf("hello: %w", err)
	}
	if h.ID == "" {
		return h, protocolError("an invoker without id")
	}
	return h, nil
}

// pulse is when something was last heard. It goes by the monotonic clock: the
// wall's may be set while connections stand.
type pulse struct {
	born time.Time
	last atomic.Int64 // since born
}

func (p *pulse) beat() { p.last.Store(int64(time.Since(p.born))) }

func (p *pulse) silence() time.Duration { return time.Since(p.born) - time.Duration(p.last.Load()) }

// ping sends pings until the link is closed, which it does itself when they
// stay unanswered.
func (c *Client) ping(l *link, pongs *pulse) {
	tick := time.NewTicker(c.cfg.PingEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-l.gone:
			return
		}
		if pongs.silence() > c.cfg.silence() {
			l.shut(errSilent)
			return
		}
		if err := l.send(framePing, 0, nil); err != nil {
			l.shut(err)
			return
		}
	}
}

// settle takes the link away and answers what was under way on it. Its reader
// and writer have ended.
func (c *Client) settle(l *link, err error) {
	c.mu.Lock()
	c.link = nil
	calls, asked := c.calls, c.asked
	c.calls, c.byID, c.asked = map[uint64]*pending{}, map[whisk.ActivationID]*pending{}, map[uint64]*question{}
	c.mu.Unlock()
	if c.cfg.OnDown != nil {
		c.cfg.OnDown(err)
	}
	for _, q := range asked {
		q.got <- answer{err: ErrDown}
	}
	for _, p := range calls {
		if l.sent(p.at) {
			c.m.lost.Inc()
			p.reply(whisk.Reply{Kind: whisk.Lost})
		} else {
			p.reply(whisk.Reply{Kind: whisk.Busy}) // it never left this process
		}
	}
}
