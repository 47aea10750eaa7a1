package deploy

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"hearth/client"
	"hearth/whisk"
)

// Export is a project as it is on a server: a manifest and the files of its
// code, by their names beside it.
type Export struct {
	Manifest *Manifest
	Files    map[string][]byte
	Warnings []string

	ns  whisk.Namespace
	own whisk.Namespace // as the server names ns
}

// Export fetches what carries a project's mark.
func (d *Deployer) Export(ctx context.Context, ns whisk.Namespace, project string) (*Export, error) {
	p, err := d.Find(ctx, ns, project)
	if err != nil {
		return nil, err
	}
	if len(p.Packages)+len(p.Triggers)+len(p.Rules) == 0 {
		return nil, fmt.Errorf("nothing on the server belongs to the project %q", project)
	}
	e := &Export{Manifest: &Manifest{Project: Project{Name: project}, Packages: map[string]*Package{}}, Files: map[string][]byte{}, ns: p.Namespace}
	for i := range p.Packages {
		if err := e.pkg(ctx, d, p, &p.Packages[i]); err != nil {
			return nil, err
		}
	}
	if err := e.events(ctx, d, p); err != nil {
		return nil, err
	}
	e.routes(p)
	return e, nil
}

func (e *Export) warn(format string, args ...any) {
	e.Warnings = append(e.Warnings, fmt.Sprintf(format, args...))
}

// in returns the manifest's package of a name.
func (e *Export) in(name string) *Package {
	if e.Manifest.Packages[name] == nil {
		e.Manifest.Packages[name] = new(Package)
	}
	return e.Manifest.Packages[name]
}

// first returns the name of the package that gets what is in none: a package of
// the project's if there is one.
func (e *Export) first() string {
	for _, name := range sortedKeys(e.Manifest.Packages) {
		if name != defaultPackage {
			return name
		}
	}
	return defaultPackage
}

func (e *Export) pkg(ctx context.Context, d *Deployer, p *Plan, k *PackagePlan) error {
	inherited := map[string]json.RawMessage{}
	if k.Body != nil {
		got, err := d.Client.Package(ctx, p.entity(k.Name))
		if err != nil {
			return err
		}
		for _, param := range got.Parameters {
			inherited[param.Key] = param.Value
		}
		to := e.in(k.Name)
		to.Version, to.Public = got.Version, got.Publish != nil && *got.Publish
		to.Inputs, to.Annotations = e.inputs(k.Name, got.Parameters), e.annotations(got.Annotations)
	}
	for _, b := range k.Bindings {
		got, err := d.Client.Package(ctx, p.entity(b.Name))
		if err != nil {
			return err
		}
		to := e.in(k.Name)
		if to.Dependencies == nil {
			to.Dependencies = map[string]*Dependency{}
		}
		to.Dependencies[b.Name] = &Dependency{
			Location: "/" + b.Body.Binding.Namespace + "/" + b.Body.Binding.Name, Inputs: e.inputs(b.Name, got.Parameters), Annotations: e.annotations(got.Annotations),
		}
	}
	for _, a := range slices.Concat(k.Actions, k.Sequences) {
		if err := e.action(ctx, d, p.action(k, a.Name), k.Name, inherited); err != nil {
			return err
		}
	}
	return nil
}

func (e *Export) action(ctx context.Context, d *Deployer, n whisk.ActionName, pkg string, inherited map[string]json.RawMessage) error {
	a, err := d.Client.Action(ctx, n, true)
	if err != nil {
		return err
	}
	if a.Exec == nil {
		return fmt.Errorf("action '%s' has no code: %w", short(n), client.ErrUnreadable)
	}
	own, _, _ := strings.Cut(a.Namespace, "/")
	e.own = whisk.Namespace(own)
	to := e.in(pkg)
	if a.Exec.Kind == whisk.Sequence {
		var parts []string
		for _, c := range a.Exec.Components {
			parts = append(parts, e.relative(c, pkg))
		}
		if to.Sequences == nil {
			to.Sequences = map[string]*Sequence{}
		}
		to.Sequences[n.Name] = &Sequence{Actions: strings.Join(parts, ", "), Annotations: e.annotations(a.Annotations)}
		return nil
	}
	m := &Action{Main: a.Exec.Main, Version: a.Version, Annotations: e.annotations(a.Annotations)}
	m.Inputs = e.inputs(short(n), slices.DeleteFunc(a.Parameters, func(p whisk.Parameter) bool {
		return inherited[p.Key] != nil && string(inherited[p.Key]) == string(p.Value) // the server lays the package's under them
	}))
	if a.Exec.Kind == whisk.Blackbox {
		m.Docker = a.Exec.Image
	} else {
		m.Runtime = a.Exec.Kind
	}
	if l := a.Limits; l != nil {
		m.Limits = &Limits{Timeout: l.Timeout, Memory: l.Memory, Logs: l.Logs}
	}
	if m.Function, err = e.save(a, pkg); err != nil {
		return fmt.Errorf("action '%s': %w", short(n), err)
	}
	if to.Actions == nil {
		to.Actions = map[string]*Action{}
	}
	to.Actions[n.Name] = m
	return nil
}

// save keeps the code of an action and returns the file's name, "" if there is
// no code.
func (e *Export) save(a *client.Action, pkg string) (string, error) {
	if a.Exec.Code == nil || *a.Exec.Code == "" {
		return "", nil
	}
	if !whisk.ValidName(a.Name) || !whisk.ValidName(pkg) {
		return "", errors.New("its name makes no file name")
	}
	b := []byte(*a.Exec.Code)
	binary := a.Exec.Binary != nil && *a.Exec.Binary
	if binary {
		var err error
		if b, err = base64.StdEncoding.DecodeString(*a.Exec.Code); err != nil {
			return "", err
		}
	}
	name := path.Join(pkg, a.Name)
	if !client.IsELF(b) {
		name += client.CodeExtension(a.Exec.Kind, binary)
	}
	e.Files[name] = b
	return name, nil
}

// relative returns the name of an action as a manifest's package says it.
func (e *Export) relative(full, pkg string) string {
	n, err := whisk.ParseActionName(full, e.own)
	if err != nil || n.Namespace != e.own {
		return full
	}
	switch {
	case n.Package == pkg, n.Package == "" && pkg == defaultPackage:
		return n.Name
	case n.Package == "":
		return "/_/" + n.Name
	}
	return n.Package + "/" + n.Name
}

// Write writes the manifest to a new file and the code beside it.
func (e *Export) Write(manifest string) error {
	text, err := encode(e.Manifest)
	if err != nil {
		return err
	}
	dir := filepath.Dir(manifest)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }() // nothing is buffered
	files := map[string][]byte{filepath.Base(manifest): text}
	for name, b := range e.Files {
		files[name] = b
	}
	for _, name := range sortedKeys(files) {
		if err := writeIn(root, name, files[name]); err != nil {
			return err
		}
	}
	return nil
}

// writeIn writes a new file.
func writeIn(root *os.Root, name string, b []byte) error {
	if err := root.MkdirAll(path.Dir(name), 0o777); err != nil {
		return err
	}
	mode := fs.FileMode(0o666)
	if client.IsELF(b) {
		mode = 0o777
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Close())
}
