package api

import (
	"strconv"

	"hearth/whisk"
)

// appendRecord appends an activation's record; the result goes in as it is.
// Answers to blocking invokes leave the logs empty.
func appendRecord(b []byte, a *whisk.Activation, withLogs bool) []byte {
	b = append(b, '{')
	b = appendID(b, "activationId", a.ID)
	b = appendText(b, "namespace", string(a.Namespace))
	b = appendText(b, "name", a.Name)
	b = appendVersion(b, a.Version)
	b = appendText(b, "subject", a.Subject)
	b = appendInt(b, "start", a.Start)
	if a.End != 0 {
		b = appendInt(b, "end", a.End)
		b = appendInt(b, "duration", a.Duration)
	}
	if !a.Cause.IsZero() {
		b = appendID(b, "cause", a.Cause)
	}
	b = append(appendKey(b, "response"), '{')
	b = append(appendResponse(b, &a.Response), '}')
	b = appendKey(b, "logs")
	if withLogs {
		b = appendLogs(b, a.Logs)
	} else {
		b = append(b, '[', ']')
	}
	b = appendFacts(appendKey(b, "annotations"), a)
	return append(appendBool(b, "publish", false), '}')
}

// appendRecordRow appends what a list shows of an activation. Its duration is
// the time from start to end, not the record's own.
func appendRecordRow(b []byte, a *whisk.Activation) []byte {
	b = append(b, '{')
	b = appendText(b, "namespace", string(a.Namespace))
	b = appendText(b, "name", a.Name)
	b = appendVersion(b, a.Version)
	b = appendBool(b, "publish", false)
	b = appendFacts(appendKey(b, "annotations"), a)
	b = appendID(b, "activationId", a.ID)
	b = appendInt(b, "start", a.Start)
	if a.End != 0 {
		b = appendInt(b, "end", a.End)
		b = appendInt(b, "duration", a.End-a.Start)
		b = appendInt(b, "statusCode", int64(a.Response.Status))
	}
	if !a.Cause.IsZero() {
		b = appendID(b, "cause", a.Cause)
	}
	return append(b, '}')
}

// appendResponse appends the fields of a response, without braces.
func appendResponse(b []byte, r *whisk.Response) []byte {
	if len(r.Result) > 0 {
		b = append(appendKey(b, "result"), r.Result...)
	}
	if r.Size > 0 {
		b = appendInt(b, "size", int64(r.Size))
	}
	b = appendText(b, "status", r.Status.String())
	return appendBool(b, "success", r.Status == whisk.Success)
}

func appendLogs(b []byte, lines []string) []byte {
	b = append(b, '[')
	for i, line := range lines {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, line)
	}
	return append(b, ']')
}

// appendFacts appends what a record says of its run as its annotations.
func appendFacts(b []byte, a *whisk.Activation) []byte {
	f := &a.Facts
	b = append(b, '[')
	if f.Path != "" {
		b = append(appendString(appendAnnotation(b, "path"), f.Path), '}')
	}
	if f.Kind != "" {
		b = append(appendString(appendAnnotation(b, "kind"), f.Kind), '}')
	}
	composed := f.Kind == whisk.Sequence
	if f.Limits != nil { // it was an action that could be fetched, or has a component that ran
		b = append(appendLimits(appendAnnotation(b, "limits"), *f.Limits), '}')
	}
	if f.Limits != nil && !composed {
		b = append(strconv.AppendBool(appendAnnotation(b, "timeout"), f.TimedOut), '}')
	}
	if f.Limits != nil || composed {
		b = append(strconv.AppendInt(appendAnnotation(b, "waitTime"), f.Wait, 10), '}')
	}
	if composed {
		b = append(strconv.AppendBool(appendAnnotation(b, "topmost"), !f.InFlow), '}')
	}
	if f.Conductor {
		b = append(appendAnnotation(b, "conductor"), "true}"...)
	}
	if f.Sandbox == whisk.Cold || f.Sandbox == whisk.Prewarm {
		b = append(strconv.AppendInt(appendAnnotation(b, "initTime"), f.Init, 10), '}')
	}
	if f.Binding != "" {
		b = append(appendString(appendAnnotation(b, "binding"), f.Binding), '}')
	}
	if f.InFlow {
		b = append(appendString(appendAnnotation(b, "causedBy"), "sequence"), '}')
	}
	if a.Attempt > 0 { // not OpenWhisk's
		b = append(strconv.AppendInt(appendAnnotation(b, "attempt"), int64(a.Attempt), 10), '}')
	}
	return append(b, ']')
}

// appendAnnotation appends `{"key":…,"value":`, behind a comma where one is
// needed.
func appendAnnotation(b []byte, key string) []byte {
	if b[len(b)-1] != '[' {
		b = append(b, ',')
	}
	b = append(b, `{"key":"`...)
	b = append(b, key...)
	return append(b, `","value":`...)
}
