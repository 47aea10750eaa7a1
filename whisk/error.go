package whisk

import (
	"errors"
	"fmt"
	"strings"
)

// Kind says what sort of failure an error is. The API maps each kind to one
// HTTP status, in one place.
type Kind uint8

// The kinds of failure. Internal, the zero value, is anything a user cannot
// mend; its text stays in the log.
const (
	Internal             Kind = iota // 500
	BadRequest                       // 400: a request that can never succeed as it is
	Unauthenticated                  // 401
	Forbidden                        // 403
	NotFound                         // 404
	MethodNotAllowed                 // 405
	NotAcceptable                    // 406
	Conflict                         // 409: exists already, or was changed in between
	TooLarge                         // 413
	URITooLong                       // 414
	UnsupportedMediaType             // 415
	Throttled                        // 429
	Unavailable                      // 503: overloaded, draining, or storage is away
	Timeout                          // 408: the client sent too slowly
)

// Error is a failure with a text for the user. Message is shown as it is and
// so never holds another tenant's data; Err is the cause, for logs only.
type Error struct {
	Kind    Kind
	Message string
	Err     error
}

// Errorf returns an Error of the kind with a formatted message and no cause.
func Errorf(k Kind, format string, args ...any) *Error {
	return &Error{Kind: k, Message: fmt.Sprintf(format, args...)}
}

func (e *Error) Error() string {
	if e.Err == nil {
		return e.Message
	}
	if e.Message == "" {
		return e.Err.Error()
	}
	return e.Message + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// NotAuthorized returns the error of resources that the caller has no right to,
// there or not: so it gives nothing away.
func NotAuthorized(paths ...string) *Error {
	return Errorf(Forbidden, "The supplied authentication is not authorized to access '%s'.", strings.Join(paths, ", "))
}

// KindOf returns the kind of the first Error in err's chain, Internal if there
// is none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// MessageOf returns the user's text of the first Error in err's chain, "" if
// there is none.
func MessageOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Message
	}
	return ""
}

// Errors that several packages return or test for.
var (
	ErrNotFound   = &Error{Kind: NotFound, Message: "The requested resource does not exist."}
	ErrExists     = &Error{Kind: Conflict, Message: "resource already exists"}
	ErrChanged    = &Error{Kind: Conflict, Message: "Concurrent modification to resource detected."}
	ErrCollection = &Error{Kind: Conflict, Message: "Resource by this name exists but is not in this collection."}
	ErrForbidden  = &Error{Kind: Forbidden, Message: "The supplied authentication is not authorized to access this resource."}
	ErrOverloaded = &Error{Kind: Unavailable, Message: "System is overloaded, try again later."}

	// ErrLeft means that a call goes on without its caller; see [Leave].
	ErrLeft = errors.New("the call goes on")

	// ErrCorrupted means that an entity is there and cannot be read.
	ErrCorrupted = errors.New("the stored entity is damaged")

	// ErrPending means that a blocking wait ended before the activation did:
	// the run goes on and its record will be found under its id.
	ErrPending = errors.New("the activation has not ended yet")
)
