package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"hearth/whisk"
)

// statusOf is the one place where a kind of error becomes a status.
var statusOf = map[whisk.Kind]int{
	whisk.Internal:             http.StatusInternalServerError,
	whisk.BadRequest:           http.StatusBadRequest,
	whisk.Unauthenticated:      http.StatusUnauthorized,
	whisk.Forbidden:            http.StatusForbidden,
	whisk.NotFound:             http.StatusNotFound,
	whisk.MethodNotAllowed:     http.StatusMethodNotAllowed,
	whisk.NotAcceptable:        http.StatusNotAcceptable,
	whisk.Conflict:             http.StatusConflict,
	whisk.TooLarge:             http.StatusRequestEntityTooLarge,
	whisk.URITooLong:           http.StatusRequestURITooLong,
	whisk.UnsupportedMediaType: http.StatusUnsupportedMediaType,
	whisk.Throttled:            http.StatusTooManyRequests,
	whisk.Unavailable:          http.StatusServiceUnavailable,
	whisk.Timeout:              http.StatusRequestTimeout,
}

// defaultText is what the user reads where an error has no text of its own.
// An internal error's own text is never shown.
var defaultText = map[whisk.Kind]string{
	whisk.Internal:             "There was an internal server error.",
	whisk.BadRequest:           "The request contains bad syntax or cannot be fulfilled.",
	whisk.Unauthenticated:      badCredentials,
	whisk.Forbidden:            whisk.ErrForbidden.Message,
	whisk.NotFound:             whisk.ErrNotFound.Message,
	whisk.MethodNotAllowed:     "A request was made of a resource using a request method not supported by that resource.",
	whisk.NotAcceptable:        "The resource identified by the request is only capable of generating response entities which have content characteristics not acceptable according to the accept headers sent in the request.",
	whisk.Conflict:             "The request could not be processed because of conflict in the request, such as an edit conflict.",
	whisk.TooLarge:             "The request is larger than the server is willing or able to process.",
	whisk.URITooLong:           "The URI provided was too long for the server to process.",
	whisk.UnsupportedMediaType: "The request entity has a media type which the server or resource does not support.",
	whisk.Throttled:            "The user has sent too many requests in a given amount of time.",
	whisk.Unavailable:          whisk.ErrOverloaded.Message,
	whisk.Timeout:              "The server timed out waiting for the request.",
}

// Texts of the rejections that come before any entity is looked at.
const (
	noCredentials  = "The resource requires authentication, which was not supplied with the request"
	badCredentials = "The supplied authentication is invalid"
	corruptedText  = "Resource is corrupted and cannot be read."
	tooSlow        = "The server was not able to produce a timely response to your request."
	challenge      = `Basic realm="OpenWhisk secure realm"`
)

var errNoRoute = &whisk.Error{Kind: whisk.NotFound, Message: "The requested resource could not be found."}

// statusAndText returns what the user sees of err.
func statusAndText(err error) (int, string) {
	if errors.Is(err, whisk.ErrCorrupted) {
		return http.StatusInternalServerError, corruptedText
	}
	kind := whisk.KindOf(err)
	if kind == whisk.Internal && errors.Is(err, context.DeadlineExceeded) {
		return http.StatusServiceUnavailable, tooSlow
	}
	status, ok := statusOf[kind]
	if !ok {
		kind, status = whisk.Internal, http.StatusInternalServerError
	}
	text := strings.TrimSpace(whisk.MessageOf(err))
	if text == "" || kind == whisk.Internal {
		text = defaultText[kind]
	}
	return status, text
}

// malformed is the error of a body that says nothing usable; detail says why.
func malformed(detail string) error {
	return whisk.Errorf(whisk.BadRequest, "The request content was malformed:\n%s", detail)
}

// malformedBy is malformed with the user's text of err as detail, or all of
// it where it has none: errors of the JSON parser hold at most one character
// of the input.
func malformedBy(err error) error {
	if text := whisk.MessageOf(err); text != "" {
		return malformed(text)
	}
	return malformed(err.Error())
}

// badQuery is the error of a query parameter that cannot be read.
func badQuery(name, detail string) error {
	return whisk.Errorf(whisk.BadRequest, "The query parameter '%s' was malformed:\n%s", name, detail)
}

// tooLarge is the error of a part of a request beyond its bound, in bytes.
func tooLarge(what string, is, allowed int64) error {
	return whisk.Errorf(whisk.TooLarge, "%s larger than allowed: %d > %d bytes.", what, is, allowed)
}
