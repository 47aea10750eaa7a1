package api

import (
	"context"
	"net/http"

	"hearth/whisk"
)

// deadLetters are the calls of a namespace that failed at their last attempt.
type deadLetters interface {
	// DeadLetters lists them without payloads, last ended first.
	DeadLetters(ctx context.Context, ns whisk.Namespace, q whisk.DeadQuery) ([]whisk.DeadLetter, error)
	CountDeadLetters(ctx context.Context, ns whisk.Namespace) (int, error)
	// DeadLetter fails with whisk.ErrNotFound.
	DeadLetter(ctx context.Context, ns whisk.Namespace, id whisk.ActivationID) (whisk.DeadLetter, error)
	// DeleteDeadLetters deletes those of the ids, or with nil all of the
	// namespace, and returns how many there were.
	DeleteDeadLetters(ctx context.Context, ns whisk.Namespace, ids []whisk.ActivationID) (int, error)
}

// dead leads to the handlers of dead letters, which OpenWhisk does not have.
func (s *Server) dead(q *request, ns whisk.Namespace, p path) (reply, error) {
	q.class = classDeadLetters
	if p.n > 4 || p.slash {
		return reply{}, errNoRoute
	}
	if p.n == 3 {
		if err := q.only("GET, DELETE"); err != nil {
			return reply{}, err
		}
		if !q.owns(ns) {
			return reply{}, whisk.NotAuthorized(string(ns))
		}
		if q.Method == http.MethodDelete {
			n, err := s.deps.DeadLetters.DeleteDeadLetters(q.Context(), ns, nil)
			if err != nil {
				return reply{}, err
			}
			return ok(append(appendInt([]byte{'{'}, "deleted", int64(n)), '}'))
		}
		return s.listDead(q)
	}
	if err := q.only("GET, POST, DELETE"); err != nil {
		return reply{}, err
	}
	if !q.owns(ns) {
		return reply{}, whisk.NotAuthorized(string(ns) + "/" + p.segments[3])
	}
	id, err := whisk.ParseActivationID(p.segments[3])
	if err != nil {
		return reply{}, err
	}
	switch q.Method {
	case http.MethodPost:
		return s.redrive(q, id)
	case http.MethodDelete:
		n, err := s.deps.DeadLetters.DeleteDeadLetters(q.Context(), ns, []whisk.ActivationID{id})
		if err == nil && n == 0 {
			err = whisk.ErrNotFound
		}
		if err != nil {
			return reply{}, err
		}
		return ok([]byte(`{"deleted":1}`))
	}
	d, err := s.deps.DeadLetters.DeadLetter(q.Context(), ns, id)
	if err != nil {
		return reply{}, err
	}
	return ok(appendDead(nil, d))
}

// listDead answers with a page of dead letters, or with how many there are.
func (s *Server) listDead(q *request) (reply, error) {
	pg, err := q.query.page("dead letters", *q.limits)
	if err != nil {
		return reply{}, err
	}
	ns := q.identity.Namespace
	if pg.count {
		n, err := s.deps.DeadLetters.CountDeadLetters(q.Context(), ns)
		if err != nil {
			return reply{}, err
		}
		return countReply("deadletters", n, pg.skip)
	}
	return list[whisk.DeadLetter, whisk.ActivationID]{
		atOnce: s.cfg.Limits.ListMax,
		fetch: func(skip, limit int) ([]whisk.DeadLetter, error) {
			return s.deps.DeadLetters.DeadLetters(q.Context(), ns, whisk.DeadQuery{Skip: skip, Limit: limit})
		},
		key:    func(d whisk.DeadLetter) whisk.ActivationID { return d.ID },
		size:   func(d whisk.DeadLetter) int64 { return int64(512 + len(d.Name) + len(d.Reason)) },
		append: appendDead,
	}.reply(q, pg)
}

// redrive has the call of a dead letter run again, under a new activation id.
func (s *Server) redrive(q *request, id whisk.ActivationID) (reply, error) {
	release, err := s.deps.Throttle.Invocation(q.identity)
	if err != nil {
		return reply{}, err
	}
	ended := once(release)
	next, err := s.deps.Flow.Redrive(q.Context(), q.identity, q.id, id, ended)
	if err != nil {
		ended()
		return reply{}, err
	}
	return accepted(next)
}

func appendDead(b []byte, d whisk.DeadLetter) []byte {
	b = appendID(append(b, '{'), "activationId", d.ID)
	b = appendText(b, "namespace", string(d.Namespace))
	b = appendText(b, "name", d.Name)
	b = appendInt(b, "created", d.Created)
	b = appendInt(b, "ended", d.Ended)
	b = appendInt(b, "attempts", int64(d.Attempts))
	return append(appendText(b, "reason", d.Reason), '}')
}
