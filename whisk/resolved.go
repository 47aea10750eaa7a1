package whisk

import "encoding/json"

// Keys of the annotations that decide how an action is called.
const (
	annotationConductor = "conductor"
	annotationFinal     = "final"
	annotationWantsKey  = "provide-api-key"
)

// Call returns a call of the action with the payload, a valid JSON object, an
// array (inside a sequence) or nil. Whose call it is, and its id, are left to be
// filled in.
//
// Plain actions get their arguments: the payload laid over the parameters. What
// flow runs itself gets the bare payload: a sequence passes it on, and a
// conductor's target has the parameters for each of its runs.
func (r *Resolved) Call(payload json.RawMessage) *Call {
	t := r.Target()
	c := &Call{Target: t, Retry: r.retry()}
	switch {
	case t.Exec.Kind == Sequence:
		c.Args = payload
	case t.Conductor:
		t.Parameters, c.Args = r.Parameters, payload
	default:
		c.Args, c.Env = r.Parameters.Bind(payload)
	}
	return c
}

// retry returns what the action's annotation asks for, nil for nothing: one that
// says nothing sensible was refused, or is older than that.
func (r *Resolved) retry() *Retry {
	value, ok := r.Action.Annotations.Get(AnnotationRetry)
	if !ok {
		return nil
	}
	retry, err := ParseRetry(value)
	if err != nil {
		return nil
	}
	return retry
}

// Target returns what calls of the action run. Its API key is wanted unless an
// annotation says no, and actions are created with one that does. The annotation
// "conductor" has no effect on a sequence.
func (r *Resolved) Target() *Target {
	a := r.Action
	_, given := a.Annotations.Get(annotationWantsKey)
	return &Target{
		Name: a.Name, Binding: r.BindingPath(), Version: a.Version, Revision: a.Revision, Exec: a.Exec, Limits: a.Limits,
		WantsKey:  !given || a.Annotations.Truthy(annotationWantsKey),
		Conductor: a.Exec.Kind != Sequence && a.Annotations.Truthy(annotationConductor),
	}
}

// CheckPayload returns an error of kind [BadRequest] if the payload would
// override a parameter that has a value, where the action's are final.
func (r *Resolved) CheckPayload(payload json.RawMessage) error {
	if len(payload) == 0 || len(r.Parameters) == 0 || !r.Action.Annotations.Truthy(annotationFinal) {
		return nil
	}
	final := make(map[string]bool, len(r.Parameters)) // users choose how many there are
	for i := range r.Parameters {
		if string(r.Parameters[i].Value) != "null" {
			final[r.Parameters[i].Key] = true
		}
	}
	overrides := false
	Fields(payload, func(key string, _, _ []byte) bool {
		overrides = final[key]
		return !overrides
	})
	if overrides {
		return Errorf(BadRequest, "Request defines parameters that are not allowed (e.g., reserved properties).")
	}
	return nil
}
