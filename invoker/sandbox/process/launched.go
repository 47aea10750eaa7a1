package process

import (
	"context"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"hearth/invoker/sandbox"
)

// launched is a sandbox with one of our launchers in it.
type launched struct {
	*resident
	lang *language
}

var _ sandbox.Sandbox = (*launched)(nil)

// launch starts the launcher and waits until it is ready.
func (b *box) launch(ctx context.Context, lang *language) (*launched, error) {
	place := func(ps *pipes) []int {
		files := []int{b.d.null, ps.stdout, ps.stderr, 10: ps.in, 11: ps.out}
		for i := 3; i < 10; i++ {
			files[i] = -1
		}
		return files
	}
	args := append([]string{lang.path}, lang.flags(b.spec.MemoryMB)...)
	args = append(args, b.d.launcherFile(lang.launcher))
	if lang.family == "nodejs" {
		b.hint = b.heapHint
	}
	b.logs.begin(maxLine)
	p, err := b.start(program{path: lang.path, args: args, env: b.environment(nil), dir: b.home, replies: true, place: place, ours: true})
	if err != nil {
		return nil, err
	}
	o := b.ask(ctx, p, &exchange{bare: true, keep: 64, began: time.Now(), timeout: b.d.cfg.StartTimeout})
	lines, _ := b.logs.take()
	if o.Ending != sandbox.Replied || string(o.Body) != "ready" {
		return nil, fmt.Errorf("start %s: launcher %s, %w; it said %q, printed %q", lang.kind, o.Ending, orNone(o.Err), o.Body, lines)
	}
	return &launched{newResident(b, p, false), lang}, nil
}

// Init implements [sandbox.Sandbox].
func (l *launched) Init(ctx context.Context, in *sandbox.Init) sandbox.Outcome {
	began := time.Now()
	l.logs.begin(in.LogBytes)
	code, err := l.unpack(in, began.Add(in.Timeout))
	if err != nil {
		return refused(err, began)
	}
	main := in.Main
	if main == "" {
		main = "main"
	}
	line, err := initLine(initContext(in, began.Add(in.Timeout)), main, code, in.Env)
	if err != nil {
		return sandbox.Outcome{Ending: sandbox.Exited, Err: fmt.Errorf("init request: %w", err)}
	}
	x := &exchange{line: line, began: began, timeout: in.Timeout, keep: in.ResultBytes}
	hex.Encode(x.id[:], in.ID[:])
	return l.initialised(l.ask(ctx, l.p, x))
}

// initialised closes the logs of an Init: those of a good one wait for the
// first run.
func (b *box) initialised(o sandbox.Outcome) sandbox.Outcome {
	if o.Ending == sandbox.Replied && o.OK {
		b.logs.end()
	} else {
		o.Logs, o.LogsCut = b.logs.take()
	}
	return o
}

// nodeFlags keep the heap within the sandbox's memory: V8 would size it by the
// machine's.
func nodeFlags(memoryMB int64) []string {
	return []string{"--max-old-space-size=" + strconv.FormatInt(max(memoryMB/2, memoryMB-96), 10)}
}

// pythonFlags: nothing from the environment or the user's folders, no site
// module (the launcher adds the system's packages itself), UTF-8.
func pythonFlags(int64) []string { return []string{"-I", "-S", "-B", "-X", "utf8"} }

func orNone(err error) error {
	if err == nil {
		return errNone
	}
	return err
}
