package auth

import (
	"context"
	"errors"
	"slices"

	"hearth/whisk"
)

// resources are what rights depend on. Both methods fail with
// [whisk.ErrNotFound], or [whisk.ErrCollection] where something else has the
// name.
type resources interface {
	Package(ctx context.Context, name whisk.EntityName) (*whisk.Package, error)
	Resolve(ctx context.Context, name whisk.ActionName) (*whisk.Resolved, error)
}

// identities finds who holds a credential.
type identities interface {
	Identity(ctx context.Context, uuid string) (*whisk.Identity, error)
}

// Entitlement says who may do what with which entity:
//
//   - In one's own namespace one may do everything, but nothing through a
//     binding that the package behind it does not allow.
//   - In others one may read published packages, and read and activate what is
//     in them. What is in no package is never shared, nor are bindings.
//
// A stranger is told 403 whether there is something or not; an owner learns the
// difference.
type Entitlement struct {
	resources  resources
	identities identities
}

// NewEntitlement returns an Entitlement over entities that the caller keeps.
func NewEntitlement(r resources, i identities) *Entitlement { return &Entitlement{r, i} }

// Action returns the action of that name if id has the right to it: all that a
// call needs, at the cost of one cached read. With [whisk.Activate] the
// components of a sequence are checked too. With [whisk.Put] and
// [whisk.Delete] it is the error of a binding, and [whisk.ErrNotFound] where
// package or action are missing.
func (e *Entitlement) Action(ctx context.Context, id *whisk.Identity, right whisk.Right, name whisk.ActionName) (*whisk.Resolved, error) {
	if right == whisk.Put || right == whisk.Delete {
		if err := e.Change(ctx, id, name); err != nil {
			return nil, err
		}
	} else if name.Package == "" && !owns(id, name.Namespace) {
		return nil, whisk.NotAuthorized(name.Path())
	}
	r, err := e.resources.Resolve(ctx, name)
	if name.Package != "" && (err != nil || !opens(id, name, r)) {
		// What is missing, the action or the package, and who may know?
		if _, denied := e.Package(ctx, id, whisk.Read, packageOf(name)); denied != nil {
			return nil, denied
		}
	}
	if err != nil {
		return nil, err
	}
	if right == whisk.Activate && r.Action.Exec.Kind == whisk.Sequence {
		if err := e.Components(ctx, id, r.Action.Exec.Components); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// opens is the usual case of Package for what a name was resolved to: its
// answer no is not the last word.
func opens(id *whisk.Identity, name whisk.ActionName, r *whisk.Resolved) bool {
	if r.Package == nil {
		return true // the default package: looked at before
	}
	open := r.Package.Publish || owns(id, r.Package.Name.Namespace)
	if r.Binding == nil {
		return open
	}
	return open && owns(id, name.Namespace) && r.Binding.Binding == r.Package.Name
}

// ActionFor is Action with the right to activate, for the credential of a call
// that is under way.
func (e *Entitlement) ActionFor(ctx context.Context, uuid string, name whisk.ActionName) (*whisk.Resolved, error) {
	id, err := e.identities.Identity(ctx, uuid)
	if err != nil {
		return nil, err
	}
	return e.Action(ctx, id, whisk.Activate, name)
}

// Change returns nil if id may write or delete an action of that name, be there
// one or not.
func (e *Entitlement) Change(ctx context.Context, id *whisk.Identity, name whisk.ActionName) error {
	if !owns(id, name.Namespace) {
		return whisk.NotAuthorized(name.Path())
	}
	if name.Package == "" {
		return nil
	}
	p, err := e.resources.Package(ctx, packageOf(name))
	if err != nil {
		return err
	}
	if !p.Binding.IsZero() {
		return whisk.Errorf(whisk.BadRequest, "Operation not permitted on package binding.")
	}
	return nil
}

// Components returns nil if id may use all actions of a sequence, else the error
// of those it may not. Whether there are such actions it does not say, only
// that a package of id's own is missing.
func (e *Entitlement) Components(ctx context.Context, id *whisk.Identity, names []whisk.ActionName) error {
	var denied []string
	for _, n := range names {
		if n.Package != "" {
			if _, err := e.Package(ctx, id, whisk.Read, packageOf(n)); err != nil {
				return err
			}
		} else if !owns(id, n.Namespace) {
			denied = append(denied, n.Path())
		}
	}
	if denied != nil {
		slices.Sort(denied)
		return whisk.NotAuthorized(slices.Compact(denied)...)
	}
	return nil
}

// maxBindings bounds the bindings that are followed. Usually there is one.
const maxBindings = 8

// Package returns the package or binding of that name if id has the right to
// it. A binding may be read by its owner who may read what is behind it.
func (e *Entitlement) Package(ctx context.Context, id *whisk.Identity, right whisk.Right, name whisk.EntityName) (*whisk.Package, error) {
	var first *whisk.Package
	for at, n := name, 0; n <= maxBindings; n++ {
		owner := owns(id, at.Namespace)
		if right != whisk.Read && !owner {
			return nil, whisk.NotAuthorized(name.Path())
		}
		p, err := e.resources.Package(ctx, at)
		switch {
		case err != nil && (owner || !missing(err)):
			return nil, err
		case err != nil, !owner && (!p.Publish || !p.Binding.IsZero()):
			return nil, whisk.NotAuthorized(name.Path())
		}
		if first == nil {
			first = p
		}
		if right != whisk.Read || p.Binding.IsZero() {
			return first, nil
		}
		at = p.Binding
	}
	return nil, whisk.Errorf(whisk.BadRequest, "Package binding '%s' contains a circular reference.", name.Path())
}

// missing reports whether err is that of an entity that is not there, that is of
// another collection, or that cannot be read: all one to a stranger.
func missing(err error) bool {
	k := whisk.KindOf(err)
	return k == whisk.NotFound || k == whisk.Conflict || errors.Is(err, whisk.ErrCorrupted)
}

func owns(id *whisk.Identity, ns whisk.Namespace) bool { return id.Namespace == ns }

func packageOf(n whisk.ActionName) whisk.EntityName {
	return whisk.EntityName{Namespace: n.Namespace, Name: n.Package}
}

// CheckKind returns nil if id may use actions of the kind, else an error of
// kind [whisk.Forbidden]. A namespace without a list may use all kinds.
func CheckKind(id *whisk.Identity, kind string) error {
	allowed := id.Overrides.AllowedKinds
	if len(allowed) == 0 || slices.Contains(allowed, kind) {
		return nil
	}
	return whisk.Errorf(whisk.Forbidden, "The supplied authentication is not authorized to access actions of kind '%s'.", kind)
}
