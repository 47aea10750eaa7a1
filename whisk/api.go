package whisk

import "encoding/json"

// APIs are the HTTP APIs of a namespace: web actions under URLs of their own.
// They are shared between requests, as actions are: nobody changes them.
type APIs struct {
	Namespace Namespace
	List      []API // by base path, each once
	Updated   int64 // ms since the epoch
	Revision  int64 // as [Action.Revision]
}

// API is one of them. Document is what its owner gave and gets back, Routes
// what of it holds for requests.
type API struct {
	BasePath string          `json:"basePath"` // "/", or "/base" without a slash at its end
	Title    string          `json:"title"`
	Document json.RawMessage `json:"document"` // Swagger 2.0
	CORS     CORS            `json:"cors,omitempty"`
	Routes   []Route         `json:"routes"`
}

// CORS says who decides whether scripts of other origins may use an API.
type CORS uint8

// The choices.
const (
	CORSByAction CORS = iota // each action, as for requests without an API
	CORSOpen                 // all may
	CORSClosed               // none may
)

// Route is what a method of a path runs.
type Route struct {
	Path      string     `json:"path"`   // below the base path, with a leading slash; segments like {name} stand for any
	Method    string     `json:"method"` // in capitals
	Action    ActionName `json:"action"`
	Extension string     `json:"extension"`          // ".http" and so on
	WholePath bool       `json:"wholePath,omitzero"` // the action sees the path from the base path on, else what follows Path
	As        string     `json:"as,omitempty"`       // the method that the action sees, "": the request's
	Header    []Header   `json:"header,omitempty"`   // set in the request
}

// Header is one line of a header.
type Header struct {
	Name  string `json:"name"` // in canonical form
	Value string `json:"value"`
}
