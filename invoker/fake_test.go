package invoker

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hearth/invoker/sandbox"
	"hearth/whisk"
)

// fakeDriver makes sandboxes in memory. It checks what the pool promises: no
// more memory than there is, one call at a time in a sandbox.
type fakeDriver struct {
	capacity  int64
	createFor time.Duration
	create    func(sandbox.Spec) error
	init      func(*sandbox.Init) sandbox.Outcome
	run       func(context.Context, *fakeBox, *sandbox.Run) sandbox.Outcome

	mu      sync.Mutex
	mb      int64
	live    map[*fakeBox]bool
	created int
	faults  []string
}

func (d *fakeDriver) fault(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults = append(d.faults, fmt.Sprintf(format, args...))
}

func (d *fakeDriver) Runtimes() []whisk.Runtime { return []whisk.Runtime{{Kind: "fake:1"}} }
func (d *fakeDriver) Images() []string          { return []string{"img"} }
func (d *fakeDriver) Isolation() string         { return "none: it is a fake" }
func (d *fakeDriver) Close() error              { return nil }

func (d *fakeDriver) Create(ctx context.Context, s sandbox.Spec) (sandbox.Sandbox, error) {
	if d.create != nil {
		if err := d.create(s); err != nil {
			return nil, err
		}
	}
	d.mu.Lock()
	d.mb += s.MemoryMB
	if d.mb > d.capacity {
		d.faults = append(d.faults, fmt.Sprintf("%d MB are in use of %d", d.mb, d.capacity))
	}
	b := &fakeBox{d: d, spec: s, broken: make(chan struct{}), destroyed: make(chan struct{})}
	d.live[b] = true
	d.created++
	d.mu.Unlock()
	time.Sleep(d.createFor)
	return b, nil
}

type fakeBox struct {
	d         *fakeDriver
	spec      sandbox.Spec
	init      *sandbox.Init
	calls     atomic.Int32
	runs      int
	broken    chan struct{}
	once      sync.Once
	breakOnce sync.Once
	destroyed chan struct{}
}

func (b *fakeBox) Init(ctx context.Context, in *sandbox.Init) sandbox.Outcome {
	if b.init != nil {
		b.d.fault("a second init")
	}
	b.init = in
	if in.CodePath != "" {
		if code, err := os.ReadFile(in.CodePath); err != nil || len(code) == 0 {
			b.d.fault("no code: %v", err)
		}
	}
	if b.d.init != nil {
		return b.d.init(in)
	}
	return sandbox.Outcome{OK: true, Took: time.Millisecond}
}

func (b *fakeBox) Run(in *sandbox.Run, done func(sandbox.Outcome)) {
	if b.calls.Add(1) > 1 {
		b.d.fault("two calls at once in a sandbox")
	}
	select {
	case <-b.destroyed:
		b.d.fault("a run in a destroyed sandbox")
	default:
	}
	if b.init == nil || b.init.Action != in.Action || b.init.Namespace != in.Namespace {
		b.d.fault("a run of %s of %s in a sandbox for %+v", in.Action, in.Namespace, b.init)
	}
	b.runs++
	go func() {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		ended := make(chan struct{})
		defer close(ended)
		go func() {
			select {
			case <-b.destroyed:
				cancel()
			case <-ended:
			}
		}()
		o := b.d.run(ctx, b, in)
		b.calls.Add(-1)
		done(o)
	}()
}

func (b *fakeBox) breakDown()              { b.breakOnce.Do(func() { close(b.broken) }) }
func (b *fakeBox) Broken() <-chan struct{} { return b.broken }
func (b *fakeBox) Destroy() {
	b.once.Do(func() {
		b.d.mu.Lock()
		b.d.mb -= b.spec.MemoryMB
		delete(b.d.live, b)
		b.d.mu.Unlock()
		close(b.destroyed)
	})
}

// nap is a fakeDriver.run that sleeps as long as its arguments say, within the
// time limit, and echoes them.
func nap(ctx context.Context, b *fakeBox, in *sandbox.Run) sandbox.Outcome {
	var args struct {
		MS    int64  `json:"ms"`
		Break bool   `json:"break"`
		Out   string `json:"out"`
	}
	_ = json.Unmarshal(in.Args, &args)
	d := time.Duration(args.MS) * time.Millisecond
	begun := time.Now()
	t := time.NewTimer(min(d, in.Timeout))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
		return sandbox.Outcome{Ending: sandbox.Exited, Took: time.Since(begun), Err: ctx.Err()}
	}
	if d > in.Timeout {
		return sandbox.Outcome{Ending: sandbox.TimedOut, Took: in.Timeout}
	}
	if args.Break {
		b.breakDown()
	}
	body := []byte(in.Args)
	if args.Out != "" {
		body = []byte(args.Out)
	}
	return sandbox.Outcome{OK: true, Body: body, Size: int64(len(body)), Took: time.Since(begun),
		Logs: []string{time.Now().UTC().Format(logTime) + " stdout: hello"}}
}

// rig is an invoker over a fakeDriver, in a bubble.
type rig struct {
	t *testing.T
	d *fakeDriver
	v *Invoker
}

func testConfig(dir string) Config {
	cfg := DefaultConfig()
	cfg.ID, cfg.Dir, cfg.MemoryMB, cfg.QueueLimit = "inv0", dir, 512, 4
	cfg.Journal.SegmentBytes = 64 << 10
	return cfg
}

// inBubble runs f on a running invoker and checks afterwards that nothing is
// left of it.
func inBubble(t *testing.T, change func(*Config, *fakeDriver), f func(*rig)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig(dir)
		d := &fakeDriver{run: nap, live: make(map[*fakeBox]bool)}
		if change != nil {
			change(&cfg, d)
		}
		d.capacity = cfg.MemoryMB
		v, err := New(cfg, []sandbox.Driver{d})
		if err != nil {
			t.Fatal(err)
		}
		v.share = func() float64 { return 0 }
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- v.Run(ctx) }()
		f(&rig{t, d, v})
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
		if len(d.live) > 0 || d.mb != 0 {
			t.Errorf("%d sandboxes are left", len(d.live))
		}
		for _, s := range d.faults {
			t.Error(s)
		}
		if v.pool.used != 0 || v.pool.busy != 0 || len(v.calls) != 0 || v.running != 0 || v.held != 0 || v.fetching != 0 {
			t.Errorf("left: used %d, busy %d, calls %d, running %d, held %d, fetching %d",
				v.pool.used, v.pool.busy, len(v.calls), v.running, v.held, v.fetching)
		}
	})
}

// replies collects what one call is told.
type replies struct {
	mu  sync.Mutex
	all []whisk.Reply
	ch  chan whisk.Reply
}

func newReplies() *replies { return &replies{ch: make(chan whisk.Reply, 16)} }

func (r *replies) add(x whisk.Reply) {
	r.mu.Lock()
	r.all = append(r.all, x)
	r.mu.Unlock()
	r.ch <- x
}

func (r *replies) kinds() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := ""
	for _, x := range r.all {
		s += "," + x.Kind.String()
	}
	if s == "" {
		return s
	}
	return s[1:]
}

// newTestCall returns a call of the named action of 128 MB.
func newTestCall(action, args string) *whisk.Call {
	return &whisk.Call{
		ID: whisk.NewActivationID(), TransactionID: "tid", Namespace: "guest", Subject: "guest",
		Target: &whisk.Target{
			Name: whisk.ActionName{Namespace: "guest", Name: action}, Version: whisk.FirstVersion, Revision: 1,
			Exec:   whisk.Exec{Kind: "fake:1"},
			Limits: whisk.Limits{Timeout: 60000, Memory: 128, Logs: 10, Concurrency: 1},
		},
		Args: json.RawMessage(args),
	}
}

func withCode(c *whisk.Call, code string) *whisk.Call {
	t := *c.Target
	t.Exec.Code = sha256.Sum256([]byte(code))
	c.Target = &t
	return c
}

func withMB(c *whisk.Call, mb int64) *whisk.Call {
	t := *c.Target
	t.Limits.Memory = mb
	c.Target = &t
	return c
}

func (r *rig) call(c *whisk.Call) *replies {
	r.t.Helper()
	out := newReplies()
	if err := r.v.Call(c, out.add); err != nil {
		r.t.Fatalf("Call: %v", err)
	}
	return out
}

// expect waits for the next reply.
func (r *rig) expect(out *replies, k whisk.ReplyKind) whisk.Reply {
	r.t.Helper()
	select {
	case x := <-out.ch:
		if x.Kind != k {
			r.t.Fatalf("reply = %v, want %v", x.Kind, k)
		}
		return x
	case <-time.After(time.Hour):
		r.t.Fatalf("no reply, want %v", k)
	}
	panic("unreachable")
}

func (r *rig) done(out *replies) *whisk.Activation {
	r.t.Helper()
	return r.expect(out, whisk.Done).Record
}
