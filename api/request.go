package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"

	"hearth/whisk"
)

// request is one request on its way through the gates.
type request struct {
	*http.Request
	ctx      context.Context // see Context; nil until it is asked for
	cancel   context.CancelFunc
	timeout  time.Duration
	clock    time.Time // when the time began to count
	id       string
	began    time.Time
	class    class
	query    query
	identity *whisk.Identity     // nil until authenticated
	limits   *whisk.SystemLimits // the caller's once it is known

	budget   *budget
	turns    *semaphore.Weighted // see inTurn
	reserved int64               // bytes of the budget to be released at the end
	shared   int64               // of them, what counts in the namespace's share
	bodyRead bool
	allow    string // what a refused method could have been

	wantsRecord bool // see extraLogging

	web        bool               // the answer is a web action's: it bears no headers of the API's, and errors are for people to read
	cors       []string           // the Access-Control-Allow-Headers that go with it, and others with them; nil: none
	activation whisk.ActivationID // of the web action that has run
}

// Context returns the HTTP request's with a deadline. It hides that one, which
// has none and suits only those who bound their own waits.
func (q *request) Context() context.Context {
	if q.ctx == nil {
		q.ctx, q.cancel = context.WithDeadline(q.Request.Context(), q.clock.Add(q.timeout))
	}
	return q.ctx
}

// startClock gives the request its time, from now on. The time of a client
// that sends its body slowly is not ours.
func (q *request) startClock(now time.Time) {
	q.stopClock()
	q.ctx, q.clock = nil, now
}

func (q *request) stopClock() {
	if q.cancel != nil {
		q.cancel()
	}
}

// requestID returns the client's id if it is well-formed, else a new one. Ids
// that begin with "sid_" are the system's own.
func requestID(h http.Header) string {
	if v := h["X-Request-Id"]; len(v) > 0 && validRequestID(v[0]) {
		return v[0]
	}
	var b [16]byte
	rand.Read(b[:]) // never fails since Go 1.24
	var text [32]byte
	hex.Encode(text[:], b[:])
	return string(text[:])
}

func validRequestID(s string) bool {
	if len(s) == 0 || len(s) > 64 || strings.HasPrefix(s, "sid_") {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

// owns reports whether the namespace is the caller's.
func (q *request) owns(ns whisk.Namespace) bool { return q.identity.Namespace == ns }

// only returns the error of a method that is not in the list "A, B".
func (q *request) only(methods string) error {
	for m := range strings.SplitSeq(methods, ", ") {
		if q.Method == m {
			return nil
		}
	}
	q.allow = methods
	return whisk.Errorf(whisk.MethodNotAllowed, "HTTP method not allowed, supported methods: %s", methods)
}
