package api

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"

	"hearth/whisk"
)

// Annotations of web actions.
const (
	annotationWebExport     = "web-export"
	annotationRawHTTP       = "raw-http"
	annotationCustomOptions = "web-custom-options"
	annotationWebAuth       = "require-whisk-auth"
)

const webMethods = "GET, DELETE, POST, PUT, HEAD, OPTIONS, PATCH"

// errWebAuth refuses a request that an action's annotation does not admit.
var errWebAuth = &whisk.Error{Kind: whisk.Unauthenticated, Message: "Authentication is possible but has failed or not yet been provided."}

// owners finds an identity that a namespace's web actions run as, or fails with
// an error of kind NotFound.
type owners interface {
	Owner(ctx context.Context, ns whisk.Namespace) (*whisk.Identity, error)
}

// web answers a request for a web action by its path below /web. Answers bear
// only such headers as the action or its annotations ask for.
func (s *Server) web(q *request, path string) (reply, error) {
	q.class, q.web = classWeb, true
	t, err := parseWebPath(path)
	if err != nil {
		if q.Method == http.MethodOptions {
			q.web = false
			return reply{status: http.StatusOK}, nil
		}
		return reply{}, err
	}
	if err := q.only(webMethods); err != nil {
		return reply{}, err
	}
	if t.action.Namespace == apiManagement.Namespace && t.action.Package == apiManagement.Package {
		return s.manageAPIs(q, t)
	}
	return s.webAction(q, t)
}

// webAction runs a web action for anybody. Who owns it pays for it; but what is
// in flight of theirs no stranger holds who is slow to send a body.
func (s *Server) webAction(q *request, t webTarget) (reply, error) {
	owner, r, err := s.exported(q.Request.Context(), t.action)
	if err != nil {
		return reply{}, err
	}
	if err := s.deps.Throttle.Charge(owner); err != nil {
		return reply{}, err
	}
	call, err := s.webCall(q, t, owner, r)
	if err != nil {
		return reply{}, err
	}
	if call == nil {
		return reply{status: http.StatusOK}, nil
	}
	release, err := s.deps.Throttle.Begin(owner)
	if err != nil {
		return reply{}, err
	}
	ended, taken := once(release), false
	defer func() {
		if !taken {
			ended()
		}
	}()
	rec, err := s.deps.Flow.Invoke(q.Request.Context(), call, s.cfg.Limits.BlockingWait, ended)
	if taken = err == nil || errors.Is(err, whisk.ErrPending); !taken {
		return reply{}, err
	}
	q.activation = call.ID
	if err != nil {
		return reply{status: http.StatusAccepted, body: q.errorBody("Response not yet ready.")}, nil
	}
	result, err := webResult(rec)
	if err != nil {
		return reply{}, err
	}
	rep, err := t.extension.transcode(result)
	if err != nil {
		return reply{}, err
	}
	rep.own = true
	return rep, q.acceptable(&rep)
}

// exported returns the action and an identity of the namespace in the URL. A
// stranger learns nothing of what is not exported.
func (s *Server) exported(ctx context.Context, name whisk.ActionName) (*whisk.Identity, *whisk.Resolved, error) {
	owner, err := s.deps.Owners.Owner(ctx, name.Namespace)
	if err != nil {
		return nil, nil, hidden(err)
	}
	r, err := s.deps.Entities.Resolve(ctx, name)
	if err != nil {
		return nil, nil, hidden(err)
	}
	if !isSet(r.Action.Annotations, annotationWebExport) {
		return nil, nil, whisk.ErrNotFound
	}
	return owner, r, nil
}

// hidden makes all errors that tell of entities that of one that is not there.
func hidden(err error) error {
	if errors.Is(err, whisk.ErrCorrupted) {
		return whisk.ErrNotFound
	}
	switch whisk.KindOf(err) {
	case whisk.Internal, whisk.Unavailable:
		return err
	}
	return whisk.ErrNotFound
}

// isSet reports whether the annotation is true: nothing else will do.
func isSet(annotations whisk.Parameters, key string) bool {
	v, _ := annotations.Get(key)
	return string(v) == "true"
}

// webCall makes the call of a web request that has been charged; nil where the
// request is answered without one.
func (s *Server) webCall(q *request, t webTarget, owner *whisk.Identity, r *whisk.Resolved) (*whisk.Call, error) {
	if _, err := s.deps.Rights.Action(q.Request.Context(), owner, whisk.Activate, t.action); err != nil {
		if whisk.KindOf(err) == whisk.Forbidden {
			err = whisk.NotAuthorized(t.action.Path())
		}
		return nil, err
	}
	q.limits = &owner.Limits
	if q.ContentLength > q.limits.PayloadSize {
		return nil, tooLarge("Request", q.ContentLength, q.limits.PayloadSize)
	}
	notes := r.Action.Annotations
	custom := isSet(notes, annotationCustomOptions)
	options := q.Method == http.MethodOptions
	if !custom {
		q.setCORS()
		if options {
			return nil, nil
		}
	}
	if err := s.identify(q); err != nil {
		return nil, err
	}
	if !(custom && options) && !q.admitted(notes) {
		return nil, errWebAuth
	}
	if err := s.deps.Runtimes().CheckActive(r.Action.Exec.Kind); err != nil {
		return nil, err
	}
	raw := isSet(notes, annotationRawHTTP)
	body, err := q.webBody(raw, q.limits.PayloadSize)
	if err != nil {
		return nil, err
	}
	payload, err := webPayload(q, t, r, body, raw)
	if err != nil {
		return nil, err
	}
	return q.newCall(owner, r, payload), nil
}

// identify finds out who the caller is, if it says so. Wrong credentials say
// nothing.
func (s *Server) identify(q *request) error {
	user, password, ok := q.BasicAuth()
	if !ok || q.identity != nil {
		return nil
	}
	id, err := s.deps.Auth.Authenticate(q.Request.Context(), whisk.AuthKey{UUID: user, Key: password})
	if whisk.KindOf(err) == whisk.Unauthenticated {
		return nil
	}
	q.identity = id
	return err
}

// admitted reports whether the action's annotation lets the caller in: with a
// text or a number those who know it, with true all who have a key.
func (q *request) admitted(annotations whisk.Parameters) bool {
	v, ok := annotations.Get(annotationWebAuth)
	if !ok || string(v) == "false" {
		return true
	}
	if string(v) == "true" {
		return q.identity != nil
	}
	secret, isText := textOf(v)
	if !isText {
		if isNull(v) || whisk.IsObject(v) || whisk.IsArray(v) {
			return false
		}
		secret = string(v)
	}
	given, ok := q.Header["X-Require-Whisk-Auth"]
	return ok && subtle.ConstantTimeCompare([]byte(given[0]), []byte(secret)) == 1
}

// Header values that web answers share. Nobody may change them.
var webCORSMethods = []string{"OPTIONS, GET, DELETE, POST, PUT, HEAD, PATCH"}

// setCORS opens the answer, be it an error, to scripts of all origins.
func (q *request) setCORS() {
	q.cors = corsHeaders
	if asked := q.Header["Access-Control-Request-Headers"]; len(asked) > 0 {
		q.cors = asked[:1]
	}
}

// acceptable is checkAccept for an answer with a body.
func (q *request) acceptable(rep *reply) error {
	lines := q.Header["Accept"]
	if len(lines) == 0 || len(rep.body) == 0 {
		return nil
	}
	shown := rep.mediaType
	if shown == "" {
		shown = jsonType
	}
	m, _ := parseMedia(shown)
	if accepts(lines, m.name) {
		return nil
	}
	return whisk.Errorf(whisk.NotAcceptable, "Resource representation is only available with these types:\n%s", shown)
}
