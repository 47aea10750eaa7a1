package process

import (
	"encoding/hex"
	"time"

	"hearth/invoker/sandbox"
)

// maxIdleLine is the largest buffer for requests that a sandbox keeps between
// its runs.
const maxIdleLine = 16 << 10

// resident is a sandbox whose process answers one run after the other.
type resident struct {
	*box
	p    *proc
	bare bool // it speaks in bare lines, as ActionLoop does

	fixed fixedContext
	x     exchange              // of the run under way, used again for the next
	done  func(sandbox.Outcome) // of the run under way
	end   func(sandbox.Outcome) // ended
}

func newResident(b *box, p *proc, bare bool) *resident {
	r := &resident{box: b, p: p, bare: bare}
	r.end = r.ended
	return r
}

// Run implements [sandbox.Sandbox].
func (r *resident) Run(in *sandbox.Run, done func(sandbox.Outcome)) {
	x := &r.x
	line := x.line[:0]
	*x = exchange{bare: r.bare, began: time.Now(), timeout: in.Timeout, keep: in.ResultBytes, end: r.end}
	hex.Encode(x.id[:], in.ID[:])
	x.line = r.fixed.appendRun(line, in, x.id[:], x.deadline())
	r.done = done
	r.logs.begin(in.LogBytes)
	r.begin(r.p, x)
}

// ended completes what came of a run.
func (r *resident) ended(o sandbox.Outcome) {
	if cap(r.x.line) > maxIdleLine {
		r.x.line = nil
	}
	if keep := r.x.keep; r.bare && o.Ending == sandbox.Replied && o.Size <= keep && !isResult(o.Body) {
		o.OK, o.Body = false, errorBody(notAResult)
		o.Size = int64(len(o.Body))
	}
	o.Logs, o.LogsCut = r.logs.take()
	done := r.done
	r.done = nil
	done(o) // the next run may begin within
}
