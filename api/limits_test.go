package api

import (
	"context"
	"strings"
	"testing"
	"time"

	"hearth/whisk"
)

// override lays limits over alice's, as package auth does.
func (w *world) override(over whisk.NamespaceLimits) {
	id := *w.ids[aliceKey]
	id.Overrides, id.Limits, id.Bounds = over, w.server.cfg.Limits.For(over), nil
	if b := id.Limits.Bounds(); b != w.server.cfg.Limits.Bounds() {
		id.Bounds = &b
	}
	w.ids[aliceKey] = &id
}

func size(text string) *whisk.ByteSize {
	n, err := whisk.ParseByteSize(text)
	if err != nil {
		panic(err)
	}
	return &n
}

// TestNamespaceLimits: what is set for a namespace holds with the next request.
func TestNamespaceLimits(t *testing.T) {
	w := newWorld(t)
	w.mustPut("a", `{"exec":{"kind":"nodejs:20","code":"1"},"limits":{"memory":512}}`)
	small, off := int64(256), false
	w.override(whisk.NamespaceLimits{
		MaxActionMemory: &small, StoreActivations: &off, AllowedKinds: []string{"python:3"},
		MaxParameterSize: size("100 B"), MaxPayloadSize: size("1 KB"), TruncationSize: size("10 B"),
	})
	for _, tt := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"PUT", "_/actions/b", `{"exec":{"kind":"python:3","code":"1"},"limits":{"memory":257}}`, 400, "memory size 257 MB exceeds allowed threshold of 256 MB"},
		{"PUT", "_/actions/b", `{"exec":{"kind":"nodejs:20","code":"1"}}`, 403, "not authorized to access actions of kind 'nodejs:20'"},
		{"PUT", "_/actions/b", `{"exec":{"kind":"python:3","code":"1"},"parameters":[{"key":"k","value":"` + strings.Repeat("x", 99) + `"}]}`, 413,
			"parameters larger than allowed: 102 > 100 bytes."},
		{"PUT", "_/actions/b", `{"exec":{"kind":"python:3","code":"1"},"annotations":[{"key":"k","value":"` + strings.Repeat("x", 99) + `"}]}`, 413,
			"annotations larger than allowed: 102 > 100 bytes."},
		{"POST", "_/actions/a", `{"k":"` + strings.Repeat("x", 1024) + `"}`, 413, "Request larger than allowed: 1032 > 1024 bytes."},
		{"GET", "_/limits", "", 200, `"maxActionMemory":256,"minActionLogs":0,"maxActionLogs":10,"minActionTimeout":100,"maxActionTimeout":300000,` +
			`"minActionConcurrency":1,"maxActionConcurrency":64,"maxParameterSize":"100 B","maxPayloadSize":"1 KB","truncationSize":"10 B","maxActionInstances":30}`},
	} {
		if a := w.do(tt.method, tt.path, tt.body); a.status != tt.status || !strings.Contains(a.body, tt.want) {
			t.Errorf("%s %s = %d %s, want %d %s", tt.method, tt.path, a.status, a.body, tt.status, tt.want)
		}
	}

	// A call takes along what the invoker has to look at.
	var got *whisk.Call
	w.invoke = func(_ context.Context, c *whisk.Call, _ time.Duration, ended func()) (*whisk.Activation, error) {
		got = c
		ended()
		return w.run(c, whisk.Response{}), nil
	}
	call := func(opts ...option) *whisk.Call {
		t.Helper()
		if a := w.do("POST", "_/actions/a?blocking=true", `{}`, opts...); a.status != 200 {
			t.Fatalf("invoke = %d %s", a.status, a.body)
		}
		return got
	}
	if c := call(); !c.Unstored || c.Bounds == nil || c.Bounds.ResultSize != 1024 || c.Bounds.TruncationSize != 10 || c.Bounds.Check(c.Target.Limits) == nil {
		t.Errorf("call = %+v with bounds %+v", c, c.Bounds)
	}
	if c := call(header("X-OW-EXTRA-LOGGING", "On")); c.Unstored {
		t.Error("a record that was asked for would not be kept")
	}
	w.override(whisk.NamespaceLimits{})
	if c := call(); c.Unstored || c.Bounds != nil {
		t.Errorf("call without overrides = %+v", c)
	}
	w.server.cfg.Limits.Memory = whisk.Range{Min: 128, Default: 128, Max: 256} // the operator has lowered the system's
	w.override(whisk.NamespaceLimits{})
	if c := call(); c.Bounds == nil || c.Bounds.Check(c.Target.Limits) == nil {
		t.Errorf("call beyond the system's limits has bounds %+v", c.Bounds)
	}
}
