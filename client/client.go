package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"hearth/whisk"
)

// Bounds on making a connection; the rest of a call is bounded by its context.
const (
	dialTimeout      = 30 * time.Second
	handshakeTimeout = 10 * time.Second
	idleTimeout      = 60 * time.Second // below the server's, which closes at 70 s
	continueTimeout  = time.Second      // how long a server is asked whether it wants a large body

	// largeBody is from where a body is offered before it is sent: a server
	// that refuses the call then does so before the bytes have travelled.
	largeBody = 1 << 20

	// maxHeader bounds the header of an answer.
	maxHeader = 1 << 20
)

// Client calls one server as one user.
type Client struct {
	cfg  Config
	root *url.URL // the server's, without the API
	base *url.URL // with the version
	http *http.Client
}

// New returns a client for the server of cfg. It makes no connection yet.
func New(cfg Config) (*Client, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	base, err := BaseURL(cfg.Host)
	if err != nil {
		return nil, err
	}
	t := &http.Transport{
		Proxy:                  cfg.Proxy,
		DialContext:            (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSHandshakeTimeout:    handshakeTimeout,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeader,
		ExpectContinueTimeout:  continueTimeout,
		MaxIdleConns:           cfg.Connections,
		MaxIdleConnsPerHost:    cfg.Connections,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
		TLSClientConfig: &tls.Config{
			MinVersion:         tls.VersionTLS12,
			InsecureSkipVerify: cfg.Insecure, //nolint:gosec // the user's explicit wish
			Certificates:       cfg.Certificates,
			RootCAs:            cfg.Roots,
		},
	}
	root := *base
	root.Path, root.RawPath = strings.TrimSuffix(strings.TrimSuffix(base.Path, "api"), "/"), ""
	c := &Client{cfg: cfg, root: &root, base: base.JoinPath(cfg.Version)}
	c.http = &http.Client{Transport: t, CheckRedirect: checkRedirect}
	return c, nil
}

// Close drops the idle connections. Calls in progress go on.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// checkRedirect follows a few redirects, but never from https to http, where
// the key would travel in the open.
func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) >= 5 {
		return errors.New("too many redirects")
	}
	if req.URL.Scheme != "https" && via[0].URL.Scheme == "https" {
		return fmt.Errorf("refused a redirect from https to %s", req.URL.Scheme)
	}
	return nil
}

// request is one call.
type request struct {
	method string
	path   []string // segments behind the version, not yet escaped
	slash  bool     // the path ends in a slash
	query  url.Values
	body   []byte // JSON, nil if there is none
	open   bool   // needs no key
	root   bool   // of the server, not of the API
}

// answer is what came back, whatever its status.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a *answer) ok() bool { return a.status >= 200 && a.status <= 299 }

// do sends the request and reads the answer, both in whole. Errors are
// NetworkError, ErrNoKey and ErrUnreadable.
func (c *Client) do(ctx context.Context, r request) (*answer, error) {
	if !r.open && c.cfg.Key == (whisk.AuthKey{}) {
		return nil, ErrNoKey
	}
	var body io.Reader
	if r.body != nil {
		body = bytes.NewReader(r.body)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, c.url(r), body)
	if err != nil {
		return nil, err
	}
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if len(r.body) > largeBody {
		req.Header.Set("Expect", "100-continue")
	}
	if !r.open {
		req.SetBasicAuth(c.cfg.Key.UUID, c.cfg.Key.Key)
	}
	req.Header.Set("User-Agent", c.cfg.UserAgent)
	c.traceRequest(req, r.body)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, &NetworkError{err}
	}
	defer func() { _ = resp.Body.Close() }() // read to its end, or given up
	b, err := io.ReadAll(io.LimitReader(resp.Body, c.cfg.MaxAnswer+1))
	if err != nil {
		return nil, &NetworkError{fmt.Errorf("%s %q: %w", r.method, req.URL, err)}
	}
	if int64(len(b)) > c.cfg.MaxAnswer {
		return nil, fmt.Errorf("%w: it has more than %d bytes", ErrUnreadable, c.cfg.MaxAnswer)
	}
	a := &answer{status: resp.StatusCode, header: resp.Header, body: b}
	c.traceAnswer(a)
	return a, nil
}

// decode carries r out and decodes a success into v. Other answers are errors.
func (c *Client) decode(ctx context.Context, r request, v any) error {
	a, err := c.do(ctx, r)
	if err != nil {
		return err
	}
	if !a.ok() {
		return refusal(a.status, a.body)
	}
	if err := json.Unmarshal(a.body, v); err != nil {
		return fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return nil
}

func (c *Client) url(r request) string {
	u := *c.base
	if r.root {
		u = *c.root
	}
	for _, s := range r.path {
		u.RawPath = u.EscapedPath() + "/" + url.PathEscape(s)
		u.Path += "/" + s
	}
	if r.slash {
		u.RawPath = u.EscapedPath() + "/"
		u.Path += "/"
	}
	u.RawQuery = r.query.Encode()
	return u.String()
}

// encode writes v as JSON without escaping HTML's characters, so that code and
// parameters travel as they are.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode the request: %w", err)
	}
	return b.Bytes(), nil
}
