package invoker

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

func TestSpoiledSandboxIsReplaced(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		for _, args := range []string{`{"out":"7"}`, `{"ms":70000}`, `{"break":true}`} {
			r.done(r.call(newTestCall("a", args)))
			synctest.Wait()
			if rec := r.done(r.call(newTestCall("a", `{}`))); rec.Facts.Sandbox != whisk.Cold {
				t.Errorf("after %s: start = %v, want cold", args, rec.Facts.Sandbox)
			}
			if rec := r.done(r.call(newTestCall("a", `{"out":"{\"error\":1}"}`))); rec.Facts.Sandbox != whisk.Warm {
				t.Errorf("after %s: second start = %v, want warm", args, rec.Facts.Sandbox)
			}
			if rec := r.done(r.call(newTestCall("a", `{}`))); rec.Facts.Sandbox != whisk.Warm {
				t.Errorf("after an application error: start = %v, want warm", rec.Facts.Sandbox)
			}
		}
	})
}

func (r *rig) boxes() []*fakeBox {
	r.d.mu.Lock()
	defer r.d.mu.Unlock()
	var out []*fakeBox
	for b := range r.d.live {
		out = append(out, b)
	}
	return out
}

func TestSandboxThatDiesIdle(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		r.done(r.call(newTestCall("a", `{}`)))
		r.boxes()[0].breakDown()
		synctest.Wait()
		if n := len(r.boxes()); n != 0 {
			t.Errorf("%d sandboxes are left, want 0", n)
		}
		r.done(r.call(newTestCall("a", `{}`)))
		r.boxes()[0].breakDown() // and nobody has noticed yet
		if rec := r.done(r.call(newTestCall("a", `{}`))); rec.Facts.Sandbox != whisk.Cold || rec.Response.Status != whisk.Success {
			t.Errorf("start = %v, response = %+v", rec.Facts.Sandbox, rec.Response)
		}
	})
}

func TestSandboxThatDiesReserved(t *testing.T) {
	for _, cancel := range []bool{true, false} {
		inBubble(t, func(c *Config, _ *fakeDriver) { c.MemoryMB = 128 }, func(r *rig) {
			r.call(newTestCall("a", `{"ms":10}`))
			c := newTestCall("a", `{}`)
			q := r.call(c)
			r.expect(q, whisk.Queued)
			r.expect(q, whisk.Ready)
			r.boxes()[0].breakDown()
			synctest.Wait()
			if cancel {
				r.v.Cancel(c.ID)
				synctest.Wait()
				if n := len(r.boxes()); n != 0 {
					t.Errorf("%d sandboxes are left, want 0", n)
				}
				return
			}
			r.v.Go(c.ID)
			if rec := r.done(q); rec.Facts.Sandbox != whisk.Cold {
				t.Errorf("start = %v, want cold", rec.Facts.Sandbox)
			}
		})
	}
}

func TestIdleSandboxesAreEvicted(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		for i := range 4 {
			r.call(newTestCall(fmt.Sprint(i), `{"ms":1000}`))
		}
		time.Sleep(2 * time.Second)
		if rec := r.done(r.call(withMB(newTestCall("b", `{}`), 256))); rec.Facts.Sandbox != whisk.Cold {
			t.Errorf("start = %v", rec.Facts.Sandbox)
		}
		if n := len(r.boxes()); n != 3 {
			t.Errorf("%d sandboxes, want 3", n)
		}
		time.Sleep(r.v.cfg.IdleTimeout + 2*sweepInterval)
		synctest.Wait()
		if n := len(r.boxes()); n != 0 {
			t.Errorf("%d sandboxes after the idle timeout, want 0", n)
		}
	})
}
