package invoker

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"hearth/invoker/sandbox"
	"hearth/invoker/sandbox/process"
	"hearth/whisk"
)

// BenchmarkWarmCall measures what the invoker adds to a warm call: admission,
// record, journal and reply, and what becomes of it in a sandbox that answers
// at once.
func BenchmarkWarmCall(b *testing.B) {
	cfg := benchConfig(b)
	d := &fakeDriver{live: make(map[*fakeBox]bool), capacity: cfg.MemoryMB}
	d.run = func(_ context.Context, _ *fakeBox, in *sandbox.Run) sandbox.Outcome {
		return sandbox.Outcome{OK: true, Body: in.Args, Size: int64(len(in.Args))}
	}
	benchCalls(b, cfg, d, newTestCall("a", `{"name":"x"}`), nil)
}

// BenchmarkWarmProcess is a warm call in a process: of a launcher, or of a
// program that speaks the ActionLoop protocol and does little else.
func BenchmarkWarmProcess(b *testing.B) {
	d, err := process.New(process.DefaultConfig(b.TempDir()))
	if err != nil {
		b.Fatal(err)
	}
	codes := map[string]string{
		"nodejs": `function main(args) { return args }`,
		"python": "def main(args):\n    return args",
		"go":     echoProgram(b),
	}
	for _, r := range d.Runtimes() {
		code := codes[r.Family()]
		if code == "" {
			continue
		}
		b.Run(r.Family(), func(b *testing.B) {
			c := newTestCall("a", `{"name":"you","place":"here"}`)
			c.Target.Exec = whisk.Exec{Kind: r.Kind, Binary: r.Family() == "go", Code: sha256.Sum256([]byte(code))}
			c.Target.Limits.Memory = 256
			benchCalls(b, benchConfig(b), unclosed{d}, c, []byte(code))
		})
	}
	if err := d.Close(); err != nil {
		b.Error(err)
	}
}

// unclosed is a driver that outlives its invoker.
type unclosed struct{ sandbox.Driver }

func (unclosed) Close() error { return nil }

func benchConfig(b *testing.B) Config {
	cfg := testConfig(b.TempDir())
	cfg.Journal.MaxBytes, cfg.Journal.SegmentBytes = 1<<30, 8<<20
	return cfg
}

// benchCalls makes one call after the other.
func benchCalls(b *testing.B, cfg Config, d sandbox.Driver, call *whisk.Call, code []byte) {
	v, err := New(cfg, []sandbox.Driver{d})
	if err != nil {
		b.Fatal(err)
	}
	defer v.Close()
	ch := make(chan whisk.Reply, 1)
	reply := func(x whisk.Reply) { ch <- x }
	one := func() {
		c := *call
		c.ID = whisk.NewActivationID()
		if err := v.Call(&c, reply); err != nil {
			b.Fatal(err)
		}
		x := <-ch
		if x.Kind == whisk.NeedCode {
			v.Code(c.ID, code)
			x = <-ch
		}
		if x.Kind != whisk.Done || x.Record.Response.Status != whisk.Success {
			b.Fatalf("%s: %s", x.Kind, x.Record.Response.Result)
		}
		v.Ack(c.ID)
	}
	for range 50 {
		one()
	}
	b.ReportAllocs()
	for b.Loop() {
		one()
	}
}

// echoProgram builds a program that answers each request with {}.
func echoProgram(b *testing.B) string {
	const source = `package main

import "os"

func main() {
	in, out := make([]byte, 1<<16), os.NewFile(3, "out")
	for {
		if n, err := os.Stdin.Read(in); n == 0 || err != nil {
			return
		}
		if _, err := out.WriteString("{}\n"); err != nil {
			return
		}
	}
}
`
	dir := b.TempDir()
	program := filepath.Join(dir, "echo")
	if err := os.WriteFile(program+".go", []byte(source), 0o600); err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-o", program, program+".go")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Logf("no go row: %s, %v", strings.TrimSpace(string(out)), err)
		return ""
	}
	text, err := os.ReadFile(program)
	if err != nil {
		b.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(text)
}
