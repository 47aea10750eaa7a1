package bench

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"sync"
	"time"
)

const (
	defaultTimeout = 70 * time.Second // a blocking call waits for up to 60
	defaultMaxBody = 16 << 20
)

// HTTPTarget sends requests over kept connections: as many as there are
// requests at once, the last used first. It writes and reads HTTP/1.1 itself,
// because net/http's client costs more than some servers it would measure. It
// never retries, follows nothing, and asks for no compression.
type HTTPTarget struct {
	cfg    HTTPConfig
	method []byte // with its space
	path   []byte // and query
	fields []byte // the rest of each request, up to the length of its payload
	host   string // "host:port", or the socket's path
	tls    *tls.Config

	mu      sync.Mutex // guards what follows
	idle    []*httpConn
	busy    map[*httpConn]struct{}
	watched map[<-chan struct{}]func() bool // contexts that interrupt, and how to stop that
	lastCtx <-chan struct{}                 // a key of watched
}

// NewHTTPTarget returns a target; it connects with the first request.
func NewHTTPTarget(cfg HTTPConfig) (*HTTPTarget, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("target: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, fmt.Errorf("target %q: must be an http or https URL with a host", u.Redacted())
	}
	if cfg.Method == "" {
		cfg.Method = "GET"
		if cfg.Body != nil {
			cfg.Method = "POST"
		}
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.MaxBody <= 0 {
		cfg.MaxBody = defaultMaxBody
	}
	t := &HTTPTarget{cfg: cfg, host: cfg.Socket, busy: map[*httpConn]struct{}{}, watched: map[<-chan struct{}]func() bool{}}
	port := "80"
	if u.Scheme == "https" {
		port = "443"
		t.tls = cfg.TLS.Clone()
		if t.tls == nil {
			t.tls = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		if t.tls.ServerName == "" {
			t.tls.ServerName = u.Hostname()
		}
		t.tls.NextProtos = []string{"http/1.1"}
	}
	if t.host == "" {
		if u.Port() != "" {
			port = u.Port()
		}
		t.host = net.JoinHostPort(u.Hostname(), port)
	}
	t.method, t.path = []byte(cfg.Method+" "), []byte(u.RequestURI())
	t.fields, err = requestFields(cfg, u.Host)
	return t, err
}

// Close closes the idle connections. Requests in progress go on.
func (t *HTTPTarget) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.idle {
		_ = c.Close()
	}
	t.idle = nil
	for _, stop := range t.watched {
		stop()
	}
	clear(t.watched)
	t.lastCtx = nil
	return nil
}

// Do makes one request.
func (t *HTTPTarget) Do(ctx context.Context, seq int64) Hit {
	now := time.Now()
	c, class := t.connection(ctx, now)
	if class != "" {
		return Hit{Class: class}
	}
	a, keep, err := t.exchange(c, now, ctx.Done(), seq)
	if err != nil {
		t.release(c, false)
		return Hit{Class: classOf(err)}
	}
	h := Hit{Class: StatusClass(a.Status), Bytes: int64(len(c.payload) + len(a.Body))}
	if t.cfg.Check != nil {
		t.cfg.Check(seq, a, &h)
	}
	t.release(c, keep)
	return h
}

func (t *HTTPTarget) exchange(c *httpConn, now time.Time, done <-chan struct{}, seq int64) (Answer, bool, error) {
	if err := c.extend(now, t.cfg.Timeout); err != nil {
		return Answer{}, false, err
	}
	select {
	case <-done: // from here on, interrupt ends what we do
		return Answer{}, false, context.Canceled
	default:
	}
	c.head = append(c.head[:0], t.method...)
	if t.cfg.Path != nil {
		c.head = t.cfg.Path(c.head, seq)
	} else {
		c.head = append(c.head, t.path...)
	}
	c.head = append(c.head, t.fields...)
	c.payload = c.payload[:0]
	if t.cfg.Body != nil {
		c.payload = t.cfg.Body(c.payload, seq)
		c.head = append(c.head, "Content-Length: "...)
		c.head = strconv.AppendInt(c.head, int64(len(c.payload)), 10)
		c.head = append(c.head, crlf...)
	}
	c.head = append(c.head, crlf...)
	if err := c.send(); err != nil {
		return Answer{}, false, err
	}
	return c.receive(t.cfg.Method == "HEAD", t.cfg.MaxBody)
}

// connection returns an idle connection or a new one, or the class of why
// there is none.
func (t *HTTPTarget) connection(ctx context.Context, now time.Time) (*httpConn, string) {
	done := ctx.Done()
	t.mu.Lock()
	if done != nil && done != t.lastCtx {
		t.watch(ctx, done)
	}
	for len(t.idle) > 0 {
		c := t.idle[len(t.idle)-1]
		t.idle = t.idle[:len(t.idle)-1]
		if now.Sub(c.used) > maxIdle { // the server may be closing it
			_ = c.Close()
			continue
		}
		c.done = done
		t.busy[c] = struct{}{}
		t.mu.Unlock()
		return c, ""
	}
	t.mu.Unlock()
	nc, class := t.dial(ctx)
	if class != "" {
		return nil, class
	}
	c := &httpConn{Conn: nc, done: done}
	c.newTurn()
	t.mu.Lock()
	t.busy[c] = struct{}{}
	t.mu.Unlock()
	return c, ""
}

func (t *HTTPTarget) dial(ctx context.Context) (net.Conn, string) {
	ctx, cancel := context.WithTimeout(ctx, t.cfg.Timeout)
	defer cancel()
	network := "tcp"
	if t.cfg.Socket != "" {
		network = "unix"
	}
	c, err := new(net.Dialer).DialContext(ctx, network, t.host)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return nil, ClassTimeout
	case err != nil:
		return nil, ClassRefused
	case t.tls == nil:
		return c, ""
	}
	s := tls.Client(c, t.tls)
	if err := s.HandshakeContext(ctx); err != nil {
		_ = c.Close()
		if ctx.Err() != nil {
			return nil, ClassTimeout
		}
		return nil, ClassTLS
	}
	return s, ""
}

// watch has the context's end interrupt the requests made under it. It is
// called under the lock.
func (t *HTTPTarget) watch(ctx context.Context, done <-chan struct{}) {
	if _, ok := t.watched[done]; !ok {
		t.watched[done] = context.AfterFunc(ctx, func() { t.interrupt(done) })
	}
	t.lastCtx = done
}

func (t *HTTPTarget) interrupt(done <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.watched, done)
	if t.lastCtx == done {
		t.lastCtx = nil
	}
	for c := range t.busy {
		if c.done == done {
			c.spoilt = true
			_ = c.SetDeadline(time.Unix(1, 0)) // its request fails
		}
	}
}

// release gives a connection back, or closes it.
func (t *HTTPTarget) release(c *httpConn, keep bool) {
	t.mu.Lock()
	delete(t.busy, c)
	c.done = nil
	keep = keep && !c.spoilt
	if keep {
		t.idle = append(t.idle, c)
	}
	t.mu.Unlock()
	if !keep {
		_ = c.Close()
	}
}

// classOf returns the class of an exchange's error.
func classOf(err error) string {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return ClassTimeout
	case errors.Is(err, errMalformed), errors.Is(err, errTooLong):
		return ClassBadAnswer
	}
	return ClassLost
}
