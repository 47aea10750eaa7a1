package deploy

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Manifest is what a manifest, or a deployment file, says. Keys that change
// nothing here are taken all the same, so that projects of others are.
type Manifest struct {
	Project  Project             `yaml:"project,omitempty"`
	Packages map[string]*Package `yaml:"packages,omitempty"` // if the project has none
}

// Project is the whole of what belongs together.
type Project struct {
	Name      string              `yaml:"name,omitempty"`
	Namespace string              `yaml:"namespace,omitempty"`
	Packages  map[string]*Package `yaml:"packages,omitempty"`
	Inputs    map[string]*Input   `yaml:"inputs,omitempty"`
	Config    string              `yaml:"config,omitempty"` // a Swagger file, instead of APIs in packages

	Credential       string `yaml:"credential,omitempty"`
	APIHost          string `yaml:"apiHost,omitempty"`
	APIGWAccessToken string `yaml:"apigwAccessToken,omitempty"`

	Version string `yaml:"version,omitempty"`
}

// Package holds what is created under its name, and triggers, rules and APIs,
// which are not.
type Package struct {
	Version      string                 `yaml:"version,omitempty"`
	Public       bool                   `yaml:"public,omitempty"`
	Inputs       map[string]*Input      `yaml:"inputs,omitempty"`
	Annotations  map[string]Value       `yaml:"annotations,omitempty"`
	Dependencies map[string]*Dependency `yaml:"dependencies,omitempty"` // by the name of the binding
	Actions      map[string]*Action     `yaml:"actions,omitempty"`
	Sequences    map[string]*Sequence   `yaml:"sequences,omitempty"`
	Triggers     map[string]*Trigger    `yaml:"triggers,omitempty"`
	Rules        map[string]*Rule       `yaml:"rules,omitempty"`
	APIs         APIs                   `yaml:"apis,omitempty"`

	Name             string `yaml:"name,omitempty"`
	License          string `yaml:"license,omitempty"`
	Repositories     Value  `yaml:"repositories,omitempty"`
	Namespace        string `yaml:"namespace,omitempty"`
	Credential       string `yaml:"credential,omitempty"`
	APIHost          string `yaml:"apiHost,omitempty"`
	APIGWAccessToken string `yaml:"apigwAccessToken,omitempty"`
	Feeds            Value  `yaml:"feeds,omitempty"`
	Description      string `yaml:"description,omitempty"`
}

// APIs are verbs by API name, base path, path and action.
type APIs map[string]map[string]map[string]map[string]Method

// Dependency is a package elsewhere that a binding stands for.
type Dependency struct {
	Location    string            `yaml:"location,omitempty"` // "/ns/pkg"
	Inputs      map[string]*Input `yaml:"inputs,omitempty"`
	Annotations map[string]Value  `yaml:"annotations,omitempty"`
	Version     string            `yaml:"version,omitempty"`
}

// Action is code, in a file, a folder or the manifest itself.
type Action struct {
	Function  string            `yaml:"function,omitempty"` // a file, or a folder to be zipped, below the manifest's
	Location  string            `yaml:"location,omitempty"` // the same, of old
	Code      string            `yaml:"code,omitempty"`
	Runtime   string            `yaml:"runtime,omitempty"` // a kind, or its family
	Main      string            `yaml:"main,omitempty"`
	Docker    string            `yaml:"docker,omitempty"` // an image
	Native    bool              `yaml:"native,omitempty"`
	Conductor bool              `yaml:"conductor,omitempty"`
	Web       string            `yaml:"web,omitempty"`        // true, yes, raw, no or false
	WebExport string            `yaml:"web-export,omitempty"` // the same, of old
	Inputs    map[string]*Input `yaml:"inputs,omitempty"`
	Limits    *Limits           `yaml:"limits,omitempty"`
	Include   [][]string        `yaml:"include,omitempty"` // into a folder's zip: source and, perhaps, destination
	Exclude   []string          `yaml:"exclude,omitempty"` // from a folder's zip

	Annotations map[string]Value `yaml:"annotations,omitempty"`
	Version     string           `yaml:"version,omitempty"`

	Outputs     Value  `yaml:"outputs,omitempty"`
	Description string `yaml:"description,omitempty"`
	Namespace   string `yaml:"namespace,omitempty"`
	Credential  string `yaml:"credential,omitempty"`
	ExposedURL  string `yaml:"exposedUrl,omitempty"`
}

// Limits are an action's limits; those that no request can set are taken and
// warned about.
type Limits struct {
	Timeout *int `yaml:"timeout,omitempty"`    // ms
	Memory  *int `yaml:"memorySize,omitempty"` // MB
	Logs    *int `yaml:"logSize,omitempty"`    // MB

	ConcurrentActivations *int `yaml:"concurrentActivations,omitempty"`
	UserInvocationRate    *int `yaml:"userInvocationRate,omitempty"`
	CodeSize              *int `yaml:"codeSize,omitempty"`
	ParameterSize         *int `yaml:"parameterSize,omitempty"`
}

// Sequence runs actions one after another.
type Sequence struct {
	Actions     string           `yaml:"actions,omitempty"` // with commas between them
	Web         string           `yaml:"web,omitempty"`
	Annotations map[string]Value `yaml:"annotations,omitempty"`
}

// Trigger is an event, perhaps fired by a feed.
type Trigger struct {
	Feed        string            `yaml:"feed,omitempty"`
	Source      string            `yaml:"source,omitempty"` // the same, of old
	Inputs      map[string]*Input `yaml:"inputs,omitempty"`
	Annotations map[string]Value  `yaml:"annotations,omitempty"`

	Namespace   string `yaml:"namespace,omitempty"`
	Credential  string `yaml:"credential,omitempty"`
	Description string `yaml:"description,omitempty"`
}

// Rule runs an action when a trigger fires.
type Rule struct {
	Trigger     string           `yaml:"trigger,omitempty"`
	Action      string           `yaml:"action,omitempty"`
	Annotations map[string]Value `yaml:"annotations,omitempty"`

	Rule        string `yaml:"rule,omitempty"`
	Description string `yaml:"description,omitempty"`
}

// Method is the verb by which an action is called and, perhaps, the type of its
// answer; a bare verb is enough.
type Method struct {
	Method   string `yaml:"method,omitempty"`
	Response string `yaml:"response,omitempty"`
}

// UnmarshalYAML also reads a bare verb.
func (m *Method) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		m.Method = n.Value
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		to := map[string]*string{"method": &m.Method, "response": &m.Response}[n.Content[i].Value]
		if to == nil {
			return unknown(n.Content[i], "method")
		}
		if err := n.Content[i+1].Decode(to); err != nil {
			return err
		}
	}
	return nil
}

func unknown(key *yaml.Node, of string) error {
	return fmt.Errorf("line %d: unknown key %q in %s", key.Line, key.Value, of)
}

// Value is any JSON value.
type Value struct{ v any }

// UnmarshalYAML reads any node.
func (v *Value) UnmarshalYAML(n *yaml.Node) (err error) {
	v.v, err = value(n)
	return err
}

// MarshalYAML writes the value.
func (v Value) MarshalYAML() (any, error) { return node(v.v), nil }

// IsZero reports whether there is no value, so that it is left out.
func (v Value) IsZero() bool { return v.v == nil }

// ParseManifest reads a manifest, or a deployment file.
func ParseManifest(b []byte) (*Manifest, error) {
	m := new(Manifest)
	if n, err := parse(b); err != nil || n == nil {
		return m, err
	}
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(m); err != nil {
		return nil, plainer(err)
	}
	m.fill()
	return m, nil
}

// fill makes empty things of those that are named and have nothing in them.
func (m *Manifest) fill() {
	if len(m.Packages) == 0 {
		m.Packages = m.Project.Packages
	}
	m.Project.Packages = nil
	fill(m.Project.Inputs)
	fill(m.Packages)
	for _, p := range m.Packages {
		fill(p.Inputs)
		fill(p.Dependencies)
		fill(p.Actions)
		fill(p.Sequences)
		fill(p.Triggers)
		fill(p.Rules)
		for _, d := range p.Dependencies {
			fill(d.Inputs)
		}
		for _, a := range p.Actions {
			fill(a.Inputs)
		}
		for _, t := range p.Triggers {
			fill(t.Inputs)
		}
	}
}

func fill[T any](m map[string]*T) {
	for k, v := range m {
		if v == nil {
			m[k] = new(T)
		}
	}
}

var typeName = regexp.MustCompile(`field (\S+) not found in type deploy\.(\w+)`)

// plainer says a decoder's error in the words of manifests.
func plainer(err error) error {
	text := typeName.ReplaceAllStringFunc(err.Error(), func(s string) string {
		m := typeName.FindStringSubmatch(s)
		return fmt.Sprintf("unknown key %q in %s", m[1], strings.ToLower(m[2]))
	})
	text = strings.ReplaceAll(text, "unmarshal errors:\n  ", "")
	return fmt.Errorf("%s", strings.ReplaceAll(strings.ReplaceAll(text, "yaml: ", ""), "\n  ", "; "))
}

// sortedKeys returns a map's keys in order, so that every run is the same.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
