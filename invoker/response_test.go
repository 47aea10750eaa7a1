package invoker

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"hearth/invoker/sandbox"
	"hearth/whisk"
)

func replied(ok bool, body string) sandbox.Outcome {
	return sandbox.Outcome{OK: ok, Body: []byte(body), Size: int64(len(body))}
}

func errorText(s string) string {
	b, _ := json.Marshal(map[string]string{"error": s})
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(b))
}

func TestInitResponse(t *testing.T) {
	limit := resultLimits{40, 40}
	for _, c := range []struct {
		name   string
		o      sandbox.Outcome
		failed bool
		result string
		size   int
	}{
		{"200, any body", replied(true, `junk`), false, "", 0},
		{"200, long body", replied(true, strings.Repeat("x", 50)), false, "", 0},
		{"not 200, object with error", replied(false, `{"error": {"a":1}, "b":2}`), true, `{"error":{"a":1}}`, 25},
		{"not 200, error null", replied(false, `{"error":null}`), true, `{"error":null}`, 14},
		{"not 200, object without error", replied(false, `{"a":1}`), true, errorText(`The action failed during initialization: {"a":1}`), 7},
		{"not 200, array", replied(false, `[1]`), true, errorText(`The action failed during initialization: [1]`), 3},
		{"not 200, text", replied(false, "<no>\n"), true, errorText(`The action failed during initialization: <no>`), 4},
		{"not 200, nothing", replied(false, ""), true, errorText(`The action failed during initialization.`), 0},
		{"not 200, too long", replied(false, strings.Repeat("x", 50)), true,
			errorText("The action produced a response that exceeded the allowed length: 50 > 40 bytes. The truncated response was: " + strings.Repeat("x", 40)), 50},
		{"no reply in time", sandbox.Outcome{Ending: sandbox.TimedOut}, true, errorText(`The action exceeded its time limits of 1500 milliseconds during initialization.`), 0},
		{"connection lost", sandbox.Outcome{Ending: sandbox.Exited}, true, errorText(`The action did not initialize and exited unexpectedly.`), 0},
		{"misbehaved", sandbox.Outcome{Ending: sandbox.Misbehaved, OK: true, Body: []byte(`{}`)}, true, errorText(`The action did not initialize and exited unexpectedly.`), 0},
		{"out of memory", sandbox.Outcome{Ending: sandbox.OutOfMemory}, true, errorText(`The action exhausted its memory and was aborted.`), 0},
	} {
		got, failed := initResponse(&c.o, 1500*time.Millisecond, limit)
		if failed != c.failed || string(got.Result) != c.result || got.Size != c.size || failed && got.Status != whisk.DeveloperError {
			t.Errorf("%s: %v, %v %s, size %d; want %v, %s, size %d", c.name, failed, got.Status, got.Result, got.Size, c.failed, c.result, c.size)
		}
	}
}

func TestRunResponse(t *testing.T) {
	limit := resultLimits{60, 60}
	invalid := "The action did not produce a valid JSON or JSON Array response"
	long := `{"a":"` + strings.Repeat("x", 60) + `"}`
	for _, c := range []struct {
		name   string
		o      sandbox.Outcome
		status whisk.Status
		result string
		size   int
	}{
		{"200, object", replied(true, `{ "a" : 12345678901234567890 }`), whisk.Success, `{ "a" : 12345678901234567890 }`, 30},
		{"200, empty object", replied(true, "{}\n"), whisk.Success, `{}`, 2},
		{"200, array", replied(true, `[{"error":1}]`), whisk.Success, `[{"error":1}]`, 13},
		{"200, error beside others", replied(true, `{"a":1,"error":"no","b":2}`), whisk.ApplicationError, `{"error":"no"}`, 26},
		{"200, error null", replied(true, `{"error":null}`), whisk.ApplicationError, `{"error":null}`, 14},
		{"200, error below", replied(true, `{"a":{"error":1}}`), whisk.Success, `{"a":{"error":1}}`, 17},
		{"200, string", replied(true, `"hi"`), whisk.DeveloperError, errorText(invalid + `: "hi"`), 4},
		{"200, number", replied(true, `7`), whisk.DeveloperError, errorText(invalid + `: 7`), 1},
		{"200, null", replied(true, `null`), whisk.DeveloperError, errorText(invalid + `: null`), 4},
		{"200, no JSON", replied(true, `{"a":`), whisk.DeveloperError, errorText(invalid + `: {"a":`), 5},
		{"200, two values", replied(true, `{} {}`), whisk.DeveloperError, errorText(invalid + `: {} {}`), 5},
		{"200, nothing", replied(true, ``), whisk.DeveloperError, errorText(invalid + `.`), 0},
		{"200, broken UTF-8", replied(true, "{\"a\":\"\xff\"}"), whisk.Success, "{\"a\":\"\uFFFD\"}", 11},
		{"not 200, object with error", replied(false, `{"error":[1],"b":2}`), whisk.DeveloperError, `{"error":[1]}`, 19},
		{"not 200, object", replied(false, `{"a":1}`), whisk.DeveloperError, errorText(invalid + `: {"a":1}`), 7},
		{"not 200, array", replied(false, `[1]`), whisk.DeveloperError, errorText(invalid + `: [1]`), 3},
		{"not 200, text", replied(false, `no`), whisk.DeveloperError, errorText(invalid + `: no`), 2},
		{"too long", replied(true, long), whisk.ApplicationError,
			errorText("The action produced a response that exceeded the allowed length: 68 > 60 bytes. The truncated response was: " + long[:60]), 68},
		{"cut by the sandbox", sandbox.Outcome{OK: true, Body: []byte(long[:60]), Size: 1000}, whisk.ApplicationError,
			errorText("The action produced a response that exceeded the allowed length: 1000 > 60 bytes. The truncated response was: " + long[:60]), 1000},
		{"too long, not 200", replied(false, long), whisk.ApplicationError,
			errorText("The action produced a response that exceeded the allowed length: 68 > 60 bytes. The truncated response was: " + long[:60]), 68},
		{"no reply in time", sandbox.Outcome{Ending: sandbox.TimedOut}, whisk.DeveloperError, errorText("The action exceeded its time limits of 1500 milliseconds."), 0},
		{"connection lost", sandbox.Outcome{Ending: sandbox.Exited}, whisk.DeveloperError, errorText("The action did not produce a valid response and exited unexpectedly."), 0},
		{"misbehaved", sandbox.Outcome{Ending: sandbox.Misbehaved, OK: true, Body: []byte(`{}`)}, whisk.DeveloperError, errorText("The action did not produce a valid response and exited unexpectedly."), 0},
		{"out of memory", sandbox.Outcome{Ending: sandbox.OutOfMemory}, whisk.DeveloperError, errorText("The action exhausted its memory and was aborted."), 0},
	} {
		got := runResponse(&c.o, 1500*time.Millisecond, limit)
		if got.Status != c.status || string(got.Result) != c.result || got.Size != c.size {
			t.Errorf("%s: %v %s, size %d; want %v %s, size %d", c.name, got.Status, got.Result, got.Size, c.status, c.result, c.size)
		}
	}
}

func TestTooDeepResult(t *testing.T) {
	deep := strings.Repeat("[", maxResultDepth+1) + strings.Repeat("]", maxResultDepth+1)
	o := replied(true, deep)
	if got := runResponse(&o, time.Second, resultLimits{1 << 20, 1 << 20}); got.Status != whisk.DeveloperError {
		t.Errorf("status = %v, want a developer error", got.Status)
	}
	o = replied(true, deep[1:len(deep)-1])
	got := runResponse(&o, time.Second, resultLimits{1 << 20, 1 << 20})
	if got.Status != whisk.Success {
		t.Errorf("status = %v, want success", got.Status)
	}
	if _, err := json.Marshal(&whisk.Activation{Response: got}); err != nil {
		t.Error(err)
	}
}

func TestShownOfTooLong(t *testing.T) {
	o := sandbox.Outcome{OK: true, Body: []byte(strings.Repeat("x", 60)), Size: 100}
	got := runResponse(&o, time.Second, resultLimits{60, 7})
	const want = "exceeded the allowed length: 100 > 60 bytes. The truncated response was: xxxxxxx\"}"
	if !strings.HasSuffix(string(got.Result), want) || got.Size != 100 {
		t.Errorf("result = %s, size %d, want %s", got.Result, got.Size, want)
	}
}

// A text cut in the middle of a character loses what is left of it.
func TestTruncationKeepsCharactersWhole(t *testing.T) {
	o := sandbox.Outcome{OK: true, Body: []byte("ab\u20ac")[:4], Size: 100}
	got := runResponse(&o, time.Second, resultLimits{4, 4})
	if !strings.HasSuffix(string(got.Result), `was: ab"}`) {
		t.Errorf("result = %q", got.Result)
	}
}

func FuzzRunResponse(f *testing.F) {
	for _, s := range []string{`{"a":1}`, `{"error":1,"b":2}`, `[1]`, `7`, "{\"a\":\"\xff\"}", `{"\u0065rror":1}`, ``, `{`} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, body string, ok bool) {
		o := replied(ok, body)
		for _, r := range []whisk.Response{
			runResponse(&o, time.Second, resultLimits{64, 64}),
			func() whisk.Response { r, _ := initResponse(&o, time.Second, resultLimits{64, 64}); return r }(),
		} {
			if r.Result == nil {
				continue
			}
			if !json.Valid(r.Result) {
				t.Fatalf("result %q is no JSON", r.Result)
			}
			e, has := whisk.Field(r.Result, "error")
			if (r.Status != whisk.Success) != has && whisk.IsObject(r.Result) {
				t.Fatalf("status %v with %s", r.Status, r.Result)
			}
			if r.Status != whisk.Success && string(r.Result) != `{"error":`+string(e)+`}` {
				t.Fatalf("more than the error in %s", r.Result)
			}
		}
	})
}

func TestLogLines(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 600, time.UTC)
	stamp := "2026-01-02T03:04:05.000000600Z stderr: "
	user := "2026-01-02T03:04:05.000000000Z stdout: hi"
	for _, c := range []struct {
		name  string
		o     sandbox.Outcome
		limit int64
		want  []string
		spoil bool
	}{
		{"success", sandbox.Outcome{OK: true, Body: []byte(`{}`), Logs: []string{user}}, 10, []string{user}, false},
		{"application error", sandbox.Outcome{OK: true, Body: []byte(`{"error":1}`), Logs: []string{user}}, 10, []string{user}, false},
		{"truncated", sandbox.Outcome{OK: true, Body: []byte(`{}`), Logs: []string{user}, LogsCut: true}, 10,
			[]string{user, stamp + "Logs were truncated because the total bytes size exceeds the limit of 10485760 bytes."}, true},
		{"developer error", sandbox.Outcome{Ending: sandbox.Exited, Logs: []string{user}}, 10,
			[]string{user, stamp + "The action did not initialize or run as expected. Log data might be missing."}, true},
		{"both", sandbox.Outcome{Ending: sandbox.TimedOut, Logs: []string{user}, LogsCut: true}, 1,
			[]string{user, stamp + "Logs were truncated because the total bytes size exceeds the limit of 1048576 bytes.",
				stamp + "The action did not initialize or run as expected. Log data might be missing."}, true},
		{"limit 0", sandbox.Outcome{OK: true, Body: []byte(`{}`), Logs: []string{user}, LogsCut: true}, 0, nil, false},
	} {
		var r result
		l := whisk.Limits{Timeout: 1000, Memory: 128, Logs: c.limit}
		r.ran(&c.o, l, resultLimits{1 << 20, 1 << 20})
		got := r.lines(c.limit, now)
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") || r.spoils() != c.spoil {
			t.Errorf("%s: %q, spoils %v; want %q, %v", c.name, got, r.spoils(), c.want, c.spoil)
		}
	}
	if len(logTime) != 30 {
		t.Errorf("a timestamp has %d characters, want 30", len(logTime))
	}
}
