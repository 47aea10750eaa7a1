package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"hearth/whisk"
)

// TestEntityRequests holds what each call sends.
func TestEntityRequests(t *testing.T) {
	var asked string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		asked = strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Method, r.URL.RequestURI(), b))
		switch {
		case r.Method == http.MethodGet && strings.Contains(r.URL.RawQuery, "limit") && !strings.Contains(r.URL.Path, "getApi"):
			_, _ = io.WriteString(w, "[]")
		case r.Method == http.MethodPost && strings.Contains(r.URL.Path, "createApi"):
			_, _ = io.WriteString(w, `{"apidoc":{}}`)
		default:
			_, _ = io.WriteString(w, "{}")
		}
	}, nil)
	ctx := t.Context()
	n, own := whisk.EntityName{Namespace: "ns", Name: "a b"}, whisk.EntityName{Name: "x"}
	for _, tt := range []struct {
		call func() error
		want string
	}{
		{func() error { _, err := c.Package(ctx, n); return err }, "GET /api/v1/namespaces/ns/packages/a%20b"},
		{func() error { _, err := c.PutPackage(ctx, own, &Package{Publish: new(true)}, true); return err },
			`PUT /api/v1/namespaces/_/packages/x?overwrite=true {"publish":true}`},
		{func() error {
			_, err := c.PutPackage(ctx, own, &Package{Binding: &Binding{Namespace: "n", Name: "p"}}, false)
			return err
		}, `PUT /api/v1/namespaces/_/packages/x?overwrite=false {"binding":{"namespace":"n","name":"p"}}`},
		{func() error { return c.DeletePackage(ctx, own) }, "DELETE /api/v1/namespaces/_/packages/x"},
		{func() error { _, err := c.Packages(ctx, "", 1, 2); return err }, "GET /api/v1/namespaces/_/packages?limit=2&skip=1"},
		{func() error { _, err := c.RefreshPackages(ctx, "ns"); return err }, "POST /api/v1/namespaces/ns/packages/refresh"},
		{func() error { _, err := c.Trigger(ctx, own); return err }, "GET /api/v1/namespaces/_/triggers/x"},
		{func() error { _, err := c.PutTrigger(ctx, own, &Trigger{Name: "x"}, false); return err },
			`PUT /api/v1/namespaces/_/triggers/x?overwrite=false {"name":"x"}`},
		{func() error { return c.DeleteTrigger(ctx, n) }, "DELETE /api/v1/namespaces/ns/triggers/a%20b"},
		{func() error { _, err := c.Triggers(ctx, "ns", 0, 0); return err }, "GET /api/v1/namespaces/ns/triggers?limit=0&skip=0"},
		{func() error { _, err := c.Fire(ctx, own, nil); return err }, "POST /api/v1/namespaces/_/triggers/x {}"},
		{func() error { _, err := c.Fire(ctx, own, json.RawMessage(`{"a":1}`)); return err }, `POST /api/v1/namespaces/_/triggers/x {"a":1}`},
		{func() error { _, err := c.Rule(ctx, own); return err }, "GET /api/v1/namespaces/_/rules/x"},
		{func() error {
			_, err := c.PutRule(ctx, own, &RuleBody{Trigger: "/_/t", Action: "/_/a"}, true)
			return err
		}, `PUT /api/v1/namespaces/_/rules/x?overwrite=true {"trigger":"/_/t","action":"/_/a"}`},
		{func() error { return c.SetRule(ctx, own, Inactive) }, `POST /api/v1/namespaces/_/rules/x {"status":"inactive"}`},
		{func() error { return c.DeleteRule(ctx, own) }, "DELETE /api/v1/namespaces/_/rules/x"},
		{func() error { _, err := c.Rules(ctx, "", 0, 5); return err }, "GET /api/v1/namespaces/_/rules?limit=5&skip=0"},
		{func() error {
			_, err := c.CreateRoute(ctx, &Route{BasePath: "/b", Method: "GET"}, RouteQuery{ResponseType: "http", AccessToken: "T", SpaceID: "G"})
			return err
		}, `POST /api/v1/web/whisk.system/apimgmt/createApi.http?accesstoken=T&responsetype=http&spaceguid=G {"apidoc":{"gatewayBasePath":"/b","gatewayMethod":"GET"}}`},
		{func() error { _, err := c.APIs(ctx, RouteQuery{Paged: true, Skip: 1}); return err }, "GET /api/v1/web/whisk.system/apimgmt/getApi.http?limit=0&skip=1"},
		{func() error { return c.DeleteRoutes(ctx, RouteQuery{BasePath: "/b", Path: "/p", Method: "GET"}) },
			"DELETE /api/v1/web/whisk.system/apimgmt/deleteApi.http?basepath=%2Fb&operation=GET&relpath=%2Fp"},
	} {
		asked = ""
		if err := tt.call(); err != nil || asked != tt.want {
			t.Errorf("asked %s, %v, want %s", asked, err, tt.want)
		}
	}
}

func TestEntityAnswers(t *testing.T) {
	answers := map[string]string{
		"/api/v1/namespaces/_/packages":                `[{"name":"p","binding":false},{"name":"b","binding":{"namespace":"n","name":"p"}},{"name":"e","binding":{}}]`,
		"/api/v1/namespaces/_/rules/r":                 `{"status":"active","trigger":{"path":"ns","name":"t"},"action":{"path":"ns/pkg","name":"a"}}`,
		"/api/v1/namespaces/_/triggers/fed":            `{"annotations":[{"key":"feed","value":"/n/p/f"}],"rules":{"ns/r":{"status":"active"}}}`,
		"/api/v1/namespaces/_/triggers/odd":            `{"annotations":[{"key":"feed","value":7}]}`,
		"/api/v1/web/whisk.system/apimgmt/getApi.http": `{"apis":[{"value":{"gwApiUrl":"u","apidoc":{"paths":{"/p":{"get":{"x-openwhisk":{"namespace":"n","package":"p","action":"a"}},"parameters":[1]}}}}}]}`,
	}
	c := serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, answers[r.URL.Path]) }, nil)
	ctx := t.Context()
	ps, err := c.Packages(ctx, "", 0, 0)
	if err != nil || len(ps) != 3 || ps[0].IsBinding() || !ps[1].IsBinding() || ps[2].IsBinding() {
		t.Errorf("packages %+v, %v", ps, err)
	}
	if b, err := json.Marshal(ps[0]); err != nil || string(b) != `{"name":"p","binding":{}}` {
		t.Errorf("a plain package is shown as %s, %v", b, err)
	}
	r, err := c.Rule(ctx, whisk.EntityName{Name: "r"})
	if err != nil || r.Status != Active || r.Trigger.String() != "/ns/t" || r.Action.String() != "/ns/pkg/a" {
		t.Errorf("rule %+v, %v", r, err)
	}
	fed, err := c.Trigger(ctx, whisk.EntityName{Name: "fed"})
	if err != nil || fed.Feed() != "/n/p/f" || len(fed.Rules) != 1 {
		t.Errorf("trigger %+v, %v", fed, err)
	}
	if odd, err := c.Trigger(ctx, whisk.EntityName{Name: "odd"}); err != nil || odd.Feed() != "" {
		t.Errorf("trigger %+v, %v", odd, err)
	}
	apis, err := c.APIs(ctx, RouteQuery{})
	if err != nil || len(apis) != 1 {
		t.Fatalf("APIs %+v, %v", apis, err)
	}
	ops := apis[0].Doc.Paths["/p"].Operations()
	if len(ops) != 1 || ops["get"].Target.String() != "/n/p/a" || (*Target)(nil).String() != "" {
		t.Errorf("operations %+v", ops)
	}
}

func TestEntityErrors(t *testing.T) {
	for _, tt := range []struct {
		status int
		body   string
		call   func(context.Context, *Client) error
		want   string
	}{
		{404, `{"error":"no","code":"t"}`, func(ctx context.Context, c *Client) error { return c.DeleteRule(ctx, whisk.EntityName{Name: "r"}) }, "no (code t)"},
		{404, `{"error":"no","code":"t"}`, func(ctx context.Context, c *Client) error {
			_, err := c.Fire(ctx, whisk.EntityName{Name: "r"}, nil)
			return err
		}, "no (code t)"},
		{200, `<html>`, func(ctx context.Context, c *Client) error {
			_, err := c.Fire(ctx, whisk.EntityName{Name: "r"}, nil)
			return err
		}, ErrUnreadable.Error()},
		{502, `{"error":"API '/x' does not exist."}`, func(ctx context.Context, c *Client) error { return c.DeleteRoutes(ctx, RouteQuery{}) }, "API '/x' does not exist."},
		{502, `<html>`, func(ctx context.Context, c *Client) error { return c.DeleteRoutes(ctx, RouteQuery{}) }, "The connection failed, or timed out. (HTTP status code 502)"},
		{200, `{}`, func(ctx context.Context, c *Client) error {
			_, err := c.CreateRoute(ctx, &Route{}, RouteQuery{})
			return err
		}, ErrUnreadable.Error()},
		{200, `{"apis":[{}]}`, func(ctx context.Context, c *Client) error { _, err := c.APIs(ctx, RouteQuery{}); return err }, ErrUnreadable.Error()},
	} {
		c := serve(t, reply(tt.status, tt.body), nil)
		if err := tt.call(t.Context(), c); err == nil || err.Error() != tt.want || tt.status != 200 && StatusOf(err) != tt.status || tt.status == 200 && !errors.Is(err, ErrUnreadable) {
			t.Errorf("%d %s: got %v, want %s", tt.status, tt.body, err, tt.want)
		}
	}
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, nil)
	if id, err := c.Fire(t.Context(), whisk.EntityName{Name: "t"}, nil); err != nil || id != "" {
		t.Errorf("a silent trigger gave %q, %v", id, err)
	}
}
