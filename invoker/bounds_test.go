package invoker

import (
	"strings"
	"testing"

	"hearth/whisk"
)

// What the caller's namespace bounds is looked at when the call comes.
func TestBounds(t *testing.T) {
	inBubble(t, nil, func(r *rig) {
		system := whisk.DefaultSystemLimits()
		for _, c := range []struct {
			name   string
			change func(*whisk.SystemLimits)
			status whisk.Status
			result string // in it
		}{
			{"the system's", func(*whisk.SystemLimits) {}, whisk.Success, `{"ms":1}`},
			{"less memory", func(s *whisk.SystemLimits) { s.Memory.Max = 127 }, whisk.ApplicationError,
				`{"error":"memory size 128 MB exceeds allowed threshold of 127 MB"}`},
			{"short results", func(s *whisk.SystemLimits) { s.ResultSize, s.TruncationSize = 7, 3 }, whisk.ApplicationError,
				`exceeded the allowed length: 8 > 7 bytes. The truncated response was: {\"m"}`},
			{"just long enough", func(s *whisk.SystemLimits) { s.ResultSize = 8 }, whisk.Success, `{"ms":1}`},
		} {
			s := system
			c.change(&s)
			b := s.Bounds()
			call := newTestCall("a", `{"ms":1}`)
			call.Bounds = &b
			rec := r.done(r.call(call))
			if rec.Response.Status != c.status || !strings.Contains(string(rec.Response.Result), c.result) {
				t.Errorf("%s: %v %s, want %v %s", c.name, rec.Response.Status, rec.Response.Result, c.status, c.result)
			}
		}
		if r.d.created != 1 {
			t.Errorf("%d sandboxes, want 1: what is refused needs none", r.d.created)
		}
	})
}
