package whisk

import (
	"encoding/json"
	"strings"
)

// Status is how an activation ended.
type Status uint8

// The four outcomes, in OpenWhisk's numbers.
const (
	Success          Status = iota
	ApplicationError        // the result has a key "error"
	DeveloperError          // the code could not be run, broke, ran too long or answered nonsense
	WhiskError              // the platform failed
)

func (s Status) String() string {
	switch s {
	case Success:
		return "success"
	case ApplicationError:
		return "application error"
	case DeveloperError:
		return "action developer error"
	}
	return "whisk internal error"
}

// Start is how the sandbox of a run came to be. Its texts are used in code,
// logs and metric labels alike.
type Start uint8

// The kinds of start; NoStart is for records of nothing that ran in a sandbox.
const (
	NoStart Start = iota
	Warm          // initialised before, for the same warm key
	Prewarm       // a stem cell: started before, initialised now
	Cold          // started and initialised now
)

func (s Start) String() string { return [...]string{"none", "warm", "prewarm", "cold"}[s&3] }

// Response is the outcome of an activation.
type Response struct {
	Status Status          `json:"statusCode"`
	Result json.RawMessage `json:"result,omitempty"` // JSON, nil if there is none
	Size   int             `json:"size,omitempty"`   // bytes of the response text, 0 if there was none
}

// ErrorResponse returns a response with the result {"error": message}.
func ErrorResponse(s Status, message string) Response {
	var b strings.Builder
	b.WriteString(`{"error":`)
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(message) // a string always encodes
	r := json.RawMessage(strings.TrimSuffix(b.String(), "\n") + "}")
	return Response{Status: s, Result: r, Size: len(r)}
}

// Activation is the record of one activation, as stored and as it travels
// between invoker and router. Facts is what the API shows as annotations.
type Activation struct {
	ID        ActivationID `json:"activationId"`
	Namespace Namespace    `json:"namespace"` // of who invoked it
	Name      string       `json:"name"`
	Package   string       `json:"package,omitempty"` // filter key "pkg/name"; the binding's where there is one
	Version   Version      `json:"version"`
	Subject   string       `json:"subject"`
	Start     int64        `json:"start"`         // ms since the epoch; of the init, where there was one
	End       int64        `json:"end,omitempty"` // ms; 0 for triggers
	Duration  int64        `json:"duration"`      // ms: init + run
	Cause     ActivationID `json:"cause,omitzero"`
	Response  Response     `json:"response"`
	Logs      []string     `json:"logs,omitempty"`
	Facts     Facts        `json:"facts"`

	// Unstored: the namespace has switched records off. The record still ends
	// its id (queue row, journal), but is not kept.
	Unstored bool `json:"unstored,omitempty"`

	// Attempt is the number of the run, from 1, of a call that is run again when
	// it fails; else 0. Again and Dead say what becomes of such a call that has
	// failed, and are not kept: after so many ms it is run again, and this
	// record does not end its id; or it is given up, and becomes a dead letter.
	Attempt int   `json:"attempt,omitempty"`
	Again   int64 `json:"again,omitempty"`
	Dead    bool  `json:"dead,omitempty"`
}

// Facts are the annotations of a record, typed. The zero value stands for a
// record without annotations (a trigger's).
type Facts struct {
	Path     string  `json:"path,omitempty"` // "ns/[pkg/]action" of the resolved action
	Kind     string  `json:"kind,omitempty"` // "unknown" when the action could not be fetched
	Limits   *Limits `json:"limits,omitempty"`
	TimedOut bool    `json:"timeout,omitempty"`
	Wait     int64   `json:"waitTime,omitempty"` // ms from the request's start to the init's or run's
	Init     int64   `json:"initTime,omitempty"` // ms; shown for prewarm and cold starts only
	Sandbox  Start   `json:"start,omitempty"`
	Binding  string  `json:"binding,omitempty"` // "ns/bindingpkg"
	InFlow   bool    `json:"inFlow,omitempty"`  // caused by a sequence or composition

	Conductor bool `json:"conductor,omitempty"` // a composition's, whose kind is a sequence's
}

// FilterName is what a list's "name" parameter is compared with: "name", or
// "pkg/name" for an action in a package.
func (a *Activation) FilterName() string {
	if a.Package == "" {
		return a.Name
	}
	return a.Package + "/" + a.Name
}
