package bench

import (
	"encoding/json"
	"testing"

	"hearth/whisk"
)

const warmRecord = `{"activationId":"0123","namespace":"guest","start":1,"end":5,"duration":4,"response":{"result":{"n":7,"s":"a\"}\\"},"size":9,` +
	`"status":"success","success":true},"logs":[],"annotations":[{"key":"path","value":"guest/a"},{"key":"limits","value":{"memory":128,"waitTime":9}},` +
	`{"key":"waitTime","value":3}],"publish":false}`

func TestCheckRecord(t *testing.T) {
	want := func(seq int64, result []byte) bool { return seq == 7 && string(result) == `{"n":7,"s":"a\"}\\"}` }
	for _, tt := range []struct {
		name string
		seq  int64
		a    Answer
		want Hit
	}{
		{"warm", 7, Answer{200, []byte(warmRecord)}, Hit{Start: whisk.Warm, Wait: 3 * ms, Run: 4 * ms}},
		{"another's", 8, Answer{200, []byte(warmRecord)}, Hit{Class: ClassWrongAnswer, Start: whisk.Warm, Wait: 3 * ms, Run: 4 * ms}},
		{"cold, spaced, value first", 7, Answer{200, []byte(` { "activationId" : "1" , "duration" : 40 , "annotations" : [ { "value" : 10 , "key" : "initTime" } , { "key":"waitTime","value":2 } ] , "response" : { "success" : true , "result" : {"n":7,"s":"a\"}\\"} } } `)},
			Hit{Start: whisk.Cold, Wait: 2 * ms, Init: 10 * ms, Run: 30 * ms}},
		{"failed", 7, Answer{502, []byte(`{"activationId":"1","duration":1,"response":{"success":false,"result":{}},"annotations":[]}`)}, Hit{Class: ClassFailed, Run: ms}},
		{"gateway's", 7, Answer{502, []byte("<html>")}, Hit{Class: ClassServer}},
		{"pending", 7, Answer{202, []byte(`{"activationId":"1"}`)}, Hit{Class: ClassPending}},
		{"throttled", 7, Answer{429, nil}, Hit{Class: ClassThrottled}},
		{"no record", 7, Answer{200, []byte(`{"n":7}`)}, Hit{Class: ClassBadAnswer}},
		{"no JSON", 7, Answer{200, []byte(warmRecord[:100])}, Hit{Class: ClassBadAnswer}},
		{"nothing", 7, Answer{200, nil}, Hit{Class: ClassBadAnswer}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := Hit{Class: StatusClass(tt.a.Status)}
			CheckRecord(want)(tt.seq, tt.a, &h)
			if h != tt.want {
				t.Errorf("got %+v, want %+v", h, tt.want)
			}
		})
	}
}

func TestCheckResult(t *testing.T) {
	check := CheckResult(func(seq int64, b []byte) bool { return seq == int64(len(b)) })
	for status, want := range map[int]string{200: ClassWrongAnswer, 202: ClassPending, 429: ClassThrottled, 502: ClassServer} {
		h := Hit{Class: StatusClass(status)}
		check(1, Answer{Status: status}, &h)
		if h.Class != want {
			t.Errorf("status %d: class %q, want %q", status, h.Class, want)
		}
	}
	var h Hit
	if check(2, Answer{200, []byte("ok")}, &h); h.Class != "" {
		t.Errorf("class %q, want none", h.Class)
	}
}

// FuzzReadRecord: of what is JSON, the same is read as encoding/json reads; what is
// not does no harm.
func FuzzReadRecord(f *testing.F) {
	f.Add([]byte(warmRecord))
	f.Add([]byte(`{"activationId":"","response":{"result":[1,{"a":[]}],"success":true},"annotations":[{"key":"initTime","value":5}]}`))
	f.Add([]byte(`{"a":"\\\\\"`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := readRecord(b)
		if err != nil || !json.Valid(b) {
			return
		}
		var v struct {
			Response map[string]json.RawMessage `json:"response"`
		}
		var all map[string]json.RawMessage
		if json.Unmarshal(b, &all) != nil || json.Unmarshal(all["response"], &v.Response) != nil {
			return
		}
		if got, ok := v.Response["result"]; ok && string(got) != string(r.result) {
			// Escapes in keys are not decoded; only plain ones must agree.
			if r.result != nil {
				t.Errorf("result %q, encoding/json reads %q", r.result, got)
			}
		}
	})
}
