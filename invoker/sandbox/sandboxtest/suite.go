package sandboxtest

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hearth/invoker/sandbox"
	"hearth/whisk"
)

// patience is the time limit of code that is expected to end by itself. It is
// long, for slow and busy machines.
const patience = 60 * time.Second

// Run runs the whole suite on a driver, which it closes at the end.
func Run(t *testing.T, newDriver func(*testing.T) sandbox.Driver) {
	d := newDriver(t)
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	targets := targetsOf(d)
	if len(targets) == 0 {
		t.Fatal("the driver offers nothing that the suite has code for")
	}
	t.Run("refuses unknown kinds", func(t *testing.T) {
		_, err := d.Create(t.Context(), sandbox.Spec{Kind: "cobol:60", MemoryMB: 128})
		if whisk.KindOf(err) != whisk.BadRequest {
			t.Errorf("error %v, want one of kind BadRequest", err)
		}
	})
	for _, tg := range targets {
		t.Run(tg.family, func(t *testing.T) {
			s := &suite{d: d, target: tg}
			t.Run("good code", s.goodCode)
			t.Run("bad code", s.badCode)
			t.Run("bad init", s.badInit)
			t.Run("limits", s.limits)
			t.Run("ends", s.ends)
		})
	}
}

// target is one kind or image that the driver offers.
type target struct {
	family string
	spec   sandbox.Spec
	codes  map[string]string
}

func targetsOf(d sandbox.Driver) []target {
	var out []target
	for _, r := range d.Runtimes() {
		if c, ok := codes[r.Family()]; ok {
			out = append(out, target{r.Family(), sandbox.Spec{Kind: r.Kind, MemoryMB: 256}, c})
		}
	}
	for _, image := range d.Images() {
		if image == whisk.SkeletonImage {
			out = append(out, target{whisk.Blackbox, sandbox.Spec{Kind: whisk.Blackbox, Image: image, MemoryMB: 256}, codes[whisk.Blackbox]})
		}
	}
	return out
}

type suite struct {
	d sandbox.Driver
	target
}

// Box is one sandbox under test, with what is common to its calls.
type Box struct {
	sandbox.Sandbox
	t    *testing.T
	last whisk.ActivationID
}

// NewBox creates a sandbox that the test destroys at its end.
func NewBox(t *testing.T, d sandbox.Driver, spec sandbox.Spec) *Box {
	t.Helper()
	if spec.Env == nil {
		spec.Env = map[string]string{"__OW_API_HOST": "http://api.example"}
	}
	sb, err := d.Create(t.Context(), spec)
	if err != nil {
		t.Fatalf("create %s: %v", spec.Kind, err)
	}
	t.Cleanup(sb.Destroy)
	return &Box{Sandbox: sb, t: t}
}

// With changes the limits of a call. Negative LogBytes stand for none.
type With struct {
	Timeout               time.Duration
	LogBytes, ResultBytes int64
	Main                  string
	Env                   string // JSON
	Binary                bool
}

func (w With) or() With {
	if w.Timeout == 0 {
		w.Timeout = patience
	}
	if w.LogBytes == 0 {
		w.LogBytes = 1 << 20
	}
	w.LogBytes = max(w.LogBytes, 0)
	if w.ResultBytes == 0 {
		w.ResultBytes = 1 << 20
	}
	return w
}

// Load initialises the box with code.
func (b *Box) Load(code string, w With) sandbox.Outcome {
	b.t.Helper()
	w = w.or()
	path := filepath.Join(b.t.TempDir(), "code")
	if err := os.WriteFile(path, []byte(code), 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.last = whisk.NewActivationID()
	return b.Sandbox.Init(context.WithoutCancel(b.t.Context()), &sandbox.Init{
		ID: b.last, TransactionID: "tid-init", Action: "/guest/pkg/tested", Version: "0.0.7", Namespace: "caller",
		Main: w.Main, CodePath: path, Binary: w.Binary, Env: json.RawMessage(w.Env), APIKey: "key:init",
		Timeout: w.Timeout, LogBytes: w.LogBytes, ResultBytes: w.ResultBytes,
	})
}

// MustLoad is Load of code that is good.
func (b *Box) MustLoad(code string, w With) {
	b.t.Helper()
	if o := b.Load(code, w); o.Ending != sandbox.Replied || !o.OK {
		b.t.Fatalf("init: %s", Show(o))
	}
}

// Call runs the box's code once.
func (b *Box) Call(args string, w With) sandbox.Outcome {
	b.t.Helper()
	return b.CallContext(context.WithoutCancel(b.t.Context()), args, w)
}

// CallContext is Call that destroys the box when the context ends.
func (b *Box) CallContext(ctx context.Context, args string, w With) sandbox.Outcome {
	b.t.Helper()
	w = w.or()
	b.last = whisk.NewActivationID()
	defer context.AfterFunc(ctx, b.Destroy)()
	done := make(chan sandbox.Outcome, 2)
	b.Sandbox.Run(&sandbox.Run{
		ID: b.last, TransactionID: "tid-run", Action: "/guest/pkg/tested", Version: "0.0.7", Namespace: "caller",
		Args: json.RawMessage(args), APIKey: "key:run",
		Timeout: w.Timeout, LogBytes: w.LogBytes, ResultBytes: w.ResultBytes,
	}, func(o sandbox.Outcome) { done <- o })
	o := <-done
	if len(done) > 0 {
		b.t.Error("a second outcome of one run")
	}
	return o
}

// MustCall is Call of code that succeeds; it returns the reply.
func (b *Box) MustCall(args string, w With) string {
	b.t.Helper()
	o := b.Call(args, w)
	if o.Ending != sandbox.Replied || !o.OK {
		b.t.Fatalf("run: %s", Show(o))
	}
	return string(o.Body)
}

// IsBroken reports whether the box is broken or becomes so soon.
func (b *Box) IsBroken() bool {
	select {
	case <-b.Broken():
		return true
	case <-time.After(patience):
		return false
	}
}

// Show describes an outcome in a few lines.
func Show(o sandbox.Outcome) string {
	logs := strings.Join(o.Logs[:min(len(o.Logs), 20)], "\n\t")
	body := o.Body[:min(len(o.Body), 500)]
	b, _ := json.Marshal(map[string]any{"ending": o.Ending.String(), "ok": o.OK, "size": o.Size, "cut": o.LogsCut, "took": o.Took.String()})
	err := ""
	if o.Err != nil {
		err = o.Err.Error()
	}
	return string(b) + " body " + string(body) + " err " + err + "\n\t" + logs
}

// works checks that the driver still makes sandboxes that work.
func (s *suite) works(t *testing.T) {
	t.Helper()
	b := NewBox(t, s.d, s.spec)
	b.MustLoad(s.codes["echo"], With{Binary: s.binary()})
	if got := b.MustCall(`{"n":1}`, With{}); !strings.Contains(got, `"n":1`) {
		t.Errorf("the next sandbox replies %s", got)
	}
	b.Destroy()
}
