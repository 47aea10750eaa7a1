package store

import (
	"context"

	"hearth/whisk"
)

// maxBindings bounds the bindings that are followed to a package. One is the
// rule: a package cannot be bound that is itself a binding, but it can become
// one when it is deleted and created again.
const maxBindings = 8

// Resolve returns the action that a name stands for, be it in the default
// package, in another, or behind a binding, with all parameters that hold for
// it. It is [whisk.ErrNotFound] where the action, its package or a binding's
// provider is missing, and [whisk.ErrCollection] where one of them is something
// else. It says nothing about rights.
//
// A name that was resolved before is answered without the engine, and so is one
// that led nowhere, until anything changes.
func (e *Entities) Resolve(ctx context.Context, name whisk.ActionName) (*whisk.Resolved, error) {
	known, fresh := e.cache.resolved(Key(name))
	if fresh {
		e.hits.Inc()
		return known, nil
	}
	generation := e.cache.begin()
	r, err := findKnown(e, Key(name), func() (*whisk.Resolved, error) { return e.resolve(ctx, name, known) })
	if err != nil {
		return nil, err
	}
	e.cache.put(cached{cacheKey{Key(name), true}, r, 0, resolvedSize(r), generation})
	return r, nil
}

// resolve returns known again if nothing that it stands on has changed.
func (e *Entities) resolve(ctx context.Context, name whisk.ActionName, known *whisk.Resolved) (*whisk.Resolved, error) {
	var r whisk.Resolved
	if name.Package != "" {
		pkg, binding, err := e.Provider(ctx, whisk.EntityName{Namespace: name.Namespace, Name: name.Package})
		if err != nil {
			return nil, err
		}
		r.Package, r.Binding = pkg, binding
		name.Namespace, name.Package = pkg.Name.Namespace, pkg.Name.Name
	}
	var err error
	if r.Action, err = e.Action(ctx, name); err != nil {
		return nil, err
	}
	if known != nil && known.Action == r.Action && known.Package == r.Package && known.Binding == r.Binding {
		return known, nil
	}
	r.Parameters = r.Action.Parameters
	if r.Binding != nil {
		r.Parameters = r.Parameters.Inherit(r.Binding.Parameters)
	}
	if r.Package != nil {
		r.Parameters = r.Parameters.Inherit(r.Package.Parameters)
	}
	return &r, nil
}

// Provider returns the package that a name stands for, and the binding if it is
// the name of one. Its errors are those of Resolve.
func (e *Entities) Provider(ctx context.Context, name whisk.EntityName) (pkg, binding *whisk.Package, err error) {
	if pkg, err = e.Package(ctx, name); err != nil || pkg.Binding.IsZero() {
		return pkg, nil, err
	}
	binding = pkg
	for range maxBindings {
		if pkg, err = e.Package(ctx, pkg.Binding); err != nil || pkg.Binding.IsZero() {
			return pkg, binding, err
		}
	}
	return nil, nil, whisk.Errorf(whisk.BadRequest, "Package binding '%s' contains a circular reference.", name.Path())
}

// resolvedSize is what r may keep in memory beyond the entities' own entries:
// when those are dropped, they live on through r.
func resolvedSize(r *whisk.Resolved) int64 {
	n := cacheOverhead + parametersSize(r.Action.Parameters) + r.Action.Annotations.Size()
	for _, p := range []*whisk.Package{r.Package, r.Binding} {
		if p != nil {
			n += parametersSize(p.Parameters) + p.Annotations.Size()
		}
	}
	const perParameter = 96 // of the merged list; the values are shared
	return n + perParameter*int64(len(r.Parameters))
}

// parametersSize is what parameters take in memory, sealed forms included.
func parametersSize(ps whisk.Parameters) int64 {
	n := ps.Size()
	for i := range ps {
		n += int64(len(ps[i].Sealed))
	}
	return n
}
