package bench

import (
	"crypto/tls"
	"time"
)

// HTTPConfig says what an HTTPTarget sends, and how answers are judged.
type HTTPConfig struct {
	URL    string // http or https
	Method string // "" is GET without a Body, POST with one

	Header map[string]string // further fields; a Host replaces the URL's
	Socket string            // connect to this unix socket instead of the URL's host, "" none

	// Path appends a request's path and query to buf, in place of the URL's;
	// nil takes that. It must be escaped. Many goroutines call it at once.
	Path func(buf []byte, seq int64) []byte

	User, Password string // basic authentication, "" none

	// Body appends the payload of a request to buf and returns it; nil sends
	// none. Many goroutines call it at once.
	Body func(buf []byte, seq int64) []byte

	// Check judges an answer: it finds h.Class set by [StatusClass] and may
	// change it and fill in the rest. The answer is valid during the call
	// only. nil leaves the status' judgement. Many goroutines call it at once.
	Check func(seq int64, a Answer, h *Hit)

	TLS     *tls.Config   // of https, nil is Go's defaults
	Timeout time.Duration // of one request, connecting included (± a quarter); 0 is 70 s
	MaxBody int           // of an answer, bytes; 0 is 16 MB
}

// Answer is an HTTP answer. Body is valid until the check returns.
type Answer struct {
	Status int
	Body   []byte
}

// StatusClass returns the class of a status, "" for 2xx.
func StatusClass(status int) string {
	switch {
	case status == 429:
		return ClassThrottled
	case status >= 500:
		return ClassServer
	case status >= 400:
		return ClassClient
	case status >= 200 && status < 300:
		return ""
	}
	return ClassBadAnswer
}
