package deploy

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"

	"hearth/client"
	"hearth/whisk"
)

// Config says where a project is, and what the user says of it.
type Config struct {
	Manifest   string // path of the manifest
	Deployment string // path of the deployment file; "" is none
	Folder     string // below which files may be read, if the manifest is in it; else that is the manifest's own

	// Params go over every input of the same name, and over the environment.
	Params whisk.Parameters

	// Getenv looks variables of the environment up.
	Getenv func(string) string
}

// Source is a project as its files describe it.
type Source struct {
	manifest *Manifest
	text     []byte // the manifest's
	file     string // its name
	files    *folder
	given    scope
	Warnings []string
}

// Read reads a project's manifest and lays its deployment file over it. Close
// the source when its plan is made.
func Read(cfg Config) (*Source, error) {
	s := &Source{file: filepath.Base(cfg.Manifest)}
	var err error
	if s.text, s.manifest, err = readManifest(cfg.Manifest); err != nil {
		return nil, err
	}
	s.given = scope{getenv: cfg.Getenv, given: map[string]any{}, left: new(maxExpanded)}
	for _, p := range cfg.Params {
		s.given.given[p.Key] = decode(p.Value)
	}
	if cfg.Deployment != "" {
		_, over, err := readManifest(cfg.Deployment)
		if err != nil {
			return nil, err
		}
		if err := s.overlay(over); err != nil {
			return nil, fmt.Errorf("%s: %w", cfg.Deployment, err)
		}
	}
	if s.files, err = openFolder(cfg.Manifest, cfg.Folder); err != nil {
		return nil, err
	}
	return s, nil
}

func readManifest(name string) ([]byte, *Manifest, error) {
	b, err := readFile(name, MaxYAML)
	if err != nil {
		return nil, nil, err
	}
	m, err := ParseManifest(b)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	return b, m, nil
}

// Close closes the project's folder.
func (s *Source) Close() error { return s.files.root.Close() }

// Host returns the server that the files name, "" if they name none.
func (s *Source) Host() string { return s.manifest.Project.APIHost }

// Credential returns the key that the files name, "" if they name none.
func (s *Source) Credential() string { return s.given.expand(s.manifest.Project.Credential) }

// Namespace returns the namespace that the files name, "" if they name none.
func (s *Source) Namespace() string { return s.given.expand(s.manifest.Project.Namespace) }

// Token returns the API gateway's token that the files name, "" if they name
// none.
func (s *Source) Token() string { return s.given.expand(s.manifest.Project.APIGWAccessToken) }

func (s *Source) warn(format string, args ...any) {
	s.Warnings = append(s.Warnings, fmt.Sprintf(format, args...))
}

// overlay lays a deployment file over the manifest: credentials, and the inputs
// and annotations of packages, actions and triggers that the manifest has.
func (s *Source) overlay(over *Manifest) error {
	p, o := &s.manifest.Project, &over.Project
	if p.Name != "" && o.Name != "" && p.Name != o.Name {
		return fmt.Errorf("the project is named %q, and %q in the manifest", o.Name, p.Name)
	}
	p.Credential, p.APIHost = cmp.Or(o.Credential, p.Credential), cmp.Or(o.APIHost, p.APIHost)
	p.Namespace, p.APIGWAccessToken = cmp.Or(o.Namespace, p.Namespace), cmp.Or(o.APIGWAccessToken, p.APIGWAccessToken)
	p.Inputs = laid(p.Inputs, o.Inputs)
	triggers := map[string]*Trigger{}
	for _, pkg := range s.manifest.Packages {
		maps.Copy(triggers, pkg.Triggers)
	}
	for _, name := range sortedKeys(over.Packages) {
		from, to := over.Packages[name], s.manifest.Packages[name]
		for _, t := range sortedKeys(from.Triggers) {
			if trigger := triggers[t]; trigger != nil {
				trigger.Inputs = laid(trigger.Inputs, from.Triggers[t].Inputs)
				trigger.Annotations = laid(trigger.Annotations, from.Triggers[t].Annotations)
			} else {
				s.missing("trigger", t)
			}
		}
		if to == nil {
			s.missing("package", name)
			continue
		}
		to.Inputs, to.Annotations = laid(to.Inputs, from.Inputs), laid(to.Annotations, from.Annotations)
		for _, a := range sortedKeys(from.Actions) {
			if action := to.Actions[a]; action != nil {
				action.Inputs = laid(action.Inputs, from.Actions[a].Inputs)
				action.Annotations = laid(action.Annotations, from.Actions[a].Annotations)
			} else {
				s.missing("action", a)
			}
		}
	}
	return nil
}

func (s *Source) missing(kind, name string) {
	s.warn("The %s [%s] in the deployment file was not found in the manifest file.", kind, name)
}

// laid returns base with over laid on it.
func laid[V any](base, over map[string]V) map[string]V {
	if len(base) == 0 {
		return over
	}
	maps.Copy(base, over)
	return base
}

// Target says for whom a plan is made.
type Target struct {
	Host      string
	Key       string              // "uuid:key", which API gateways are told
	Namespace whisk.Namespace     // "_" or "" is the key's own
	Runtimes  map[string][]string // kinds by family; none: it is not known what the server has
	Strict    bool                // take kinds as the manifest says them, and mend nothing
	Managed   bool                // mark all that is created as the project's
	Project   string              // over the name in the manifest
}

// Plan is all that a project comes to.
type Plan struct {
	Project   string
	Namespace whisk.Namespace
	Inputs    map[string]any // of the project
	Packages  []PackagePlan
	Triggers  []Planned[client.Trigger]
	Rules     []Planned[client.RuleBody]
	Routes    []RoutePlan
	Swagger   json.RawMessage // of an API, instead of Routes; nil is none
	Warnings  []string

	mark managed // what marks it; zero if it is not managed
}

// Planned is what will be put under a name.
type Planned[T any] struct {
	Name string
	Body *T
}

// PackagePlan is a package and what is in it. The default package, and one that
// is not the project's, have no Body.
type PackagePlan struct {
	Planned[client.Package]
	Inputs    map[string]any
	Bindings  []Planned[client.Package] // not in it, but beside it
	Actions   []Planned[client.Action]
	Sequences []Planned[client.Action]
}

// RoutePlan is one operation of an API.
type RoutePlan struct {
	Route    *client.Route
	Response string // type of the answer; "" is the server's default

	target *client.Target // of one that is on a server
}

// String names the operation.
func (r RoutePlan) String() string {
	return r.Route.APIName + " " + r.Route.BasePath + r.Route.Path + " " + r.Route.Method
}

func (k *PackagePlan) isDefault() bool { return strings.EqualFold(k.Name, defaultPackage) }

// defaultPackage is the name under which manifests have what is in no package.
const defaultPackage = "default"

// Plan works out what the project comes to on a server: it resolves inputs and
// variables, reads the code and checks what can be checked here.
func (s *Source) Plan(t Target) (*Plan, error) {
	p := &Plan{Project: cmp.Or(t.Project, s.manifest.Project.Name), Namespace: cmp.Or(t.Namespace, "_")}
	b := &builder{Source: s, target: t, plan: p}
	if t.Managed {
		if p.Project == "" {
			return nil, errors.New("the project has no name, by which a later sync could find what is its own: add project: name, or say --projectname")
		}
		p.mark = newManaged(p.Project, s.file, s.text)
	}
	if err := b.build(); err != nil {
		return nil, fmt.Errorf("%s: %w", s.file, err)
	}
	p.Warnings = s.Warnings
	return p, nil
}
