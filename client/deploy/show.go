package deploy

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"hearth/client"
	"hearth/whisk"
)

// Preview writes what the plan holds, as wskdeploy does.
func (p *Plan) Preview(w io.Writer) error {
	var b strings.Builder
	b.WriteString("Packages:\n")
	for i := range p.Packages {
		p.Packages[i].preview(&b)
	}
	b.WriteString("Triggers:\n")
	for _, t := range p.Triggers {
		fmt.Fprintf(&b, "* trigger: %s\n", t.Name)
		pairs(&b, "bindings", t.Body.Parameters)
		pairs(&b, "annotation", t.Body.Annotations)
	}
	b.WriteString("\nRules\n")
	for _, r := range p.Rules {
		fmt.Fprintf(&b, "* rule: %s\n", r.Name)
		pairs(&b, "annotation", r.Body.Annotations)
		fmt.Fprintf(&b, "    - trigger: %s\n    - action: %s\n", p.plain(r.Body.Trigger), p.plain(r.Body.Action))
	}
	if len(p.Routes) > 0 || p.Swagger != nil {
		b.WriteString("\nAPIs\n")
	}
	if p.Swagger != nil {
		fmt.Fprintf(&b, "* api: %s\n", p.Swagger)
	}
	for _, r := range p.Routes {
		fmt.Fprintf(&b, "* api: %s\n", r)
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// plain returns a full name without the plan's own namespace.
func (p *Plan) plain(full string) string {
	return strings.TrimPrefix(full, "/"+string(p.Namespace)+"/")
}

func (k *PackagePlan) preview(b *strings.Builder) {
	fmt.Fprintf(b, "Name: %s\n", k.Name)
	body := k.Body
	if body == nil {
		body = new(client.Package)
	}
	pairs(b, "bindings", body.Parameters)
	pairs(b, "annotation", body.Annotations)
	for _, d := range k.Bindings {
		fmt.Fprintf(b, "  * dependency: %s\n    location: /%s/%s\n", d.Name, d.Body.Binding.Namespace, d.Body.Binding.Name)
	}
	b.WriteString("\n")
	for _, a := range k.Actions {
		fmt.Fprintf(b, "  * action: %s\n", a.Name)
		pairs(b, "bindings", a.Body.Parameters)
		pairs(b, "annotation", a.Body.Annotations)
	}
	b.WriteString("\n")
	for _, s := range k.Sequences {
		fmt.Fprintf(b, "  * sequence: %s\n", s.Name)
		pairs(b, "annotation", s.Body.Annotations)
	}
	b.WriteString("\n")
}

func pairs(b *strings.Builder, title string, ps []whisk.Parameter) {
	fmt.Fprintf(b, "    %s: \n", title)
	for _, p := range ps {
		fmt.Fprintf(b, "        - %s : %s\n", p.Key, p.Value)
	}
}

// Report writes the inputs of the project and of all in it, each a JSON
// document with Name and Inputs, as wskdeploy does.
func (p *Plan) Report(w io.Writer) error {
	type inputs struct {
		Name   string
		Inputs map[string]any
	}
	list := []inputs{{p.Project, p.Inputs}}
	add := func(name string, ps []whisk.Parameter) {
		m := map[string]any{}
		for _, one := range ps {
			m[one.Key] = one.Value
		}
		list = append(list, inputs{name, m})
	}
	for i := range p.Packages {
		k := &p.Packages[i]
		list = append(list, inputs{k.Name, k.Inputs})
		for _, b := range k.Bindings {
			add("/"+b.Body.Binding.Namespace+"/"+b.Body.Binding.Name, b.Body.Parameters)
		}
		for _, a := range slices.Concat(k.Actions, k.Sequences) {
			add(a.Name, a.Body.Parameters)
		}
	}
	for _, t := range p.Triggers {
		add(t.Name, t.Body.Parameters)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	for _, one := range list {
		if err := e.Encode(one); err != nil {
			return err
		}
	}
	return nil
}
