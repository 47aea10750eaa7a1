package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"hearth/whisk"
)

// AdminConfig says which admin API to call.
type AdminConfig struct {
	URL   string // such as "http://127.0.0.1:3234/admin/v1"
	Token string // a secret
}

// Admin does through a server's admin API what package auth's Accounts do on
// its store. A refusal is a [whisk.Error] with the server's text.
type Admin struct {
	base  *url.URL
	token string
	http  *http.Client
}

// NewAdmin returns a client of an admin API. It makes no connection yet.
func NewAdmin(cfg AdminConfig) (*Admin, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("admin URL: %w", err)
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("admin URL: want http://HOST:PORT/PATH, with nothing else in it")
	}
	if cfg.Token == "" {
		return nil, errors.New("admin token is missing")
	}
	t := &http.Transport{
		DialContext:            (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSHandshakeTimeout:    handshakeTimeout,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeader,
	}
	// The token goes to no other place than the one that was named.
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Admin{base: u, token: cfg.Token, http: &http.Client{Transport: t, CheckRedirect: stay}}, nil
}

// Close drops the idle connections.
func (a *Admin) Close() { a.http.CloseIdleConnections() }

// maxAdminAnswer bounds the bytes read of one answer.
const maxAdminAnswer = 16 << 20

// do sends body, if it is not nil, and decodes the answer into out, if that is
// not nil.
func (a *Admin) do(ctx context.Context, method string, query url.Values, body, out any, path ...string) error {
	var rd io.Reader
	if body != nil {
		b, err := encode(body)
		if err != nil {
			return err
		}
		rd = bytes.NewReader(b)
	}
	u := strings.TrimSuffix(a.base.String(), "/")
	for _, p := range path {
		if p == "" || p == "." || p == ".." { // no path can say these, and nobody has such a name
			return &whisk.Error{Kind: whisk.NotFound, Message: "missing"}
		}
		u += "/" + url.PathEscape(p)
	}
	if len(query) > 0 {
		u += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, u, rd)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+a.token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := a.http.Do(req)
	if err != nil {
		return &NetworkError{err}
	}
	defer func() { _ = resp.Body.Close() }() // read to its end, or given up
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAdminAnswer+1))
	if err != nil {
		return &NetworkError{err}
	}
	if resp.StatusCode != http.StatusOK {
		return adminRefusal(resp.StatusCode, b)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return nil
}

// adminRefusal makes what the server's packages would have returned.
func adminRefusal(status int, body []byte) error {
	e := refusal(status, body)
	kind, ok := map[int]whisk.Kind{
		http.StatusBadRequest: whisk.BadRequest, http.StatusNotFound: whisk.NotFound, http.StatusConflict: whisk.Conflict,
	}[status]
	if !ok || e.Message == "" {
		return e
	}
	return &whisk.Error{Kind: kind, Message: e.Message}
}

// adminAccount is an account on its way.
type adminAccount struct {
	Subject   string `json:"subject"`
	Namespace string `json:"namespace"`
	Key       string `json:"key"`
	Blocked   bool   `json:"blocked"`
}

func (x adminAccount) account() whisk.Account {
	uuid, key, _ := strings.Cut(x.Key, ":")
	return whisk.Account{Subject: x.Subject, Namespace: whisk.Namespace(x.Namespace), Key: whisk.AuthKey{UUID: uuid, Key: key}, Blocked: x.Blocked}
}

func (a *Admin) list(ctx context.Context, path ...string) ([]whisk.Account, error) {
	var rows []adminAccount
	if err := a.do(ctx, http.MethodGet, nil, nil, &rows, path...); err != nil {
		return nil, err
	}
	out := make([]whisk.Account, len(rows))
	for i, x := range rows {
		out[i] = x.account()
	}
	return out, nil
}

// Create gives a subject a key for a namespace.
func (a *Admin) Create(ctx context.Context, r whisk.AccountRequest) (whisk.AuthKey, error) {
	body := map[string]any{"namespace": r.Namespace, "revoke": r.Revoke}
	if r.Key != nil {
		body["key"] = r.Key.Compact()
	}
	var x adminAccount
	err := a.do(ctx, http.MethodPost, nil, body, &x, "subjects", r.Subject, "keys")
	return x.account().Key, err
}

// Delete takes all keys from a subject, or those for one namespace.
func (a *Admin) Delete(ctx context.Context, subject string, ns whisk.Namespace) error {
	var q url.Values
	if ns != "" {
		q = url.Values{"namespace": {string(ns)}}
	}
	return a.do(ctx, http.MethodDelete, q, nil, nil, "subjects", subject)
}

// Block shuts a subject out, or lets it in again.
func (a *Admin) Block(ctx context.Context, subject string, blocked bool) error {
	return a.do(ctx, http.MethodPut, nil, blocked, nil, "subjects", subject, "blocked")
}

// Subject lists the keys of a subject.
func (a *Admin) Subject(ctx context.Context, subject string) ([]whisk.Account, error) {
	return a.list(ctx, "subjects", subject)
}

// Keys lists the keys that open a namespace.
func (a *Admin) Keys(ctx context.Context, ns whisk.Namespace) ([]whisk.Account, error) {
	return a.list(ctx, "namespaces", string(ns), "keys")
}

// Namespaces lists the namespaces that somebody has a key for.
func (a *Admin) Namespaces(ctx context.Context) (out []whisk.Namespace, err error) {
	err = a.do(ctx, http.MethodGet, nil, nil, &out, "namespaces")
	return out, err
}

// Whois returns who holds a key.
func (a *Admin) Whois(ctx context.Context, key whisk.AuthKey) (whisk.Account, error) {
	var x adminAccount
	err := a.do(ctx, http.MethodPost, nil, map[string]string{"key": key.Compact()}, &x, "whois")
	return x.account(), err
}

// Limits returns what is overridden for a namespace.
func (a *Admin) Limits(ctx context.Context, ns whisk.Namespace) (l whisk.NamespaceLimits, err error) {
	err = a.do(ctx, http.MethodGet, nil, nil, &l, "namespaces", string(ns), "limits")
	return l, err
}

// SetLimits lays over onto what is overridden for a namespace already.
func (a *Admin) SetLimits(ctx context.Context, ns whisk.Namespace, over whisk.NamespaceLimits) error {
	return a.do(ctx, http.MethodPatch, nil, over, nil, "namespaces", string(ns), "limits")
}

// DeleteLimits gives a namespace the system's limits again.
func (a *Admin) DeleteLimits(ctx context.Context, ns whisk.Namespace) error {
	return a.do(ctx, http.MethodDelete, nil, nil, nil, "namespaces", string(ns), "limits")
}
