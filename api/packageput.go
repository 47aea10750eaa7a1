package api

import (
	"time"

	"hearth/whisk"
)

// annotationBinding shows what a binding is bound to, for clients that have only
// a list. It is the platform's alone.
const annotationBinding = "binding"

// reservedPackage is what the default package is called in paths of web actions.
const reservedPackage = "default"

// packageBody is a package's PUT body: what is nil or zero was not given.
type packageBody struct {
	entityBody
	binding whisk.EntityName
}

func parsePackage(raw []byte, l *whisk.SystemLimits, own whisk.Namespace) (*packageBody, error) {
	b := &packageBody{}
	err := readFields(raw, append(b.fields(l), field{"binding", func(v []byte) (err error) {
		b.binding, err = parseBinding(v, own)
		return err
	}}))
	if err != nil {
		return nil, err
	}
	return b, b.checkSizes(l)
}

// parseBinding reads what a binding is to be bound to; {} is nothing. A
// namespace "_" stands for own.
func parseBinding(raw []byte, own whisk.Namespace) (whisk.EntityName, error) {
	if !whisk.IsObject(raw) {
		return whisk.EntityName{}, detail("Object expected in field 'binding'")
	}
	empty := true
	whisk.Fields(raw, func(string, []byte, []byte) bool {
		empty = false
		return false
	})
	if empty {
		return whisk.EntityName{}, nil
	}
	fields := lastFields(raw, "namespace", "name")
	ns, hasNamespace := textOf(fields["namespace"])
	name, hasName := textOf(fields["name"])
	if !hasNamespace || !hasName || !whisk.ValidName(ns) || !whisk.ValidName(name) {
		return whisk.EntityName{}, detail("entity name malformed")
	}
	if ns == "_" {
		ns = string(own)
	}
	return whisk.EntityName{Namespace: whisk.Namespace(ns), Name: name}, nil
}

// putPackage answers PUT of a package or binding.
func (s *Server) putPackage(q *request, name whisk.EntityName) (reply, error) {
	overwrite, err := q.query.boolean("overwrite", false)
	if err != nil {
		return reply{}, err
	}
	if name.Name == reservedPackage {
		return reply{}, whisk.Errorf(whisk.BadRequest, "Package name '%s' is reserved.", name.Name)
	}
	raw, err := q.readJSON(s.cfg.Limits.EntitySize)
	if err != nil {
		return reply{}, err
	}
	body, err := parsePackage(raw, q.limits, name.Namespace)
	if err != nil {
		return reply{}, err
	}
	if err := s.checkProvider(q, body.binding); err != nil {
		return reply{}, err
	}
	stored, err := found(s.deps.Entities.Package(q.Context(), name))
	if err != nil {
		return reply{}, err
	}
	if stored != nil && !overwrite {
		return reply{}, whisk.ErrExists
	}
	p := &whisk.Package{Name: name}
	if stored != nil {
		c := *stored
		p = &c
	}
	if err := s.bind(q, p, body.binding, stored != nil); err != nil {
		return reply{}, err
	}
	body.over(&p.Parameters, &p.Annotations, &p.Version, &p.Publish, stored != nil)
	p.Annotations = p.Annotations.Without(annotationBinding)
	if !p.Binding.IsZero() {
		p.Annotations = p.Annotations.Set(annotationBinding, appendBinding(nil, p.Binding, ""))
	}
	p.Updated = time.Now().UnixMilli()
	ctx, cancel := q.writing()
	defer cancel()
	if p, err = s.deps.Entities.PutPackage(ctx, p, p.Revision); err != nil {
		return reply{}, notCreated(err, overwrite)
	}
	return ok(append(appendPackage([]byte{'{'}, p), '}'))
}

// checkProvider returns nil if the caller may read the package that a binding is
// to be bound to.
func (s *Server) checkProvider(q *request, name whisk.EntityName) error {
	if name.IsZero() {
		return nil
	}
	_, err := s.deps.Rights.Package(q.Context(), q.identity, whisk.Read, name)
	return badProvider(err)
}

// badProvider turns the error of a package that is to be bound.
func badProvider(err error) error {
	switch whisk.KindOf(err) {
	case whisk.NotFound:
		return whisk.Errorf(whisk.BadRequest, "Binding references a package that does not exist.")
	case whisk.Conflict:
		return whisk.Errorf(whisk.Conflict, "Cannot bind to a resource that is not a package.")
	}
	return err
}

// bind binds p to the provider, which may be zero: a package cannot become a
// binding, nor can a binding be bound.
func (s *Server) bind(q *request, p *whisk.Package, provider whisk.EntityName, stored bool) error {
	if provider.IsZero() {
		return nil
	}
	if stored && p.Binding.IsZero() {
		return whisk.Errorf(whisk.Conflict, "Resource is a package and cannot be converted into a binding.")
	}
	to, err := s.deps.Entities.Package(q.Context(), provider)
	if err != nil {
		return badProvider(err)
	}
	if !to.Binding.IsZero() {
		return whisk.Errorf(whisk.BadRequest, "Cannot bind to another package binding.")
	}
	p.Binding = provider
	return nil
}
