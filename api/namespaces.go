package api

import (
	"encoding/json"
	"net/http"
	"strconv"

	"hearth/whisk"
)

// namespaces answers GET /namespaces: the one namespace of the caller's key.
func (s *Server) namespaces(q *request) (reply, error) {
	if err := q.only(http.MethodGet); err != nil {
		return reply{}, err
	}
	return ok(append(appendString([]byte{'['}, string(q.identity.Namespace)), ']'))
}

// namespaceLimits answers GET /namespaces/{ns}/limits: what holds for the
// caller after the operator's overrides.
func (s *Server) namespaceLimits(q *request, ns whisk.Namespace) (reply, error) {
	if err := q.only(http.MethodGet); err != nil {
		return reply{}, err
	}
	if !q.owns(ns) {
		return reply{}, whisk.NotAuthorized(string(ns))
	}
	l, o := q.limits, &q.identity.Overrides
	b := append(make([]byte, 0, 512), '{')
	b = appendInt(b, "invocationsPerMinute", l.InvocationsPerMinute)
	b = appendInt(b, "concurrentInvocations", l.ConcurrentInvocations)
	b = appendInt(b, "firesPerMinute", l.FiresPerMinute)
	if len(o.AllowedKinds) > 0 {
		kinds, err := json.Marshal(o.AllowedKinds)
		if err != nil {
			return reply{}, err
		}
		b = append(appendKey(b, "allowedKinds"), kinds...)
	}
	if o.StoreActivations != nil {
		b = appendBool(b, "storeActivations", *o.StoreActivations)
	}
	for _, r := range []struct {
		name string
		whisk.Range
	}{{"Memory", l.Memory}, {"Logs", l.Logs}, {"Timeout", l.Timeout}, {"Concurrency", l.Concurrency}} {
		b = appendInt(b, "minAction"+r.name, r.Min)
		b = appendInt(b, "maxAction"+r.name, r.Max)
	}
	parameters := strconv.FormatInt(l.ParameterSize, 10) + " B"
	if o.MaxParameterSize != nil {
		parameters = whisk.ByteSize(l.ParameterSize).String()
	}
	b = appendText(b, "maxParameterSize", parameters)
	if o.MaxPayloadSize != nil {
		b = appendText(b, "maxPayloadSize", whisk.ByteSize(l.PayloadSize).String())
	}
	if o.TruncationSize != nil {
		b = appendText(b, "truncationSize", whisk.ByteSize(l.TruncationSize).String())
	}
	b = appendInt(b, "maxActionInstances", l.ConcurrentInvocations)
	return ok(append(b, '}'))
}

// countReply answers a list that was asked for its length: what is left of
// total behind the rows to skip.
func countReply(collection string, total, skip int) (reply, error) {
	b := appendInt([]byte{'{'}, collection, int64(max(0, total-skip)))
	return ok(append(b, '}'))
}
