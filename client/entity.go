package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"hearth/whisk"
)

// The collections of a namespace.
const (
	packages = "packages"
	triggers = "triggers"
	rules    = "rules"
)

// collectionPath returns the segments of a collection of a namespace. An empty
// namespace is the caller's own.
func collectionPath(ns whisk.Namespace, collection string) []string {
	return []string{"namespaces", own(ns), collection}
}

func entityPath(n whisk.EntityName, collection string) []string {
	return append(collectionPath(n.Namespace, collection), n.Name)
}

// fetch gets one entity.
func fetch[T any](ctx context.Context, c *Client, path []string) (*T, error) {
	v := new(T)
	if err := c.decode(ctx, request{method: http.MethodGet, path: path}, v); err != nil {
		return nil, err
	}
	return v, nil
}

// put creates an entity, or updates it if overwrite is set, and returns what
// the server stored.
func put[T any](ctx context.Context, c *Client, path []string, body any, overwrite bool) (*T, error) {
	b, err := encode(body)
	if err != nil {
		return nil, err
	}
	v := new(T)
	err = c.decode(ctx, request{
		method: http.MethodPut,
		path:   path,
		query:  url.Values{"overwrite": {strconv.FormatBool(overwrite)}},
		body:   b,
	}, v)
	if err != nil {
		return nil, err
	}
	return v, nil
}

// list gets a part of a collection, newest first. A limit of 0 asks for as many
// as the server gives at once.
func list[T any](ctx context.Context, c *Client, path []string, skip, limit int) ([]T, error) {
	var v []T
	err := c.decode(ctx, request{
		method: http.MethodGet,
		path:   path,
		query:  url.Values{"limit": {strconv.Itoa(limit)}, "skip": {strconv.Itoa(skip)}},
	}, &v)
	return v, err
}

// accepted carries out a request whose answer says no more than its status.
func (c *Client) accepted(ctx context.Context, r request) error {
	a, err := c.do(ctx, r)
	if err != nil {
		return err
	}
	if !a.ok() {
		return refusal(a.status, a.body)
	}
	return nil
}
