package bench

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync"
)

// maxFloorBody bounds a request to a floor: more than any scenario sends.
const maxFloorBody = 64 << 20

// floorBuffers are the bodies of requests to floors and their answers.
var floorBuffers = sync.Pool{New: func() any { return &floorBuffer{} }}

type floorBuffer struct{ in, out []byte }

// serveHTTP serves h until ctx ends.
func serveHTTP(ctx context.Context, ln net.Listener, h http.Handler) error {
	srv := &http.Server{Handler: h}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// echoHandler answers with the request's body, after do has had it.
func echoHandler(do func(dst, body []byte) ([]byte, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := floorBuffers.Get().(*floorBuffer)
		defer floorBuffers.Put(b)
		var err error
		if b.in, err = readBody(r, b.in[:0]); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if b.out, err = do(b.out[:0], b.in); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		h := w.Header()
		h["Content-Type"] = []string{"application/json"}
		h["Content-Length"] = []string{strconv.Itoa(len(b.out))}
		_, _ = w.Write(b.out)
	})
}

// readBody appends the request's body to b.
func readBody(r *http.Request, b []byte) ([]byte, error) {
	n := r.ContentLength
	if n > maxFloorBody {
		return b, errors.New("the body is too large")
	}
	if n < 0 {
		all, err := io.ReadAll(io.LimitReader(r.Body, maxFloorBody))
		return append(b, all...), err
	}
	if int64(cap(b)) < n {
		b = make([]byte, n)
	}
	b = b[:n]
	_, err := io.ReadFull(r.Body, b)
	return b, err
}

func goEcho() http.Handler {
	return echoHandler(func(dst, body []byte) ([]byte, error) { return append(dst, body...), nil })
}

// proxyTo is what most gateways are made of: the standard library's proxy,
// with as many kept connections as calls.
func proxyTo(addr string) http.Handler {
	p := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: addr})
	p.Transport = &http.Transport{MaxIdleConns: 0, MaxIdleConnsPerHost: 1024, DisableCompression: true}
	return p
}

// childPool hands out children, each to one call at a time.
type childPool chan Child

// startChildren starts n children; on an error none is left.
func startChildren(n int, launch func() (Child, error)) (childPool, error) {
	p := make(childPool, n)
	for range n {
		c, err := launch()
		if err != nil {
			return nil, errors.Join(err, p.close())
		}
		p <- c
	}
	return p, nil
}

func (p childPool) run(dst, body []byte) ([]byte, error) {
	c := <-p
	out, err := c.Run(dst, body)
	p <- c
	return out, err
}

// close ends the children that are in the pool.
func (p childPool) close() error {
	var errs []error
	for {
		select {
		case c := <-p:
			errs = append(errs, c.Close())
		default:
			return errors.Join(errs...)
		}
	}
}
