package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"hearth/whisk"
)

// Action is an action as the API sends and takes it. The order of the fields
// is that in which clients print them; absent ones are left out.
type Action struct {
	Namespace      string            `json:"namespace,omitempty"` // "ns" or "ns/pkg"
	Name           string            `json:"name,omitempty"`
	Version        string            `json:"version,omitempty"`
	Exec           *Exec             `json:"exec,omitempty"`
	Annotations    []whisk.Parameter `json:"annotations,omitempty"`
	DelAnnotations []string          `json:"delAnnotations,omitempty"`
	Parameters     []whisk.Parameter `json:"parameters,omitempty"`
	Limits         *Limits           `json:"limits,omitempty"`
	Publish        *bool             `json:"publish,omitempty"`
	Updated        int64             `json:"updated,omitempty"` // ms since the epoch
}

// Exec is what an action runs.
type Exec struct {
	Kind       string   `json:"kind,omitempty"`
	Code       *string  `json:"code,omitempty"` // base64 if Binary
	Image      string   `json:"image,omitempty"`
	Main       string   `json:"main,omitempty"`
	Components []string `json:"components,omitempty"` // of a sequence, "/ns/[pkg/]name"
	Binary     *bool    `json:"binary,omitempty"`
}

// Limits are an action's limits; a nil one is the server's to choose, or to
// keep.
type Limits struct {
	Timeout     *int `json:"timeout,omitempty"` // ms
	Memory      *int `json:"memory,omitempty"`  // MB
	Logs        *int `json:"logs,omitempty"`    // MB
	Concurrency *int `json:"concurrency,omitempty"`
}

// Web reports whether the action answers as a web action: only a JSON true
// exports it.
func (a *Action) Web() bool {
	v, ok := whisk.Parameters(a.Annotations).Get("web-export")
	return ok && string(v) == "true"
}

// actionPath returns the segments of an action, or of the collection if n has
// no name. An empty namespace is the caller's own.
func actionPath(n whisk.ActionName) []string {
	path := []string{"namespaces", own(n.Namespace), "actions"}
	if n.Package != "" {
		path = append(path, n.Package)
	}
	if n.Name != "" {
		path = append(path, n.Name)
	}
	return path
}

func own(ns whisk.Namespace) string {
	if ns == "" {
		return "_"
	}
	return string(ns)
}

// Action fetches an action, with its code if asked for.
func (c *Client) Action(ctx context.Context, n whisk.ActionName, code bool) (*Action, error) {
	a := new(Action)
	err := c.decode(ctx, request{
		method: http.MethodGet,
		path:   actionPath(n),
		query:  url.Values{"code": {strconv.FormatBool(code)}},
	}, a)
	if err != nil {
		return nil, err
	}
	return a, nil
}

// PutAction creates an action, or updates it if overwrite is set and it is
// there already. What a leaves out keeps its value in an update.
func (c *Client) PutAction(ctx context.Context, n whisk.ActionName, a *Action, overwrite bool) (*Action, error) {
	return put[Action](ctx, c, actionPath(n), a, overwrite)
}

// DeleteAction deletes an action.
func (c *Client) DeleteAction(ctx context.Context, n whisk.ActionName) error {
	return c.accepted(ctx, request{method: http.MethodDelete, path: actionPath(n)})
}

// Actions lists the actions of a namespace, or of one package in it, newest
// first. A limit of 0 asks for as many as the server gives at once.
func (c *Client) Actions(ctx context.Context, ns whisk.Namespace, pkg string, skip, limit int) ([]Action, error) {
	var list []Action
	err := c.decode(ctx, request{
		method: http.MethodGet,
		path:   actionPath(whisk.ActionName{Namespace: ns, Package: pkg}),
		slash:  pkg != "", // without it the name would be an action's
		query:  url.Values{"limit": {strconv.Itoa(limit)}, "skip": {strconv.Itoa(skip)}},
	}, &list)
	return list, err
}

// Outcome is how an invocation stands when the server answers.
type Outcome uint8

// The outcomes of an invocation that the server accepted.
const (
	Accepted  Outcome = iota // it runs, or will: its record appears under its id
	Succeeded                // its action answered
	Failed                   // its action answered with an error, or could not answer
)

// Invocation is the server's answer to an invoke.
type Invocation struct {
	ID      string // of the activation; "" if the server did not say
	Outcome Outcome
	Body    json.RawMessage // the record, or only the result, or {"activationId"}
}

// InvokeOptions say what to wait for.
type InvokeOptions struct {
	Blocking bool  // wait for the activation's end
	Result   bool  // with Blocking: answer with the result alone
	Wait     int64 // ms to wait at most; 0 is the server's own maximum
}

// Invoke runs an action on args, a JSON object (nil is the empty one). A
// failed action is an outcome; an error means that the server refused, failed
// itself (then with the status 500), or did not answer.
func (c *Client) Invoke(ctx context.Context, n whisk.ActionName, args json.RawMessage, o InvokeOptions) (*Invocation, error) {
	if args == nil {
		args = json.RawMessage("{}")
	}
	q := url.Values{"blocking": {strconv.FormatBool(o.Blocking)}, "result": {strconv.FormatBool(o.Result)}}
	if o.Wait > 0 {
		q.Set("timeout", strconv.FormatInt(o.Wait, 10))
	}
	a, err := c.do(ctx, request{method: http.MethodPost, path: actionPath(n), query: q, body: args})
	if err != nil {
		return nil, err
	}
	inv := &Invocation{ID: a.header.Get("X-Openwhisk-Activation-Id"), Body: a.body}
	switch {
	case a.status == http.StatusBadGateway && (inv.ID != "" || isOutcome(a.body)):
		inv.Outcome = Failed
	case !a.ok():
		return nil, refusal(a.status, a.body)
	case a.status != http.StatusAccepted:
		inv.Outcome = Succeeded
	}
	if !json.Valid(a.body) {
		return nil, fmt.Errorf("%w: it is not JSON", ErrUnreadable)
	}
	if inv.ID == "" && whisk.IsObject(a.body) {
		if id, ok := whisk.Field(a.body, "activationId"); ok {
			inv.ID = text(id)
		}
	}
	return inv, nil
}

// isOutcome tells a failed action's answer from a failing server's where no
// header gives an id: it is the record, or a result with an error, and has no
// transaction id.
func isOutcome(body []byte) bool {
	if !json.Valid(body) || !whisk.IsObject(body) {
		return false
	}
	if _, isRecord := whisk.Field(body, "response"); isRecord {
		return true
	}
	_, failed := whisk.Field(body, "error")
	code, coded := whisk.Field(body, "code")
	return failed && (!coded || isNull(code))
}
