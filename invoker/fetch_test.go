package invoker

import (
	"testing"

	"hearth/whisk"
)

func TestCodeIsAskedForOnce(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		a := withCode(newTestCall("a", `{"ms":10}`), "code a")
		b := withCode(newTestCall("b", `{"ms":10}`), "code a")
		d := withCode(newTestCall("d", `{"ms":10}`), "code a")
		d.NoQueue = true
		qa, qb, qd := r.call(a), r.call(b), r.call(d)
		r.expect(qa, whisk.NeedCode)
		r.v.Code(a.ID, []byte("code a"))
		r.done(qa)
		r.done(qd)
		r.expect(qb, whisk.Queued)
		r.expect(qb, whisk.Ready)
		r.v.Go(b.ID)
		r.done(qb)
		c := withCode(newTestCall("c", `{}`), "code a") // cached
		r.done(r.call(c))
	})
}

func TestNextAsksForCodeWhenTheFirstLeaves(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		calls, outs := []*whisk.Call{}, []*replies{}
		for range 4 {
			c := withCode(newTestCall("a", `{}`), "code")
			c.NoQueue = true
			calls, outs = append(calls, c), append(outs, r.call(c))
		}
		r.expect(outs[0], whisk.NeedCode)
		r.v.Cancel(calls[0].ID)
		r.expect(outs[1], whisk.NeedCode)
		r.v.Code(calls[1].ID, []byte("wrong"))
		rec := r.done(outs[1])
		if string(rec.Response.Result) != `{"error":"Action could not be fetched."}` || rec.Response.Status != whisk.WhiskError {
			t.Errorf("response = %+v", rec.Response)
		}
		r.expect(outs[2], whisk.NeedCode)
		r.expect(outs[2], whisk.Busy) // after CodeTimeout
		r.expect(outs[3], whisk.NeedCode)
		r.v.Code(calls[3].ID, []byte("code"))
		r.done(outs[3])
	})
}
