package process

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"hearth/whisk"
)

// Bare is a launcher, or an ActionLoop executable, without a sandbox around
// it: no user id, no bounds, no logs. It is what the cost of a sandbox and of
// the platform is measured against; code that is not trusted has no place in
// it. One goroutine at a time may use it.
type Bare struct {
	cmd  *exec.Cmd
	in   *os.File
	out  *os.File
	loop bool // ActionLoop: bare JSON lines
	line []byte
}

// StartBare starts the launcher of a family of kinds ("nodejs" or "python")
// with the first interpreter found in the folders of path, and waits until it
// is ready. The process inherits no environment.
func StartBare(family string, path []string) (*Bare, error) {
	c, program, err := interpreter(family, path)
	if err != nil {
		return nil, err
	}
	file, remove, err := bareFile(map[string][]byte{"launcher.js": launcherJS, "launcher.py": launcherPy}[c.launcher])
	if err != nil {
		return nil, err
	}
	defer remove()
	args := append(c.flags(256), file)
	b := &Bare{cmd: exec.Command(program, args...)}
	if err := b.start(10, 11); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	if text, err := b.readLine(nil, 10*time.Second); err != nil || string(text) != "ready" {
		return nil, errors.Join(fmt.Errorf("start launcher of %s: it said %q, %w", family, text, orNone(err)), b.Close())
	}
	return b, nil
}

// StartBareLoop starts an executable that speaks the ActionLoop protocol.
func StartBareLoop(program string, args ...string) (*Bare, error) {
	b := &Bare{cmd: exec.Command(program, args...), loop: true}
	if err := b.start(0, 3); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// Interpreter returns the path of the program that sandboxes of a family
// ("nodejs" or "python") would run, without asking it for its version.
func Interpreter(family string, path []string) (string, error) {
	_, program, err := interpreter(family, path)
	return program, err
}

func interpreter(family string, path []string) (candidate, string, error) {
	for _, c := range candidates {
		if c.family != family {
			continue
		}
		for _, dir := range path {
			for _, name := range c.programs {
				if p := filepath.Join(dir, name); isELF(p) {
					return c, p, nil
				}
			}
		}
		return c, "", fmt.Errorf("no %s in %s", strings.Join(c.programs, " or "), strings.Join(path, ", "))
	}
	return candidate{}, "", fmt.Errorf("no launcher for %s", family)
}

// start starts the process, which gets requests at the one descriptor and
// replies at the other.
func (b *Bare) start(requests, replies int) (err error) {
	var childIn, childOut *os.File
	if childIn, b.in, err = os.Pipe(); err != nil {
		return err
	}
	defer childIn.Close()
	if b.out, childOut, err = os.Pipe(); err != nil {
		return err
	}
	defer childOut.Close()
	b.cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "TZ=UTC", "HOME=/"}
	b.cmd.Stderr = os.Stderr
	b.cmd.ExtraFiles = make([]*os.File, replies-2)
	b.cmd.ExtraFiles[replies-3] = childOut
	if requests == 0 {
		b.cmd.Stdin = childIn
	} else {
		b.cmd.ExtraFiles[requests-3] = childIn
	}
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return b.cmd.Start()
}

// bareID stands where a platform would have the id of an activation. Of the
// context of a run a launcher needs no more than that.
var (
	bareID   = whisk.ActivationID{15: 1}
	bareRest = `,"activation_id":"` + bareID.String() + "\"}\n"
)

// Init hands a launcher its code, the text of a source file. An ActionLoop
// executable has its code already.
func (b *Bare) Init(code string) error {
	if b.loop {
		return nil
	}
	file, remove, err := bareFile([]byte(code))
	if err != nil {
		return err
	}
	defer remove()
	ctx := makeContext(bareID, "", "/_/bare", "0.0.1", "_", "", time.Now().Add(time.Minute))
	line, err := initLine(ctx, "main", userCode{folder: filepath.Dir(file), file: file}, nil)
	if err != nil {
		return err
	}
	if _, err := b.in.Write(line); err != nil {
		return err
	}
	text, err := b.readLine(nil, 10*time.Second)
	if err != nil {
		return err
	}
	if _, status, _, ok := cutReply(text); !ok || status != "200" {
		return fmt.Errorf("init: %.300q", text)
	}
	return nil
}

// Run runs the code on args, a JSON object without line ends, and appends the
// result to dst. It waits as long as it takes.
func (b *Bare) Run(dst, args []byte) ([]byte, error) {
	b.line = append(append(append(b.line[:0], `{"value":`...), args...), bareRest...)
	if _, err := b.in.Write(b.line); err != nil {
		return dst, err
	}
	n := len(dst)
	out, err := b.readLine(dst, 0)
	if err != nil || b.loop {
		return out, err
	}
	_, status, body, ok := cutReply(out[n:])
	if !ok || status != "200" {
		return dst, fmt.Errorf("run: %.300q", out[n:])
	}
	return append(out[:n], body...), nil
}

func cutReply(t []byte) (id, status string, body []byte, ok bool) {
	if len(t) < headLength || t[32] != ' ' || t[36] != ' ' {
		return "", "", nil, false
	}
	return string(t[:32]), string(t[33:36]), t[headLength:], true
}

// readLine appends one line without its end to dst. The next line is not asked
// for before this one is here, so that nothing can follow it.
func (b *Bare) readLine(dst []byte, patience time.Duration) ([]byte, error) {
	if patience > 0 {
		_ = b.out.SetReadDeadline(time.Now().Add(patience))
		defer b.out.SetReadDeadline(time.Time{}) //nolint:errcheck // a pipe has deadlines
	}
	for {
		if cap(dst)-len(dst) < 512 {
			dst = append(dst, make([]byte, max(4<<10, len(dst)))...)[:len(dst)]
		}
		n, err := b.out.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if n > 0 && dst[len(dst)-1] == '\n' {
			return dst[:len(dst)-1], nil
		}
		if errors.Is(err, io.EOF) {
			return dst, io.ErrUnexpectedEOF
		}
		if err != nil {
			return dst, err
		}
	}
}

// Pid is the process's id.
func (b *Bare) Pid() int { return b.cmd.Process.Pid }

// bareFile writes a file in a folder of its own, for a process that reads it
// at once.
func bareFile(text []byte) (name string, remove func(), err error) {
	dir, err := os.MkdirTemp("", "hearth-bare-")
	if err != nil {
		return "", nil, err
	}
	remove = func() { _ = os.RemoveAll(dir) }
	name = filepath.Join(dir, "code")
	if err := os.WriteFile(name, text, 0o600); err != nil {
		remove()
		return "", nil, err
	}
	return name, remove, nil
}

// Close kills the process.
func (b *Bare) Close() error {
	if b.cmd.Process != nil {
		_ = b.cmd.Process.Kill()
		_ = b.cmd.Wait()
	}
	for _, f := range []*os.File{b.in, b.out} {
		if f != nil {
			_ = f.Close()
		}
	}
	return nil
}
