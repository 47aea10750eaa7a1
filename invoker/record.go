package invoker

import (
	"fmt"
	"time"

	"hearth/invoker/sandbox"
	"hearth/whisk"
)

// The lines that the platform adds to logs.
const (
	lineDeveloper = "The action did not initialize or run as expected. Log data might be missing."
	logTime       = "2006-01-02T15:04:05.000000000Z" // 30 characters
)

func lineTruncated(limit int64) string {
	return fmt.Sprintf("Logs were truncated because the total bytes size exceeds the limit of %d bytes.", limit)
}

// result is what became of a call: the part of its record that running it
// adds.
type result struct {
	response whisk.Response
	sandbox  whisk.Start
	began    time.Time     // of the init or, in a warm sandbox, of the run
	created  time.Duration // time to create the sandbox, 0 if warm
	init     time.Duration // 0 if warm
	run      time.Duration
	timedOut bool
	logs     []string
	logsCut  bool
}

// initialised notes the outcome of an init and reports whether the run may
// follow.
func (r *result) initialised(o *sandbox.Outcome, l whisk.Limits, results resultLimits) bool {
	r.init = o.Took
	resp, failed := initResponse(o, l.TimeoutDuration(), results)
	if failed {
		r.response = resp
		r.timedOut = o.Ending == sandbox.TimedOut
		r.logs, r.logsCut = o.Logs, o.LogsCut && l.Logs > 0
	}
	return !failed
}

// ran notes the outcome of a run.
func (r *result) ran(o *sandbox.Outcome, l whisk.Limits, results resultLimits) {
	r.run = o.Took
	r.response = runResponse(o, l.TimeoutDuration(), results)
	r.timedOut = o.Ending == sandbox.TimedOut
	r.logs, r.logsCut = o.Logs, o.LogsCut && l.Logs > 0
}

// spoils reports whether the sandbox is to be destroyed.
func (r *result) spoils() bool {
	return r.response.Status >= whisk.DeveloperError || r.logsCut
}

// record returns the finished record of a call that arrived at the given time.
func (r *result) record(c *whisk.Call, arrived, now time.Time) *whisk.Activation {
	a := c.Record()
	began := r.began
	if began.IsZero() {
		began = now
	}
	a.Start = began.UnixMilli()
	a.Duration = (r.init + r.run).Milliseconds()
	a.End = a.Start + a.Duration
	a.Response = r.response
	a.Facts.Wait = max(0, (c.Waited + began.Sub(arrived)).Milliseconds())
	a.Facts.Sandbox = r.sandbox
	if r.sandbox != whisk.Warm {
		a.Facts.Init = r.init.Milliseconds()
	}
	a.Facts.TimedOut = r.timedOut
	a.Logs = r.lines(c.Target.Limits.Logs, now)
	c.Settle(a)
	return a
}

// lines returns the logs with what the platform adds; none where the action's
// log limit, in MB, is 0.
func (r *result) lines(limitMB int64, now time.Time) []string {
	if limitMB == 0 {
		return nil
	}
	add := func(line string) {
		r.logs = append(r.logs, now.UTC().Format(logTime)+" stderr: "+line)
	}
	if r.logsCut {
		add(lineTruncated(limitMB << 20))
	}
	if r.response.Status == whisk.DeveloperError {
		add(lineDeveloper)
	}
	return r.logs
}
