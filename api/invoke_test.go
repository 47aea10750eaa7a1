package api

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hearth/whisk"
)

// TestInvokeOutcomes holds status, body and header of every way an invoke can
// end.
func TestInvokeOutcomes(t *testing.T) {
	ok := whisk.Response{Result: json.RawMessage(`{"n": 12345678901234567890, "f": 1.50}`), Size: 38}
	appErr := whisk.ErrorResponse(whisk.ApplicationError, "no <luck>")
	devErr := whisk.ErrorResponse(whisk.DeveloperError, "broke")
	sysErr := whisk.ErrorResponse(whisk.WhiskError, "lost")
	const (
		annotations = `[{"key":"path","value":"alice/a"},{"key":"kind","value":"nodejs:20"},{"key":"limits","value":{"timeout":60000,"memory":256,"logs":10,"concurrency":1}},{"key":"timeout","value":false},{"key":"waitTime","value":3},{"key":"initTime","value":5}]`
		accepted    = `{"activationId":"ID"}`
	)
	record := func(response string) string {
		return `{"activationId":"ID","namespace":"alice","name":"a","version":"0.0.1","subject":"alice-subject","start":1000,"end":1012,"duration":11,"response":{` +
			response + `},"logs":[],"annotations":` + annotations + `,"publish":false}`
	}
	full := map[whisk.Status]string{
		whisk.Success:          record(`"result":{"n": 12345678901234567890, "f": 1.50},"size":38,"status":"success","success":true`),
		whisk.ApplicationError: record(`"result":{"error":"no <luck>"},"size":21,"status":"application error","success":false`),
		whisk.DeveloperError:   record(`"result":{"error":"broke"},"size":17,"status":"action developer error","success":false`),
		whisk.WhiskError:       record(`"result":{"error":"lost"},"size":16,"status":"whisk internal error","success":false`),
	}
	overloaded := `{"error":"System is overloaded, try again later.","code":"me"}`
	for _, c := range []struct {
		name, query string
		response    whisk.Response
		err         error
		status      int
		body        string
		noID        bool
	}{
		{"not blocking", "", ok, nil, 202, accepted, false},
		{"result does not block", "?result=true", ok, nil, 202, accepted, false},
		{"success", "?blocking=true", ok, nil, 200, full[whisk.Success], false},
		{"success, result", "?blocking=true&result=true", ok, nil, 200, `{"n": 12345678901234567890, "f": 1.50}`, false},
		{"application error", "?blocking=on", appErr, nil, 502, full[whisk.ApplicationError], false},
		{"application error, result", "?blocking=1&result=yes", appErr, nil, 502, `{"error":"no <luck>"}`, false},
		{"developer error", "?blocking=true&result=false", devErr, nil, 502, full[whisk.DeveloperError], false},
		{"developer error, result", "?result=true&blocking=true", devErr, nil, 502, `{"error":"broke"}`, false},
		{"platform error", "?blocking=true", sysErr, nil, 500, full[whisk.WhiskError], false},
		{"platform error, result", "?blocking=TRUE&result=true", sysErr, nil, 500, `{"error":"lost"}`, false},
		{"array", "?blocking=true", whisk.Response{Result: json.RawMessage(` [1]`)}, nil, 200, ` [1]`, false},
		{"array, result", "?blocking=true&result=true", whisk.Response{Result: json.RawMessage(`[]`)}, nil, 200, `[]`, false},
		{"nothing, result", "?blocking=true&result=true", whisk.Response{}, nil, 200, `{}`, false},
		{"nothing", "?blocking=true", whisk.Response{}, nil, 200, record(`"status":"success","success":true`), false},
		{"wait over", "?blocking=true&timeout=5", ok, whisk.ErrPending, 202, accepted, false},
		{"overloaded", "?blocking=true", ok, whisk.ErrOverloaded, 503, overloaded, true},
		{"overloaded, not blocking", "", ok, whisk.ErrOverloaded, 503, overloaded, true},
		{"broken", "?blocking=true", ok, errors.New("secret"), 500, `{"error":"There was an internal server error.","code":"me"}`, true},
		{"broken, not blocking", "", ok, errors.New("secret"), 500, `{"error":"There was an internal server error.","code":"me"}`, true},
		{"too slow", "?blocking=true", ok, context.DeadlineExceeded, 503, `{"error":"The server was not able to produce a timely response to your request.","code":"me"}`, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.mustPut("a", plainBody)
			id := ""
			w.invoke = func(_ context.Context, call *whisk.Call, _ time.Duration, ended func()) (*whisk.Activation, error) {
				id = call.ID.String()
				if c.err != nil {
					if errors.Is(c.err, whisk.ErrPending) {
						ended() // some time
					}
					return nil, c.err
				}
				ended()
				return w.run(call, c.response), nil
			}
			w.submit = func(_ context.Context, call *whisk.Call, ended func()) error {
				id = call.ID.String()
				ended() // some time, or by both sides if it was refused
				return c.err
			}
			a := w.do("POST", "_/actions/a"+c.query, "", header("X-Request-ID", "me"))
			body := c.body
			if id != "" {
				body = strings.Replace(body, "ID", id, 1)
			}
			if a.status != c.status || a.body != body {
				t.Errorf("got %d %s\nwant %d %s", a.status, a.body, c.status, body)
			}
			if got := a.header.Get("X-OpenWhisk-Activation-Id"); got != id && !c.noID || c.noID && got != "" {
				t.Errorf("activation header %q, id %q", got, id)
			}
			if a.status == 503 && a.header.Get("Retry-After") != "1" {
				t.Error("503 without Retry-After: 1")
			}
			if w.charges != 1 || w.inFlight != 0 {
				t.Errorf("charged %d, %d in flight, want 1 and 0", w.charges, w.inFlight)
			}
		})
	}
}

func TestInvokeWait(t *testing.T) {
	for query, want := range map[string]time.Duration{
		"?blocking=true": time.Minute, "?blocking=true&timeout=1": time.Millisecond, "?timeout=60000&blocking=true": time.Minute,
	} {
		w := newWorld(t)
		w.mustPut("a", plainBody)
		var got time.Duration
		w.invoke = func(_ context.Context, c *whisk.Call, wait time.Duration, ended func()) (*whisk.Activation, error) {
			got = wait
			ended()
			return w.run(c, whisk.Response{}), nil
		}
		w.do("POST", "_/actions/a"+query, "")
		if got != want {
			t.Errorf("%s waits %v, want %v", query, got, want)
		}
	}
}

// TestCall holds what an invoke hands over.
func TestCall(t *testing.T) {
	const params = `[{"key":"a","value":1},{"key":"b","value":12345678901234567890},{"key":"e","value":{"x":1.0},"init":true}]`
	for _, c := range []struct {
		name, annotations, payload, args string
		wantsKey                         bool
	}{
		{"no payload", `[]`, "", `{"a":1,"b":12345678901234567890}`, false},
		{"empty payload", `[]`, " {} ", `{"a":1,"b":12345678901234567890}`, false},
		{"payload wins", `[]`, `{"b": 1.50,"c":"ü\u0000"}`, `{"a":1,"b": 1.50,"c":"ü\u0000"}`, false},
		{"environment is apart", `[]`, `{"e":{"x":1.0},"d":2}`, `{"a":1,"b":12345678901234567890,"d":2}`, false},
		{"key wanted", `[{"key":"provide-api-key","value":true}]`, "", `{"a":1,"b":12345678901234567890}`, true},
		{"key not wanted", `[{"key":"provide-api-key","value":""}]`, "", `{"a":1,"b":12345678901234567890}`, false},
		{"final allows others", `[{"key":"final","value":true}]`, `{"c":1}`, `{"a":1,"b":12345678901234567890,"c":1}`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.mustPut("a", `{"exec":{"kind":"nodejs:20","code":"x"},"parameters":`+params+`,"annotations":`+c.annotations+`}`)
			var call *whisk.Call
			w.submit = func(_ context.Context, c *whisk.Call, ended func()) error { call = c; ended(); return nil }
			if a := w.do("POST", "_/actions/a", c.payload, header("X-Request-ID", "tid")); a.status != 202 {
				t.Fatalf("got %d %s", a.status, a.body)
			}
			stored := w.stored("a")
			mustEqual(t, "arguments", string(call.Args), c.args)
			mustEqual(t, "environment", string(call.Env), `{"e":"{\"x\":1.0}"}`)
			mustEqual(t, "target", call.Target, &whisk.Target{
				Name: stored.Name, Version: stored.Version, Revision: stored.Revision, Exec: stored.Exec, Limits: stored.Limits, WantsKey: c.wantsKey,
			})
			mustEqual(t, "rest", []any{call.TransactionID, call.Namespace, call.Subject, call.UUID, call.APIKey, call.Unstored, call.NoQueue},
				[]any{"tid", "alice", "alice-subject", aliceKey.UUID, "", false, false})
			if call.ID.IsZero() {
				t.Error("no id")
			}
		})
	}
}

func TestCallDefaults(t *testing.T) {
	w := newWorld(t)
	w.mustPut("a", `{"exec":{"kind":"nodejs:20","code":"x"}}`)
	off := false
	w.ids[aliceKey].Overrides.StoreActivations = &off
	// A stored action without the annotation gets the key.
	old := *w.stored("a")
	old.Annotations = nil
	if _, err := w.PutAction(t.Context(), &old, nil, old.Revision); err != nil {
		t.Fatal(err)
	}
	var call *whisk.Call
	w.submit = func(_ context.Context, c *whisk.Call, ended func()) error { call = c; ended(); return nil }
	w.do("POST", "_/actions/a", "")
	if string(call.Args) != "{}" || call.Env != nil || !call.Unstored || !call.Target.WantsKey {
		t.Errorf("got %+v, target %+v", call, call.Target)
	}
}

func TestInvokeRefusals(t *testing.T) {
	const (
		final     = "Request defines parameters that are not allowed (e.g., reserved properties)."
		malformed = "The request content was malformed:\n"
	)
	for _, c := range []struct {
		name, payload string
		status        int
		text          string
	}{
		{"array", `[1]`, 400, malformed + "JSON object expected."},
		{"text", `"x"`, 400, malformed + "JSON object expected."},
		{"null", `null`, 400, malformed + "JSON object expected."},
		{"blank", " ", 400, malformed + "unexpected end of JSON input"},
		{"broken", `{"a":}`, 400, malformed + "invalid character '}' looking for beginning of value"},
		{"two values", `{} {}`, 400, malformed + "invalid character '{' after top-level value"},
		{"final", `{"a":2}`, 400, final},
		{"final, escaped", `{"\u0061":2}`, 400, final},
		{"final, environment", `{"e":2}`, 400, final},
		{"declared only", `{"n":2}`, 202, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.mustPut("a", `{"exec":{"kind":"nodejs:20","code":""},"annotations":[{"key":"final","value":true}],
				"parameters":[{"key":"a","value":1},{"key":"n","value":null},{"key":"e","value":1,"init":true}]}`)
			a := w.do("POST", "_/actions/a", c.payload)
			if a.status != c.status || c.text != "" && a.text(t) != c.text {
				t.Errorf("got %d %s, want %d %q", a.status, a.body, c.status, c.text)
			}
			if w.charges != 1 || w.inFlight != 0 {
				t.Errorf("charged %d, %d in flight, want 1 and 0", w.charges, w.inFlight)
			}
		})
	}
}

// TestRequestTime: a request has the longest wait and a little more, anew
// once a slow body has come.
func TestRequestTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.mustPut("a", plainBody)
		var left, waited time.Duration
		w.submit = func(ctx context.Context, c *whisk.Call, ended func()) error {
			end, _ := ctx.Deadline()
			left, waited = time.Until(end), c.Waited
			ended()
			return nil
		}
		w.do("POST", "_/actions/a", "{}")
		if left != 65*time.Second || waited != 0 {
			t.Errorf("time left %v, waited %v", left, waited)
		}
		w.do("POST", "_/actions/a", "{}", slowly(100*time.Second))
		if left != 65*time.Second || waited != 100*time.Second {
			t.Errorf("behind a slow body: time left %v, waited %v", left, waited)
		}
	})
}

// TestClientLeaves: the write of a PUT goes on.
func TestClientLeaves(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(context.Background())
	w.onPut = cancel
	if a := w.do("PUT", "_/actions/a", plainBody, within(ctx)); a.status != 200 {
		t.Errorf("PUT = %d %s", a.status, a.body)
	}
}
