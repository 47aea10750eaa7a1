package client

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	"hearth/whisk"
)

// Package is a package, or a binding to one, as the API sends and takes it. The
// order of the fields is that in which clients print them.
type Package struct {
	Namespace   string            `json:"namespace,omitempty"`
	Name        string            `json:"name,omitempty"`
	Version     string            `json:"version,omitempty"`
	Publish     *bool             `json:"publish,omitempty"`
	Annotations []whisk.Parameter `json:"annotations,omitempty"`
	Parameters  []whisk.Parameter `json:"parameters,omitempty"`
	Binding     *Binding          `json:"binding,omitempty"`
	Actions     []Action          `json:"actions,omitempty"` // what is in it, feeds apart
	Feeds       []Action          `json:"feeds,omitempty"`
	Updated     int64             `json:"updated,omitempty"` // ms since the epoch
}

// Binding names the package that another one stands for; the zero value is
// that of a plain package.
type Binding struct {
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name,omitempty"`
}

// UnmarshalJSON also reads the false that lists have for plain packages.
func (b *Binding) UnmarshalJSON(raw []byte) error {
	*b = Binding{}
	if bytes.Equal(raw, []byte("false")) {
		return nil
	}
	type plain Binding // without this method
	return json.Unmarshal(raw, (*plain)(b))
}

// IsBinding reports whether p stands for another package.
func (p *Package) IsBinding() bool { return p.Binding != nil && *p.Binding != Binding{} }

// Package fetches a package with the names of what is in it.
func (c *Client) Package(ctx context.Context, n whisk.EntityName) (*Package, error) {
	return fetch[Package](ctx, c, entityPath(n, packages))
}

// PutPackage creates a package or a binding, or updates it if overwrite is set
// and it is there already. What p leaves out keeps its value in an update.
func (c *Client) PutPackage(ctx context.Context, n whisk.EntityName, p *Package, overwrite bool) (*Package, error) {
	return put[Package](ctx, c, entityPath(n, packages), p, overwrite)
}

// DeletePackage deletes a package that has nothing in it.
func (c *Client) DeletePackage(ctx context.Context, n whisk.EntityName) error {
	return c.accepted(ctx, request{method: http.MethodDelete, path: entityPath(n, packages)})
}

// Packages lists the packages of a namespace, newest first; of a namespace that
// is not the caller's, those that are shared. A limit of 0 asks for as many as
// the server gives at once.
func (c *Client) Packages(ctx context.Context, ns whisk.Namespace, skip, limit int) ([]Package, error) {
	return list[Package](ctx, c, collectionPath(ns, packages), skip, limit)
}

// Refreshed names the bindings that a refresh changed.
type Refreshed struct {
	Added   []string `json:"added"`
	Updated []string `json:"updated"`
	Deleted []string `json:"deleted"`
}

// RefreshPackages asks the server to bind what the namespace's services offer,
// which few servers can.
func (c *Client) RefreshPackages(ctx context.Context, ns whisk.Namespace) (*Refreshed, error) {
	r := new(Refreshed)
	err := c.decode(ctx, request{method: http.MethodPost, path: append(collectionPath(ns, packages), "refresh")}, r)
	if err != nil {
		return nil, err
	}
	return r, nil
}
