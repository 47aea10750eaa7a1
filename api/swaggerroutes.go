package api

import (
	"encoding/json"
	"fmt"
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"hearth/whisk"
)

// pathProblem is why a document cannot become an API, for its owner to read.
type pathProblem string

func (p pathProblem) Error() string { return string(p) }

func problem(format string, args ...any) error { return pathProblem(fmt.Sprintf(format, args...)) }

// backend is where the gateway's part of a document sends an operation.
type backend struct {
	target string
	verb   string
	header []whisk.Header
}

// compile returns the API that a document describes. Its errors are problems of
// the document. It checks neither hosts nor rights: see [target].
func (s swagger) compile() (whisk.API, error) {
	a := whisk.API{Title: s.title(), Routes: []whisk.Route{}}
	var err error
	if a.BasePath, err = basePath(text(s, "basePath")); err != nil {
		return a, err
	}
	for _, unknown := range []string{"securityDefinitions", "security", "x-ibm-rate-limit", "x-gateway-rate-limit"} {
		if v, ok := s[unknown]; ok && !isEmpty(v) {
			return a, problem("'%s' is not supported, and without it the API would be open.", unknown)
		}
	}
	if enabled, ok := object(s.configuration(), "cors")["enabled"].(bool); ok {
		if a.CORS = whisk.CORSClosed; enabled {
			a.CORS = whisk.CORSOpen
		}
	}
	backends, err := s.backends()
	if err != nil {
		return a, err
	}
	for path, v := range object(s, "paths") {
		item, _ := v.(map[string]any)
		if err := checkRoutePath(path); err != nil {
			return a, err
		}
		for _, verb := range verbs {
			operation := object(item, verb)
			if operation == nil {
				continue
			}
			if err := checkParameters(path, item, operation); err != nil {
				return a, err
			}
			r, err := route(path, verb, operation, backends)
			if err != nil {
				return a, err
			}
			a.Routes = append(a.Routes, r)
		}
	}
	slices.SortFunc(a.Routes, func(x, y whisk.Route) int { return strings.Compare(x.Path+" "+x.Method, y.Path+" "+y.Method) })
	a.Document, err = s.encode()
	return a, err
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}

// basePath returns a base path without the slash at its end.
func basePath(s string) (string, error) {
	switch {
	case !strings.HasPrefix(s, "/"):
		return "", problem("The base path (%s) must begin with '/'.", s)
	case hasParameter(s):
		return "", problem("The base path (%s) cannot have parameters. Only the relative path supports path parameters.", s)
	}
	if s = strings.TrimRight(s, "/"); s == "" {
		s = "/"
	}
	return s, checkRoutePath(s)
}

// maxRoutePath bounds the paths of an API, in bytes.
const maxRoutePath = 2048

func checkRoutePath(path string) error {
	if !strings.HasPrefix(path, "/") || len(path) > maxRoutePath || strings.ContainsAny(path, "?#\x00") {
		return problem("The path '%.100s' is not valid: it must begin with '/', and have at most %d bytes and no '?' or '#'.", path, maxRoutePath)
	}
	return nil
}

// parameterOf returns the name of a segment {name}.
func parameterOf(segment string) (string, bool) {
	if len(segment) > 2 && segment[0] == '{' && segment[len(segment)-1] == '}' {
		return segment[1 : len(segment)-1], true
	}
	return "", false
}

func hasParameter(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if _, ok := parameterOf(segment); ok {
			return true
		}
	}
	return false
}

// checkParameters holds that each parameter in the path is declared.
func checkParameters(path string, item, operation map[string]any) error {
	if !hasParameter(path) {
		return nil
	}
	if u := text(object(operation, "x-openwhisk"), "url"); u != "" && !strings.HasSuffix(u, extensionNames[extHTTP]) {
		return problem("The action must use a response type of '.http' in order to receive the path parameters.")
	}
	declared := map[string]bool{}
	for _, in := range []map[string]any{item, operation} {
		list, _ := in["parameters"].([]any)
		for _, v := range list {
			m, _ := v.(map[string]any)
			declared[text(m, "name")] = true
		}
	}
	for segment := range strings.SplitSeq(path, "/") {
		if name, ok := parameterOf(segment); ok && !declared[name] {
			return problem("The parameter '%s' defined in path '%s' does not match any of the parameters defined for the path in the swagger file.", name, path)
		}
	}
	return nil
}

// route returns the route of an operation.
func route(path, verb string, operation map[string]any, backends map[string]backend) (whisk.Route, error) {
	r := whisk.Route{Path: path, Method: strings.ToUpper(verb)}
	id := text(operation, "operationId")
	b, ok := backends[id]
	if all, set := backends[""]; set {
		b, ok = all, true
	}
	if !ok || b.target == "" {
		b.target = text(object(operation, "x-openwhisk"), "url")
	}
	u, whole := strings.CutSuffix(b.target, wholePathSuffix)
	t, err := target(u, nil)
	if err != nil {
		return r, err
	}
	if hasParameter(path) && !(whole && t.extension == extHTTP) {
		return r, problem("The target-url for operationId '%s' must end in '$(request.path)' in order for actions to receive the path parameters.", id)
	}
	r.Action, r.Extension, r.WholePath, r.Header = t.action, extensionNames[t.extension], whole, b.header
	if v := strings.ToLower(b.verb); v != "" && v != "keep" && v != verb {
		if !slices.Contains(verbs, v) {
			return r, problem("'%s' is not a verb of a backend.", b.verb)
		}
		r.As = strings.ToUpper(v)
	}
	return r, nil
}

// target returns the web action of a URL. here, unless it is nil, says which
// hosts are this one: nothing is ever sent to any.
func target(s string, here func(host string) bool) (webTarget, error) {
	u, err := parseTarget(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return webTarget{}, problem("The target '%s' is not the URL of a web action.", s)
	}
	path, ok := strings.CutPrefix(u.EscapedPath(), root+"/web")
	t, err := parseWebPath(path)
	if !ok || err != nil || t.path != "" {
		return webTarget{}, problem("The target '%s' is not the URL of a web action.", s)
	}
	if here != nil && !here(u.Hostname()) {
		return webTarget{}, problem("The target '%s' is not on this host.", s)
	}
	return t, nil
}

// parseTarget is [url.Parse] for what clients give as a target. Some put
// "https://" before the host that they were told, which may begin with a scheme.
func parseTarget(s string) (*url.URL, error) {
	if rest, ok := strings.CutPrefix(s, "https://"); ok && (strings.HasPrefix(rest, "http://") || strings.HasPrefix(rest, "https://")) {
		s = rest
	}
	return url.Parse(s)
}

// backends returns where operations are sent, by their ids; "" stands for all.
func (s swagger) backends() (map[string]backend, error) {
	out := map[string]backend{}
	execute, _ := object(s.configuration(), "assembly")["execute"].([]any)
	all, err := readSteps(execute)
	if err != nil {
		return nil, err
	}
	if all.target != "" {
		out[""] = all
		return out, nil
	}
	for _, step := range execute {
		m, _ := step.(map[string]any)
		cases, _ := object(m, "operation-switch")["case"].([]any)
		for _, c := range cases {
			cm, _ := c.(map[string]any)
			steps, _ := cm["execute"].([]any)
			b, err := readSteps(steps)
			if err != nil {
				return nil, err
			}
			b.header = append(slices.Clip(all.header), b.header...)
			for _, id := range operationsOf(c) {
				if _, ok := out[id]; !ok && id != "" {
					out[id] = b
				}
			}
		}
	}
	return out, nil
}

// readSteps reads the steps of a gateway that Hearth knows: invoke, and the
// setting of headers.
func readSteps(steps []any) (backend, error) {
	var b backend
	for _, step := range steps {
		m, _ := step.(map[string]any)
		if invoke := object(m, "invoke"); invoke != nil && b.target == "" {
			b.target, b.verb = text(invoke, "target-url"), text(invoke, "verb")
		}
		actions, _ := object(m, "set-variable")["actions"].([]any)
		for _, v := range actions {
			if m, _ := v.(map[string]any); m != nil && m["value"] == nil {
				continue // serverless writes so where an action has no secret
			}
			h, err := readHeader(v)
			if err != nil {
				return b, err
			}
			b.header = append(b.header, h)
		}
	}
	return b, nil
}

func readHeader(v any) (whisk.Header, error) {
	m, _ := v.(map[string]any)
	name, ok := strings.CutPrefix(text(m, "set"), headerVariable)
	value := ""
	switch x := m["value"].(type) {
	case string:
		value = x
	case json.Number:
		value = x.String()
	case bool:
		value = fmt.Sprint(x)
	default:
		ok = false
	}
	name = textproto.CanonicalMIMEHeaderKey(name)
	if !ok || !validToken(name) || !validHeaderValue(value) || ownHeaders[name] || name == "Authorization" || name == "Host" {
		return whisk.Header{}, problem("set-variable can set headers of the request to texts, but not '%s' to that.", text(m, "set"))
	}
	return whisk.Header{Name: name, Value: value}, nil
}
