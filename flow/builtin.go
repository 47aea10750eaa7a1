package flow

import (
	"context"
	"time"

	"hearth/whisk"
)

// Builtin answers the calls of an action of kind [whisk.Builtin]. ctx bounds
// what it may take.
type Builtin func(ctx context.Context, c *whisk.Call) whisk.Response

const msgNoBuiltin = "This platform does not know the action."

// builtin reports whether the platform itself answers the call.
func builtin(c *whisk.Call) bool { return c.Target.Exec.Kind == whisk.Builtin }

// answer carries a call of a builtin action through, on this goroutine, and
// returns its record, which is stored. An error says that it could not be before
// the runs were stopped.
func (f *Flow) answer(c *whisk.Call) (*whisk.Activation, error) {
	rec, began := c.Record(), time.Now()
	if run := f.builtins[c.Target.Exec.Main]; run == nil {
		rec.Response = whisk.ErrorResponse(whisk.WhiskError, msgNoBuiltin)
	} else {
		ctx, cancel := context.WithTimeout(f.runs, f.cfg.StoreTimeout)
		rec.Response = run(ctx, c)
		cancel()
	}
	rec.Start, rec.End, rec.Duration = began.UnixMilli(), time.Now().UnixMilli(), time.Since(began).Milliseconds()
	rec.Facts.Wait = c.Waited.Milliseconds()
	c.Settle(rec)
	if err := f.keep(rec); err != nil {
		return nil, err
	}
	return rec, nil
}
