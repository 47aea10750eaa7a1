package whisk

import (
	"encoding/json"
	"testing"
	"time"
)

func TestRetention(t *testing.T) {
	for text, want := range map[string]string{
		"7d": "7d", "168h": "7d", "36h": "36h0m0s", "0": "0", "0d": "0", "0s": "0", " 90m ": "1h30m0s", "36500d": "36500d",
		"": "", "d": "", "-1h": "", "-1d": "", "1.5d": "", "36501d": "", "7": "", "7 d": "", "99999999d": "", "1w": "",
	} {
		got, err := ParseRetention(text)
		if (err == nil) != (want != "") || err == nil && got.String() != want || err != nil && KindOf(err) != BadRequest {
			t.Errorf("%q = %v, %v, want %q", text, got, err, want)
		}
		if err == nil {
			if again, err := ParseRetention(got.String()); err != nil || again != got {
				t.Errorf("%q read again: %v, %v", got, again, err)
			}
		}
	}
}

func TestRetentionOfNamespace(t *testing.T) {
	l := limitsOf(t, `{"retention":"36h"}`)
	if l.Retention == nil || time.Duration(*l.Retention) != 36*time.Hour || l.Validate() != nil || l.IsZero() {
		t.Errorf("limits = %+v, %v", l, l.Validate())
	}
	if b, err := json.Marshal(l); err != nil || string(b) != `{"retention":"36h0m0s"}` {
		t.Errorf("written %s, %v", b, err)
	}
	if l := (NamespaceLimits{}).Merge(l); l.Retention == nil {
		t.Errorf("merged: %+v", l)
	}
	if err := json.Unmarshal([]byte(`{"retention":"soon"}`), &l); err == nil {
		t.Errorf("a retention of no sense is taken: %v", l.Retention)
	}
}
