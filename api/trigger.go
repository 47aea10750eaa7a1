package api

import (
	"context"
	"strings"
	"time"

	"hearth/whisk"
)

// triggers are the stored triggers, as [entities] are.
type triggers interface {
	Trigger(ctx context.Context, name whisk.EntityName) (*whisk.Trigger, error)
	PutTrigger(ctx context.Context, t *whisk.Trigger, ifRevision int64) (*whisk.Trigger, error)
	DeleteTrigger(ctx context.Context, name whisk.EntityName, ifRevision int64) error
	Triggers(ctx context.Context, ns whisk.Namespace, skip, limit int) ([]*whisk.Trigger, error)
	CountTriggers(ctx context.Context, ns whisk.Namespace) (int, error)
}

// annotationFeed marks the action that is a feed, and the trigger that has one.
const annotationFeed = "feed"

// listTriggers answers GET …/triggers.
func (s *Server) listTriggers(q *request, ns whisk.Namespace) (reply, error) {
	return countOr(q, "triggers",
		func(ctx context.Context) (int, error) { return s.deps.Entities.CountTriggers(ctx, ns) },
		list[*whisk.Trigger, whisk.EntityName]{
			fetch: func(skip, limit int) ([]*whisk.Trigger, error) {
				return s.deps.Entities.Triggers(q.Context(), ns, skip, limit)
			},
			key: func(t *whisk.Trigger) whisk.EntityName { return t.Name },
			size: func(t *whisk.Trigger) int64 {
				return 1024 + t.Parameters.Size() + t.Annotations.Size() + 512*int64(len(t.Rules))
			},
			append: func(b []byte, t *whisk.Trigger) []byte {
				return append(appendEntity(append(b, '{'), t.Name, t.Version, t.Publish, t.Annotations, t.Updated), '}')
			},
		})
}

func (s *Server) fetchTrigger(q *request, name whisk.EntityName) (reply, error) {
	t, err := s.deps.Entities.Trigger(q.Context(), name)
	if err != nil {
		return reply{}, err
	}
	return ok(appendTrigger(nil, t))
}

// deleteTrigger leaves the trigger's rules, which then are inactive.
func (s *Server) deleteTrigger(q *request, name whisk.EntityName) (reply, error) {
	t, err := s.deps.Entities.Trigger(q.Context(), name)
	if err != nil {
		return reply{}, err
	}
	ctx, cancel := q.writing()
	defer cancel()
	if err := s.deps.Entities.DeleteTrigger(ctx, name, t.Revision); err != nil {
		return reply{}, err
	}
	return ok(appendTrigger(nil, t))
}

func (s *Server) putTrigger(q *request, name whisk.EntityName) (reply, error) {
	overwrite, err := q.query.boolean("overwrite", false)
	if err != nil {
		return reply{}, err
	}
	raw, err := q.readJSON(s.cfg.Limits.EntitySize)
	if err != nil {
		return reply{}, err
	}
	var body entityBody
	if err := readFields(raw, body.fields(q.limits)); err != nil {
		return reply{}, err
	}
	if err := body.checkSizes(q.limits); err != nil {
		return reply{}, err
	}
	stored, err := found(s.deps.Entities.Trigger(q.Context(), name))
	if err != nil {
		return reply{}, err
	}
	t := &whisk.Trigger{Name: name}
	if stored != nil {
		if !overwrite {
			return reply{}, whisk.ErrExists
		}
		c := *stored
		t = &c
	}
	body.over(&t.Parameters, &t.Annotations, &t.Version, &t.Publish, stored != nil)
	if feed, given := t.Annotations.Get(annotationFeed); given && stored == nil && !validFeed(feed) {
		return reply{}, whisk.Errorf(whisk.BadRequest, "Feed name is not valid")
	}
	t.Updated = time.Now().UnixMilli()
	ctx, cancel := q.writing()
	defer cancel()
	if t, err = s.deps.Entities.PutTrigger(ctx, t, t.Revision); err != nil {
		return reply{}, notCreated(err, overwrite)
	}
	return ok(appendTrigger(nil, t))
}

// validFeed reports whether the value of a trigger's feed annotation can name an
// action. Whether there is one is between the client and the feed.
func validFeed(raw []byte) bool {
	text, isText := textOf(raw)
	segments := 0
	for segment := range strings.SplitSeq(text, "/") {
		if segment == "" {
			continue
		}
		if !whisk.ValidName(segment) {
			return false
		}
		segments++
	}
	return isText && segments > 0
}

// appendTrigger appends the trigger's document.
func appendTrigger(b []byte, t *whisk.Trigger) []byte {
	b = appendEntity(append(b, '{'), t.Name, t.Version, t.Publish, t.Annotations, t.Updated)
	b = appendParameters(appendKey(b, "parameters"), t.Parameters)
	b = append(appendKey(b, "limits"), "{}"...)
	if len(t.Rules) > 0 {
		b = append(appendKey(b, "rules"), '{')
		for _, l := range t.Rules {
			if b[len(b)-1] != '{' {
				b = append(b, ',')
			}
			b = append(appendString(b, l.Rule.Path()), ':', '{')
			b = appendName(appendKey(b, "action"), l.Action)
			b = append(appendText(b, "status", ruleStatus(l.Active)), '}')
		}
		b = append(b, '}')
	}
	return append(b, '}')
}

// appendName appends a full name as an object.
func appendName(b []byte, n whisk.ActionName) []byte {
	b = appendText(append(b, '{'), "path", n.EntityPath())
	return append(appendText(b, "name", n.Name), '}')
}
