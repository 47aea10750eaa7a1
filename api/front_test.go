package api

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"

	"github.com/VictoriaMetrics/metrics"
)

// pipeListener is a network inside a synctest bubble.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
}

func newPipeListener() *pipeListener {
	return &pipeListener{make(chan net.Conn), make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
func (l *pipeListener) Close() error   { close(l.done); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// pipeConn is the server's end, with the client's address.
type pipeConn struct {
	net.Conn
	remote net.Addr
}

func (c pipeConn) RemoteAddr() net.Addr { return c.remote }

// frontBubble is a front that serves a pipeListener.
type frontBubble struct {
	t       *testing.T
	l       *pipeListener
	m       *metrics.Set
	stop    context.CancelFunc
	stopped chan error
	clients []net.Conn
}

// inFront runs the test in a synctest bubble beside a served front.
func inFront(t *testing.T, edit func(*FrontConfig), h http.HandlerFunc, test func(t *testing.T, b *frontBubble)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cfg := DefaultFrontConfig()
		cfg.Metrics = metrics.NewSet()
		if edit != nil {
			edit(&cfg)
		}
		ctx, stop := context.WithCancel(t.Context())
		b := &frontBubble{t: t, l: newPipeListener(), m: cfg.Metrics, stop: stop, stopped: make(chan error, 1)}
		f := mustFront(t, cfg, h)
		go func() { b.stopped <- f.Serve(ctx, b.l) }()
		test(t, b)
		stop()
		for _, c := range b.clients {
			c.Close()
		}
		if err := <-b.stopped; err != nil {
			t.Errorf("Serve: %v", err)
		}
		b.stopped <- nil
		time.Sleep(time.Hour) // virtual: for the test's own goroutines to end
	})
}

func mustFront(t *testing.T, cfg FrontConfig, h http.Handler) *Front {
	t.Helper()
	f, err := NewFront(cfg, h)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (b *frontBubble) dial() *frontClient { return b.dialFrom("192.0.2.1") }

func (b *frontBubble) dialFrom(addr string) *frontClient {
	b.t.Helper()
	near, far := net.Pipe()
	b.l.conns <- pipeConn{far, &net.TCPAddr{IP: net.ParseIP(addr), Port: 1}}
	b.clients = append(b.clients, near)
	synctest.Wait()
	return &frontClient{t: b.t, Conn: near, r: bufio.NewReader(near)}
}

func (b *frontBubble) metric(name string) string {
	var buf bytes.Buffer
	b.m.WritePrometheus(&buf)
	for line := range strings.Lines(buf.String()) {
		if v, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(v)
		}
	}
	return "no series " + name
}

// frontClient is the client's end of a connection.
type frontClient struct {
	t *testing.T
	net.Conn
	r *bufio.Reader
}

func (c *frontClient) send(format string, args ...any) {
	c.t.Helper()
	if _, err := fmt.Fprintf(c, format, args...); err != nil {
		c.t.Fatalf("send: %v", err)
	}
}

func (c *frontClient) answer() (*http.Response, string) {
	c.t.Helper()
	res, err := http.ReadResponse(c.r, nil)
	if err != nil {
		c.t.Fatalf("read answer: %v", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatalf("read answer's body: %v", err)
	}
	return res, string(body)
}

// closed waits for the server to close the connection and returns how long
// that took.
func (c *frontClient) closed() time.Duration {
	c.t.Helper()
	began := time.Now()
	if _, err := io.Copy(io.Discard, c.r); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		c.t.Fatalf("waiting for the end: %v", err)
	}
	return time.Since(began)
}

// open reports whether the server has left the connection open.
func (c *frontClient) open() bool {
	c.t.Helper()
	_ = c.SetReadDeadline(time.Now())
	_, err := c.r.ReadByte()
	_ = c.SetReadDeadline(time.Time{})
	ne, ok := errors.AsType[net.Error](err)
	return ok && ne.Timeout()
}

func servePong(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "pong") }

// serveCount answers with the number of bytes of the body, or with its error.
func serveCount(w http.ResponseWriter, r *http.Request) {
	n, err := io.Copy(io.Discard, r.Body)
	if whisk.KindOf(err) == whisk.Timeout {
		w.WriteHeader(http.StatusRequestTimeout)
	}
	fmt.Fprint(w, n, " ", err)
}
