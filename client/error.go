package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"hearth/whisk"
)

// Errors of calls that got no refusal from the server.
var (
	// ErrUnreadable means that the server accepted the call, but its answer
	// was not what the API promises, or larger than the bound.
	ErrUnreadable = errors.New("the server's answer was not understood")

	// ErrNoKey means that nothing was sent, since there is no key to send.
	ErrNoKey = errors.New("Authorization key is not configured (--auth is required)") //nolint:staticcheck // wsk's text
)

// Error is a server's refusal.
type Error struct {
	Status  int    // HTTP's
	Message string // the server's text; "" if it gave none that is understood
	Code    string // the transaction id, by which the operator finds the request; an action's errors have none
}

func (e *Error) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("The connection failed, or timed out. (HTTP status code %d)", e.Status)
	}
	if e.Code == "" { // an action's word, not the API's
		return e.Message
	}
	return fmt.Sprintf("%s (code %s)", e.Message, e.Code)
}

// NetworkError means that no answer came: whether the server carried the call
// out is unknown, unless the connection was never made.
type NetworkError struct{ Err error }

func (e *NetworkError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *NetworkError) Unwrap() error { return e.Err }

// StatusOf returns the HTTP status of the first Error in err's chain, 0 if
// there is none.
func StatusOf(err error) int {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Status
	}
	return 0
}

// refusal reads an answer that is no success. Only a body with both "error"
// and "code" is the server's own word.
func refusal(status int, body []byte) *Error {
	e := &Error{Status: status}
	if !json.Valid(body) {
		return e
	}
	message, ok := whisk.Field(body, "error")
	code, coded := whisk.Field(body, "code")
	if ok && coded && !isNull(message) && !isNull(code) {
		e.Message, e.Code = text(message), text(code)
	}
	return e
}

// text returns a JSON string's content, and the JSON text of anything else.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

func isNull(raw json.RawMessage) bool { return bytes.Equal(bytes.TrimSpace(raw), []byte("null")) }
