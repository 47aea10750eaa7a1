package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// How long processes may take.
const (
	startPatience = 30 * time.Second
	stopPatience  = 15 * time.Second
)

// process is a process that bench has started, in a group of its own so that a
// Ctrl-C at the terminal reaches bench alone, which then stops it in order. If
// bench is killed the process gets SIGTERM from the kernel (once the thread that
// started it is gone, and Go ends threads only with the program), and the end of
// its standard input.
type process struct {
	label string
	cmd   *exec.Cmd
	stdin io.Closer
	lines chan string // of its stdout, the first few
	text  tailBuffer  // the end of what it has printed
	ended chan struct{}

	patience time.Duration // of stop
}

// startProcess starts argv with the environment env (nil: ours). It does not
// wait for anything.
func startProcess(label string, argv, env []string) (*process, error) {
	p := &process{label: label, cmd: exec.Command(argv[0], argv[1:]...), lines: make(chan string, 8), ended: make(chan struct{}), patience: stopPatience}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	p.cmd.Stderr, p.cmd.Env = &p.text, env
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	p.stdin = in
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", label, err)
	}
	go p.follow(out)
	return p, nil
}

// follow reads stdout to its end and then waits for the process's.
func (p *process) follow(out io.Reader) {
	defer close(p.ended)
	r := bufio.NewScanner(out)
	for r.Scan() {
		_, _ = p.text.Write(append(r.Bytes(), '\n'))
		select {
		case p.lines <- r.Text():
		default:
		}
	}
	_, _ = io.Copy(io.Discard, out)
	_ = p.cmd.Wait()
}

// listening waits for the line "listening ADDR" and returns the address.
func (p *process) listening(ctx context.Context) (string, error) {
	t := time.NewTimer(startPatience)
	defer t.Stop()
	for {
		select {
		case line := <-p.lines:
			if addr, ok := strings.CutPrefix(line, "listening "); ok {
				return addr, nil
			}
		case <-p.ended:
			return "", fmt.Errorf("%s ended: %s", p.label, p.text.String())
		case <-t.C:
			return "", fmt.Errorf("%s does not listen after %s: %s", p.label, startPatience, p.text.String())
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// alive reports whether it has not ended by itself.
func (p *process) alive() error {
	select {
	case <-p.ended:
		return fmt.Errorf("%s has ended: %s", p.label, p.text.String())
	default:
		return nil
	}
}

// stop asks the process to end, and kills its group if it does not.
func (p *process) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	_ = p.stdin.Close()
	select {
	case <-p.ended:
	case <-time.After(p.patience):
		_ = syscall.Kill(-p.pid(), syscall.SIGKILL)
		<-p.ended
		return fmt.Errorf("%s did not stop within %s and was killed", p.label, p.patience)
	}
	return nil // its own children end with it
}

// stopAll stops processes, the last started first.
func stopAll(list []*process) error {
	var errs []error
	for i := len(list) - 1; i >= 0; i-- {
		errs = append(errs, list[i].stop())
	}
	return errors.Join(errs...)
}

// tailBuffer keeps the end of what is written to it.
type tailBuffer struct {
	mu sync.Mutex
	b  []byte
}

const maxTail = 8 << 10

func (t *tailBuffer) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if n := len(t.b) - maxTail; n > 0 {
		t.b = append(t.b[:0], t.b[n:]...)
	}
	return len(p), nil
}

func (t *tailBuffer) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.b))
}
