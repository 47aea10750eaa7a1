package api

import (
	"context"

	"hearth/whisk"
)

// records are the finished activations of a namespace.
type records interface {
	// Activation fails with whisk.ErrNotFound.
	Activation(ctx context.Context, ns whisk.Namespace, id whisk.ActivationID) (*whisk.Activation, error)
	Activations(ctx context.Context, q whisk.ActivationQuery) ([]*whisk.Activation, error)
	CountActivations(ctx context.Context, q whisk.ActivationQuery) (int, error)
}

// fetchActivation answers GET of one record, or of its "result" or "logs".
func (s *Server) fetchActivation(q *request, id, part string) (reply, error) {
	aid, err := whisk.ParseActivationID(id)
	if err != nil {
		return reply{}, err
	}
	var rec *whisk.Activation
	err = q.inTurn(1, func() error {
		if rec, err = s.deps.Records.Activation(q.Context(), q.identity.Namespace, aid); err != nil {
			return err
		}
		return q.reserve(2 * recordSize(rec)) // the record, and its text
	})
	if err != nil {
		return reply{}, err
	}
	var b []byte
	switch part {
	case "result":
		b = make([]byte, 0, 128+len(rec.Response.Result))
		b = append(appendResponse(append(b, '{'), &rec.Response), '}')
	case "logs":
		b = make([]byte, 0, recordSize(rec))
		b = append(appendLogs(appendKey(append(b, '{'), "logs"), rec.Logs), '}')
	default:
		b = appendRecord(make([]byte, 0, recordSize(rec)), rec, true)
	}
	return ok(b)
}

// listActivations answers GET …/activations, newest start first.
func (s *Server) listActivations(q *request) (reply, error) {
	pg, err := q.query.page("activations", *q.limits)
	if err != nil {
		return reply{}, err
	}
	docs, err := q.query.boolean("docs", false)
	if err != nil {
		return reply{}, err
	}
	aq := whisk.ActivationQuery{Namespace: q.identity.Namespace, Brief: !docs}
	if aq.Name, err = q.query.filter(); err != nil {
		return reply{}, err
	}
	since, _, err := q.query.instant("since")
	if err != nil {
		return reply{}, err
	}
	upto, bounded, err := q.query.instant("upto")
	if err != nil {
		return reply{}, err
	}
	aq.Since, aq.Upto = max(since, 0), upto
	none := bounded && upto <= 0 // nothing started then, and 0 is no bound in a query
	switch {
	case docs && pg.count:
		return reply{}, whisk.Errorf(whisk.BadRequest, "The parameter 'docs' is not permitted with 'count'.")
	case none && pg.count:
		return countReply("activations", 0, 0)
	case none:
		return ok([]byte("[]"))
	case pg.count:
		n, err := s.deps.Records.CountActivations(q.Context(), aq)
		if err != nil {
			return reply{}, err
		}
		return countReply("activations", n, pg.skip)
	}
	return s.listRecords(q, aq, docs, pg)
}

// recordsAtOnce is how many full records are held at a time; rows of records
// are small.
const recordsAtOnce = turnsAtOnce / 2

// listRecords answers with full records or with their rows.
func (s *Server) listRecords(q *request, aq whisk.ActivationQuery, docs bool, pg page) (reply, error) {
	l := list[*whisk.Activation, whisk.ActivationID]{
		atOnce: s.cfg.Limits.ListMax,
		fetch: func(skip, limit int) ([]*whisk.Activation, error) {
			aq.Skip, aq.Limit = skip, limit
			return s.deps.Records.Activations(q.Context(), aq)
		},
		key:    func(rec *whisk.Activation) whisk.ActivationID { return rec.ID },
		size:   recordSize,
		append: appendRecordRow,
	}
	if docs {
		l.atOnce, l.turns = recordsAtOnce, recordsAtOnce
		l.append = func(b []byte, rec *whisk.Activation) []byte { return appendRecord(b, rec, true) }
	}
	return l.reply(q, pg)
}

// recordSize is roughly what a record holds in memory.
func recordSize(rec *whisk.Activation) int64 {
	n := 1024 + len(rec.Response.Result)
	for _, line := range rec.Logs {
		n += len(line) + 16
	}
	return int64(n)
}
