package router

import (
	"context"
	"time"

	"hearth/whisk"
)

// Gone reports whether the call of an id can be nowhere any more: every invoker
// that has joined says that it does not know it. It is false as long as one
// does not answer. It means something only to a caller who knows that all
// invokers have joined and that no other router shares them.
func (r *Router) Gone(ctx context.Context, id whisk.ActivationID) bool {
	ctx, cancel := context.WithTimeout(ctx, goneWithin)
	defer cancel()
	for _, m := range r.view.Load().members {
		if state, _, err := m.invoker.Lookup(ctx, id); err != nil || state != whisk.UnknownCall {
			return false
		}
	}
	return true
}

// goneWithin bounds the questions of Gone.
const goneWithin = time.Second
