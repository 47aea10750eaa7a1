package api

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"hearth/whisk"
)

// rights say what a caller may do. Their errors are what the caller is to be
// told, so that nobody learns what others have.
type rights interface {
	// Action returns the action of that name, resolved. A right to put or
	// delete is refused where the name leads through a binding.
	Action(ctx context.Context, id *whisk.Identity, right whisk.Right, name whisk.ActionName) (*whisk.Resolved, error)
	// Change is Action for a name under which there need not be an action.
	Change(ctx context.Context, id *whisk.Identity, name whisk.ActionName) error
	// Components is for the right to read and to activate the actions of a
	// sequence, there or not.
	Components(ctx context.Context, id *whisk.Identity, names []whisk.ActionName) error
	Package(ctx context.Context, id *whisk.Identity, right whisk.Right, name whisk.EntityName) (*whisk.Package, error)
}

// entities are what is stored. They come shared and are not changed.
type entities interface {
	packages
	triggers
	rules

	// Action fails with whisk.ErrNotFound, or with whisk.ErrCollection if the
	// name is that of something else.
	Action(ctx context.Context, name whisk.ActionName) (*whisk.Action, error)
	// Resolve is Action for a name that leads through a package or a binding,
	// with what they add. It says nothing about rights.
	Resolve(ctx context.Context, name whisk.ActionName) (*whisk.Resolved, error)
	// PutAction stores a and, unless it is nil, its code. It fails with
	// whisk.ErrExists if ifRevision is 0 and there is an action, and with
	// whisk.ErrChanged if it is not that of the stored one.
	PutAction(ctx context.Context, a *whisk.Action, code []byte, ifRevision int64) (*whisk.Action, error)
	DeleteAction(ctx context.Context, name whisk.ActionName, ifRevision int64) error
	Actions(ctx context.Context, ns whisk.Namespace, pkg *string, skip, limit int) ([]*whisk.Action, error)
	CountActions(ctx context.Context, ns whisk.Namespace, pkg *string) (int, error)
	Code(ctx context.Context, digest whisk.Digest) ([]byte, error)
}

// listActions answers GET …/actions: all of the namespace's, newest first.
func (s *Server) listActions(q *request, ns whisk.Namespace) (reply, error) {
	if !q.owns(ns) {
		return reply{}, whisk.NotAuthorized(string(ns))
	}
	pg, err := q.query.page("actions", *q.limits)
	if err != nil {
		return reply{}, err
	}
	return s.actionRows(q, ns, nil, pg)
}

// listPackage answers GET …/actions/{pkg}/: what is in a package, or in the one
// behind a binding.
func (s *Server) listPackage(q *request, name whisk.EntityName) (reply, error) {
	p, err := s.deps.Rights.Package(q.Context(), q.identity, whisk.Read, name)
	if err != nil {
		return reply{}, err
	}
	if !p.Binding.IsZero() {
		provider, _, err := s.deps.Entities.Provider(q.Context(), name)
		if err != nil {
			return reply{}, err
		}
		name = provider.Name
	}
	pg, err := q.query.page("actions", *q.limits)
	if err != nil {
		return reply{}, err
	}
	return s.actionRows(q, name.Namespace, &name.Name, pg)
}

// actionRows answers with the actions of a namespace, or of one package.
func (s *Server) actionRows(q *request, ns whisk.Namespace, pkg *string, pg page) (reply, error) {
	if pg.count {
		n, err := s.deps.Entities.CountActions(q.Context(), ns, pkg)
		if err != nil {
			return reply{}, err
		}
		return countReply("actions", n, pg.skip)
	}
	return list[*whisk.Action, whisk.ActionName]{
		atOnce: entitiesAtOnce, turns: turnsAtOnce / 2,
		fetch: func(skip, limit int) ([]*whisk.Action, error) {
			return s.deps.Entities.Actions(q.Context(), ns, pkg, skip, limit)
		},
		key:    func(a *whisk.Action) whisk.ActionName { return a.Name },
		size:   actionSize,
		append: appendActionRow,
	}.reply(q, pg)
}

// actionSize is about what an action without its code takes in memory.
func actionSize(a *whisk.Action) int64 { return 1024 + a.Parameters.Size() + a.Annotations.Size() }

// fetchAction answers GET of one action; ?code=false leaves the code out.
func (s *Server) fetchAction(q *request, name whisk.ActionName) (reply, error) {
	withCode, err := q.query.boolean("code", true)
	if err != nil {
		return reply{}, err
	}
	if s.cfg.SharedExecuteOnly && name.Package != "" {
		if err := s.checkExecuteOnly(q, name); err != nil {
			return reply{}, err
		}
	}
	r, err := s.deps.Rights.Action(q.Context(), q.identity, whisk.Read, name)
	if err != nil {
		return reply{}, err
	}
	a := *r.Action
	a.Parameters = r.Parameters
	if !withCode {
		return actionReply(&a, r.BindingPath(), nil, false)
	}
	code, err := s.code(q, &a)
	if whisk.KindOf(err) == whisk.NotFound {
		return reply{}, fmt.Errorf("%w: its code is gone", whisk.ErrCorrupted)
	}
	if err != nil {
		return reply{}, err
	}
	return actionReply(&a, r.BindingPath(), code, true)
}

// checkExecuteOnly refuses the sight of what is in others' packages, be it there
// or not.
func (s *Server) checkExecuteOnly(q *request, name whisk.ActionName) error {
	pkg := whisk.EntityName{Namespace: name.Namespace, Name: name.Package}
	if _, err := s.deps.Rights.Package(q.Context(), q.identity, whisk.Read, pkg); err != nil {
		return err
	}
	provider, _, err := s.deps.Entities.Provider(q.Context(), pkg)
	switch {
	case err != nil:
		return err
	case !q.owns(name.Namespace):
		return whisk.Errorf(whisk.Forbidden, "GET not permitted for '%s' since it's an action in a shared package", pkg.Path())
	case !q.owns(provider.Name.Namespace):
		return whisk.Errorf(whisk.Forbidden, "GET not permitted for '%s'. Resource does not exist or is an action in a shared package binding.", name.Path())
	}
	return nil
}

// deleteAction answers DELETE with the action as it was.
func (s *Server) deleteAction(q *request, name whisk.ActionName) (reply, error) {
	r, err := s.deps.Rights.Action(q.Context(), q.identity, whisk.Delete, name)
	if err != nil {
		return reply{}, err
	}
	a := r.Action
	code, codeErr := s.code(q, a) // read now: it may be gone with its last user
	if err := s.deps.Entities.DeleteAction(q.Context(), name, a.Revision); err != nil {
		return reply{}, err
	}
	if codeErr != nil { // an action whose code is lost can still be removed
		s.log.Warn("deleted action had no readable code", "request", q.id, "action", name.Path(), "error", codeErr)
		return actionReply(a, "", nil, false)
	}
	return actionReply(a, "", code, true)
}

// code returns the action's code, nil if it has none. Its bytes count in the
// budget.
func (s *Server) code(q *request, a *whisk.Action) ([]byte, error) {
	if a.Exec.Code.IsZero() {
		return nil, nil
	}
	if err := q.reserve(a.Exec.Size); err != nil {
		return nil, err
	}
	return s.deps.Entities.Code(q.Context(), a.Exec.Code)
}

// actionReply answers with the action, and the path of the binding that it was
// reached through, if any; the code is written piece by piece.
func actionReply(a *whisk.Action, binding string, code []byte, withCode bool) (reply, error) {
	withCode = withCode && (len(code) > 0 || a.Exec.Kind != whisk.Blackbox && a.Exec.Kind != whisk.Sequence)
	head, tail := appendAction(nil, a, binding, withCode)
	if !withCode || len(code) == 0 {
		return ok(append(head, tail...))
	}
	return reply{status: http.StatusOK, stream: func(w io.Writer) error {
		if _, err := w.Write(head); err != nil {
			return err
		}
		if err := writeEscaped(w, code); err != nil {
			return err
		}
		_, err := w.Write(tail)
		return err
	}}, nil
}

// appendAction appends the action's document in two parts: between them
// belongs the inside of the string of its code, if there is to be one.
func appendAction(b []byte, a *whisk.Action, binding string, withCode bool) (head, tail []byte) {
	b = append(b, '{')
	if binding != "" {
		b = appendText(b, "binding", binding)
	}
	b = appendText(b, "namespace", a.Name.EntityPath())
	b = appendText(b, "name", a.Name.Name)
	b = append(appendKey(b, "exec"), '{')
	b = appendText(b, "kind", a.Exec.Kind)
	if a.Exec.Kind == whisk.Sequence {
		b = appendComponents(appendKey(b, "components"), a.Exec.Components)
	} else {
		b = appendBool(b, "binary", a.Exec.Binary)
	}
	if a.Exec.Image != "" {
		b = appendText(b, "image", a.Exec.Image)
	}
	if a.Exec.Main != "" {
		b = appendText(b, "main", a.Exec.Main)
	}
	if withCode {
		head = append(appendKey(b, "code"), '"')
		b = []byte{'"'}
	}
	b = append(b, '}')
	b = appendActionCommon(b, a)
	b = appendParameters(appendKey(b, "parameters"), a.Parameters)
	return head, append(b, '}')
}

// appendActionRow appends what a list shows of an action.
func appendActionRow(b []byte, a *whisk.Action) []byte {
	b = append(b, '{')
	b = appendText(b, "namespace", a.Name.EntityPath())
	b = appendText(b, "name", a.Name.Name)
	b = append(appendKey(b, "exec"), '{')
	b = append(appendBool(b, "binary", a.Exec.Binary), '}')
	return append(appendActionCommon(b, a), '}')
}

// appendActionCommon appends the fields that documents and rows share.
func appendActionCommon(b []byte, a *whisk.Action) []byte {
	b = appendParameters(appendKey(b, "annotations"), a.Annotations)
	b = appendLimits(appendKey(b, "limits"), a.Limits)
	if a.Instances != nil {
		b = append(appendInt(b[:len(b)-1], "instances", *a.Instances), '}')
	}
	b = appendVersion(b, a.Version)
	b = appendBool(b, "publish", a.Publish)
	return appendInt(b, "updated", a.Updated)
}
