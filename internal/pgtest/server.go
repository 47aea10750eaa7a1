package pgtest

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
)

// User and Database are whom tests connect as, and to what.
const (
	User     = "hearth"
	Database = "postgres"
)

// Server is one PostgreSQL. Its methods are not safe for concurrent use, but
// clients may go on meanwhile.
type Server struct {
	cfg  Config
	bin  string // folder of the binaries
	dir  string // of data and socket
	as   *syscall.Credential
	log  *output
	proc *process // nil: it does not run
}

// process is one life of a server.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has been waited for
	err   error         // of the wait
}

// prepare makes the folder of a server.
func prepare(t testing.TB, cfg Config) *Server {
	t.Helper()
	bin := binaries()
	if bin == "" {
		t.Skip("no PostgreSQL: neither on the PATH nor in /usr/lib/postgresql are initdb and postgres; `scripts/setup test` installs them")
	}
	s := &Server{cfg: cfg, bin: bin}
	if err := s.prepare(); err != nil {
		s.remove()
		t.Fatalf("pgtest: %v", err)
	}
	return s
}

func (s *Server) prepare() (err error) {
	if s.as, err = unprivileged(); err != nil {
		return err
	}
	// Not in t.TempDir: the path of a socket is at most 107 bytes.
	if s.dir, err = os.MkdirTemp("", "hearth-pg-"); err != nil {
		return err
	}
	if s.as != nil {
		if err := os.Chown(s.dir, int(s.as.Uid), int(s.as.Gid)); err != nil {
			return err
		}
	}
	cmd := s.command("initdb", "-D", s.data(), "-U", User, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// remove deletes the folder.
func (s *Server) remove() {
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
	}
}

// command returns one of PostgreSQL's programs as it is to be run.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential: s.as,
		Setsid:     true,            // an interrupt at the terminal is for the tests
		Pdeathsig:  syscall.SIGQUIT, // ends all of its processes at once
	}
	return cmd
}

// Host returns the folder of the server's socket, which is its host to clients.
func (s *Server) Host() string { return s.dir }

// DSN returns how to connect, with further parameters.
func (s *Server) DSN(more url.Values) string {
	v := url.Values{"host": {s.dir}, "user": {User}}
	for key, values := range more {
		v[key] = values
	}
	return "postgres:///" + Database + "?" + v.Encode()
}

// args are those of the server.
func (s *Server) args() []string {
	settings := map[string]string{
		"listen_addresses": "", "unix_socket_directories": s.dir, "max_connections": "250",
		"shared_buffers": "64MB", "log_min_messages": "warning", "log_min_error_statement": "panic",
	}
	if s.cfg.Unsynced {
		settings["fsync"], settings["full_page_writes"] = "off", "off"
	}
	for key, value := range s.cfg.Settings {
		settings[key] = value
	}
	args := []string{"-D", s.data()}
	for key, value := range settings {
		args = append(args, "-c", key+"="+value)
	}
	return args
}

// start starts the server and waits until it takes connections.
func (s *Server) start(t testing.TB) {
	t.Helper()
	s.log = newOutput()
	p := &process{cmd: s.command("postgres", s.args()...), ended: make(chan struct{})}
	p.cmd.Stderr = s.log
	started := make(chan error)
	go func() {
		// Its parent is this thread, with which it would end.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.err = p.cmd.Wait()
			close(p.ended)
		}
	}()
	if err := <-started; err != nil {
		t.Fatalf("pgtest: start postgres: %v", err)
	}
	s.proc = p
	select {
	case <-s.log.ready:
	case <-p.ended:
		s.proc = nil
		t.Fatalf("pgtest: postgres ended: %v\n%s", p.err, s.log)
	}
}

// close ends the server with its test.
func (s *Server) close(t testing.TB) {
	if t.Failed() && s.log != nil {
		t.Logf("PostgreSQL wrote:\n%s", s.log)
	}
	if err := s.kill(); err != nil {
		t.Errorf("pgtest: %v", err)
	}
	s.remove()
}

// Start starts a server that was stopped or killed.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	if s.proc != nil {
		t.Fatal("pgtest: it runs")
	}
	s.start(t)
}

// Restart stops the server and starts it again.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Stop(t)
	s.start(t)
}

// Stop shuts the server down as an operator does in a hurry: what goes on is
// broken off, and connections are closed.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	p := s.proc
	if p == nil {
		t.Fatal("pgtest: it does not run")
	}
	s.proc = nil
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	<-p.ended
	if p.err != nil {
		t.Fatalf("pgtest: postgres: %v\n%s", p.err, s.log)
	}
}

// Kill kills the server, all of its processes at once.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	if err := s.kill(); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
}

func (s *Server) kill() error {
	p := s.proc
	if p == nil {
		return nil
	}
	s.proc = nil
	pid := p.cmd.Process.Pid
	// Its children have sessions of their own, so that no signal to a group
	// reaches them. Stopped, it makes no new ones.
	errs := []error{p.cmd.Process.Signal(syscall.SIGSTOP)}
	children, err := openChildren(pid)
	errs = append(errs, err, p.cmd.Process.Kill())
	for _, c := range children {
		errs = append(errs, c.kill())
	}
	<-p.ended
	for _, c := range children {
		errs = append(errs, c.wait())
	}
	return errors.Join(slices.DeleteFunc(errs, func(err error) bool { return errors.Is(err, os.ErrProcessDone) })...)
}
