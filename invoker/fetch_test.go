package invoker

import (
	"os"
	"testing"
	"time"

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

// A disk that takes no code is no fault of the calls: they are turned away.
func TestCodeThatCannotBeKept(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		dir := r.v.code.dir
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		a, b := withCode(newTestCall("a", `{}`), "code"), withCode(newTestCall("a", `{}`), "code")
		b.NoQueue = true
		qa, qb := r.call(a), r.call(b)
		r.expect(qa, whisk.NeedCode)
		r.v.Code(a.ID, []byte("code"))
		r.expect(qa, whisk.Busy)
		r.expect(qb, whisk.Busy)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		r.expect(r.call(withCode(newTestCall("a", `{}`), "code")), whisk.Busy)
		time.Sleep(codePause)
		c := withCode(newTestCall("a", `{}`), "code")
		qc := r.call(c)
		r.expect(qc, whisk.NeedCode)
		r.v.Code(c.ID, []byte("code"))
		r.done(qc)
	})
}
