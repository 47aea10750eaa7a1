package api

import (
	"net/http"

	"hearth/whisk"
)

// queue answers DELETE of a queued activation, which OpenWhisk does not have:
// it ends in a record that says so, and that is the answer. One that has
// started goes on.
func (s *Server) queue(q *request, ns whisk.Namespace, p path) (reply, error) {
	q.class = classQueue
	if p.n != 4 || p.slash {
		return reply{}, errNoRoute
	}
	if err := q.only(http.MethodDelete); err != nil {
		return reply{}, err
	}
	if !q.owns(ns) {
		return reply{}, whisk.NotAuthorized(string(ns) + "/" + p.segments[3])
	}
	id, err := whisk.ParseActivationID(p.segments[3])
	if err != nil {
		return reply{}, err
	}
	rec, err := s.deps.Flow.Cancel(q.Context(), ns, id)
	if whisk.KindOf(err) == whisk.NotFound {
		if _, ended := s.deps.Records.Activation(q.Context(), ns, id); ended == nil {
			err = whisk.Errorf(whisk.Conflict, "The activation has ended already.")
		}
	}
	if err != nil {
		return reply{}, err
	}
	return ok(appendRecord(nil, rec, true))
}
