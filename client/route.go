package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"hearth/whisk"
)

// Route is what creates one operation of an API, or a whole API from a Swagger
// document.
type Route struct {
	Namespace      string          `json:"namespace,omitempty"`
	APIName        string          `json:"apiName,omitempty"`
	BasePath       string          `json:"gatewayBasePath,omitempty"` // or the name of an API
	Path           string          `json:"gatewayPath,omitempty"`
	Method         string          `json:"gatewayMethod,omitempty"` // in capitals
	ID             string          `json:"id,omitempty"`            // "API:ns:basepath"
	Swagger        string          `json:"swagger,omitempty"`       // JSON; excludes all but Namespace
	Action         *RouteAction    `json:"action,omitempty"`
	PathParameters []PathParameter `json:"pathParameters,omitempty"`
}

// RouteAction says which web action answers.
type RouteAction struct {
	Name          string          `json:"name,omitempty"` // "[pkg/]name"
	Namespace     string          `json:"namespace,omitempty"`
	BackendMethod string          `json:"backendMethod,omitempty"`
	BackendURL    string          `json:"backendUrl,omitempty"`
	AuthKey       string          `json:"authkey,omitempty"`
	SecureKey     json.RawMessage `json:"secureKey,omitempty"` // the action's require-whisk-auth
}

// PathParameter declares a {name} in a path, or another parameter of an
// operation; the server's documents use only the first five fields.
type PathParameter struct {
	Name             string `json:"name"`
	In               string `json:"in"`
	Description      string `json:"description,omitempty"`
	Required         bool   `json:"required,omitempty"`
	Type             string `json:"type,omitempty"`
	Format           any    `json:"format,omitempty"`
	Items            any    `json:"items,omitempty"`
	CollectionFormat any    `json:"collectionFormat,omitempty"`
	Default          any    `json:"default,omitempty"`
	Maximum          any    `json:"maximum,omitempty"`
	Minimum          any    `json:"minimum,omitempty"`
	Pattern          any    `json:"pattern,omitempty"`
	Enum             any    `json:"enum,omitempty"`
	Ref              string `json:"$ref,omitempty"`
}

// API is an API as the server keeps it. The order of the fields is that in
// which clients print them.
type API struct {
	Namespace string   `json:"namespace"`
	URL       string   `json:"gwApiUrl"` // with the base path
	Activated bool     `json:"gwApiActivated"`
	Tenant    string   `json:"tenantId"`
	Doc       *Swagger `json:"apidoc,omitempty"`
}

// Swagger is the description of an API, version 2.0.
type Swagger struct {
	Version  string                 `json:"swagger,omitempty"`
	BasePath string                 `json:"basePath,omitempty"`
	Info     *SwaggerInfo           `json:"info,omitempty"`
	Paths    map[string]SwaggerPath `json:"paths,omitempty"`

	// The rest is the server's, passed through.
	SecurityDefinitions any `json:"securityDefinitions,omitempty"`
	Security            any `json:"security,omitempty"`
	Config              any `json:"x-ibm-configuration,omitempty"`
	RateLimit           any `json:"x-ibm-rate-limit,omitempty"`
}

// SwaggerInfo names an API.
type SwaggerInfo struct {
	Title   string `json:"title,omitempty"`
	Version string `json:"version,omitempty"`
}

// SwaggerPath has the operations of one path.
type SwaggerPath struct {
	Get        *Operation `json:"get,omitempty"`
	Put        *Operation `json:"put,omitempty"`
	Post       *Operation `json:"post,omitempty"`
	Delete     *Operation `json:"delete,omitempty"`
	Options    *Operation `json:"options,omitempty"`
	Head       *Operation `json:"head,omitempty"`
	Patch      *Operation `json:"patch,omitempty"`
	Parameters any        `json:"parameters,omitempty"`
}

// Operations returns the operations by their verbs, in small letters.
func (p SwaggerPath) Operations() map[string]*Operation {
	all := map[string]*Operation{
		"get": p.Get, "put": p.Put, "post": p.Post, "delete": p.Delete,
		"options": p.Options, "head": p.Head, "patch": p.Patch,
	}
	for verb, o := range all {
		if o == nil {
			delete(all, verb)
		}
	}
	return all
}

// Operation is what one verb does on one path.
type Operation struct {
	ID         string          `json:"operationId"`
	Parameters []PathParameter `json:"parameters,omitempty"`
	Responses  any             `json:"responses"`
	Target     *Target         `json:"x-openwhisk,omitempty"`
}

// Target is the web action behind an operation.
type Target struct {
	Action    string `json:"action"`
	Namespace string `json:"namespace"`
	Package   string `json:"package"` // "" or "default" is the default package
	URL       string `json:"url"`
}

// String returns "/ns/[pkg/]action", "" for no target.
func (t *Target) String() string {
	if t == nil {
		return ""
	}
	return whisk.ActionName{Namespace: whisk.Namespace(t.Namespace), Package: t.Package, Name: t.Action}.String()
}

// RouteQuery selects APIs, one, or a part of one, and carries the gateway's
// credentials, which Hearth ignores.
type RouteQuery struct {
	BasePath     string // of the API, or its name; "" is all
	Path, Method string // within the API; "" is all
	ResponseType string // of an operation to create
	AccessToken  string
	SpaceID      string
	Paged        bool // send Skip and Limit
	Skip, Limit  int
}

func (q RouteQuery) values() url.Values {
	v := url.Values{}
	for _, s := range [][2]string{
		{"basepath", q.BasePath}, {"relpath", q.Path}, {"operation", q.Method},
		{"responsetype", q.ResponseType}, {"accesstoken", q.AccessToken}, {"spaceguid", q.SpaceID},
	} {
		if s[1] != "" {
			v.Set(s[0], s[1])
		}
	}
	if q.Paged {
		v.Set("skip", strconv.Itoa(q.Skip))
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	return v
}

// CreateRoute adds an operation to an API, which it makes if there is none, or
// takes an API's whole description. It returns the API.
func (c *Client) CreateRoute(ctx context.Context, r *Route, q RouteQuery) (*API, error) {
	body, err := encode(map[string]*Route{"apidoc": r})
	if err != nil {
		return nil, err
	}
	api := new(API)
	if err := c.manage(ctx, http.MethodPost, "createApi.http", q, body, api); err != nil {
		return nil, err
	}
	if api.Doc == nil {
		return nil, ErrUnreadable
	}
	return api, nil
}

// APIs lists the APIs that q selects.
func (c *Client) APIs(ctx context.Context, q RouteQuery) ([]API, error) {
	var v struct {
		APIs []struct {
			Value *API `json:"value"`
		} `json:"apis"`
	}
	if err := c.manage(ctx, http.MethodGet, "getApi.http", q, nil, &v); err != nil {
		return nil, err
	}
	var out []API
	for _, a := range v.APIs {
		if a.Value == nil {
			return nil, ErrUnreadable
		}
		out = append(out, *a.Value)
	}
	return out, nil
}

// DeleteRoutes deletes an API, or those of its operations that q selects.
func (c *Client) DeleteRoutes(ctx context.Context, q RouteQuery) error {
	return c.manage(ctx, http.MethodDelete, "deleteApi.http", q, nil, nil)
}

// manage calls one of the web actions that manage APIs. Their errors have no
// transaction id.
func (c *Client) manage(ctx context.Context, method, action string, q RouteQuery, body []byte, v any) error {
	a, err := c.do(ctx, request{
		method: method,
		path:   []string{"web", "whisk.system", "apimgmt", action},
		query:  q.values(),
		body:   body,
	})
	if err != nil {
		return err
	}
	if !a.ok() {
		e := refusal(a.status, a.body)
		if message, ok := whisk.Field(a.body, "error"); e.Message == "" && json.Valid(a.body) && ok {
			e.Message = text(message)
		}
		return e
	}
	if v == nil {
		return nil
	}
	if err := json.Unmarshal(a.body, v); err != nil {
		return ErrUnreadable
	}
	return nil
}
