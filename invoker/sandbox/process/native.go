package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"hearth/invoker/sandbox"
)

// maxArgument is the longest JSON text that a program also gets as an
// argument; the kernel takes no longer ones.
const maxArgument = 131071

// stub is what runs where an action brings no code, as in OpenWhisk's image.
const stub = `#!/bin/sh
echo 'This is a stub action. Replace it with custom logic.'
echo '{ "error": "This is a stub action. Replace it with custom logic." }'
`

// programName is the program's name in an archive and on disk.
const programName = "exec"

// native is a sandbox that starts a process for each run.
type native struct {
	*box
	program string
}

var _ sandbox.Sandbox = (*native)(nil)

// Init implements [sandbox.Sandbox].
func (n *native) Init(_ context.Context, in *sandbox.Init) sandbox.Outcome {
	began := time.Now()
	program, err := n.unpackProgram(in, began.Add(in.Timeout), true)
	if err != nil {
		return refused(err, began)
	}
	n.program = program
	return sandbox.Outcome{OK: true, Body: []byte("OK"), Size: 2, Took: time.Since(began)}
}

// Run implements [sandbox.Sandbox].
func (n *native) Run(in *sandbox.Run, done func(sandbox.Outcome)) {
	go func() { done(n.run(in)) }() // ends with the process, at the latest by Destroy
}

func (n *native) run(in *sandbox.Run) sandbox.Outcome {
	n.logs.begin(in.LogBytes)
	last := &lastLine{logs: n.logs, keep: in.ResultBytes}
	o := n.once(in, last)
	if o.Ending != sandbox.Exited || o.Err == nil || n.killed.Load() {
		last.flush()
	} else if o.Body, o.Size = last.result(); o.Size <= in.ResultBytes && !isResult(o.Body) {
		last.flush()
		o.Body = errorBody(notAResult)
		o.Ending, o.Err, o.Size = sandbox.Replied, nil, int64(len(o.Body))
	} else {
		o.Ending, o.Err, o.OK = sandbox.Replied, nil, true
	}
	o.Logs, o.LogsCut = n.logs.take()
	return o
}

// once runs the program to its end, which is the Exited of a good run.
func (n *native) once(in *sandbox.Run, last *lastLine) sandbox.Outcome {
	x := &exchange{began: time.Now(), timeout: in.Timeout}
	deadline := x.deadline()
	args := appendOneLine(nil, in.Args)
	argv := []string{n.program}
	if len(args) <= maxArgument {
		argv = append(argv, string(args))
	}
	place := func(ps *pipes) []int { return []int{ps.in, ps.stdout, ps.stderr} }
	p, err := n.start(program{
		path: n.program, args: argv, env: n.environment(runContext(in, deadline).environment()),
		dir: filepath.Dir(n.program), place: place, stdout: last.write, ends: true,
	})
	if err != nil {
		n.logs.write(stderr, []byte("cannot start the action's program: "+startError(err)+"\n"))
		return sandbox.Outcome{Ending: sandbox.Exited, Err: err, Took: time.Since(x.began)}
	}
	defer p.closeFiles()
	var feeding sync.WaitGroup
	feeding.Go(func() {
		_ = p.in.SetWriteDeadline(deadline)
		_, _ = p.in.Write(append(args, '\n')) // a program need not read
		_ = p.in.Close()
	})
	o := n.ask(context.Background(), p, x)
	feeding.Wait()
	return o
}

// lastLine holds back the last line of stdout that is not blank: the result.
// What comes before it is logs.
type lastLine struct {
	logs *logs
	keep int64

	mu   sync.Mutex // guards below
	text []byte     // the line, cut to little more than keep
	size int64      // uncut
	done bool       // the line has ended
	gap  int        // how many blank lines followed
	pad  []byte     // the blanks at the beginning of the next
}

func (l *lastLine) write(b []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(b) > 0 {
		piece, rest, ended := bytes.Cut(b, []byte("\n"))
		if l.done && len(bytes.TrimSpace(piece)) == 0 {
			l.pad = append(l.pad, piece[:min(len(piece), maxLine-len(l.pad))]...)
			if ended {
				l.gap, l.pad = l.gap+1, l.pad[:0]
			}
			b = rest
			continue
		}
		if l.done {
			l.release()
			l.text, l.size, l.pad = append(l.text, l.pad...), int64(len(l.pad)), l.pad[:0]
		}
		l.text = append(l.text, piece[:min(int64(len(piece)), max(0, l.keep+maxLine-int64(len(l.text))))]...)
		l.size += int64(len(piece))
		l.done = ended
		b = rest
	}
	return true
}

// release makes the line held back a line of the logs.
func (l *lastLine) release() {
	if l.size > 0 || l.done {
		l.logs.write(stdout, append(l.text, '\n'))
	}
	for ; l.gap > 0; l.gap-- {
		l.logs.write(stdout, []byte("\n"))
	}
	l.text, l.size, l.done = l.text[:0], 0, false
}

func (l *lastLine) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.release()
}

// result returns the line held back, which may be cut, and its full length.
func (l *lastLine) result() ([]byte, int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := bytes.TrimSpace(l.text)
	size := l.size - int64(len(l.text)-len(text))
	return bytes.Clone(text[:min(int64(len(text)), l.keep)]), size
}

// unpackProgram puts a program into the sandbox's folder and returns its path.
// The code is a zip or tar.gz with a program "exec" at its root, base64 of a
// program or, if scripts may be, the text of one.
func (b *box) unpackProgram(in *sandbox.Init, deadline time.Time, scripts bool) (string, error) {
	b.unpacking.Lock()
	defer b.unpacking.Unlock()
	root, err := b.codeRoot()
	if err != nil {
		return "", err
	}
	defer root.Close()
	program := filepath.Join(root.Name(), programName)
	u := newUnpacker(root, b.uid, b.stopAt(deadline))
	var text io.Reader = strings.NewReader(stub)
	if in.CodePath != "" {
		f, err := os.Open(in.CodePath)
		if err != nil {
			return "", fmt.Errorf("code: %w", err)
		}
		defer f.Close()
		text = f
	} else if !scripts {
		return "", errNoCode
	}
	binary := in.Binary && in.CodePath != ""
	switch {
	case binary:
		err = b.unpackBinaryProgram(u, text)
	case scripts:
		_, err = u.file(programName, 0o755, text)
	default:
		err = &codeError{"Building from source is not available yet: compile the action to an executable that speaks the ActionLoop protocol, and create it from that or from a zip with the executable as \"exec\"."}
	}
	if err != nil {
		return "", err
	}
	if err := root.Chmod(programName, 0o755); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return "", &codeError{"The action failed to generate or locate a binary. See logs for details."}
		}
		return "", fmt.Errorf("program: %w", err)
	}
	return program, nil
}

func (b *box) unpackBinaryProgram(u *unpacker, text io.Reader) error {
	f, err := decode(text, b.home+".archive")
	if err != nil {
		return err
	}
	defer f.Close()
	defer os.Remove(f.Name())
	head, size, err := headOf(f)
	if err != nil {
		return err
	}
	switch {
	case isZip(head):
		return u.zip(f, size)
	case isGzip(head):
		return u.tarGz(f)
	case isProgram(head):
		_, err := u.file(programName, 0o755, f)
		return err
	}
	if size == 0 {
		return errNoCode
	}
	return &codeError{"The code is neither a zip or tar.gz archive nor a program."}
}
