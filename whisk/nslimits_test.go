package whisk

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestByteSize(t *testing.T) {
	for text, want := range map[string]string{
		"1 MB": "1 MB", "1mb": "1 MB", " 1024 kb ": "1 MB", "1m": "1 MB", "1048577": "1048577 B", "512B": "512 B", "3 g": "3 GB",
		"0": "0 B", "1536 KB": "1536 KB",
		"": "", "MB": "", "1 TB": "", "-1 MB": "", "1.5 MB": "", "9999999999 GB": "", "1 M B": "", "1 BB": "",
	} {
		got, err := ParseByteSize(text)
		if (err == nil) != (want != "") || err == nil && got.String() != want {
			t.Errorf("%q = %v, %v, want %q", text, got, err, want)
		}
		if err == nil {
			if again, err := ParseByteSize(got.String()); err != nil || again != got {
				t.Errorf("%q read again: %v, %v", got, again, err)
			}
		}
	}
}

func FuzzByteSize(f *testing.F) {
	f.Add("1 MB")
	f.Add("9223372036854775807")
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ParseByteSize(s)
		if err != nil {
			return
		}
		if again, err := ParseByteSize(n.String()); err != nil || again != n || n < 0 {
			t.Errorf("%q = %d, written %q, read %d, %v", s, n, n, again, err)
		}
	})
}

func limitsOf(t *testing.T, text string) NamespaceLimits {
	t.Helper()
	var l NamespaceLimits
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestNamespaceLimits(t *testing.T) {
	l := limitsOf(t, `{"invocationsPerMinute":0,"maxActionMemory":9999,"minActionTimeout":50,"maxParameterSize":"2 KB",
		"maxPayloadSize":"1 KB","truncationSize":"100 B","concurrentInvocations":1000}`)
	s := DefaultSystemLimits().For(l)
	if s.InvocationsPerMinute != 0 || s.FiresPerMinute != 60 || s.ConcurrentInvocations != 1000 || s.Memory.Max != 512 || s.Timeout.Min != 100 ||
		s.ParameterSize != 2048 || s.PayloadSize != 1024 || s.ResultSize != 1024 || s.TruncationSize != 100 {
		t.Errorf("limits = %+v", s)
	}
	if s := DefaultSystemLimits().For(limitsOf(t, `{"maxParameterSize":"1 GB","maxPayloadSize":"1 GB","truncationSize":"1 GB"}`)); s != DefaultSystemLimits() {
		t.Errorf("beyond the system's: %+v", s)
	}
	m := l.Merge(limitsOf(t, `{"invocationsPerMinute":7,"allowedKinds":["a"],"storeActivations":false}`))
	b, err := json.Marshal(m)
	const want = `{"invocationsPerMinute":7,"concurrentInvocations":1000,"allowedKinds":["a"],"storeActivations":false,"maxActionMemory":9999,` +
		`"minActionTimeout":50,"maxParameterSize":"2 KB","maxPayloadSize":"1 KB","truncationSize":"100 B"}`
	if err != nil || string(b) != want {
		t.Errorf("merged: %s, %v, want %s", b, err, want)
	}
	if l.AllowedKinds != nil || *l.InvocationsPerMinute != 0 {
		t.Errorf("Merge changed its receiver: %+v", l)
	}
	if m.IsZero() || !(NamespaceLimits{}).IsZero() {
		t.Error("IsZero")
	}
	for text, want := range map[string]string{
		`{"firesPerMinute":-1}`:          "firesPerMinute must not be negative",
		`{"truncationSize":"0 B"}`:       "truncationSize must be greater than 0",
		`{"allowedKinds":[""]}`:          "a kind of 0 bytes",
		`{"storeActivations":true}`:      "",
		`{"concurrentInvocations":0}`:    "",
		`{"maxPayloadSize":"999999 GB"}`: "",
	} {
		err := limitsOf(t, text).Validate()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
