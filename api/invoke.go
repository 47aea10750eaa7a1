package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"hearth/whisk"
)

// throttle charges one invocation to the caller, or refuses it with an error
// of kind Throttled. The release ends what is in flight.
type throttle interface {
	Invocation(id *whisk.Identity) (release func(), err error)
	// Charge and Begin are the two halves of Invocation: the second alone makes
	// it one of those in flight.
	Charge(id *whisk.Identity) error
	Begin(id *whisk.Identity) (release func(), err error)
	// Fire charges the firing of a trigger.
	Fire(id *whisk.Identity) error
}

// flow runs calls. It owns their life: no context of a request cancels a run.
// It calls ended exactly once for each call that it took on, when the
// activation has really ended.
type flow interface {
	// Invoke returns the record; or whisk.ErrPending once wait is over and the
	// activation is durable; any other error says that it never started.
	Invoke(ctx context.Context, c *whisk.Call, wait time.Duration, ended func()) (*whisk.Activation, error)
	// Submit returns once the activation is durable.
	Submit(ctx context.Context, c *whisk.Call, ended func()) error
	// Fire returns once the trigger's record and the activations of its rules'
	// actions are durable; a zero id says that no rule is active.
	Fire(ctx context.Context, e whisk.Fire) (whisk.ActivationID, error)

	// Cancel ends a queued activation and returns its record: an error of kind
	// NotFound if there is none of that id, of kind Conflict if it has started.
	Cancel(ctx context.Context, ns whisk.Namespace, id whisk.ActivationID) (*whisk.Activation, error)
	// Redrive queues the call of a dead letter under a new id, as Submit does.
	Redrive(ctx context.Context, by *whisk.Identity, transaction string, dead whisk.ActivationID, ended func()) (whisk.ActivationID, error)
}

// invokeOptions are the query of an invoke.
type invokeOptions struct {
	blocking, result bool
	wait             time.Duration
}

// invokeAction answers POST: throttling, then rights, then the body.
func (s *Server) invokeAction(q *request, name whisk.ActionName) (reply, error) {
	opts, err := s.invokeOptions(q.query)
	if err != nil {
		return reply{}, err
	}
	release, err := s.deps.Throttle.Invocation(q.identity)
	if err != nil {
		return reply{}, err
	}
	ended, taken := once(release), false
	defer func() {
		if !taken { // refused, failed or panicked: flow will not end it
			ended()
		}
	}()
	call, err := s.call(q, name)
	if err != nil {
		return reply{}, err
	}
	if !opts.blocking {
		if err := s.deps.Flow.Submit(q.Context(), call, ended); err != nil {
			return reply{}, err
		}
		taken = true
		return accepted(call.ID)
	}
	rec, err := s.deps.Flow.Invoke(q.Request.Context(), call, opts.wait, ended)
	if taken = err == nil || errors.Is(err, whisk.ErrPending); !taken {
		return reply{}, err
	}
	if err != nil {
		return accepted(call.ID)
	}
	return finished(rec, opts.result)
}

func (s *Server) invokeOptions(q query) (o invokeOptions, err error) {
	if o.wait = s.cfg.Limits.BlockingWait; q == "" {
		return o, nil
	}
	if o.blocking, err = q.boolean("blocking", false); err != nil {
		return o, err
	}
	if o.result, err = q.boolean("result", false); err != nil {
		return o, err
	}
	o.wait, err = q.wait(o.wait)
	return o, err
}

// once makes release safe to call again: a call that was refused may be ended
// by flow as well as here.
func once(release func()) func() {
	var done atomic.Bool
	return func() {
		if done.CompareAndSwap(false, true) {
			release()
		}
	}
}

// call makes the call that the request asks for.
func (s *Server) call(q *request, name whisk.ActionName) (*whisk.Call, error) {
	r, err := s.deps.Rights.Action(q.Request.Context(), q.identity, whisk.Activate, name)
	if err != nil {
		return nil, err
	}
	if err := s.deps.Runtimes().CheckActive(r.Action.Exec.Kind); err != nil {
		return nil, err
	}
	payload, err := q.readJSON(q.limits.PayloadSize)
	if err != nil {
		return nil, err
	}
	if payload != nil && !whisk.IsObject(payload) {
		return nil, malformed("JSON object expected.")
	}
	if err := r.CheckPayload(payload); err != nil {
		return nil, err
	}
	c := q.newCall(q.identity, r, payload)
	c.Unstored = c.Unstored && !q.wantsRecord // visitors of web actions cannot want one
	return c, nil
}

// newCall makes the call of an action on behalf of id.
func (q *request) newCall(id *whisk.Identity, r *whisk.Resolved, payload json.RawMessage) *whisk.Call {
	c := r.Call(payload)
	c.ID, c.TransactionID, c.Waited = whisk.NewActivationID(), q.id, time.Since(q.began)
	c.Namespace, c.Subject, c.UUID, c.Unstored = id.Namespace, id.Subject, id.UUID, id.Unstored()
	c.Bounds = id.BoundsOf(c.Target.Limits)
	return c
}

// accepted answers that the activation will be found under its id.
func accepted(id whisk.ActivationID) (reply, error) {
	b := append(make([]byte, 0, 64), '{')
	b = append(appendID(b, "activationId", id), '}')
	return reply{status: http.StatusAccepted, activation: id, body: b}, nil
}

// invokeStatus is the status of an answer to a blocking invoke.
var invokeStatus = [...]int{
	whisk.Success:          http.StatusOK,
	whisk.ApplicationError: http.StatusBadGateway,
	whisk.DeveloperError:   http.StatusBadGateway,
	whisk.WhiskError:       http.StatusInternalServerError,
}

// finished answers with the record or, if that is asked for or it is an array,
// with the result alone.
func finished(rec *whisk.Activation, resultOnly bool) (reply, error) {
	rep := reply{status: http.StatusInternalServerError, activation: rec.ID}
	if s := int(rec.Response.Status); s < len(invokeStatus) {
		rep.status = invokeStatus[s]
	}
	result := rec.Response.Result
	switch {
	case !resultOnly && !whisk.IsArray(result):
		// What ran in a sandbox shows no logs here; the ids of what flow ran
		// are known.
		rep.body = appendRecord(make([]byte, 0, 1024+len(result)), rec, rec.Facts.Kind == whisk.Sequence)
	case len(result) == 0:
		rep.body = []byte("{}")
	default:
		rep.body = result
	}
	return rep, nil
}
