package deploy

import (
	"encoding/json"
	"errors"
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
