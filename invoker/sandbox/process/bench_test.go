package process_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"hearth/invoker/sandbox"
	"hearth/invoker/sandbox/process"
	"hearth/whisk"
)

var benchCodes = map[string]struct {
	code   string
	binary bool
}{
	"nodejs":       {`function main(args) { return args; }`, false},
	"python":       {"def main(args):\n    return args", false},
	"go":           {script(`while read -r l; do echo '{}' >&3; done`), true},
	whisk.Blackbox: {"#!/bin/sh\ncat", false},
}

func benchmark(b *testing.B, f func(*testing.B, sandbox.Driver, sandbox.Spec, *sandbox.Init)) {
	d, err := process.New(process.DefaultConfig(b.TempDir()))
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	specs := []sandbox.Spec{{Kind: whisk.Blackbox, Image: whisk.SkeletonImage, MemoryMB: 256}}
	for _, r := range d.Runtimes() {
		specs = append(specs, sandbox.Spec{Kind: r.Kind, MemoryMB: 256})
	}
	for _, spec := range specs {
		code := benchCodes[whisk.Runtime{Kind: spec.Kind}.Family()]
		path := filepath.Join(b.TempDir(), "code")
		if err := os.WriteFile(path, []byte(code.code), 0o600); err != nil {
			b.Fatal(err)
		}
		b.Run(spec.Kind, func(b *testing.B) {
			f(b, d, spec, &sandbox.Init{
				ID: whisk.NewActivationID(), CodePath: path, Binary: code.binary,
				Timeout: time.Minute, LogBytes: 1 << 20, ResultBytes: 1 << 20,
			})
		})
	}
}

func good(b *testing.B, o sandbox.Outcome) {
	b.Helper()
	if o.Ending != sandbox.Replied || !o.OK {
		b.Fatalf("%s %s %v", o.Ending, o.Body, o.Err)
	}
}

func runOnce(sb sandbox.Sandbox) sandbox.Outcome {
	done := make(chan sandbox.Outcome)
	in := &sandbox.Run{ID: whisk.NewActivationID(), Args: []byte(`{"name":"you"}`), Timeout: time.Minute, LogBytes: 1 << 20, ResultBytes: 1 << 20}
	sb.Run(in, func(o sandbox.Outcome) { done <- o })
	return <-done
}

// BenchmarkCold is a start, an init, a run and the end.
func BenchmarkCold(b *testing.B) {
	benchmark(b, func(b *testing.B, d sandbox.Driver, spec sandbox.Spec, in *sandbox.Init) {
		for b.Loop() {
			sb, err := d.Create(b.Context(), spec)
			if err != nil {
				b.Fatal(err)
			}
			good(b, sb.Init(b.Context(), in))
			good(b, runOnce(sb))
			sb.Destroy()
		}
	})
}

// BenchmarkWarm is a run in a sandbox that has run before.
func BenchmarkWarm(b *testing.B) {
	benchmark(b, func(b *testing.B, d sandbox.Driver, spec sandbox.Spec, in *sandbox.Init) {
		sb, err := d.Create(b.Context(), spec)
		if err != nil {
			b.Fatal(err)
		}
		defer sb.Destroy()
		good(b, sb.Init(b.Context(), in))
		for b.Loop() {
			good(b, runOnce(sb))
		}
	})
}
