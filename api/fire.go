package api

import (
	"encoding/json"
	"net/http"

	"hearth/whisk"
)

// fireTrigger answers POST of a trigger: throttling, then rights, then the body.
// The actions of its rules get the trigger's parameters, the request's headers
// and the body, the later over the earlier.
func (s *Server) fireTrigger(q *request, name whisk.EntityName) (reply, error) {
	q.class = classFire
	if err := s.deps.Throttle.Fire(q.identity); err != nil {
		return reply{}, err
	}
	if !q.owns(name.Namespace) {
		return reply{}, whisk.NotAuthorized(name.Path())
	}
	t, err := s.deps.Entities.Trigger(q.Context(), name)
	if err != nil {
		return reply{}, err
	}
	payload, err := q.readJSON(q.limits.PayloadSize)
	if err != nil {
		return reply{}, err
	}
	if payload != nil && !whisk.IsObject(payload) {
		return reply{}, malformed("JSON object expected.")
	}
	headers := appendHeaders(appendKey([]byte{'{'}, "__ow_headers"), q)
	args := whisk.MergeObjects(t.Parameters.Arguments(), append(headers, '}'))
	id, err := s.deps.Flow.Fire(q.Context(), whisk.Fire{
		Identity: q.identity, TransactionID: q.id, Trigger: t,
		Payload: payload, Args: whisk.MergeObjects(args, json.RawMessage(payload)),
		Unstored: q.identity.Unstored() && !q.wantsRecord,
	})
	switch {
	case err != nil:
		return reply{}, err
	case id.IsZero(): // no rule is active
		return reply{status: http.StatusNoContent}, nil
	}
	return accepted(id)
}
