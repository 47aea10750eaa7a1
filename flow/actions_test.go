package flow

import (
	"context"
	"encoding/json"
	"strings"

	"hearth/whisk"
)

// ActionFor finds what was defined; in the namespace "secret" nobody may invoke
// anything, and in "broken" nothing can be looked up.
func (w *world) ActionFor(ctx context.Context, _ string, name whisk.ActionName) (*whisk.Resolved, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch name.Namespace {
	case "secret":
		return nil, whisk.NotAuthorized(name.Path())
	case "broken":
		return nil, errAway
	}
	if r := w.actions[name.Path()]; r != nil {
		return r, nil
	}
	return nil, whisk.ErrNotFound
}

// Identity has the limits of the world.
func (w *world) Identity(_ context.Context, uuid string) (*whisk.Identity, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.blocked[uuid] {
		return nil, &whisk.Error{Kind: whisk.Unauthenticated, Message: "blocked"}
	}
	ns, other := strings.CutPrefix(uuid, "uuid-")
	if !other {
		ns = "ns"
	}
	return &whisk.Identity{Subject: "someone", Namespace: whisk.Namespace(ns), UUID: uuid, Limits: whisk.DefaultSystemLimits(), Bounds: w.bounds}, nil
}

// Invocation charges.
func (w *world) Invocation(*whisk.Identity) (func(), error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.charged++
	if w.refuse != nil {
		return nil, w.refuse
	}
	w.inFlight++
	return func() { w.set(func() { w.inFlight-- }) }, nil
}

// exec does what the call's action does.
func (w *world) exec(c *whisk.Call) (ms int, r whisk.Response) {
	w.mu.Lock()
	do, fails := w.code[c.Target.Name.Path()], c.Attempt > 0 && c.Attempt <= w.failing[c.ID]
	w.mu.Unlock()
	if fails {
		return 1 + len(c.Args), response(`{"error":"not yet"}`)
	}
	if do != nil {
		return do(c.Args)
	}
	if json.Unmarshal(c.Args, &ms) != nil {
		panic("no code for " + c.Target.Name.Path())
	}
	return ms, whisk.Response{}
}

// define makes an action of the default package of "ns", or of another where the
// name is a path. The parameters are "key=json" texts.
func (w *world) define(name string, do code, params ...string) *whisk.Resolved {
	if !strings.Contains(name, "/") {
		name = "ns/" + name
	}
	full, err := whisk.ParseActionName(name, "")
	if err != nil {
		panic(err)
	}
	r := &whisk.Resolved{Action: &whisk.Action{
		Name: full, Version: whisk.FirstVersion, Exec: whisk.Exec{Kind: "nodejs:20", Code: whisk.Digest{7}},
		Limits:      whisk.Limits{Timeout: 60_000, Memory: 256, Logs: 10, Concurrency: 1},
		Annotations: whisk.Parameters{{Key: "provide-api-key", Value: json.RawMessage("false")}},
	}}
	for _, p := range params {
		key, value, _ := strings.Cut(p, "=")
		r.Parameters = append(r.Parameters, whisk.Parameter{Key: key, Value: json.RawMessage(value)})
	}
	w.set(func() { w.actions[name], w.code[name] = r, do })
	return r
}

// sequence defines one of the components, which are named as actions are.
func (w *world) sequence(name string, components ...string) *whisk.Resolved {
	r := w.define(name, nil, `_actions=["some"]`)
	r.Action.Exec = whisk.Exec{Kind: whisk.Sequence}
	for _, c := range components {
		if !strings.Contains(c, "/") {
			c = "ns/" + c
		}
		full, err := whisk.ParseActionName(c, "")
		if err != nil {
			panic(err)
		}
		r.Action.Exec.Components = append(r.Action.Exec.Components, full)
	}
	return r
}

// conductor defines one.
func (w *world) conductor(name string, do code, params ...string) *whisk.Resolved {
	r := w.define(name, do, params...)
	r.Action.Annotations = append(r.Action.Annotations, whisk.Parameter{Key: "conductor", Value: json.RawMessage("true")})
	return r
}

// callOf makes a call of an action with the payload.
func callOf(r *whisk.Resolved, payload string) *whisk.Call {
	var args json.RawMessage
	if payload != "" {
		args = json.RawMessage(payload)
	}
	c := r.Call(args)
	c.ID, c.Namespace, c.Subject, c.UUID, c.TransactionID = whisk.NewActivationID(), "ns", "someone", "uuid", "tid"
	return c
}

// gives is code that takes a while and has the result, whatever its arguments.
func gives(ms int, result string) code {
	return func(json.RawMessage) (int, whisk.Response) { return ms, response(result) }
}

// response is what a result makes: an application error if it has an error.
func response(result string) whisk.Response {
	r := whisk.Response{Result: json.RawMessage(result), Size: len(result)}
	if _, failed := whisk.Field(r.Result, "error"); failed {
		r.Status = whisk.ApplicationError
	}
	return r
}

// echo returns its arguments, after the milliseconds.
func echo(ms int) code {
	return func(args json.RawMessage) (int, whisk.Response) { return ms, response(string(args)) }
}
