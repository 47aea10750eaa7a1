package client

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"hearth/whisk"
)

// Config says which server to call, and as whom. Start from [DefaultConfig].
type Config struct {
	// Host is the server: "host", "host:port" (both mean https) or
	// "http://host:port". A path is kept, in front of "/api".
	Host string

	// Version is the API's, the first part of every path.
	Version string

	// Key opens a namespace. Without one only Info can be called.
	Key whisk.AuthKey

	// UserAgent names the caller in the server's logs.
	UserAgent string

	// Insecure accepts any certificate: for self-signed trials only, since
	// whoever answers then gets the key.
	Insecure bool

	// Certificates are shown to a server that asks for one.
	Certificates []tls.Certificate

	// Roots verify the server's certificate; nil are the system's.
	Roots *x509.CertPool

	// Proxy picks a proxy per request, as [http.Transport.Proxy] does; nil
	// uses none.
	Proxy func(*http.Request) (*url.URL, error)

	// Connections is how many idle connections are kept. A program that calls
	// from many goroutines at once wants as many as it has goroutines.
	Connections int

	// MaxAnswer bounds the bytes read of one answer. An action's code may have
	// 48 MB, and twice that once it is quoted.
	MaxAnswer int64

	// Trace, if set, gets every request and answer in readable form, without
	// the key. TraceBody bounds the bytes of each body shown; 0 shows all.
	Trace     io.Writer
	TraceBody int
}

// DefaultConfig returns the configuration of a client that still lacks Host
// and Key.
func DefaultConfig() Config {
	return Config{
		Version:     "v1",
		UserAgent:   "Hearth",
		Connections: 16,
		MaxAnswer:   128 << 20,
		TraceBody:   1000,
	}
}

// Validate returns what is wrong with c, nil if nothing is.
func (c Config) Validate() error {
	if _, err := BaseURL(c.Host); err != nil {
		return err
	}
	switch {
	case c.Version == "" || strings.ContainsAny(c.Version, "/?#"):
		return fmt.Errorf("invalid API version %q", c.Version)
	case c.Connections < 1:
		return errors.New("at least one connection is needed")
	case c.MaxAnswer < 1:
		return errors.New("the bound on answers must be positive")
	}
	return nil
}

// BaseURL returns the URL of the API of a host: its "/api", without the
// version. A host without a scheme gets https.
func BaseURL(host string) (*url.URL, error) {
	if strings.Trim(host, "/") == "" {
		return nil, errors.New("An API host must be provided.") //nolint:staticcheck // wsk's text
	}
	if !strings.Contains(host, "://") {
		host = "https://" + host
	}
	u, err := url.Parse(host)
	if err != nil {
		return nil, err
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("the scheme is %q, not http or https", u.Scheme)
	case u.Hostname() == "":
		return nil, fmt.Errorf("%q names no host", host)
	case u.User != nil:
		return nil, errors.New("the key does not belong into the host")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("%q has more than a host and a path", host)
	}
	return u.JoinPath("api"), nil
}
