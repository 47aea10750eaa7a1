package api

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"
	"unicode/utf8"

	"hearth/whisk"
)

// slowBody is when a request that has been read gets its time anew.
const slowBody = time.Second

// readJSON returns the request's body, checked to be one JSON value, nil if it
// is empty. Nothing of it is read if it says of itself that it is longer than
// limit bytes, compressed, or no JSON. The bytes stay valid after the request,
// but count in the budget only until it ends.
func (q *request) readJSON(limit int64) ([]byte, error) {
	if q.ContentLength == 0 {
		return nil, nil
	}
	if q.ContentLength > limit {
		return nil, tooLarge("Request", q.ContentLength, limit)
	}
	if err := checkEncoding(q.Header); err != nil {
		return nil, err
	}
	typeErr := checkContentType(q.Header)
	if typeErr != nil && q.ContentLength > 0 {
		return nil, typeErr
	}
	b, err := q.readBody(limit)
	if err != nil || len(b) == 0 {
		return nil, err
	}
	if typeErr != nil {
		return nil, typeErr
	}
	if now := time.Now(); now.Sub(q.began) > slowBody {
		q.startClock(now)
	}
	if !utf8.Valid(b) {
		return nil, malformed("JSON text must be UTF-8.")
	}
	if err := whisk.CheckJSON(b, q.limits.JSONDepth); err != nil {
		return nil, malformedBy(err)
	}
	return b, nil
}

// webBodyTime is how long a body for a web action may take to come. Others come
// from who has a key, and may be large: only their pace is bounded.
const webBodyTime = time.Minute

// readBody reads at most limit bytes. The buffer grows with what has come, not
// with what is announced.
func (q *request) readBody(limit int64) ([]byte, error) {
	const first = 16 << 10
	size := int64(first)
	if q.ContentLength > 0 {
		size = min(q.ContentLength, first)
	}
	if err := q.reserve(size + 1); err != nil {
		return nil, err
	}
	buf := make([]byte, 0, size+1) // the one more byte finds the end without growing
	for {
		n, err := q.Body.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if int64(len(buf)) > limit {
			return nil, tooLarge("Request", int64(len(buf)), limit)
		}
		if errors.Is(err, io.EOF) {
			q.bodyRead = true
			return buf, nil
		}
		if err != nil {
			return nil, readError(err)
		}
		if q.web && time.Since(q.began) > webBodyTime {
			return nil, &whisk.Error{Kind: whisk.Timeout}
		}
		if len(buf) < cap(buf) {
			continue
		}
		size = min(4*int64(cap(buf)), limit+1)
		if q.ContentLength > 0 {
			size = min(size, q.ContentLength+1)
		}
		if err := q.reserve(size); err != nil {
			return nil, err
		}
		grown := make([]byte, len(buf), size)
		copy(grown, buf)
		q.unreserve(int64(cap(buf)))
		buf = grown
	}
}

// readError turns what reading a body failed with into what the client is
// told, if it is still there.
func readError(err error) error {
	var tooBig *http.MaxBytesError
	switch {
	case whisk.KindOf(err) != whisk.Internal:
		return err // the server around this handler has its own bounds
	case errors.As(err, &tooBig):
		return tooLarge("Request", tooBig.Limit+1, tooBig.Limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &whisk.Error{Kind: whisk.Timeout, Err: err}
	}
	return &whisk.Error{Kind: whisk.BadRequest, Message: "The request content could not be read.", Err: err}
}
