package wire

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"hearth/whisk"
)

// echoEnv names the folder in which a process that runs this package's tests
// is the other end of its benchmarks instead.
const echoEnv = "HEARTH_TEST_WIRE_ECHO"

func TestMain(m *testing.M) {
	if dir := os.Getenv(echoEnv); dir != "" {
		debug.SetGCPercent(800) // as servers do
		if err := serveEchoes(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serveEchoes serves what the benchmarks call until its input ends: the wire
// over a unix socket and over TLS, and bare frames.
func serveEchoes(dir string) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	t, err := ServerTLS(benchFiles(dir, RoleInvoker))
	if err != nil {
		return err
	}
	s := NewServer(DefaultServerConfig(), &echo{}, hello)
	plain, err := Listen("unix:"+filepath.Join(dir, "s"), nil)
	if err != nil {
		return err
	}
	sealed, err := Listen("127.0.0.1:0", t)
	if err != nil {
		return err
	}
	bare, err := net.Listen("unix", filepath.Join(dir, "bare"))
	if err != nil {
		return err
	}
	go func() { _ = s.Serve(ctx, plain) }()
	go func() { _ = s.Serve(ctx, sealed) }()
	go func() {
		for {
			conn, err := bare.Accept()
			if err != nil {
				return
			}
			go func() { // read, write: the least that a call can cost
				b := make([]byte, 64<<10)
				for {
					n, err := conn.Read(b)
					if err != nil {
						return
					}
					if _, err := conn.Write(b[:n]); err != nil {
						return
					}
				}
			}()
		}
	}()
	fmt.Println(sealed.Addr())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func benchFiles(dir string, role Role) Files {
	name := filepath.Join(dir, string(role))
	return Files{CA: filepath.Join(dir, "ca.pem"), Cert: name + ".pem", Key: name + ".key"}
}

// far is a process that serves echoes.
type far struct {
	dir, tcp string
	pid      int
}

func startFar(b *testing.B) far {
	dir := b.TempDir()
	ca := Pair{filepath.Join(dir, "ca.pem"), filepath.Join(dir, "ca.key")}
	if err := NewCA(ca, time.Hour); err != nil {
		b.Fatal(err)
	}
	for role, hosts := range map[Role][]string{RoleRouter: nil, RoleInvoker: {"127.0.0.1"}} {
		f := benchFiles(dir, role)
		if err := IssueCert(ca, Pair{f.Cert, f.Key}, role, hosts, time.Hour); err != nil {
			b.Fatal(err)
		}
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), echoEnv+"="+dir)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			b.Error(err)
		}
	})
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return far{dir, strings.TrimSpace(addr), cmd.Process.Pid}
}

// dial returns a client that is up.
func (f far) dial(b *testing.B, transport string) *Client {
	addr := "unix:" + filepath.Join(f.dir, "s")
	var t *tls.Config
	if transport == "tls" {
		var err error
		if t, err = ClientTLS(benchFiles(f.dir, RoleRouter)); err != nil {
			b.Fatal(err)
		}
		addr = f.tcp
	}
	dial, err := Dialer(addr, t)
	if err != nil {
		b.Fatal(err)
	}
	up := make(chan whisk.Hello, 8)
	c := clientOf(b, dial, func(cfg *ClientConfig) { cfg.OnUp = func(h whisk.Hello) { up <- h } })
	run(b, c.Run)
	<-up
	return c
}

// cpu is the CPU time a process has used.
func cpu(pid int) time.Duration {
	if pid == 0 {
		var u syscall.Rusage
		if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
			return 0
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
	if err != nil {
		return 0
	}
	_ = b
	var total time.Duration
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, t := range tasks {
		var ns int64
		if b, err = os.ReadFile(t); err == nil {
			_, _ = fmt.Sscan(string(b), &ns)
			total += time.Duration(ns)
		}
	}
	return total
}

// spread runs do b.N times, so many at once, and reports what CPU time one
// took here and there.
func (f far) spread(b *testing.B, inFlight int, do func(worker int) error) {
	b.ReportAllocs()
	var left sync.WaitGroup
	mine, theirs := cpu(0), cpu(f.pid)
	b.ResetTimer()
	for w := range inFlight {
		n := b.N / inFlight
		if w < b.N%inFlight {
			n++
		}
		left.Go(func() {
			for range n {
				if err := do(w); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	left.Wait()
	b.StopTimer()
	b.ReportMetric(float64(cpu(0)-mine)/float64(b.N), "router-ns/op")
	b.ReportMetric(float64(cpu(f.pid)-theirs)/float64(b.N), "invoker-ns/op")
}

// BenchmarkBoth is a warm call with both ends in this process: what they
// allocate together.
func BenchmarkBoth(b *testing.B) {
	ln, err := Listen("unix:"+filepath.Join(b.TempDir(), "s"), nil)
	if err != nil {
		b.Fatal(err)
	}
	s := NewServer(DefaultServerConfig(), &echo{}, hello)
	run(b, func(ctx context.Context) error { return s.Serve(ctx, ln) })
	f := far{dir: filepath.Dir(ln.Addr().String())}
	benchCalls(b, f, f.dial(b, "unix"), newCall().Target, 1, 100)
}

// BenchmarkWarm is a warm call from one process to another and back, and what
// the same bytes cost over a connection for each call under way.
func BenchmarkWarm(b *testing.B) {
	defer debug.SetGCPercent(debug.SetGCPercent(800)) // as servers do
	f := startFar(b)
	target := newCall().Target
	for _, inFlight := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("bare/%d", inFlight), func(b *testing.B) {
			conns := make([]net.Conn, inFlight)
			for i := range conns {
				var err error
				if conns[i], err = net.Dial("unix", filepath.Join(f.dir, "bare")); err != nil {
					b.Fatal(err)
				}
				defer conns[i].Close()
			}
			out, in := make([]byte, 256), make([]byte, 256)
			f.spread(b, inFlight, func(w int) error {
				if _, err := conns[w].Write(out); err != nil {
					return err
				}
				_, err := io.ReadFull(conns[w], in)
				return err
			})
		})
		for _, transport := range []string{"unix", "tls"} {
			c := f.dial(b, transport)
			for _, size := range []int{100, 16 << 10, 128 << 10, 1 << 20} {
				name := fmt.Sprintf("%s/%d", transport, inFlight)
				if size > 100 {
					if inFlight == 64 {
						continue
					}
					name = fmt.Sprintf("%s/%dKiB/%d", transport, size>>10, inFlight)
				}
				b.Run(name, func(b *testing.B) { benchCalls(b, f, c, target, inFlight, size) })
			}
		}
	}
}

func benchCalls(b *testing.B, f far, c *Client, target *whisk.Target, inFlight, size int) {
	args := []byte(`{"x":"` + strings.Repeat("x", size) + `"}`)
	replies := make([]chan whisk.Reply, inFlight)
	for i := range replies {
		replies[i] = make(chan whisk.Reply, 1)
	}
	f.spread(b, inFlight, func(w int) error {
		call := &whisk.Call{
			ID: whisk.NewActivationID(), TransactionID: "0123456789abcdefghijklmnopqrstuv", Namespace: "guest",
			Subject: "guest", UUID: "23bc46b1-71f6-4ed5-8c54-816aa4f8c502", Target: target, Args: args, Waited: 50 * time.Microsecond,
		}
		if err := c.Call(call, func(r whisk.Reply) { replies[w] <- r }); err != nil {
			return err
		}
		if r := <-replies[w]; r.Kind != whisk.Done {
			return fmt.Errorf("reply %v", r.Kind)
		}
		return nil
	})
}
