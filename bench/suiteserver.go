package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// server is what the calls of a case go to: processes that bench has started,
// or, without any, a server that was there.
type server struct {
	procs []*process
	dir   string // to remove
	url   string // http://host:port
	key   string // UUID:KEY of a namespace
	prog  program
	ops   map[string]string

	drop func(context.Context) error // the database of --store postgres
}

// program is what servers and floors are started from.
type program struct {
	exe string
	env []string

	database func(context.Context) (dsn string, drop func(context.Context) error, err error)
}

// stop stops the processes and removes their files.
func (s *server) stop() error {
	err := stopAll(s.procs)
	if s.drop != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		err = errors.Join(err, s.drop(ctx))
	}
	if s.dir != "" {
		err = errors.Join(err, os.RemoveAll(s.dir))
	}
	return err
}

// meter returns a meter of the processes.
func (s *server) meter() *Meter {
	var list []Process
	for _, p := range s.procs {
		list = append(list, Process{Label: p.label, PID: p.pid()})
	}
	return NewMeter(list...)
}

func (s *server) alive() error {
	for _, p := range s.procs {
		if err := p.alive(); err != nil {
			return err
		}
	}
	return nil
}

// serverDir makes a folder that sandboxes' users can pass through.
func serverDir() (string, error) {
	dir, err := os.MkdirTemp("", "hearth-bench-")
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o711)
}

// startServer starts a Hearth server with fresh state and waits until it is
// ready.
func startServer(ctx context.Context, prog program, spec Server) (_ *server, err error) {
	s := &server{prog: prog, ops: map[string]string{}}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("start %s: %w", spec, err), s.stop())
		}
	}()
	if s.dir, err = serverDir(); err != nil {
		return s, err
	}
	if spec.Store == "postgres" {
		dsn, drop, err := prog.database(ctx)
		if err != nil {
			return s, err
		}
		s.drop = drop
		if err := os.WriteFile(s.dsnFile(), []byte(dsn), 0o600); err != nil {
			return s, err
		}
	}
	var wire []string
	if spec.Split == "" {
		return s, s.startRouter(ctx, "hearth", append(s.upArgs(spec), s.invokerArgs(spec)...))
	}
	listen, dial := "unix:"+filepath.Join(s.dir, "wire.sock"), ""
	if spec.Split == "tls" {
		if listen, err = freePort(); err != nil {
			return s, err
		}
		if wire, err = s.certificates(ctx); err != nil {
			return s, err
		}
	}
	dial = listen
	data := filepath.Join(s.dir, "invoker")
	args := append([]string{prog.exe, "invoker", "--data", data, "--listen", listen, "--ops-addr", "127.0.0.1:0", "--drain", drainFlag, "--config", os.DevNull}, s.invokerArgs(spec)...)
	if spec.Split == "tls" {
		args = append(args, wireFlags(wire[0], wire[1])...)
	}
	if _, err := s.start(ctx, "invoker", data, args); err != nil {
		return s, err
	}
	args = append(s.upArgs(spec), "--invoker", dial)
	args[1] = "router"
	if spec.Split == "tls" {
		args = append(args, wireFlags(wire[0], wire[2])...)
	}
	return s, s.startRouter(ctx, "router", args)
}

// drainFlag is how long servers may wait for runs when they are stopped.
const drainFlag = "3s"

func (s *server) upArgs(spec Server) []string {
	args := []string{s.prog.exe, "up", "--data", filepath.Join(s.dir, "data"), "--addr", "127.0.0.1:0", "--ops-addr", "127.0.0.1:0",
		"--no-throttle", "--drain", drainFlag, "--config", os.DevNull}
	if spec.Store != "" {
		args = append(args, "--store", spec.Store)
	}
	if s.drop != nil {
		args = append(args, "--store-dsn-file", s.dsnFile())
	}
	if spec.Hold {
		args = append(args, "--hold-queue")
	}
	return args
}

func (s *server) dsnFile() string { return filepath.Join(s.dir, "dsn") }

func (s *server) invokerArgs(spec Server) []string {
	args := []string{"--sandbox-dir", filepath.Join(s.dir, "sandboxes")}
	if spec.Memory > 0 {
		args = append(args, "--memory", strconv.Itoa(spec.Memory))
	}
	return args
}

// startRouter starts the process that has the API.
func (s *server) startRouter(ctx context.Context, label string, args []string) error {
	data := filepath.Join(s.dir, "data")
	ends, err := s.start(ctx, label, data, args)
	if err != nil {
		return err
	}
	key, err := os.ReadFile(filepath.Join(data, "guest.key"))
	if err != nil {
		return err
	}
	s.url, s.key = ends.API, strings.TrimSpace(string(key))
	return nil
}

// serverEnds is what a Hearth process writes into its data folder when it is
// ready.
type serverEnds struct {
	PID      int
	API, Ops string
}

// start starts a Hearth process and waits until it is ready.
func (s *server) start(ctx context.Context, label, data string, argv []string) (serverEnds, error) {
	p, err := startProcess(label, argv, s.prog.env)
	if err != nil {
		return serverEnds{}, err
	}
	s.procs = append(s.procs, p)
	deadline := time.NewTimer(startPatience)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		var e serverEnds
		b, err := os.ReadFile(filepath.Join(data, "endpoints.json"))
		if err == nil && json.Unmarshal(b, &e) == nil && e.PID == p.pid() {
			s.ops[label] = e.Ops
			return e, nil
		}
		select {
		case <-tick.C:
		case <-p.ended:
			return e, p.alive()
		case <-deadline.C:
			return e, fmt.Errorf("%s is not ready after %s: %s", label, startPatience, p.text.String())
		case <-ctx.Done():
			return e, ctx.Err()
		}
	}
}

// certificates has hearth make an authority and a certificate for each side,
// and returns the names of their files.
func (s *server) certificates(ctx context.Context) ([]string, error) {
	names := []string{"ca", "invoker", "router"}
	for i, n := range names {
		names[i] = filepath.Join(s.dir, n+"-pair")
	}
	for _, args := range [][]string{
		{"tls", "ca", "--out", names[0]},
		{"tls", "cert", "--ca", names[0], "--out", names[1], "--role", "invoker", "--host", "127.0.0.1"},
		{"tls", "cert", "--ca", names[0], "--out", names[2], "--role", "router"},
	} {
		p, err := startProcess("hearth tls", append([]string{s.prog.exe}, args...), s.prog.env)
		if err != nil {
			return nil, err
		}
		select {
		case <-p.ended:
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), p.stop())
		}
		if !p.cmd.ProcessState.Success() {
			return nil, p.alive()
		}
	}
	return names, nil
}

func wireFlags(ca, pair string) []string {
	return []string{"--wire-ca", ca + ".crt", "--wire-cert", pair + ".crt", "--wire-key", pair + ".key"}
}

// freePort returns an address of the loopback that nobody listens on just now.
func freePort() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer ln.Close()
	return ln.Addr().String(), nil
}

// startFloor starts the processes of a floor.
func startFloor(ctx context.Context, prog program, name string) (_ *server, err error) {
	s := &server{}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("start floor %s: %w", name, err), s.stop())
		}
	}()
	if s.dir, err = serverDir(); err != nil {
		return s, err
	}
	addr := ""
	for i, part := range floors[name] {
		args := []string{prog.exe, "bench", "floor", part.Part}
		if part.Family != "" {
			args = append(args, "--family", part.Family)
		}
		if addr != "" {
			args = append(args, "--to", addr)
		}
		if part.Part == "floor-two-back" {
			args = append(args, "--unix", filepath.Join(s.dir, "back.sock"))
		}
		p, err := startProcess(part.Part+strconv.Itoa(i), args, prog.env)
		if err != nil {
			return s, err
		}
		s.procs = append(s.procs, p)
		if addr, err = p.listening(ctx); err != nil {
			return s, err
		}
	}
	s.url = "http://" + addr
	return s, nil
}
