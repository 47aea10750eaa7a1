package api

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"hearth/whisk"
)

// Keys of annotations that the platform reads or sets.
const (
	annotationExec    = "exec"
	annotationWantKey = "provide-api-key"
)

// putAction answers PUT: it creates the action or, with overwrite, lays what
// the body gives over the stored one. The order of its checks is part of the
// API.
func (s *Server) putAction(q *request, name whisk.ActionName) (reply, error) {
	overwrite, err := q.query.boolean("overwrite", false)
	if err != nil {
		return reply{}, err
	}
	if err := s.deps.Rights.Change(q.Context(), q.identity, name); err != nil {
		return reply{}, err
	}
	raw, err := q.readJSON(s.cfg.Limits.EntitySize)
	if err != nil {
		return reply{}, err
	}
	runtimes := s.deps.Runtimes()
	body, err := parseAction(raw, q.limits, runtimes, q.identity.Namespace)
	if err != nil {
		return reply{}, err
	}
	if err := q.limits.Check(body.limits.over(q.limits.Default())); err != nil {
		return reply{}, err
	}
	if body.exec != nil {
		if err := s.deps.Rights.Components(q.Context(), q.identity, body.exec.exec.Components); err != nil {
			return reply{}, err
		}
		if err := s.deps.CheckKind(q.identity, body.exec.exec.Kind); err != nil {
			return reply{}, err
		}
	}
	stored, err := s.deps.Entities.Action(q.Context(), name)
	if whisk.KindOf(err) == whisk.NotFound {
		stored, err = nil, nil
	}
	if err != nil {
		return reply{}, err
	}
	if stored != nil && !overwrite {
		return reply{}, whisk.ErrExists
	}
	a, err := body.action(name, stored, q.limits)
	if err != nil {
		return reply{}, err
	}
	if err := body.checkLast(a, q.limits, runtimes); err != nil {
		return reply{}, err
	}
	if body.exec != nil && a.Exec.Kind == whisk.Sequence {
		if err := s.checkSequence(q, name, a.Exec.Components); err != nil {
			return reply{}, err
		}
	}
	return s.storeAction(q, a, body, stored, overwrite)
}

// storeAction is the last step of a PUT.
func (s *Server) storeAction(q *request, a *whisk.Action, body *actionBody, stored *whisk.Action, overwrite bool) (reply, error) {
	var (
		code     []byte
		revision int64
		err      error
	)
	if stored != nil {
		revision = stored.Revision
	}
	if body.exec != nil && !a.Exec.Code.IsZero() {
		code = body.exec.code
	}
	// A write goes on when its client leaves, so that store and caches agree.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(q.Context()), q.timeout)
	defer cancel()
	a.Updated = time.Now().UnixMilli()
	a, err = s.deps.Entities.PutAction(ctx, a, code, revision)
	if overwrite && errors.Is(err, whisk.ErrExists) {
		err = whisk.ErrChanged // somebody else created it in between
	}
	if err != nil {
		return reply{}, err
	}
	if body.exec == nil {
		if code, err = s.code(q, a); err != nil { // stored is stored
			s.log.Warn("updated action has no readable code", "request", q.id, "action", a.Name.Path(), "error", err)
			return actionReply(a, "", nil, false)
		}
	}
	return actionReply(a, "", code, true)
}

// action returns the action that the body makes of the stored one, or a new
// one if that is nil.
func (b *actionBody) action(name whisk.ActionName, stored *whisk.Action, l *whisk.SystemLimits) (*whisk.Action, error) {
	a := &whisk.Action{Name: name, Limits: l.Default()}
	if stored != nil {
		c := *stored
		a = &c
	} else if b.exec == nil {
		return nil, whisk.Errorf(whisk.BadRequest, "exec undefined")
	}
	wasSequence := a.Exec.Kind == whisk.Sequence
	parameters := a.Parameters
	b.over(&a.Parameters, &a.Annotations, &a.Version, &a.Publish, stored != nil)
	if b.exec != nil {
		a.Exec = b.exec.exec
	}
	switch isSequence := a.Exec.Kind == whisk.Sequence; {
	case isSequence && b.exec != nil:
		a.Parameters = sequenceParameters(a.Exec.Components)
	case isSequence:
		a.Parameters = parameters
	case wasSequence && b.parameters == nil:
		a.Parameters = nil
	}
	a.Limits = b.limits.over(a.Limits)
	if b.limits.instances != nil {
		a.Instances = b.limits.instances
	}
	a.Annotations = b.mergeAnnotations(stored, a.Exec.Kind)
	return a, nil
}

// mergeAnnotations returns the annotations of an action of that kind: those
// given over the stored ones, and what the platform sets itself.
func (b *actionBody) mergeAnnotations(stored *whisk.Action, kind string) whisk.Parameters {
	var out whisk.Parameters
	if stored != nil {
		out = stored.Annotations
		if b.exec == nil || kind != whisk.Sequence { // OpenWhisk forgets what to remove from a sequence
			out = out.Without(b.without...)
		}
	}
	if b.annotations != nil {
		out = out.Merge(*b.annotations)
	}
	if _, given := out.Get(annotationWantKey); stored == nil && !given {
		out = out.Set(annotationWantKey, json.RawMessage("false"))
	}
	return out.Set(annotationExec, appendString(nil, kind))
}

// checkLast makes the checks that need to know what the action becomes.
func (b *actionBody) checkLast(a *whisk.Action, l *whisk.SystemLimits, runtimes whisk.Runtimes) error {
	if n := b.limits.instances; n != nil {
		if *n < 0 {
			return whisk.Errorf(whisk.BadRequest, "Action container concurrency must be greater than or equal to 0.")
		}
		if *n > l.ConcurrentInvocations {
			return whisk.Errorf(whisk.BadRequest, "Max action instance concurrency must not exceed your namespace concurrency of %d.", l.ConcurrentInvocations)
		}
	}
	if err := runtimes.CheckActive(a.Exec.Kind); err != nil {
		return err
	}
	// Merging must not grow past what one request could bring.
	if n := a.Annotations.Size(); n > l.ParameterSize+slackAnnotations {
		return tooLarge("annotations", n, l.ParameterSize)
	}
	if value, ok := a.Annotations.Get(whisk.AnnotationRetry); ok {
		if _, err := whisk.ParseRetry(value); err != nil {
			return detail("The annotation 'retry' is malformed: " + err.Error() + ".")
		}
	}
	return nil
}

// slackAnnotations is room for the annotations that the platform adds.
const slackAnnotations = 1 << 10
