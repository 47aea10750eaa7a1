package deploy

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"hearth/client"
	"hearth/whisk"
)

// PathParameters returns the {names} that are whole segments of a path, each
// once.
func PathParameters(path string) []client.PathParameter {
	var out []client.PathParameter
	for s := range strings.SplitSeq(path, "/") {
		if len(s) < 3 || s[0] != '{' || s[len(s)-1] != '}' {
			continue
		}
		name := s[1 : len(s)-1]
		if !slices.ContainsFunc(out, func(p client.PathParameter) bool { return p.Name == name }) {
			out = append(out, client.PathParameter{Name: name, In: "path", Description: "Default description for '" + name + "'", Required: true, Type: "string"})
		}
	}
	return out
}

// RouteAction says that a web action of the server at host answers a verb.
func RouteAction(host, auth, verb string, n whisk.ActionName) (*client.RouteAction, error) {
	base, err := client.BaseURL(host)
	if err != nil {
		return nil, err
	}
	pkg, name := n.Package, n.Name
	if pkg == "" {
		pkg = "default"
	} else {
		name = pkg + "/" + name
	}
	return &client.RouteAction{
		Name:          name,
		Namespace:     string(n.Namespace),
		BackendMethod: verb,
		BackendURL:    strings.TrimSuffix(base.String(), "/") + "/v1/web/" + string(n.Namespace) + "/" + pkg + "/" + n.Name + ".http",
		AuthKey:       auth,
	}, nil
}

// CheckSwagger returns what a Swagger document in JSON lacks to describe an
// API, nil if it lacks nothing.
func CheckSwagger(doc json.RawMessage) error {
	if err := whisk.CheckJSON(doc, maxDepth); err != nil {
		return err
	}
	var s client.Swagger
	if err := json.Unmarshal(doc, &s); err != nil {
		return err
	}
	switch {
	case s.BasePath == "" || s.Version == "" || s.Info == nil || s.Paths == nil:
		return errors.New("Swagger file is invalid (missing basePath, info, paths, or swagger fields)") //nolint:staticcheck // wsk's text
	case !strings.HasPrefix(s.BasePath, "/"):
		return errors.New("Swagger file basePath must start with a leading slash (/)") //nolint:staticcheck // wsk's text
	}
	return nil
}

// apis plans the operations that run the package's actions and sequences.
func (k *packageBuilder) apis() error {
	for _, api := range sortedKeys(k.m.APIs) {
		for _, base := range sortedKeys(k.m.APIs[api]) {
			for _, rel := range sortedKeys(k.m.APIs[api][base]) {
				for _, name := range sortedKeys(k.m.APIs[api][base][rel]) {
					if err := k.route(api, base, rel, name, k.m.APIs[api][base][rel][name]); err != nil {
						return fmt.Errorf("API %q: %w", api, err)
					}
				}
			}
		}
	}
	return nil
}

func (k *packageBuilder) route(api, base, rel, name string, m Method) error {
	base, rel = "/"+strings.TrimPrefix(base, "/"), "/"+strings.TrimPrefix(rel, "/")
	if base == "/" || strings.Count(base, "/") > 1 || len(PathParameters(base)) > 0 {
		return fmt.Errorf("the base path %q is not one word", base)
	}
	verb := strings.ToUpper(m.Method)
	if !slices.Contains([]string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}, verb) {
		return fmt.Errorf("%s%s: %q is no verb", base, rel, m.Method)
	}
	secret, err := k.webTarget(api, name)
	if err != nil {
		return err
	}
	n := k.plan.action(k.PackagePlan, name)
	r := &client.Route{
		Namespace: string(k.plan.Namespace), APIName: api, BasePath: base, Path: rel, Method: verb,
		ID: "API:" + string(k.plan.Namespace) + ":" + base, PathParameters: PathParameters(rel),
	}
	if r.Action, err = RouteAction(k.target.Host, k.target.Key, verb, n); err != nil {
		return err
	}
	r.Action.SecureKey = secret
	if len(r.PathParameters) > 0 && m.Response != "http" {
		if m.Response != "" {
			k.warn("API [%s] with path parameters [%s] is required to have http as response type. Changing response type from [%s] to http for [%s].", api, rel, m.Response, api)
		}
		m.Response = "http"
	}
	k.plan.Routes = append(k.plan.Routes, RoutePlan{Route: r, Response: m.Response})
	return nil
}

// webTarget makes sure that an action or sequence of the package is a web
// action, and returns the secret that guards it, nil if none does.
func (k *packageBuilder) webTarget(api, name string) (json.RawMessage, error) {
	a := find(k.Actions, name)
	if a == nil {
		a = find(k.Sequences, name)
	}
	if a == nil {
		return nil, fmt.Errorf("%q is no action or sequence of the package", name)
	}
	if _, said := whisk.Parameters(a.Annotations).Get("web-export"); !said && !k.target.Strict {
		k.warn("Action [%s] is not a web action, API [%s] can only be created using a web action. Converting [%s] to a web action.", name, api, name)
		if err := setWeb(a, "true"); err != nil {
			return nil, err
		}
	}
	if !a.Web() {
		return nil, fmt.Errorf("%q is not a web action: give it web: true", name)
	}
	secret, _ := whisk.Parameters(a.Annotations).Get("require-whisk-auth")
	return secret, nil
}

// swagger reads the description of the project's API.
func (b *builder) swagger(name string) error {
	doc, err := b.files.read(b.given.expand(name), MaxYAML)
	if err != nil {
		return fmt.Errorf("config: %w", err)
	}
	if ext := path.Ext(name); ext == ".yaml" || ext == ".yml" {
		if doc, err = YAMLToJSON(doc); err != nil {
			return fmt.Errorf("config: %s: %w", name, err)
		}
	}
	if err := CheckSwagger(doc); err != nil {
		return fmt.Errorf("config: %s: %w", name, err)
	}
	b.plan.Swagger, b.plan.Routes = doc, nil
	return nil
}
