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

// Runtimes returns the kinds that the server runs, by family. It needs no key.
func (c *Client) Runtimes(ctx context.Context) (map[string][]string, error) {
	var v struct {
		Runtimes map[string][]struct {
			Kind string `json:"kind"`
		} `json:"runtimes"`
	}
	if err := c.decode(ctx, request{method: http.MethodGet, open: true, root: true, slash: true}, &v); err != nil {
		return nil, err
	}
	kinds := map[string][]string{}
	for family, list := range v.Runtimes {
		for _, r := range list {
			kinds[family] = append(kinds[family], r.Kind)
		}
	}
	return kinds, nil
}
