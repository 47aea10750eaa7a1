package client

import (
	"context"
	"encoding/json"
	"net/http"

	"hearth/whisk"
)

// Trigger is a trigger as the API sends and takes it. The order of the fields
// is that in which clients print them.
type Trigger struct {
	Namespace   string                     `json:"namespace,omitempty"`
	Name        string                     `json:"name,omitempty"`
	Version     string                     `json:"version,omitempty"`
	Annotations []whisk.Parameter          `json:"annotations,omitempty"`
	Parameters  []whisk.Parameter          `json:"parameters,omitempty"`
	Limits      *Limits                    `json:"limits,omitempty"`
	Publish     *bool                      `json:"publish,omitempty"`
	Rules       map[string]json.RawMessage `json:"rules,omitempty"`   // by "ns/rule"
	Updated     int64                      `json:"updated,omitempty"` // ms since the epoch
}

// Feed returns the full name of the feed that fires the trigger, "" if none
// does.
func (t *Trigger) Feed() string {
	raw, _ := whisk.Parameters(t.Annotations).Get("feed")
	var name string
	if json.Unmarshal(raw, &name) != nil {
		return ""
	}
	return name
}

// Trigger fetches a trigger.
func (c *Client) Trigger(ctx context.Context, n whisk.EntityName) (*Trigger, error) {
	return fetch[Trigger](ctx, c, entityPath(n, triggers))
}

// PutTrigger creates a trigger, or updates it if overwrite is set and it is
// there already. What t leaves out keeps its value in an update; annotations
// and parameters are replaced whole.
func (c *Client) PutTrigger(ctx context.Context, n whisk.EntityName, t *Trigger, overwrite bool) (*Trigger, error) {
	return put[Trigger](ctx, c, entityPath(n, triggers), t, overwrite)
}

// DeleteTrigger deletes a trigger. Its rules stay, inactive.
func (c *Client) DeleteTrigger(ctx context.Context, n whisk.EntityName) error {
	return c.accepted(ctx, request{method: http.MethodDelete, path: entityPath(n, triggers)})
}

// Triggers lists the triggers of a namespace, newest first. A limit of 0 asks
// for as many as the server gives at once.
func (c *Client) Triggers(ctx context.Context, ns whisk.Namespace, skip, limit int) ([]Trigger, error) {
	return list[Trigger](ctx, c, collectionPath(ns, triggers), skip, limit)
}

// Fire fires a trigger with args, a JSON object (nil is the empty one), and
// returns the activation's id, "" if no rule was active.
func (c *Client) Fire(ctx context.Context, n whisk.EntityName, args json.RawMessage) (string, error) {
	if args == nil {
		args = json.RawMessage("{}")
	}
	a, err := c.do(ctx, request{method: http.MethodPost, path: entityPath(n, triggers), body: args})
	if err != nil {
		return "", err
	}
	if !a.ok() {
		return "", refusal(a.status, a.body)
	}
	var v struct {
		ID string `json:"activationId"`
	}
	if len(a.body) > 0 && json.Unmarshal(a.body, &v) != nil {
		return "", ErrUnreadable
	}
	return v.ID, nil
}
