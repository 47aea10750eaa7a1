package api

import (
	"context"
	"io"
	"net/http"

	"hearth/whisk"
)

// packages are the stored packages, as [entities] are.
type packages interface {
	Package(ctx context.Context, name whisk.EntityName) (*whisk.Package, error)
	// Provider returns the package that a name stands for, and the binding if
	// it is that of one.
	Provider(ctx context.Context, name whisk.EntityName) (pkg, binding *whisk.Package, err error)
	PutPackage(ctx context.Context, p *whisk.Package, ifRevision int64) (*whisk.Package, error)
	// DeletePackage deletes a package, and with force what is in it. It fails
	// with whisk.ErrChanged if the package is not empty without force, or not
	// as it was read.
	DeletePackage(ctx context.Context, p *whisk.Package, force bool) error
	Packages(ctx context.Context, ns whisk.Namespace, public bool, skip, limit int) ([]*whisk.Package, error)
	CountPackages(ctx context.Context, ns whisk.Namespace, public bool) (int, error)
}

// listPackages answers GET …/packages: of another's namespace only what is
// published.
func (s *Server) listPackages(q *request, ns whisk.Namespace) (reply, error) {
	public := !q.owns(ns)
	return countOr(q, "packages",
		func(ctx context.Context) (int, error) { return s.deps.Entities.CountPackages(ctx, ns, public) },
		list[*whisk.Package, whisk.EntityName]{
			fetch: func(skip, limit int) ([]*whisk.Package, error) {
				return s.deps.Entities.Packages(q.Context(), ns, public, skip, limit)
			},
			key:  func(p *whisk.Package) whisk.EntityName { return p.Name },
			size: func(p *whisk.Package) int64 { return 1024 + p.Parameters.Size() + p.Annotations.Size() },
			append: func(b []byte, p *whisk.Package) []byte {
				b = appendEntity(append(b, '{'), p.Name, p.Version, p.Publish, p.Annotations, p.Updated)
				return append(appendBinding(appendKey(b, "binding"), p.Binding, "false"), '}')
			},
		})
}

// fetchPackage answers GET of a package or binding, with what is in it.
func (s *Server) fetchPackage(q *request, name whisk.EntityName) (reply, error) {
	p, err := s.deps.Rights.Package(q.Context(), q.identity, whisk.Read, name)
	if whisk.KindOf(err) == whisk.NotFound {
		return reply{}, whisk.Errorf(whisk.NotFound, "The requested resource '%s' does not exist.", name.Path())
	}
	if err != nil {
		return reply{}, err
	}
	provider := p
	if s.cfg.SharedExecuteOnly && !q.owns(name.Namespace) {
		return reply{}, whisk.Errorf(whisk.Forbidden, "GET not permitted for '%s' since it's a shared package", name.Path())
	}
	if !p.Binding.IsZero() {
		if s.cfg.SharedExecuteOnly && p.Binding.Namespace != name.Namespace {
			return reply{}, whisk.Errorf(whisk.Forbidden, "GET not permitted since %s is a binding of a shared package", name.Name)
		}
		if provider, _, err = s.deps.Entities.Provider(q.Context(), name); err != nil {
			return reply{}, err
		}
		c := *p
		c.Parameters = p.Parameters.Inherit(provider.Parameters)
		p = &c
	}
	return s.packageReply(q, p, provider.Name)
}

// packageReply answers with a package and the actions of its provider: all at
// once if they are few, else some at a time, as each may be megabytes.
func (s *Server) packageReply(q *request, p *whisk.Package, provider whisk.EntityName) (reply, error) {
	rows, held, err := s.contents(q, provider, 0)
	if err != nil {
		return reply{}, err
	}
	b := appendPackage([]byte{'{'}, p)
	if len(rows) < entitiesAtOnce {
		for _, feeds := range []bool{false, true} {
			b = append(appendKey(b, contentsKey(feeds)), '[')
			b = append(appendContents(b, rows, feeds), ']')
		}
		q.unreserve(held)
		if err := q.reserve(int64(cap(b))); err != nil {
			return reply{}, err
		}
		return ok(append(b, '}'))
	}
	q.unreserve(held)
	return reply{status: http.StatusOK, stream: func(w io.Writer) error {
		for _, feeds := range []bool{false, true} {
			b = append(appendKey(b, contentsKey(feeds)), '[')
			if _, err := w.Write(b); err != nil {
				return err
			}
			if err := s.streamContents(q, w, provider, feeds); err != nil {
				return err
			}
			b = append(b[:0], ']')
		}
		_, err := w.Write([]byte("]}"))
		return err
	}}, nil
}

func contentsKey(feeds bool) string {
	if feeds {
		return "feeds"
	}
	return "actions"
}

// contents returns some of the actions of a package, and what they hold of the
// budget. Fewer than entitiesAtOnce are the last.
func (s *Server) contents(q *request, name whisk.EntityName, skip int) (rows []*whisk.Action, held int64, err error) {
	err = q.inTurn(turnsAtOnce/2, func() (err error) {
		rows, err = s.deps.Entities.Actions(q.Context(), name.Namespace, &name.Name, skip, entitiesAtOnce)
		if err != nil {
			return err
		}
		for _, a := range rows {
			held += actionSize(a)
		}
		return q.reserve(held)
	})
	return rows, held, err
}

// streamContents writes either the feeds of a package or its other actions. What
// changes meanwhile shifts those behind it, so that one may come again: it is
// left out then.
func (s *Server) streamContents(q *request, w io.Writer, name whisk.EntityName, feeds bool) error {
	seen := map[string]bool{}
	for skip := 0; ; skip += entitiesAtOnce {
		rows, held, err := s.contents(q, name, skip)
		if err != nil {
			return err
		}
		fresh := rows[:0:0]
		for _, a := range rows {
			if isFeed(a) == feeds && !seen[a.Name.Name] {
				seen[a.Name.Name] = true
				fresh = append(fresh, a)
			}
		}
		var b []byte
		if len(fresh) > 0 && len(seen) > len(fresh) {
			b = append(b, ',')
		}
		_, err = w.Write(appendContents(b, fresh, feeds))
		q.unreserve(held)
		if err != nil || len(rows) < entitiesAtOnce {
			return err
		}
	}
}

// isFeed reports whether the action is a feed: the annotation's value does not
// matter.
func isFeed(a *whisk.Action) bool {
	_, feed := a.Annotations.Get(annotationFeed)
	return feed
}

// appendContents appends what a package shows of its actions, either the feeds
// or the others.
func appendContents(b []byte, rows []*whisk.Action, feeds bool) []byte {
	first := true
	for _, a := range rows {
		if isFeed(a) != feeds {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = appendText(append(b, '{'), "name", a.Name.Name)
		b = appendVersion(b, a.Version)
		b = append(appendParameters(appendKey(b, "annotations"), a.Annotations), '}')
	}
	return b
}

// deletePackage answers DELETE of a package; with ?force=true what is in it goes
// with it.
func (s *Server) deletePackage(q *request, name whisk.EntityName) (reply, error) {
	force, err := q.query.boolean("force", false)
	if err != nil {
		return reply{}, err
	}
	p, err := s.deps.Entities.Package(q.Context(), name)
	if err != nil {
		return reply{}, err
	}
	ctx, cancel := q.writing()
	defer cancel()
	if p.Binding.IsZero() && !force {
		n, err := s.deps.Entities.CountActions(ctx, name.Namespace, &name.Name)
		if err != nil {
			return reply{}, err
		}
		if n > 0 {
			entities := "entities"
			if n == 1 {
				entities = "entity"
			}
			return reply{}, whisk.Errorf(whisk.Conflict, "Package not empty (contains %d %s). Set force param or delete package contents.", n, entities)
		}
	}
	turns := int64(0)
	if force {
		turns = turnsAtOnce / 2 // what is deleted is read first
	}
	if err := q.inTurn(turns, func() error { return s.deps.Entities.DeletePackage(ctx, p, force) }); err != nil {
		return reply{}, err
	}
	return ok(append(appendPackage([]byte{'{'}, p), '}'))
}

// appendPackage appends the fields of a package's document.
func appendPackage(b []byte, p *whisk.Package) []byte {
	b = appendEntity(b, p.Name, p.Version, p.Publish, p.Annotations, p.Updated)
	b = appendParameters(appendKey(b, "parameters"), p.Parameters)
	return appendBinding(appendKey(b, "binding"), p.Binding, "{}")
}

// appendBinding appends the name of a binding's package, or what stands for
// there being none.
func appendBinding(b []byte, n whisk.EntityName, none string) []byte {
	if n.IsZero() {
		return append(b, none...)
	}
	b = appendText(append(b, '{'), "namespace", string(n.Namespace))
	return append(appendText(b, "name", n.Name), '}')
}
