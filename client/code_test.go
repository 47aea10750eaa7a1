package client

import "testing"

func TestCodeExtension(t *testing.T) {
	for _, tt := range []struct {
		kind   string
		binary bool
		want   string
	}{
		{"nodejs:20", false, ".js"}, {"python:3", false, ".py"}, {"go:1.22", false, ".go"}, {"rust", false, ".rs"},
		{"nodejs:20", true, ".zip"}, {"java:8", true, ".jar"}, {"ballerina:0", true, ".balx"}, {"blackbox", true, ".zip"},
		{"blackbox", false, ""}, {"", true, ".zip"}, {"", false, ""}, {"NodeJS:20", false, ".js"},
	} {
		if got := CodeExtension(tt.kind, tt.binary); got != tt.want {
			t.Errorf("%s, %v: got %q, want %q", tt.kind, tt.binary, got, tt.want)
		}
	}
}
