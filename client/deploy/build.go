package deploy

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	"hearth/client"
	"hearth/whisk"
)

// builder makes a plan of a source.
type builder struct {
	*Source
	target Target
	plan   *Plan

	lacking []string // required inputs without a value
	code    int      // bytes of all actions' code
}

func (b *builder) build() error {
	project := b.given
	b.plan.Inputs = b.resolve(b.manifest.Project.Inputs, project, false)
	project = project.within(b.plan.Inputs)
	if len(b.manifest.Packages) == 0 {
		b.warn("The manifest file [%s] contained no packages.", b.file)
	}
	for _, name := range sortedKeys(b.manifest.Packages) {
		if err := b.pkg(project, name, b.manifest.Packages[name]); err != nil {
			return fmt.Errorf("package %q: %w", name, err)
		}
	}
	if *b.given.left < 0 {
		return fmt.Errorf("variables come to more than %d bytes", maxExpanded)
	}
	if len(b.lacking) > 0 {
		return fmt.Errorf("required inputs have no value: %s; give them in the environment, in the deployment file or by --param", strings.Join(b.lacking, ", "))
	}
	if b.manifest.Project.Config != "" {
		return b.swagger(b.manifest.Project.Config)
	}
	return nil
}

// pkg plans one package and all that it names.
func (b *builder) pkg(s scope, name string, m *Package) error {
	name = s.expand(name)
	if !whisk.ValidName(name) {
		return errors.New("the name of the entity contains illegal characters")
	}
	own := b.resolve(m.Inputs, s, true)
	all := maps.Clone(s.inputs)
	maps.Copy(all, own)
	s = s.within(all)
	p := PackagePlan{Inputs: own}
	p.Name = name
	if !p.isDefault() {
		p.Body = &client.Package{Publish: new(m.Public), Version: s.expand(m.Version), Parameters: params(own)}
		p.Body.Annotations = b.plan.mark.on(b.annotations(s, m.Annotations))
		if m.Public {
			b.warn("[%s] is marked as public in manifest file, it will be visible and can be accessed by anyone", name)
		}
	}
	k := &packageBuilder{builder: b, scope: s, m: m, PackagePlan: &p}
	for _, step := range []func() error{k.bindings, k.actions, k.sequences, k.triggers, k.rules, k.apis} {
		if err := step(); err != nil {
			return err
		}
	}
	b.plan.Packages = append(b.plan.Packages, p)
	return nil
}

// resolve returns the values of inputs: the user's own, else those of the
// manifest with variables replaced. An input of a package that has none takes
// the variable of its own name.
func (b *builder) resolve(inputs map[string]*Input, s scope, byName bool) map[string]any {
	out := make(map[string]any, len(inputs))
	for _, name := range sortedKeys(inputs) {
		i := inputs[name]
		v, given := s.given[name]
		if !given {
			v = i.resolve(s)
			if text := s.lookup(name); byName && i.missing(v) && text != "" {
				v = typed(i.Type, text)
			}
		}
		if !given && i.Required && i.missing(v) {
			b.lacking = append(b.lacking, name)
		}
		out[name] = v
	}
	return out
}

// annotations returns annotations with variables replaced in those that are
// texts: in others a $ may be part of code.
func (b *builder) annotations(s scope, m map[string]Value) whisk.Parameters {
	out := make(map[string]any, len(m))
	for name, v := range m {
		if text, ok := v.v.(string); ok {
			out[name] = s.expand(text)
		} else {
			out[name] = v.v
		}
	}
	return params(out)
}

// params returns values in the order of their keys.
func params(m map[string]any) whisk.Parameters {
	var out whisk.Parameters
	for _, k := range sortedKeys(m) {
		raw, err := marshal(m[k])
		if err != nil {
			raw = json.RawMessage("null") // what was read from YAML or JSON always encodes
		}
		out = append(out, whisk.Parameter{Key: k, Value: raw})
	}
	return out
}

// packageBuilder plans what one package names.
type packageBuilder struct {
	*builder
	scope
	m *Package
	*PackagePlan
}

// entity checks the name of what a package names, with variables replaced.
func (k *packageBuilder) entity(kind, name string) (string, error) {
	n := k.expand(name)
	if !whisk.ValidName(n) {
		return "", fmt.Errorf("%s %q: the name of the entity contains illegal characters", kind, name)
	}
	return n, nil
}

// full returns the full name of an action that the package's texts mention:
// "/ns/[pkg/]name", "pkg/name", or a name in the package itself.
func (k *packageBuilder) full(name string) string {
	name = strings.TrimSpace(k.expand(name))
	switch {
	case strings.HasPrefix(name, "/"):
		return name
	case strings.Contains(name, "/"), k.isDefault():
		return "/" + string(k.plan.Namespace) + "/" + name
	}
	return "/" + string(k.plan.Namespace) + "/" + k.Name + "/" + name
}

func (k *packageBuilder) bindings() error {
	for _, key := range sortedKeys(k.m.Dependencies) {
		d := k.m.Dependencies[key]
		name, err := k.entity("dependency", key)
		if err != nil {
			return err
		}
		ns, pkg, ok := strings.Cut(strings.TrimPrefix(k.expand(d.Location), "/"), "/")
		if !strings.HasPrefix(k.expand(d.Location), "/") || !ok || !whisk.ValidName(ns) || !whisk.ValidName(pkg) {
			return fmt.Errorf("dependency %q: the location %q is no package on this server, as /namespace/package is; nothing is fetched from elsewhere", key, d.Location)
		}
		k.Bindings = append(k.Bindings, Planned[client.Package]{name, &client.Package{
			Publish:     new(false),
			Binding:     &client.Binding{Namespace: ns, Name: pkg},
			Parameters:  params(k.resolve(d.Inputs, k.scope, false)),
			Annotations: k.plan.mark.on(k.annotations(k.scope, d.Annotations)),
		}})
	}
	return nil
}

func (k *packageBuilder) sequences() error {
	for _, key := range sortedKeys(k.m.Sequences) {
		m := k.m.Sequences[key]
		name, err := k.entity("sequence", key)
		if err != nil {
			return err
		}
		if find(k.Actions, name) != nil {
			return fmt.Errorf("sequence %q is defined as an action, too", name)
		}
		e := &client.Exec{Kind: whisk.Sequence}
		for a := range strings.SplitSeq(k.expand(m.Actions), ",") {
			e.Components = append(e.Components, k.full(a))
		}
		a := &client.Action{Exec: e, Publish: new(false), Annotations: k.plan.mark.on(k.annotations(k.scope, m.Annotations))}
		if err := setWeb(a, m.Web); err != nil {
			return fmt.Errorf("sequence %q: %w", name, err)
		}
		k.Sequences = append(k.Sequences, Planned[client.Action]{name, a})
	}
	return nil
}

func (k *packageBuilder) triggers() error {
	for _, key := range sortedKeys(k.m.Triggers) {
		m := k.m.Triggers[key]
		name, err := k.entity("trigger", key)
		if err != nil {
			return err
		}
		if m.Feed == "" {
			m.Feed = m.Source
		}
		t := &client.Trigger{Publish: new(false), Parameters: params(k.resolve(m.Inputs, k.scope, false))}
		t.Annotations = k.plan.mark.on(k.annotations(k.scope, m.Annotations))
		if feed := k.expand(m.Feed); feed != "" {
			if !strings.HasPrefix(feed, "/") {
				feed = "/" + string(k.plan.Namespace) + "/" + feed
			}
			if _, err := whisk.ParseActionName(feed, "_"); err != nil {
				return fmt.Errorf("trigger %q: feed %q: %w", name, feed, err)
			}
			t.Annotations = whisk.Parameters(t.Annotations).Merge(params(map[string]any{"feed": feed}))
		}
		if before := find(k.plan.Triggers, name); before != nil {
			if before.Feed() != t.Feed() {
				return fmt.Errorf("trigger %q has the feeds %q and %q", name, before.Feed(), t.Feed())
			}
			*before = *t
			continue
		}
		k.plan.Triggers = append(k.plan.Triggers, Planned[client.Trigger]{name, t})
	}
	return nil
}

func (k *packageBuilder) rules() error {
	for _, key := range sortedKeys(k.m.Rules) {
		m := k.m.Rules[key]
		name, err := k.entity("rule", key)
		if err != nil {
			return err
		}
		trigger := strings.TrimSpace(k.expand(m.Trigger))
		if trigger == "" || strings.TrimSpace(k.expand(m.Action)) == "" {
			return fmt.Errorf("rule %q names no trigger, or no action", name)
		}
		if !strings.HasPrefix(trigger, "/") {
			trigger = "/" + string(k.plan.Namespace) + "/" + trigger
		}
		r := &client.RuleBody{Trigger: trigger, Action: k.full(m.Action), Publish: new(false)}
		r.Annotations = k.plan.mark.on(k.annotations(k.scope, m.Annotations))
		if before := find(k.plan.Rules, name); before != nil {
			if before.Trigger != r.Trigger || before.Action != r.Action {
				return fmt.Errorf("rule %q is defined twice, with different triggers or actions", name)
			}
			*before = *r
			continue
		}
		k.plan.Rules = append(k.plan.Rules, Planned[client.RuleBody]{name, r})
	}
	return nil
}

// find returns the body of a name, nil if it is not there.
func find[T any](list []Planned[T], name string) *T {
	for _, p := range list {
		if p.Name == name {
			return p.Body
		}
	}
	return nil
}
