package process

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"hearth/invoker/sandbox"
	"hearth/whisk"
)

// The kind whose code is an ActionLoop executable, named as OpenWhisk's.
const (
	goKind  = "go:1.20"
	goImage = "openwhisk/action-golang-v1.20:nightly"
)

// settleTime is how long an executable that acknowledges nothing must live for
// its Init to count as done.
const settleTime = 5 * time.Millisecond

// waitForAck is set for executables that acknowledge their start.
const waitForAck = "__OW_WAIT_FOR_ACK"

// looped is a sandbox whose program speaks the ActionLoop protocol itself. It
// has no process before its Init.
type looped struct{ *resident }

var _ sandbox.Sandbox = (*looped)(nil)

// Init implements [sandbox.Sandbox].
func (l *looped) Init(ctx context.Context, in *sandbox.Init) sandbox.Outcome {
	began := time.Now()
	l.logs.begin(in.LogBytes)
	deadline := began.Add(in.Timeout)
	path, err := l.unpackProgram(in, deadline, false)
	if err != nil {
		return refused(err, began)
	}
	env := environmentOf(in.Env)
	for k, v := range initContext(in, deadline).environment() {
		env[k] = v
	}
	place := func(ps *pipes) []int { return []int{ps.in, ps.stdout, ps.stderr, ps.out} }
	l.p, err = l.start(program{path: path, args: []string{programName}, env: l.environment(env), dir: filepath.Dir(path), replies: true, place: place})
	if err != nil {
		return refused(&codeError{"cannot start action: " + startError(err)}, began)
	}
	ack := env[waitForAck] != "" || l.spec.Env[waitForAck] != ""
	return l.initialised(l.settle(ctx, ack, &exchange{bare: true, began: began, timeout: in.Timeout, keep: in.ResultBytes}))
}

// settle waits until the program has started.
func (l *looped) settle(ctx context.Context, ack bool, x *exchange) sandbox.Outcome {
	var o sandbox.Outcome
	if ack {
		o = l.ask(ctx, l.p, x)
		var said struct{ OK bool }
		if o.Ending == sandbox.Replied && (json.Unmarshal(o.Body, &said) != nil || !said.OK) {
			o.OK, o.Body = false, errorBody("cannot start action: the acknowledgement is not {\"ok\":true}")
			return o
		}
	} else {
		o = l.live(x)
	}
	if o.Ending == sandbox.Exited && o.Err != nil {
		o.Body = errorBody("cannot start action: command exited")
		o.Ending, o.Err, o.Size = sandbox.Replied, nil, int64(len(o.Body))
	}
	return o
}

// live waits for settleTime from when the program itself runs.
func (l *looped) live(x *exchange) sandbox.Outcome {
	settled := time.Now().Add(settleTime)
	for end := x.began.Add(x.timeout); ; {
		select {
		case <-l.p.exited:
			return l.noReply(l.p, x)
		case <-time.After(time.Millisecond):
		}
		switch now := time.Now(); {
		case !now.Before(end):
			return l.stop(l.p, x, sandbox.TimedOut, nil)
		case isShell(l.p.leader.pid):
			settled = now.Add(settleTime)
		case !now.Before(settled):
			return sandbox.Outcome{OK: true, Body: []byte(`{"ok":true}`), Took: time.Since(x.began)}
		}
	}
}

// notAResult is what ActionLoop and the skeleton say of any other result.
const notAResult = "The action did not return a dictionary or array."

func isResult(b []byte) bool {
	return (whisk.IsObject(b) || whisk.IsArray(b)) && json.Valid(b)
}

// environmentOf reads an object of strings.
func environmentOf(env json.RawMessage) map[string]string {
	m := map[string]string{}
	if len(env) > 0 {
		_ = json.Unmarshal(env, &m) // other values were refused long before
	}
	return m
}

// startError is what the user may know of a program that could not be started.
func startError(err error) string {
	if pe, ok := err.(*os.PathError); ok { //nolint:errorlint // as start makes it
		return pe.Err.Error()
	}
	return fmt.Sprint(err)
}
