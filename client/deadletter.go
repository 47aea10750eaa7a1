package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
)

// DeadLetter is a call that failed at its last attempt.
type DeadLetter struct {
	ActivationID string `json:"activationId"` // whose record says how it ended
	Namespace    string `json:"namespace"`
	Name         string `json:"name"`    // of the action: [pkg/]name
	Created      int64  `json:"created"` // ms since the epoch
	Ended        int64  `json:"ended"`   // ms since the epoch
	Attempts     int    `json:"attempts"`
	Reason       string `json:"reason"`
}

func deadPath(more ...string) []string {
	return append([]string{"namespaces", "_", "deadletters"}, more...)
}

// DeadLetters lists dead letters, last ended first. A limit of 0 asks for as
// many as the server gives at once.
func (c *Client) DeadLetters(ctx context.Context, skip, limit int) ([]DeadLetter, error) {
	q := url.Values{"skip": {strconv.Itoa(skip)}, "limit": {strconv.Itoa(limit)}}
	var list []DeadLetter
	err := c.decode(ctx, request{method: http.MethodGet, path: deadPath(), query: q}, &list)
	return list, err
}

// DeadLetter fetches one.
func (c *Client) DeadLetter(ctx context.Context, id string) (*DeadLetter, error) {
	d := new(DeadLetter)
	if err := c.decode(ctx, request{method: http.MethodGet, path: deadPath(id)}, d); err != nil {
		return nil, err
	}
	return d, nil
}

// Redrive has the call of a dead letter run again and returns its new
// activation id.
func (c *Client) Redrive(ctx context.Context, id string) (string, error) {
	var v struct {
		ActivationID string `json:"activationId"`
	}
	err := c.decode(ctx, request{method: http.MethodPost, path: deadPath(id)}, &v)
	return v.ActivationID, err
}

// DeleteDeadLetters deletes one, or with "" all of them, and returns how many
// there were.
func (c *Client) DeleteDeadLetters(ctx context.Context, id string) (int, error) {
	path := deadPath()
	if id != "" {
		path = deadPath(id)
	}
	var v struct {
		Deleted int `json:"deleted"`
	}
	err := c.decode(ctx, request{method: http.MethodDelete, path: path}, &v)
	return v.Deleted, err
}
