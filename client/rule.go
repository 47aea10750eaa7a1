package client

import (
	"context"
	"net/http"

	"hearth/whisk"
)

// Rule is a rule as the API sends it. The order of the fields is that in which
// clients print them.
type Rule struct {
	Namespace   string            `json:"namespace,omitempty"`
	Name        string            `json:"name,omitempty"`
	Version     string            `json:"version,omitempty"`
	Annotations []whisk.Parameter `json:"annotations,omitempty"`
	Status      string            `json:"status"` // active or inactive; lists do not say it
	Trigger     Ref               `json:"trigger"`
	Action      Ref               `json:"action"`
	Publish     *bool             `json:"publish,omitempty"`
	Updated     int64             `json:"updated,omitempty"` // ms since the epoch
}

// Ref names a trigger or an action in a rule.
type Ref struct {
	Name string `json:"name"`
	Path string `json:"path"` // "ns" or "ns/pkg"
}

// String returns "/ns/[pkg/]name".
func (r Ref) String() string { return "/" + r.Path + "/" + r.Name }

// RuleBody is what creates or updates a rule.
type RuleBody struct {
	Name        string            `json:"name,omitempty"`
	Annotations []whisk.Parameter `json:"annotations,omitempty"`
	Trigger     string            `json:"trigger,omitempty"` // "/ns/name"; "_" is the rule's namespace
	Action      string            `json:"action,omitempty"`  // "/ns/[pkg/]name"
	Publish     *bool             `json:"publish,omitempty"`
}

// The states of a rule.
const (
	Active   = "active"
	Inactive = "inactive"
)

// Rule fetches a rule.
func (c *Client) Rule(ctx context.Context, n whisk.EntityName) (*Rule, error) {
	return fetch[Rule](ctx, c, entityPath(n, rules))
}

// PutRule creates an active rule, or updates one if overwrite is set and it is
// there already: it then stays active or inactive.
func (c *Client) PutRule(ctx context.Context, n whisk.EntityName, r *RuleBody, overwrite bool) (*Rule, error) {
	return put[Rule](ctx, c, entityPath(n, rules), r, overwrite)
}

// SetRule makes a rule active or inactive.
func (c *Client) SetRule(ctx context.Context, n whisk.EntityName, status string) error {
	body, err := encode(map[string]string{"status": status})
	if err != nil {
		return err
	}
	return c.accepted(ctx, request{method: http.MethodPost, path: entityPath(n, rules), body: body})
}

// DeleteRule deletes a rule.
func (c *Client) DeleteRule(ctx context.Context, n whisk.EntityName) error {
	return c.accepted(ctx, request{method: http.MethodDelete, path: entityPath(n, rules)})
}

// Rules lists the rules of a namespace, newest first, without their status. A
// limit of 0 asks for as many as the server gives at once.
func (c *Client) Rules(ctx context.Context, ns whisk.Namespace, skip, limit int) ([]Rule, error) {
	return list[Rule](ctx, c, collectionPath(ns, rules), skip, limit)
}
