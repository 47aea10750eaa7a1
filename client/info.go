package client

import (
	"context"
	"net/http"
)

// Info is what a server says of itself.
type Info struct {
	Description string `json:"description"`
	Version     string `json:"api_version"`
	Build       string `json:"build"`
	BuildNo     string `json:"buildno"`
}

// Info asks the server for its build. It needs no key.
func (c *Client) Info(ctx context.Context) (Info, error) {
	var i Info
	err := c.decode(ctx, request{method: http.MethodGet, open: true}, &i)
	return i, err
}

// Namespaces lists the namespaces that the key opens: exactly one.
func (c *Client) Namespaces(ctx context.Context) ([]string, error) {
	var list []string
	err := c.decode(ctx, request{method: http.MethodGet, path: []string{"namespaces"}}, &list)
	return list, err
}
