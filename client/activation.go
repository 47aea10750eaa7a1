package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"hearth/whisk"
)

// Activation is a record, or a row of a list (which lacks subject, response
// and logs). The order of the fields is that in which clients print them.
type Activation struct {
	Namespace    string            `json:"namespace"`
	Name         string            `json:"name"`
	Version      string            `json:"version"`
	Subject      string            `json:"subject"`
	ActivationID string            `json:"activationId"`
	Cause        string            `json:"cause,omitempty"`
	Start        int64             `json:"start"`      // ms since the epoch
	End          int64             `json:"end"`        // ms since the epoch; 0 for triggers
	Duration     int64             `json:"duration"`   // ms
	StatusCode   whisk.Status      `json:"statusCode"` // of records too, where the server says it in words
	Response     Response          `json:"response"`
	Logs         []string          `json:"logs"`
	Annotations  []whisk.Parameter `json:"annotations"`
	Publish      *bool             `json:"publish,omitempty"`
}

// Response is how an activation ended.
type Response struct {
	Status     string          `json:"status"`
	StatusCode whisk.Status    `json:"statusCode"`
	Success    bool            `json:"success"`
	Result     json.RawMessage `json:"result,omitempty"`
}

// settle fills in the numbers of a status that was said in words.
func (a *Activation) settle() {
	for s := whisk.ApplicationError; s <= whisk.WhiskError; s++ {
		if a.Response.Status == s.String() {
			a.StatusCode, a.Response.StatusCode = s, s
		}
	}
}

// ActivationQuery selects activations of the caller's namespace.
type ActivationQuery struct {
	Name        string // "name" or "pkg/name"; "" is all
	Since, Upto int64  // ms since the epoch, inclusive; 0 is no bound
	Skip, Limit int    // a limit of 0 asks for as many as the server gives at once
	Full        bool   // whole records instead of rows
}

func (q ActivationQuery) values() url.Values {
	v := url.Values{"limit": {strconv.Itoa(q.Limit)}, "skip": {strconv.Itoa(q.Skip)}}
	if q.Name != "" {
		v.Set("name", q.Name)
	}
	if q.Since != 0 {
		v.Set("since", strconv.FormatInt(q.Since, 10))
	}
	if q.Upto != 0 {
		v.Set("upto", strconv.FormatInt(q.Upto, 10))
	}
	if q.Full {
		v.Set("docs", "true")
	}
	return v
}

func activationPath(more ...string) []string {
	return append([]string{"namespaces", "_", "activations"}, more...)
}

// Activations lists activations, newest first.
func (c *Client) Activations(ctx context.Context, q ActivationQuery) ([]Activation, error) {
	var list []Activation
	err := c.decode(ctx, request{method: http.MethodGet, path: activationPath(), query: q.values()}, &list)
	for i := range list {
		list[i].settle()
	}
	return list, err
}

// Activation fetches a record.
func (c *Client) Activation(ctx context.Context, id string) (*Activation, error) {
	a := new(Activation)
	if err := c.decode(ctx, request{method: http.MethodGet, path: activationPath(id)}, a); err != nil {
		return nil, err
	}
	a.settle()
	return a, nil
}

// Logs fetches an activation's log lines.
func (c *Client) Logs(ctx context.Context, id string) ([]string, error) {
	var v struct {
		Logs []string `json:"logs"`
	}
	err := c.decode(ctx, request{method: http.MethodGet, path: activationPath(id, "logs")}, &v)
	return v.Logs, err
}

// Result fetches how an activation ended.
func (c *Client) Result(ctx context.Context, id string) (*Response, error) {
	a := new(Activation)
	if err := c.decode(ctx, request{method: http.MethodGet, path: activationPath(id, "result")}, &a.Response); err != nil {
		return nil, err
	}
	a.settle()
	return &a.Response, nil
}

// Cancel ends an activation that has not started yet and returns its record.
func (c *Client) Cancel(ctx context.Context, id string) (*Activation, error) {
	a := new(Activation)
	if err := c.decode(ctx, request{method: http.MethodDelete, path: []string{"namespaces", "_", "queue", id}}, a); err != nil {
		return nil, err
	}
	a.settle()
	return a, nil
}
