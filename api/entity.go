package api

import (
	"context"
	"errors"
	"net/http"

	"hearth/whisk"
)

// entityHandler is what a collection does with one of its entities.
type entityHandler func(q *request, name whisk.EntityName) (reply, error)

// collection is what packages, triggers and rules have in common for routes.
type collection struct {
	methods string // "GET, PUT, ..." of one entity
	list    func(q *request, ns whisk.Namespace) (reply, error)
	shared  bool // strangers may read: the handlers see to it
	fired   bool // POST is throttled, and so checks rights itself: throttling comes first
	handle  map[string]entityHandler
}

func (s *Server) newCollections() map[string]*collection {
	return map[string]*collection{
		"packages": {
			methods: "GET, PUT, DELETE", list: s.listPackages, shared: true,
			handle: map[string]entityHandler{http.MethodGet: s.fetchPackage, http.MethodPut: s.putPackage, http.MethodDelete: s.deletePackage},
		},
		"triggers": {
			methods: "GET, PUT, POST, DELETE", list: s.listTriggers, fired: true,
			handle: map[string]entityHandler{
				http.MethodGet: s.fetchTrigger, http.MethodPut: s.putTrigger, http.MethodPost: s.fireTrigger, http.MethodDelete: s.deleteTrigger,
			},
		},
		"rules": {
			methods: "GET, PUT, POST, DELETE", list: s.listRules,
			handle: map[string]entityHandler{
				http.MethodGet: s.fetchRule, http.MethodPut: s.putRule, http.MethodPost: s.setRule, http.MethodDelete: s.deleteRule,
			},
		},
	}
}

// entity leads to the handlers of a collection, or of one entity in it.
func (s *Server) entity(q *request, c *collection, ns whisk.Namespace, p path) (reply, error) {
	q.class = classEntities
	if p.n == 3 {
		if err := q.only(http.MethodGet); err != nil {
			return reply{}, err
		}
		if !c.shared && !q.owns(ns) {
			return reply{}, whisk.NotAuthorized(string(ns))
		}
		return c.list(q, ns)
	}
	if p.n > 4 || p.slash {
		return reply{}, errNoRoute
	}
	name := whisk.EntityName{Namespace: ns, Name: p.segments[3]}
	if err := whisk.CheckName(name.Name); err != nil {
		return reply{}, err
	}
	if c.shared && q.Method == http.MethodPost && name.Name == "refresh" {
		return reply{}, errNoRoute // by which old clients know that there is no such thing
	}
	if err := q.only(c.methods); err != nil {
		return reply{}, err
	}
	if !q.owns(ns) && (!c.shared || q.Method != http.MethodGet) && (!c.fired || q.Method != http.MethodPost) {
		return reply{}, whisk.NotAuthorized(name.Path())
	}
	return c.handle[q.Method](q, name)
}

// writing returns a context for a write, which goes on when its client leaves, so
// that store and caches agree.
func (q *request) writing() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(q.Context()), q.timeout)
}

// found returns what was found, nil if there is nothing of that name.
func found[T any](v *T, err error) (*T, error) {
	if whisk.KindOf(err) == whisk.NotFound {
		return nil, nil
	}
	return v, err
}

// notCreated turns the error of a write: where one may overwrite, what somebody
// else has created in between is a change.
func notCreated(err error, overwrite bool) error {
	if overwrite && errors.Is(err, whisk.ErrExists) {
		return whisk.ErrChanged
	}
	return err
}

// appendEntity appends the fields that documents and rows of packages, triggers
// and rules share.
func appendEntity(b []byte, name whisk.EntityName, version whisk.Version, publish bool, annotations whisk.Parameters, updated int64) []byte {
	b = appendText(b, "namespace", string(name.Namespace))
	b = appendText(b, "name", name.Name)
	b = appendVersion(b, version)
	b = appendBool(b, "publish", publish)
	b = appendParameters(appendKey(b, "annotations"), annotations)
	return appendInt(b, "updated", updated)
}

// countOr answers with the number of entities if that was asked for, else with
// the rows.
func countOr[T any](q *request, collection string, count func(context.Context) (int, error), rows list[T, whisk.EntityName]) (reply, error) {
	pg, err := q.query.page(collection, *q.limits)
	if err != nil {
		return reply{}, err
	}
	if pg.count {
		n, err := count(q.Context())
		if err != nil {
			return reply{}, err
		}
		return countReply(collection, n, pg.skip)
	}
	rows.atOnce, rows.turns = entitiesAtOnce, turnsAtOnce/2
	return rows.reply(q, pg)
}

// entitiesAtOnce is how many actions, packages, triggers or rules are held at a
// time. At the most one takes a fifth of a record: parameters and annotations of
// 1 MB each.
const entitiesAtOnce = 5 * turnsAtOnce / 2
