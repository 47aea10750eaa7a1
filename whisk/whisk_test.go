package whisk

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestNames(t *testing.T) {
	tests := []struct {
		name string
		ok   bool
	}{
		{"a", true}, {"_", true}, {"9x", true}, {"a b", true}, {"a@b.c&d-e", true}, {strings.Repeat("x", 256), true},
		{"", false}, {" a", false}, {"a ", false}, {"-a", false}, {".a", false}, {"a/b", false}, {"ä", false}, {"a$", false},
		{strings.Repeat("x", 257), false}, {"a\n", false},
	}
	for _, tt := range tests {
		if got := ValidName(tt.name); got != tt.ok {
			t.Errorf("ValidName(%q) = %t, want %t", tt.name, got, tt.ok)
		}
	}
	if got := MessageOf(CheckName(strings.Repeat("x", 300))); got != "Name segement longer than allowed: 300 > 256." {
		t.Errorf("message = %q", got)
	}
}

func TestParseActionName(t *testing.T) {
	tests := []struct {
		in   string
		want ActionName
		ok   bool
	}{
		{"/ns/a", ActionName{"ns", "", "a"}, true},
		{"ns/p/a", ActionName{"ns", "p", "a"}, true},
		{"/_/p/a", ActionName{"me", "p", "a"}, true},
		{"a", ActionName{}, false},
		{"/a", ActionName{}, false},
		{"/a/b/c/d", ActionName{}, false},
		{"//a", ActionName{}, false},
	}
	for _, tt := range tests {
		got, err := ParseActionName(tt.in, "me")
		if (err == nil) != tt.ok || got != tt.want {
			t.Errorf("ParseActionName(%q) = %+v, %v", tt.in, got, err)
		}
	}
}

func TestActivationID(t *testing.T) {
	id := NewActivationID()
	back, err := ParseActivationID(id.String())
	if err != nil || back != id || len(id.String()) != 32 {
		t.Fatalf("round trip of %v: %v, %v", id, back, err)
	}
	for in, want := range map[string]string{
		"abc":                   "Activation id length is 3 but must be 32.",
		strings.Repeat("A", 32): "The activation id is not valid.",
		strings.Repeat("g", 32): "The activation id is not valid.",
	} {
		if _, err := ParseActivationID(in); MessageOf(err) != want {
			t.Errorf("ParseActivationID(%q): %v, want %q", in, err, want)
		}
	}
}

func TestVersion(t *testing.T) {
	for in, want := range map[string]string{"1": "1.0.0", "0.0.7": "0.0.7", "2.3": "2.3.0", "": "", "0.0.0": "", "1.2.3.4": "", "a": "", "-1": ""} {
		v, err := ParseVersion(in)
		if (err == nil) != (want != "") || want != "" && v.String() != want {
			t.Errorf("ParseVersion(%q) = %v, %v, want %q", in, v, err, want)
		}
	}
}

func TestVersionText(t *testing.T) {
	for _, v := range []Version{{}, {0, 0, 1}, {1, 2, 3}} {
		b, err := json.Marshal(v)
		var back Version
		if err != nil || json.Unmarshal(b, &back) != nil || back != v {
			t.Errorf("%v became %s and %v, %v", v, b, back, err)
		}
	}
}

func TestParameters(t *testing.T) {
	var ps Parameters
	in := `[{"key":"a","value":1},{"key":"s","value":"x","init":true},{"key":"o","value":{ "k": 12345678901234567890 },"init":true},
	        {"key":"n","value":null,"init":true},{"key":"a","value":"<b>"}]`
	if err := json.Unmarshal([]byte(in), &ps); err != nil {
		t.Fatal(err)
	}
	if got, want := string(ps.Arguments()), `{"a":"<b>"}`; got != want {
		t.Errorf("Arguments = %s, want %s", got, want)
	}
	if got, want := string(ps.Environment()), `{"s":"x","o":"{\"k\":12345678901234567890}","n":""}`; got != want {
		t.Errorf("Environment = %s, want %s", got, want)
	}
	for _, bad := range []string{`{}`, `[{"key":"a"}]`, `[{"value":1}]`, `[1]`, `null`, `[{"key":1,"value":1}]`} {
		if err := (&Parameters{}).UnmarshalJSON([]byte(bad)); KindOf(err) != BadRequest {
			t.Errorf("%s passed: %v", bad, err)
		}
	}
	if b, _ := json.Marshal(Parameters(nil)); string(b) != "[]" {
		t.Errorf("empty list = %s", b)
	}
	for v, want := range map[string]bool{"true": true, "false": false, "0": false, `""`: false, "null": false, "{}": true, `"x"`: true, "1": true,
		"0.00": false, "-0": false, "0e3": false, "1e-3": true, `"0"`: true, "[]": true, "1e999": true} {
		if got := (Parameters{{Key: "c", Value: json.RawMessage(v)}}).Truthy("c"); got != want {
			t.Errorf("Truthy(%s) = %t", v, got)
		}
	}
}

func TestLimits(t *testing.T) {
	s := DefaultSystemLimits()
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	l := s.Default()
	l.Memory = 1024
	if got := MessageOf(s.Check(l)); got != "memory size 1024 MB exceeds allowed threshold of 512 MB" {
		t.Errorf("message = %q", got)
	}
	low, n := int64(64), int64(7)
	got := s.For(NamespaceLimits{MaxActionMemory: &low, InvocationsPerMinute: &n})
	if got.Memory.Max != 128 || got.Memory.Default != 128 || got.InvocationsPerMinute != 7 {
		t.Errorf("For = %+v", got)
	}
}

func TestRuntimes(t *testing.T) {
	rs := NewRuntimes([]Runtime{{Kind: "python:3.11"}, {Kind: "nodejs:20", Default: true}}, []Runtime{{Kind: "nodejs:22", Default: true}, {Kind: "python:3.9"}})
	for in, want := range map[string]string{"nodejs:default": "nodejs:20", " NodeJS:22": "nodejs:22", "python:default": "python:3.9"} {
		if r, err := rs.Resolve(in); err != nil || r.Kind != want {
			t.Errorf("Resolve(%q) = %v, %v, want %s", in, r, err, want)
		}
	}
	_, err := rs.Resolve("nodejs")
	want := "The specified runtime 'nodejs' is not supported by this platform. Valid values are: 'nodejs:20', 'nodejs:22', 'python:3.11', 'python:3.9', 'sequence', 'blackbox'."
	if MessageOf(err) != want {
		t.Errorf("message = %q", MessageOf(err))
	}
}

func TestImageName(t *testing.T) {
	for in, want := range map[string]string{
		"openwhisk/dockerskeleton": "openwhisk/dockerskeleton", "openwhisk/dockerskeleton:nightly": "openwhisk/dockerskeleton",
		"docker.io/openwhisk/dockerskeleton:1": "openwhisk/dockerskeleton", "localhost:5000/a/b:c": "localhost:5000/a/b", "b:c": "b",
	} {
		if got := ImageName(in); got != want {
			t.Errorf("ImageName(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestKindOf(t *testing.T) {
	err := fmt.Errorf("get: %w", ErrNotFound)
	if KindOf(err) != NotFound || KindOf(errors.New("x")) != Internal || !errors.Is(err, ErrNotFound) {
		t.Error("kinds are lost in a chain")
	}
}

func TestFailure(t *testing.T) {
	c := &Call{ID: NewActivationID(), Namespace: "me", Target: &Target{Name: ActionName{"ns", "p", "a"}, Binding: "me/b"}}
	a := c.Failure(`broke "here"`, time.UnixMilli(5000))
	if a.FilterName() != "b/a" || a.Facts.Path != "ns/p/a" || string(a.Response.Result) != `{"error":"broke \"here\""}` || a.End != 5000 {
		t.Errorf("record = %+v", a)
	}
}
