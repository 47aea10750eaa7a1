package api

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"

	"hearth/whisk"
)

// reply is what a handler answers.
type reply struct {
	status     int
	mediaType  string             // "" is JSON
	activation whisk.ActivationID // shown in a header, unless zero
	header     http.Header        // more headers, nil for none
	own        bool               // a web action's own answer: its status says nothing of Hearth
	body       []byte

	// stream writes the body in place of the field body, for what is too
	// large to hold twice.
	stream  func(io.Writer) error
	started bool // part of a streamed body may be on its way
}

// ok returns the answer 200 with a JSON body.
func ok(body []byte) (reply, error) { return reply{status: http.StatusOK, body: body}, nil }

// Header values that every answer shares. Nobody may change them.
var (
	corsOrigin  = []string{"*"}
	corsHeaders = []string{"Authorization, Origin, X-Requested-With, Content-Type, Accept, User-Agent"}
	corsMethods = []string{"GET, DELETE, POST, PUT, HEAD"}
	jsonTypes   = []string{jsonType}
	challenges  = []string{challenge}
	oneSecond   = []string{"1"}
	closing     = []string{"close"}
)

// smallBody is how many unread bytes of a refused request are worth reading to
// keep its connection.
const smallBody = 16 << 10

// writeTo writes the answer. Errors say that the client will not have it
// whole.
func (rep *reply) writeTo(w http.ResponseWriter, q *request) error {
	h := w.Header()
	h["X-Request-Id"] = []string{q.id}
	if q.web {
		if q.cors != nil {
			h["Access-Control-Allow-Origin"] = corsOrigin
			h["Access-Control-Allow-Headers"] = q.cors
			h["Access-Control-Allow-Methods"] = webCORSMethods
		}
		maps.Copy(h, rep.header)
		rep.activation = q.activation
	} else {
		h["Access-Control-Allow-Origin"] = corsOrigin
		h["Access-Control-Allow-Headers"] = corsHeaders
		h["Access-Control-Allow-Methods"] = corsMethods
	}
	if !rep.activation.IsZero() {
		h["X-Openwhisk-Activation-Id"] = []string{rep.activation.String()}
	}
	switch {
	case rep.mediaType != "":
		h["Content-Type"] = []string{rep.mediaType}
	case rep.stream != nil || len(rep.body) > 0:
		h["Content-Type"] = jsonTypes
	}
	rep.explain(h, q)
	// A body that nobody has read would be read by the HTTP server before the
	// answer goes out, to reach the next request. Strangers get no such patience.
	if !q.bodyRead && q.ContentLength != 0 && rep.status >= http.StatusBadRequest &&
		(q.identity == nil || q.ContentLength < 0 || q.ContentLength > smallBody) {
		h["Connection"] = closing
	}
	if rep.stream != nil {
		w.WriteHeader(rep.status)
		rep.started = true
		if err := rep.stream(w); err != nil {
			return fmt.Errorf("write answer: %w", err)
		}
		return nil
	}
	if rep.status != http.StatusNotModified {
		h["Content-Length"] = []string{strconv.Itoa(len(rep.body))}
	}
	w.WriteHeader(rep.status)
	if len(rep.body) == 0 {
		return nil
	}
	if _, err := w.Write(rep.body); err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	return nil
}

// explain adds the headers that go with a status of Hearth's. Web actions ask
// no browser for a password.
func (rep *reply) explain(h http.Header, q *request) {
	if rep.own {
		return
	}
	switch rep.status {
	case http.StatusUnauthorized:
		if !q.web {
			h["Www-Authenticate"] = challenges
		}
	case http.StatusMethodNotAllowed:
		h["Allow"] = []string{q.allow}
	case http.StatusServiceUnavailable:
		h["Retry-After"] = oneSecond
	}
}
