package whisk

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestParseRetry(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want Retry
		err  string
	}{
		{`{"attempts":3}`, Retry{3, time.Second, 0}, ""},
		{`{"attempts":1,"backoff":0,"maxAge":60000}`, Retry{1, 0, time.Minute}, ""},
		{`{"attempts":10,"backoff":"250ms","maxAge":"2h","more":1}`, Retry{10, 250 * time.Millisecond, 2 * time.Hour}, ""},
		{`{"attempts":2,"backoff":null}`, Retry{2, time.Second, 0}, ""},
		{`{}`, Retry{}, "attempts must be 1 to 10"},
		{`{"attempts":0}`, Retry{}, "attempts must be 1 to 10"},
		{`{"attempts":11}`, Retry{}, "attempts must be 1 to 10"},
		{`{"attempts":"3"}`, Retry{}, "attempts must be a number"},
		{`{"attempts":3,"backoff":-1}`, Retry{}, "backoff must be 0 to 15m0s"},
		{`{"attempts":3,"backoff":"16m"}`, Retry{}, "backoff must be 0 to 15m0s"},
		{`{"attempts":3,"backoff":"soon"}`, Retry{}, `"soon" is no duration`},
		{`{"attempts":3,"backoff":1.5}`, Retry{}, "numbers of ms"},
		{`{"attempts":3,"maxAge":9223372036854775807}`, Retry{}, "maxAge must be 0 to 168h0m0s"},
		{`3`, Retry{}, "it must be an object"},
		{`null`, Retry{}, "it must be an object"},
	} {
		got, err := ParseRetry(json.RawMessage(tt.in))
		switch {
		case tt.err == "" && (err != nil || *got != tt.want):
			t.Errorf("ParseRetry(%s) = %v, %v, want %v", tt.in, got, err, tt.want)
		case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
			t.Errorf("ParseRetry(%s) = %v, %v, want error %q", tt.in, got, err, tt.err)
		}
	}
}

func TestRetryPause(t *testing.T) {
	r := Retry{Attempts: 10, Backoff: time.Minute}
	want := []time.Duration{1, 2, 4, 8, 15, 15, 15, 15, 15, 0, 0}
	for i, w := range want {
		if got := r.Pause(i + 1); got != w*time.Minute {
			t.Errorf("pause after attempt %d is %v, want %v", i+1, got, w*time.Minute)
		}
	}
	if got := (&Retry{Attempts: 2}).Pause(1); got != time.Millisecond {
		t.Errorf("pause without backoff is %v, want the least there is", got)
	}
}

func TestSettle(t *testing.T) {
	r := &Retry{Attempts: 2, Backoff: time.Second}
	for _, tt := range []struct {
		attempt int
		retry   *Retry
		status  Status
		again   int64
		dead    bool
	}{
		{0, r, DeveloperError, 0, false}, // somebody waits for it
		{1, r, Success, 0, false},
		{1, r, ApplicationError, 1000, false},
		{1, r, WhiskError, 1000, false},
		{2, r, Success, 0, false},
		{2, r, DeveloperError, 0, true},
		{1, nil, DeveloperError, 0, false},
	} {
		c := &Call{ID: NewActivationID(), Target: &Target{}, Attempt: tt.attempt, Retry: tt.retry}
		a := c.Record()
		a.Response.Status = tt.status
		c.Settle(a)
		if a.Again != tt.again || a.Dead != tt.dead {
			t.Errorf("%+v: again %d, dead %v", tt, a.Again, a.Dead)
		}
		if a.Attempt != tt.attempt {
			t.Errorf("%+v: the record has attempt %d", tt, a.Attempt)
		}
	}
}

func FuzzParseRetry(f *testing.F) {
	f.Add([]byte(`{"attempts":3,"backoff":"1s","maxAge":5}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseRetry(b)
		if err != nil {
			return
		}
		for i := 1; i <= r.Attempts; i++ {
			if p := r.Pause(i); p < 0 || p > MaxRetryPause || (p == 0) != (i == r.Attempts) {
				t.Errorf("%+v: pause after attempt %d is %v", r, i, p)
			}
		}
	})
}
